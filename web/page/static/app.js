// The conversation: asks, keeps what has been said, and asks for a key where the gateway wants one.

import { Composer } from "./composer.js";
import { button, element } from "./dom.js";
import { failureNote } from "./outcome.js";
import { keep, kept } from "./save.js";
import { follow, followAgain } from "./follow.js";
import { request, setKey } from "./stream.js";
import { Turn } from "./turn.js";
import { chooseLanguage, say } from "./words.js";

const SAVE_INTERVAL = 1000; // milliseconds

const conversation = document.getElementById("conversation");
const turns = [];
let composer;
let running = null;
let saving = null;

function save() {
  clearTimeout(saving);
  saving = null;
  keep(turns);
}

function changed() {
  saving ??= setTimeout(save, SAVE_INTERVAL);
}

function content(question, pictures) {
  if (!pictures.length) return question;
  return [{ type: "text", text: question }, ...pictures.map(({ url }) => ({ type: "image_url", image_url: { url } }))];
}

function show(turn) {
  turns.push(turn);
  document.getElementById("welcome").hidden = true;
  document.getElementById("new").hidden = false;
  conversation.append(turn.element);
}

async function ask(question, pictures = []) {
  const messages = [...turns.flatMap((turn) => turn.messages), { role: "user", content: content(question, pictures) }];
  await start(new Turn({ question, pictures, body: { ...composer.options, messages } }, { onask: askAgain, onchange: changed }));
}

async function start(turn) {
  show(turn);
  composer.clear();
  composer.setBusy(true);
  running = turn;
  followAgain();
  let failure = null;
  try {
    failure = await turn.run();
  } finally {
    running = null;
    composer.setBusy(false);
    save();
  }
  if (failure?.status === 401) await askForKey(failure.message);
}

// Ask the question of a turn again, in its place if it is the last one.
async function askAgain({ question, pictures, body, element: shown }) {
  if (running) return;
  const last = turns.at(-1);
  if (last?.element === shown) turns.pop().element.remove();
  const earlier = body.messages.slice(0, -1);
  const again = last?.element === shown ? earlier : turns.flatMap((turn) => turn.messages);
  const asked = { ...composer.options, messages: [...again, body.messages.at(-1)] };
  await start(new Turn({ question, pictures, body: asked }, { onask: askAgain, onchange: changed }));
}

function askForKey(problem) {
  const dialog = document.getElementById("key");
  const value = document.getElementById("key-value");
  document.getElementById("key-problem").textContent = problem;
  value.value = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      if (value.value) {
        setKey(value.value);
        value.value = "";
        loadModels().then(resolve);
      } else resolve();
    }, { once: true });
  });
}

async function loadModels() {
  const note = document.getElementById("models-problem");
  note?.remove();
  try {
    const { data } = await (await request("v1/models")).json();
    composer.setModels(data.map((model) => model.id));
  } catch (failure) {
    if (failure.status === 401) return askForKey(failure.message.startsWith("unknown key") ? say("keyWrong") : "");
    const problem = failureNote(failure, button(say("askAgain"), loadModels, { class: "again" }));
    problem.id = "models-problem";
    conversation.append(problem);
  }
}

function startAnew() {
  running?.stop();
  for (const turn of turns.splice(0)) turn.element.remove();
  document.getElementById("welcome").hidden = false;
  document.getElementById("new").hidden = true;
  save();
  document.getElementById("question").focus();
}

async function restore() {
  for (const earlier of kept()) {
    const turn = new Turn(earlier, { onask: askAgain, onchange: changed });
    show(turn);
    await turn.restore(earlier);
  }
}

async function main() {
  await chooseLanguage(navigator.languages);
  composer = new Composer(ask, () => running?.stop());
  for (const name of ["example1", "example2", "example3"]) {
    document.getElementById("examples").append(element("li", {}, button(say(name), () => running || ask(say(name)))));
  }
  document.getElementById("new").addEventListener("click", startAnew);
  window.addEventListener("pagehide", save);
  follow(conversation, () => turns.at(-1)?.answerBox);
  await restore();
  await loadModels();
  document.getElementById("question").focus({ preventScroll: true });
}

main();
