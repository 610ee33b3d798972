// The status line: what the model is doing right now, for how long, how many tokens, and how fast.

import { element } from "./dom.js";
import { duration, number, say } from "./words.js";

const TICK = 250; // milliseconds
const CHARACTERS_PER_TOKEN = 4; // until the gateway has counted

export class Status {
  constructor() {
    this.headline = element("span", { class: "headline", dir: "auto" }, say("waiting"));
    this.figures = element("span", { class: "figures" });
    this.element = element("div", { class: "status running" }, element("span", { class: "pulse", "aria-hidden": "true" }), this.headline, this.figures);
    this.characters = 0; // of the trace and of the response
    this.firstAt = null; // when the first of them came
    this.perToken = CHARACTERS_PER_TOKEN;
  }

  // Show the time since `begun`, in milliseconds of `performance.now()`.
  start(begun) {
    this.begun = begun;
    this.timer = setInterval(() => this.tick(), TICK);
    this.tick();
  }

  stop() {
    clearInterval(this.timer);
    this.element.classList.remove("running");
  }

  say(text) {
    if (text && this.headline.textContent !== text) this.headline.textContent = text;
  }

  count(characters, at) {
    this.characters += characters;
    this.firstAt ??= at;
  }

  // The gateway has counted the tokens of all characters so far.
  calibrate(tokens) {
    if (tokens && this.characters) this.perToken = this.characters / tokens;
  }

  tick() {
    const seconds = (performance.now() - this.begun) / 1000;
    const tokens = Math.round(this.characters / this.perToken);
    const parts = [duration(seconds)];
    if (tokens) {
      const exact = this.perToken === CHARACTERS_PER_TOKEN ? "≈ " : "";
      const writing = seconds - this.firstAt;
      parts.push(exact + say("tokens", { count: number(tokens) }));
      if (writing > 1) parts.push(say("perSecond", { count: number(tokens / writing, 1) }));
    }
    this.figures.textContent = parts.join(" · ");
  }
}
