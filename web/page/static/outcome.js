// How a turn has ended, in words that say what to do: failures, usage and timings, tool calls, late reasoning.

import { element } from "./dom.js";
import { duration, number, say } from "./words.js";

const OWN = { lost: "lost", unreachable: "unreachable", stopped: "stopped" };
const STAGES = { request: "failedRequest", upstream: "failedUpstream", parser: "failedUpstream" };

// Return the title and the message of a failure.
export function failureWords({ type, stage, message }) {
  return OWN[type] ? [say(OWN[type]), ""] : [say(STAGES[stage] ?? "failed"), message];
}

export function failureNote(failure, ask) {
  const [title, message] = failureWords(failure);
  const calm = failure.type === "stopped";
  return element("div", { class: calm ? "note" : "note problem", role: calm ? null : "alert" }, element("p", {}, element("strong", {}, title)), message && element("p", { dir: "auto" }, message), ask);
}

// Return the figures of `stream.completed` as one line.
export function figures({ usage, timings }) {
  const speed = timings.total > (timings.first_reasoning ?? timings.first_response ?? 0)
    ? usage.completion_tokens / (timings.total - (timings.first_reasoning ?? timings.first_response ?? 0)) : 0;
  return [
    (usage.estimated ? "≈ " : "") + say("tokens", { count: number(usage.completion_tokens) }),
    usage.reasoning_tokens && say("tokensOfThinking", { count: number(usage.reasoning_tokens) }),
    speed && say("perSecond", { count: number(speed, 1) }),
    timings.first_response && say("firstWord", { time: duration(timings.first_response) }),
    say("whole", { time: duration(timings.total) }),
  ].filter(Boolean).join(" · ");
}

// Return the note about an answer that was ended by a limit, or null.
export function endNote({ finish_reason: reason }) {
  const words = { length: "length", content_filter: "filtered" }[reason];
  return words ? element("div", { class: "note" }, say(words)) : null;
}

export function toolCall({ name, arguments: json }) {
  let shown = json;
  try {
    shown = JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    // shown as it came
  }
  return element("div", { class: "note tool" }, element("p", {}, element("strong", {}, say("tool", { name }))), element("pre", { tabindex: "0", dir: "ltr" }, shown));
}

export function lateReasoning({ late_reasoning: text, late_summary: summary }) {
  if (!text) return null;
  return element("details", { class: "note late" }, element("summary", {}, say("late")), summary && element("p", { dir: "auto" }, summary.replaceAll("**", "")), element("p", { class: "late-text", dir: "auto" }, text));
}
