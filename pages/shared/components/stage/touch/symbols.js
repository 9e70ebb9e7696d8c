// The input of a model of symbols: a symbol is changed in a small chooser, or a text of one's own is typed, whose
// symbols flow along the strip.

import { child } from "../../canvas.js";
import { cellAt, contains, pointIn } from "../../heatmap.js";
import { sign } from "../strip/strip_text.js";
import { originalOf, withSymbols } from "./edits.js";
import { followedBy, symbolsOf } from "./text.js";

const CLICK = 4; // px that a click may move

export const symbolsNow = ({ scene, edits }) => (edits?.symbols ?? originalOf(scene).symbols).slice();

// Opens where a symbol that is read is clicked; a letter that is typed chooses too.
export function mountChooser(view, state) {
  const { holder } = view, spoken = { role: "dialog", "aria-label": "Another symbol" };
  const box = child(holder, "div", { class: "touch-chooser touch-apart", ...spoken });
  const words = { "aria-label": "Type the symbol", placeholder: "Type it, or choose" };
  const field = child(box, "input", { type: "text", ...words });
  const list = child(box, "div", {}), close = () => { box.hidden = true; };
  let step = 0, from = null;
  close();
  const choose = (symbol) => {
    const symbols = symbolsNow(state);
    symbols[step] = symbol;
    state.set({ edits: withSymbols(state.scene, state.edits, symbols) });
    close();
  };
  field.addEventListener("input", () => {
    const [symbol] = symbolsOf(state.scene, field.value).symbols;
    if (symbol !== undefined) choose(symbol);
    else field.value = "";
  });
  box.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape") close();
  });
  for (const name of ["pointerdown", "pointermove"]) box.addEventListener(name, (event) => event.stopPropagation());
  holder.addEventListener("pointerdown", (event) => {
    from = pointIn(holder, event);
    close();
  });
  holder.addEventListener("pointerup", (event) => {
    const at = pointIn(holder, event);
    if (box.contains(event.target) || !from || Math.hypot(at.x - from.x, at.y - from.y) > CLICK) return;
    if (!state.scene.symbols || !view.reads || !contains(view.reads, at)) return;
    step = view.stepAt(event);
    fill(list, state, symbolsNow(state)[step], choose);
    field.value = "";
    box.hidden = false;
    const { column } = cellAt(view.reads, at, 1, view.page.count), wide = view.reads.w / view.page.count;
    const left = view.reads.x + column * wide;
    box.style.left = `${Math.max(0, Math.min(left, holder.clientWidth - box.offsetWidth))}px`;
    box.style.top = `${view.reads.y + view.reads.h + 4}px`;
    if (event.pointerType === "mouse") field.focus({ preventScroll: true });
  });
  return { update() { if (!box.hidden && state.step !== step) close(); } };
}

function fill(list, state, chosen, choose) {
  const { scene } = state, nothing = originalOf(scene).symbols.includes(null);
  list.replaceChildren();
  const put = (text, title, symbol) => {
    const button = child(list, "button", { type: "button", title, "aria-pressed": symbol === chosen });
    button.textContent = text;
    button.addEventListener("click", () => choose(symbol));
  };
  scene.features.forEach((name, k) => put(sign(scene, name), `${name}`, k));
  if (nothing) put("–", "nothing", null);
}

// The field for a text of one's own, in the row of tools.
export function mountField(row, state) {
  const words = "Type your own text";
  const field = child(row, "input", {
    type: "text", class: "touch-text", "aria-label": words, placeholder: words, spellcheck: false,
  });
  const title = "Read it alone, with nothing before it";
  const alone = child(row, "button", { type: "button", class: "touch-alone", title });
  alone.textContent = "alone";
  let isAlone = null;
  const type = () => {
    const { scene, edits } = state, { symbols, unknown } = symbolsOf(scene, field.value);
    field.setAttribute("aria-invalid", unknown.length > 0);
    field.title = unknown.length ? `The model knows no ${[...new Set(unknown)].join(" ")}` : "";
    const typed = withSymbols(scene, edits, followedBy(scene, symbols, isAlone));
    state.set({ edits: typed, step: scene.steps - 1, playing: false });
  };
  field.addEventListener("input", type);
  field.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape" || event.key === "Enter") field.blur(); // the keys are the stage's again
  });
  alone.addEventListener("click", () => {
    isAlone = !isAlone;
    alone.setAttribute("aria-pressed", isAlone);
    if (field.value) type();
  });
  return () => {
    const { scene, edits } = state;
    field.hidden = alone.hidden = !scene.symbols;
    if (field.hidden) return;
    isAlone ??= originalOf(scene).symbols.includes(null); // where sequences begin in a window, so does the text
    alone.setAttribute("aria-pressed", isAlone);
    const isTyping = document.activeElement === field;
    if (field.value && !edits?.symbols && !isTyping) field.value = ""; // the input was put back
  };
}
