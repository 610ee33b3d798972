// A turn as raw: what the model sent, beside the events that the gateway made of it.

import { Chunks } from "./chunks.js";
import { element } from "./dom.js";
import { request, serverSentEvents } from "./stream.js";
import { say } from "./words.js";

const DIRECT = "upstream/v1"; // the cluster's Qwen as a plain API, where it is deployed

export class Raw {
  // `body` is the request of the turn, `events` are those that have come.
  constructor(body, events) {
    Object.assign(this, { body, come: events });
    this.title = element("h3", {}, say("rawModel"));
    this.model = element("div", { class: "raw-text", tabindex: "0", role: "group", "aria-label": say("rawModel") });
    this.events = element("div", { class: "raw-text", tabindex: "0", role: "group", "aria-label": say("rawEvents") });
    this.element = element("div", { class: "raw", hidden: true }, element("div", {}, this.title, this.model), element("div", {}, element("h3", {}, say("rawEvents")), this.events));
    this.modelText = new Chunks(this.model);
    this.eventText = new Chunks(this.events);
    this.thinking = this.begun = false;
    this.direct = false;
  }

  // Write down an event, once this has been shown for the first time.
  take(event) {
    if (!this.begun) return;
    this.eventText.append(`${JSON.stringify(event)}\n`);
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
    if (this.begun) return;
    this.begun = true;
    for (const event of this.come) this.take(event);
    const { data } = await request(`${DIRECT}/models`).then((response) => response.json(), () => ({ data: [] }));
    if (!data.some((model) => model.id === this.body.model)) return;
    this.direct = true;
    this.title.textContent = say("rawDirect");
    this.model.replaceChildren();
    this.modelText = new Chunks(this.model);
    try {
      const { model, messages } = this.body;
      const sent = { method: "POST", body: JSON.stringify({ model, messages, stream: true }) };
      for await (const json of serverSentEvents(await request(`${DIRECT}/chat/completions`, sent))) {
        const chunk = json === "[DONE]" ? {} : JSON.parse(json);
        this.modelText.append(chunk.choices?.[0]?.delta?.content ?? "");
      }
    } catch (error) {
      this.modelText.append(`\n\n${error.message}`);
    }
  }
}
