// The response as HTML, which the server renders: at most five times a second, and only from the block that still grows.

import { button, copy, element, setRenderedHtml } from "./dom.js";
import { Failure, request } from "./stream.js";
import { say } from "./words.js";

const INTERVAL = 200; // milliseconds between two renderings
const BUSY = 2000; // milliseconds after a refusal because of too much work
const BYTES = 60_000; // more are shown as they are written
const DEFINITION = /^ {0,3}\[[^\]\n]+\]:/m; // the address of links in earlier blocks

export class Answer {
  constructor() {
    this.element = element("div", { class: "markdown" });
    this.text = "";
    this.settled = 0; // where the block that may still change begins
    this.plain = false;
    this.running = this.again = null;
  }

  append(delta) {
    this.text += delta.replaceAll("\r\n", "\n");
    this.schedule();
  }

  schedule() {
    this.again = true;
    this.running ??= this.renderAll().finally(() => (this.running = null));
  }

  // Return once the whole text is shown; a link may have its address at the end.
  async finish() {
    await this.running;
    if (!this.plain && DEFINITION.test(this.text) && this.settled) {
      this.settled = 0;
      this.element.replaceChildren();
      this.schedule();
      await this.running;
    }
  }

  async renderAll() {
    while (this.again) {
      this.again = false;
      const pause = await this.render();
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  // Render from the last block on. Return the milliseconds to wait for the next time.
  async render() {
    const text = this.text.slice(this.settled);
    if (!this.plain && text.length <= BYTES) {
      try {
        this.put(text, await (await request("page/render", { method: "POST", body: text })).json());
        return INTERVAL;
      } catch (error) {
        if (error instanceof Failure && [429, 503].includes(error.status)) {
          this.again = true;
          return BUSY;
        }
      }
    }
    this.plain = true; // this text cannot be rendered: show what it is
    this.element.lastChild?.remove();
    this.element.append(element("div", { class: "plain block", dir: "auto" }, text));
    return INTERVAL;
  }

  put(text, blocks) {
    this.element.querySelector(".growing")?.remove();
    for (const [index, { html }] of blocks.entries()) {
      const block = element("div", { class: index === blocks.length - 1 ? "block growing" : "block", dir: "auto" });
      setRenderedHtml(block, html);
      for (const code of block.querySelectorAll("pre")) addCopyButton(code);
      this.element.append(block);
    }
    const lines = blocks.at(-1)?.start ?? 0;
    let at = 0;
    for (let n = 0; n < lines; n++) at = text.indexOf("\n", at) + 1;
    this.settled += at;
  }
}

function addCopyButton(code) {
  const copied = button(say("copy"), async () => {
    await copy(code.textContent);
    copied.textContent = say("copied");
    setTimeout(() => (copied.textContent = say("copy")), 1500);
  }, { class: "copy" });
  const frame = element("div", { class: "code" });
  code.tabIndex = 0; // it may scroll
  code.dir = "ltr";
  code.replaceWith(frame);
  frame.append(code, copied);
}
