// A growing text in chunks, of which the browser lays out and paints those in sight only (`content-visibility`).
// Positions are in characters as the gateway counts them: code points, not the UTF-16 units of strings.

import { element } from "./dom.js";

const SIZE = 500; // a chunk ends at the first line end from here on,
const LONGEST = 3000; // or, if there is none, here

export function countPoints(text) {
  if (!/[\ud800-\udbff]/.test(text)) return text.length;
  let count = 0;
  for (const _ of text) count++;
  return count;
}

// Return the index in the string of the code point at `points`.
function unitsOf(text, points) {
  if (!/[\ud800-\udbff]/.test(text)) return points;
  let units = 0;
  for (let n = 0; n < points && units < text.length; n++) units += text.codePointAt(units) > 0xffff ? 2 : 1;
  return units;
}

function makeChunk(text) {
  const node = document.createTextNode(text);
  return { node, element: element("p", { class: "chunk", dir: "auto" }, node), points: countPoints(text) };
}

export class Chunks {
  // Chunks are added at the end of `parent`.
  constructor(parent) {
    this.parent = parent;
    this.open = []; // chunks that `take` has not taken yet, in order
    this.start = 0; // the position at which the first of them begins
    this.pending = "";
    this.scheduled = 0;
    this.onflush = () => {};
  }

  append(text) {
    this.pending += text;
    this.scheduled ||= requestAnimationFrame(() => this.flush());
  }

  // Put into the page what has been appended since the last frame.
  flush() {
    cancelAnimationFrame(this.scheduled);
    this.scheduled = 0;
    let text = this.pending;
    this.pending = "";
    while (text) {
      const last = this.open.at(-1);
      const length = last && !last.closed ? last.node.length : 0;
      let cut = text.length;
      let closed = false;
      if (length + text.length > SIZE) {
        const line = text.indexOf("\n", Math.max(SIZE - length - 1, 0)) + 1;
        if (line) [cut, closed] = [line, true];
        if (length + cut > LONGEST) [cut, closed] = [Math.max(LONGEST - length, 1), true];
        if (/[\ud800-\udbff]/.test(text[cut - 1]) && cut < text.length) cut++;
      }
      const piece = text.slice(0, cut);
      if (last && !last.closed) {
        last.node.appendData(piece);
        last.points += countPoints(piece);
        last.closed = closed;
      } else {
        const made = makeChunk(piece);
        made.closed = closed;
        this.open.push(made);
        this.parent.append(made.element);
      }
      text = text.slice(cut);
    }
    this.onflush();
  }

  // Move the chunks from where the last call ended up to `end` into `target`. Split the one in which `end` lies.
  take(end, target) {
    this.flush();
    while (this.open.length && this.start < end) {
      const chunk = this.open[0];
      if (this.start + chunk.points > end) {
        const at = unitsOf(chunk.node.data, end - this.start);
        const rest = makeChunk(chunk.node.data.slice(at));
        rest.closed = chunk.closed;
        chunk.node.deleteData(at, chunk.node.length);
        chunk.points = end - this.start;
        chunk.element.after(rest.element);
        this.open.splice(1, 0, rest);
      }
      this.open.shift();
      this.start += chunk.points;
      target.append(chunk.element);
    }
  }
}
