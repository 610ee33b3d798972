// The trace: a text that grows, cut into the stretches of its steps. Stays at its end unless one scrolls away from it.

import { Chunks, countPoints } from "./chunks.js";
import { button, element } from "./dom.js";
import { say } from "./words.js";

const NEAR = 24; // pixels from the end that count as the end

export class Trace {
  // `onpoint` is called with the index of the step whose stretch is pointed at, or null.
  constructor(onpoint) {
    this.element = element("div", { class: "trace", tabindex: "0", role: "group", "aria-label": say("trace") });
    this.chunks = new Chunks(this.element);
    this.chunks.onflush = () => this.follow();
    this.stretches = [];
    this.arrivals = [[0, 0]]; // characters that had come, and when
    this.characters = 0;
    this.following = true;
    this.end = 0; // in pixels, where it was scrolled to when it followed last
    const point = (event) => {
      const stretch = event.target.closest(".stretch");
      onpoint(stretch ? Number(stretch.dataset.index) : null);
    };
    this.element.addEventListener("pointerover", point);
    this.element.addEventListener("focusin", point);
    this.element.addEventListener("pointerleave", () => onpoint(null));
    this.element.addEventListener("scroll", () => {
      this.following = this.isNearEnd();
      if (this.following) this.end = this.element.scrollTop;
    }, { passive: true });
  }

  append(text, at) {
    this.characters += countPoints(text);
    this.arrivals.push([this.characters, at]);
    this.chunks.append(text);
  }

  flush() {
    this.chunks.flush();
  }

  // Make a stretch of the characters up to the end of a part's span.
  mark(part) {
    const number = part.index + 1;
    const fold = button(String(number), () => this.fold(part.index), { class: "gutter", "aria-expanded": "true", "aria-label": say("fold", { number }) });
    const text = element("div", { class: "text" });
    const title = element("p", { class: "folded-title", dir: "auto" }, part.title);
    const stretch = element("section", { class: "stretch", "data-index": part.index }, fold, title, text);
    this.chunks.flush();
    const before = this.chunks.open[0]?.element ?? null;
    this.element.insertBefore(stretch, before);
    this.chunks.take(part.span.end, text);
    this.stretches[part.index] = stretch;
    this.follow();
  }

  // Return the seconds between the arrival of the first and of the last character of a span.
  secondsOf({ start, end }) {
    return this.arrivalOf(end) - this.arrivalOf(start + 1);
  }

  arrivalOf(characters) {
    let [low, high] = [0, this.arrivals.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.arrivals[middle][0] < characters) low = middle + 1;
      else high = middle;
    }
    return this.arrivals[low][1];
  }

  light(index) {
    this.element.querySelector(".stretch.lit")?.classList.remove("lit");
    this.stretches[index]?.classList.add("lit");
  }

  // Scroll to the stretch of a step; the page itself stays where it is.
  show(index) {
    const stretch = this.stretches[index];
    if (!stretch) return;
    this.following = false;
    this.element.scrollTop = stretch.offsetTop - this.element.clientHeight / 6;
  }

  fold(index) {
    const folded = this.stretches[index].classList.toggle("folded");
    this.stretches[index].querySelector(".gutter").setAttribute("aria-expanded", String(!folded));
  }

  isNearEnd() {
    return this.element.scrollHeight - this.element.scrollTop - this.element.clientHeight < NEAR;
  }

  follow() {
    // The event for scrolling away may still be to come.
    if (this.element.scrollTop < this.end - NEAR && !this.isNearEnd()) this.following = false;
    if (!this.following) return;
    this.element.scrollTop = this.element.scrollHeight;
    this.end = this.element.scrollTop;
  }
}
