// The form at the bottom: the question, pictures, model, budget and order. Knows nothing of answers.

import { button, element } from "./dom.js";
import { number, say } from "./words.js";

const BUDGETS = [0, 256, 1024, 4096, 16384];
const MAX_LINES_HEIGHT = 220; // pixels

const find = (id) => document.getElementById(id);

export class Composer {
  // `onask` is called with the question, its pictures and the options; `onstop` while an answer runs.
  constructor(onask, onstop) {
    this.pictures = [];
    this.busy = false;
    find("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.busy) onstop();
      else if (this.text.trim() || this.pictures.length) onask(this.text.trim(), this.pictures);
    });
    const question = find("question");
    question.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      if (!this.busy) find("composer").requestSubmit();
    });
    question.addEventListener("input", () => this.fit());
    question.addEventListener("paste", (event) => this.addFiles(event.clipboardData.files));
    for (const name of ["dragover", "drop"]) {
      document.addEventListener(name, (event) => {
        event.preventDefault();
        if (name === "drop") this.addFiles(event.dataTransfer.files);
      });
    }
    find("send").disabled = false; // before, nobody hears it
    const choices = (values) => values.map(([value, words]) => element("option", { value }, words));
    const budget = (tokens) => [tokens, tokens ? say("upTo", { tokens: number(tokens) }) : say("off")];
    find("budget").replaceChildren(...choices([["", say("automatic")], ...BUDGETS.map(budget)]));
    find("order").replaceChildren(...choices([["strict", say("strict")], ["eager", say("eager")]]));
  }

  get text() {
    return find("question").value;
  }

  setText(text) {
    find("question").value = text;
    this.fit();
  }

  setModels(names) {
    find("model").replaceChildren(...names.map((name) => element("option", { value: name }, name)));
  }

  // The fields of a request that the options stand for.
  get options() {
    const reasoning = { order: find("order").value, headline: true };
    if (find("budget").value) reasoning.budget = Number(find("budget").value);
    return { ...(find("model").value && { model: find("model").value }), reasoning };
  }

  setBusy(busy) {
    this.busy = busy;
    find("send").textContent = busy ? say("stop") : say("send");
    find("send").classList.toggle("stop", busy);
  }

  clear() {
    this.setText("");
    this.pictures = [];
    this.showPictures();
  }

  fit() {
    const question = find("question");
    question.style.height = "auto"; // set by a script, which the policy allows
    question.style.height = `${Math.min(question.scrollHeight + 2, MAX_LINES_HEIGHT)}px`;
  }

  async addFiles(files) {
    for (const file of files) {
      if (!file.type.startsWith("image/")) continue;
      const url = await new Promise((resolve) => {
        const reader = new FileReader();
        reader.onload = () => resolve(reader.result);
        reader.readAsDataURL(file);
      });
      this.pictures.push({ name: file.name, url });
    }
    this.showPictures();
  }

  showPictures() {
    const remove = (picture) => () => {
      this.pictures = this.pictures.filter((other) => other !== picture);
      this.showPictures();
      find("question").focus();
    };
    find("pictures").replaceChildren(...this.pictures.map((picture) =>
      element("figure", {}, element("img", { src: picture.url, alt: say("picture", { name: picture.name }) }), button("×", remove(picture), { "aria-label": say("removePicture", { name: picture.name }) }))));
  }
}
