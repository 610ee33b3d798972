// The timeline of the steps: number, title, text, who wrote it, and how long the step took.

import { announce, element } from "./dom.js";
import { duration, say } from "./words.js";

export class Steps {
  // `onpoint` is called with the index of the step that is pointed at, or null; `onchoose` with the one that is chosen.
  constructor(onpoint, onchoose) {
    this.element = element("ol", { class: "steps", "aria-label": say("steps") });
    this.onpoint = onpoint;
    this.onchoose = onchoose;
    this.items = [];
  }

  // The item of a step, with its text while it is written.
  item(index) {
    return (this.items[index] ??= this.make(index));
  }

  make(index) {
    const title = element("button", { type: "button", class: "title", dir: "auto", onclick: () => this.onchoose(index), onfocus: () => this.onpoint(index), onblur: () => this.onpoint(null) });
    const text = element("p", { dir: "auto" });
    const facts = element("span", { class: "facts" });
    const item = element("li", { class: "step writing", "data-index": index, onpointerenter: () => this.onpoint(index), onpointerleave: () => this.onpoint(null) }, element("span", { class: "number", "aria-hidden": "true" }, String(index + 1)), title, text, facts);
    this.element.append(item);
    return { element: item, title, text, facts };
  }

  write(index, delta) {
    this.item(index).text.append(delta);
  }

  // Show a whole part; `seconds` is how long the model took for the step, null if that is not known.
  finish(part, seconds) {
    const { element: item, title, text, facts } = this.item(part.index);
    item.classList.remove("writing");
    title.textContent = part.title || String(part.index + 1);
    text.textContent = part.text;
    facts.replaceChildren();
    if (seconds !== null) facts.append(duration(seconds));
    if (part.written_by !== "model") facts.append(element("span", { class: "extract", title: say("extractHint") }, say("extract")));
    announce(say("step", { number: part.index + 1, title: `${part.title}. ${part.text}` }));
  }

  light(index) {
    this.element.querySelector(".step.lit")?.classList.remove("lit");
    this.items[index]?.element.classList.add("lit");
  }
}
