// One question and its answer: takes the events of a stream, and shows each where it belongs.

import { Answer } from "./answer.js";
import { announce, button, element } from "./dom.js";
import { endNote, failureNote, failureWords, figures, lateReasoning, toolCall } from "./outcome.js";
import { Raw } from "./raw.js";
import { addCompact, saveAsMarkdown, saveEvents } from "./save.js";
import { Status } from "./status.js";
import { Steps } from "./steps.js";
import { answer, Failure } from "./stream.js";
import { countPoints } from "./chunks.js";
import { Trace } from "./trace.js";
import { duration, say } from "./words.js";

export class Turn {
  // `body` is the request. `onask` asks it again, `onchange` is called after each event.
  constructor({ question, pictures = [], body }, { onask, onchange }) {
    Object.assign(this, { question, pictures, body, onask, onchange });
    this.events = []; // as they came; after a reload, with neighbouring deltas as one
    this.compact = [];
    this.parts = [];
    this.took = []; // seconds that the model took for each step
    this.summary = this.response = this.trace = "";
    this.failure = null;
    this.build();
  }

  build() {
    const light = (index) => {
      this.steps.light(index);
      this.traceView.light(index);
    };
    this.status = new Status();
    this.traceView = new Trace(light);
    const point = (index) => {
      light(index);
      if (index !== null) this.traceView.show(index);
    };
    this.steps = new Steps(point, (index) => {
      point(index);
      this.traceView.element.focus({ preventScroll: true });
    });
    this.answer = new Answer();
    this.raw = new Raw(this.body, this.events);
    this.understood = element("p", { dir: "auto" });
    this.understoodBox = element("div", { class: "understood", hidden: true }, element("span", { class: "label" }, say("understood")), this.understood);
    this.thinking = element("div", { class: "thinking", role: "group", "aria-label": say("thinking"), hidden: true }, this.steps.element, this.traceView.element);
    this.answerBox = element("div", { class: "answer", role: "group", "aria-label": say("answer"), hidden: true }, element("span", { class: "label" }, say("answer")), this.answer.element);
    this.notes = element("div", { class: "notes" });
    this.foot = element("footer", { hidden: true });
    const pictures = this.pictures.map(({ name, url }) => element("img", { src: url, alt: say("picture", { name }) }));
    this.element = element("article", { class: "turn" }, element("h2", { class: "question", dir: "auto" }, this.question), pictures.length ? element("div", { class: "shown-pictures" }, ...pictures) : null, this.understoodBox, this.status.element, this.thinking, this.answerBox, this.notes, this.raw.element, this.foot);
  }

  // Ask, and show what comes until the last event. A failure is shown, never raised; returns it, or null.
  async run() {
    const begun = performance.now();
    this.abort = new AbortController();
    this.status.start(begun);
    try {
      for await (const event of answer(this.body, this.abort.signal)) {
        this.take(event, (performance.now() - begun) / 1000);
        this.onchange();
      }
    } catch (error) {
      if (!this.abort.signal.aborted && !(error instanceof Failure)) throw error;
      this.fail(this.abort.signal.aborted ? { type: "stopped" } : error);
    } finally {
      this.abort = null;
      await this.end();
    }
    announce(this.failure ? failureWords(this.failure).join(" ") : say("complete"));
    return this.failure;
  }

  stop() {
    this.abort?.abort();
  }

  // Show the events of an earlier visit. Without a last one, that visit ended before the answer did.
  async restore({ events, took, failure }) {
    this.took = took;
    for (const event of events) this.take(event, null);
    if (!this.completed && !this.failure) this.fail(failure ?? { type: "lost" });
    await this.end();
  }

  // Show an event that came `at` seconds after the question; null for one of an earlier visit.
  take(event, at) {
    this.events.push(event);
    addCompact(this.compact, event);
    this.raw.take(event);
    switch (event.type) {
      case "prompt_summary.delta":
        this.understood.append(event.delta);
        this.understoodBox.hidden = false;
        break;
      case "prompt_summary.done":
        this.summary = this.understood.textContent = event.text;
        this.understoodBox.hidden = !event.text;
        break;
      case "reasoning.delta":
        this.thinking.hidden = false;
        this.thinking.classList.add("live");
        this.trace += event.delta;
        this.traceView.append(event.delta, at);
        this.status.count(countPoints(event.delta), at);
        if (!this.parts.length && !this.headline) this.status.say(say("thinkingNow"));
        break;
      case "reasoning_summary.headline":
        this.headline = event.text;
        this.status.say(event.text);
        break;
      case "reasoning_summary.delta":
        this.steps.write(event.index, event.delta);
        break;
      case "reasoning_summary.part":
        this.thinking.hidden = false;
        this.parts.push(event);
        this.traceView.mark(event);
        if (at !== null) this.took[event.index] = this.traceView.secondsOf(event.span);
        this.steps.finish(event, this.took[event.index] ?? null);
        if (!this.response && !this.headline) this.status.say(event.title);
        break;
      case "reasoning.done":
        this.thinking.classList.remove("live");
        this.status.calibrate(event.tokens);
        this.thought = event.ended_by === "absent" || event.ended_by === "request" ? null : event.seconds;
        break;
      case "response.delta":
        this.answerBox.hidden = false;
        this.response += event.delta;
        this.answer.append(event.delta);
        this.status.count(countPoints(event.delta), at);
        this.status.say(say("answering"));
        break;
      case "tool_call.done":
        this.notes.append(toolCall(event));
        break;
      case "stream.completed":
        this.completed = event;
        this.notes.append(...[endNote(event), lateReasoning(event)].filter(Boolean));
        break;
      case "stream.failed":
        this.fail(event.error);
        break;
    }
  }

  fail(failure) {
    const { type, stage, message, retryable, status } = failure;
    this.failure = { type, stage, message, retryable, status };
    this.notes.append(failureNote(this.failure, button(say("askAgain"), () => this.onask(this), { class: "again" })));
  }

  // What is shown once nothing more comes.
  async end() {
    this.status.stop();
    this.thinking.classList.remove("live");
    this.traceView.flush();
    this.status.element.classList.toggle("problem", Boolean(this.failure && this.failure.type !== "stopped"));
    this.status.say(this.failure ? failureWords(this.failure)[0] : this.thought ? say("thoughtFor", { time: duration(this.thought) }) : say("answered"));
    this.status.figures.textContent = "";
    const actions = [
      this.failure ? null : button(say("askAgain"), () => this.onask(this)),
      button(say("raw"), ({ currentTarget }) => {
        this.raw.toggle();
        currentTarget.setAttribute("aria-pressed", String(!this.raw.element.hidden));
      }, { "aria-pressed": "false" }),
      button(say("exportMarkdown"), () => saveAsMarkdown(this)),
      button(say("exportEvents"), () => saveEvents(this.events)),
    ];
    this.foot.replaceChildren(element("span", { class: "figures" }, this.completed ? figures(this.completed) : ""), element("span", { class: "actions" }, ...actions.filter(Boolean)));
    this.foot.hidden = false;
    await this.answer.finish();
  }

  // The messages that a next question comes after.
  get messages() {
    return this.response ? [...this.body.messages.slice(-1), { role: "assistant", content: this.response }] : [];
  }

  toJSON() {
    const text = (message) => ({ ...message, content: typeof message.content === "string" ? message.content : message.content.filter((part) => part.type === "text") });
    return { question: this.question, body: { ...this.body, messages: this.body.messages.map(text) }, events: this.compact, took: this.took, failure: this.abort ? null : this.failure };
  }
}
