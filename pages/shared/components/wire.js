// The browser half of wire.py: what a component of ours is, and how its message is read.

// A component as Streamlit calls it. mount(element, given): a view, which outlives one message; show(view, given):
// draws a message, given.data; stop(view): the element has left the page.
export function component(selector, { mount, show, stop = () => {} }) {
  const views = new WeakMap(); // element → view
  return (given) => {
    const element = given.parentElement.querySelector(selector);
    if (!views.has(element)) views.set(element, mount(element, given));
    const view = views.get(element);
    show(view, given);
    // Streamlit also runs the cleanup of an overtaken call while the element is still on the page.
    return () => { if (!element.isConnected) stop(view); };
  };
}

const LOOKS = ["text-color", "background-color", "border-color", "chart-categorical-colors", "font"];

// Whether this very message is on the screen, in the colours of now: polling brings each again and again.
export function isDrawn(view, data) {
  const style = getComputedStyle(view.element);
  const looks = LOOKS.map((name) => style.getPropertyValue(`--st-${name}`)).join();
  const same = looks === view.looks
    && data.length === view.data?.length && data.every((byte, k) => byte === view.data[k]);
  Object.assign(view, { looks, data });
  return same;
}

// The inverse of wire.pack: the JSON, and a function that takes the next so many numbers.
export function unpack(bytes) {
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
  const numbers = new Float32Array(bytes.slice(4 + size).buffer);
  let at = 0;
  return [header, (count) => numbers.subarray(at, (at += count))];
}

// The address of a file that the server has, by its path from the app's root.
export const addressOf = (path) =>
  document.querySelector('script[src*="static/js/"]').src.split("static/js/")[0] + path;

const PATIENCE = 3000; // ms after which an answer is no longer waited for

// Sends one message at a time: the next only when the page has drawn the last, so that dragging never builds a queue.
// send(): sends what is due and returns whether it did; answered(): nothing is waited for any more.
export function sender(send, answered = () => {}) {
  let timer = null;
  const offer = () => {
    if (timer === null && send()) timer = setTimeout(receive, PATIENCE);
  };
  const receive = () => {
    clearTimeout(timer);
    timer = null;
    offer();
    answered();
  };
  return { offer, receive, get waiting() { return timer !== null; } };
}
