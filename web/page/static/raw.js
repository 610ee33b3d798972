// A turn as raw: what the model sent, beside the events that the gateway made of it.

import { Chunks } from "./chunks.js";
import { element } from "./dom.js";
import { request, serverSentEvents } from "./stream.js";
import { say } from "./words.js";

const DIRECT = "upstream/v1"; // the cluster's Qwen as a plain API, where it is deployed

export class Raw {
  // `body` is the request of the turn.
  constructor(body) {
    this.body = body;
    this.title = element("h3", {}, say("rawModel"));
    this.model = element("div", { class: "raw-text", tabindex: "0", role: "region", "aria-label": say("rawModel") });
    this.events = element("div", { class: "raw-text", tabindex: "0", role: "region", "aria-label": say("rawEvents") });
    this.element = element("div", { class: "raw", hidden: true }, element("div", {}, this.title, this.model), element("div", {}, element("h3", {}, say("rawEvents")), this.events));
    this.modelText = new Chunks(this.model);
    this.eventText = new Chunks(this.events);
    this.thinking = false;
    this.direct = null;
  }

  // Take an event, with its JSON as it came.
  take(event, json) {
    this.eventText.append(`${json}\n`);
    if (this.direct) return;
    if (event.type === "reasoning.delta") this.modelText.append((this.thinking ? "" : "<think>\n") + event.delta);
    if (event.type === "response.delta") this.modelText.append((this.thinking ? "\n</think>\n\n" : "") + event.delta);
    if (event.type === "tool_call.done") this.modelText.append(`\n${event.name}(${event.arguments})\n`);
    if (event.type === "reasoning.delta") this.thinking = true;
    if (event.type === "response.delta") this.thinking = false;
  }

  // Show or hide it. Where the model can be asked directly, ask it the same, the first time it is shown.
  async toggle() {
    this.element.hidden = !this.element.hidden;
    if (this.element.hidden || this.direct) return;
    const { data } = await request(`${DIRECT}/models`).then((response) => response.json(), () => ({ data: [] }));
    if (!data.some((model) => model.id === this.body.model) || this.direct) return;
    this.direct = new AbortController();
    this.title.textContent = say("rawDirect");
    this.model.replaceChildren();
    this.modelText = new Chunks(this.model);
    try {
      const { model, messages } = this.body;
      const sent = { method: "POST", body: JSON.stringify({ model, messages, stream: true }), signal: this.direct.signal };
      for await (const json of serverSentEvents(await request(`${DIRECT}/chat/completions`, sent))) {
        const chunk = json === "[DONE]" ? {} : JSON.parse(json);
        this.modelText.append(chunk.choices?.[0]?.delta?.content ?? "");
      }
    } catch (error) {
      this.modelText.append(`\n\n${error.message}`);
    }
  }
}
