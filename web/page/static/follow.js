// Keeps the newest in sight while it grows, until one scrolls up; never past the beginning of an answer.

const NEAR = 60; // pixels from the end that count as the end
const ABOVE = 72; // pixels that are left above an answer

let following = true;

export function followAgain() {
  following = true;
}

// `answer` returns the element of the answer that is being written, or nothing.
export function follow(content, answer) {
  const page = document.scrollingElement;
  let last = 0;
  window.addEventListener("scroll", () => {
    if (page.scrollTop < last - 2) following = false;
    else if (page.scrollHeight - page.scrollTop - page.clientHeight < NEAR) following = true;
    last = page.scrollTop;
  }, { passive: true });
  new ResizeObserver(() => {
    const box = answer();
    if (!following || box === undefined) return;
    const end = page.scrollHeight - page.clientHeight;
    const beginning = box.hidden ? end : page.scrollTop + box.getBoundingClientRect().top - ABOVE;
    page.scrollTop = Math.max(page.scrollTop, Math.min(end, beginning));
  }).observe(content);
}
