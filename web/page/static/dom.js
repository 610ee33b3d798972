// Small helpers for elements. Knows nothing of what the page shows.

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function button(words, onclick, attributes = {}) {
  return element("button", { type: "button", onclick, ...attributes }, words);
}

const TRUSTED = globalThis.trustedTypes?.createPolicy("answer", { createHTML: (html) => html });

// Put in HTML that the server has made safe. The only place where HTML goes into the page.
export function setRenderedHtml(target, html) {
  target.innerHTML = TRUSTED ? TRUSTED.createHTML(html) : html;
}

export function download(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = element("textarea", { class: "unseen" }); // where the page came by plain HTTP from another machine
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

// Speak to screen readers: steps and outcomes, never pieces of text.
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}
