// What a reader takes away: a turn as Markdown, its events as JSON, and the conversation in this tab until it is closed.

import { download } from "./dom.js";
import { failureWords } from "./outcome.js";
import { say } from "./words.js";

const PLACE = "conversation";

function fenced(text) {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}`;
}

export function saveAsMarkdown({ question, summary, parts, trace, response, failure }) {
  const steps = parts.map((part) => `${part.index + 1}. **${part.title}**\n\n   ${part.text.replaceAll("\n", "\n   ")}`);
  const sections = [
    `# ${question.replaceAll("\n", " ")}`,
    summary && `*${say("understood")}:* ${summary}`,
    steps.length && `## ${say("steps")}\n\n${steps.join("\n\n")}`,
    trace && `## ${say("thinking")}\n\n${fenced(trace)}`,
    response && `## ${say("answer")}\n\n${response}`,
    failure && `> ${failureWords(failure).filter(Boolean).join(" ")}`,
  ];
  download("answer.md", "text/markdown", `${sections.filter(Boolean).join("\n\n")}\n`);
}

export function saveEvents(events) {
  download("events.jsonl", "application/jsonl", events.map((event) => `${JSON.stringify(event)}\n`).join(""));
}

// Add an event to a list in which neighbouring deltas are one event.
export function addCompact(events, event) {
  const last = events.at(-1);
  if (typeof event.delta === "string" && last?.type === event.type && last.index === event.index) last.delta += event.delta;
  else events.push({ ...event });
}

// Keep turns for a reload. The oldest are left out if the browser has no room, and pictures are never kept.
export function keep(turns) {
  for (let first = 0; first <= turns.length; first++) {
    try {
      sessionStorage.setItem(PLACE, JSON.stringify(turns.slice(first)));
      return;
    } catch {
      continue;
    }
  }
}

export function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(PLACE)) ?? [];
  } catch {
    return [];
  }
}
