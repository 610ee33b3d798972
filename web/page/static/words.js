// The page's own words, in the reader's language where there is a file of them, and its numbers.

import ENGLISH from "./words/en.js";

const LANGUAGES = [
  "ar", "bn", "cs", "da", "de", "el", "es", "fa", "fi", "fr", "he", "hi", "hu", "id", "it", "ja", "ko", "nl", "no", "pl", "pt", "ro", "ru",
  "sv", "th", "tr", "uk", "vi", "zh",
];
const SAME = { nb: "no", nn: "no" };
const RIGHT_TO_LEFT = ["ar", "fa", "he"];

let words = ENGLISH;
let language = "en";

export async function chooseLanguage(preferred) {
  for (const tag of preferred) {
    const asked = tag.split("-")[0].toLowerCase();
    const primary = SAME[asked] ?? asked;
    if (primary === "en") break;
    if (!LANGUAGES.includes(primary)) continue;
    words = { ...ENGLISH, ...(await import(`./words/${primary}.js`)).default };
    language = primary;
    break;
  }
  document.documentElement.lang = language;
  document.documentElement.dir = RIGHT_TO_LEFT.includes(language) ? "rtl" : "ltr";
  for (const node of document.querySelectorAll("[data-words]")) node.textContent = say(node.dataset.words);
  for (const node of document.querySelectorAll("[data-words-placeholder]")) node.placeholder = say(node.dataset.wordsPlaceholder);
  for (const node of document.querySelectorAll("[data-words-label]")) node.setAttribute("aria-label", say(node.dataset.wordsLabel));
}

// The words of that name, with each {name} in them replaced.
export function say(name, values = {}) {
  return words[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

export function number(value, digits = 0) {
  return new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
}

export function duration(seconds) {
  const minutes = Math.floor(seconds / 60);
  const unit = (value, name, digits) =>
    new Intl.NumberFormat(language, { style: "unit", unit: name, unitDisplay: "narrow", minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
  if (minutes) return `${unit(minutes, "minute", 0)} ${unit(Math.floor(seconds % 60), "second", 0)}`;
  return unit(seconds, "second", seconds < 10 ? 1 : 0);
}
