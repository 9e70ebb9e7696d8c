// The browser half of text_heatmap.py: one span a character, coloured by one unit's values.

import { child, clamp, withMinus } from "./canvas.js";
import { component, unpack } from "./wire.js";

const STRONGEST = 0.75; // opacity of a colour, so that the text on it can be read in either theme
const WEAK = 0.3; // a correlation below which a unit can hardly be said to follow

export default component(".text-heatmap", {
  mount,
  show(view, { data }) {
    const [message, take] = unpack(data);
    const characters = [...message.text];
    if (message.text !== view.text) setText(view, characters);
    Object.assign(view, message, { characters, values: take(message.units * characters.length) });
    view.range.max = view.units - 1;
    showMatches(view);
    paint(view);
  },
});

function mount(element) {
  const buttons = child(element, "div", { class: "text-heatmap-matches" });
  const bar = child(element, "div", { class: "text-heatmap-bar" });
  const label = child(bar, "label", {});
  label.textContent = "unit ";
  const range = child(label, "input", { type: "range", min: 0, step: 1, value: 0, "aria-label": "unit" });
  const unit = child(label, "output", {});
  const legend = child(bar, "span", { class: "text-heatmap-legend" });
  const [low, scale, high] = ["b", "i", "b"].map((tag) => child(legend, tag, {}));
  const readout = child(bar, "span", { class: "text-heatmap-readout", "aria-live": "polite" });
  const page = child(element, "div", { class: "text-heatmap-page", tabindex: "0", role: "document" });
  // chosen: a signal, whose unit may change as the model learns, or a unit's number; null: the first signal
  const view = { buttons, range, unit, low, scale, high, readout, page, spans: [], chosen: null, at: null };
  range.addEventListener("input", () => choose(view, Number(range.value)));
  page.addEventListener("pointerover", (event) => {
    const at = view.spans.indexOf(event.target);
    if (at >= 0) read(view, at);
  });
  page.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault(); // the page would scroll
    read(view, clamp((view.at ?? -1) + step, view.spans.length));
  });
  return view;
}

function setText(view, characters) {
  view.spans = characters.map((character) => {
    const span = document.createElement("span");
    span.textContent = character === "\n" ? "↵\n" : character;
    if (character === "\n") span.className = "text-heatmap-end";
    return span;
  });
  view.page.replaceChildren(...view.spans);
  view.at = null;
}

function showMatches(view) {
  const buttons = view.matches.map(({ signal, unit, correlation }) => {
    const button = document.createElement("button"), strong = document.createElement("b");
    button.type = "button";
    strong.textContent = signal;
    button.append(strong, ` unit ${unit}: ${signed(correlation)}`);
    button.classList.toggle("text-heatmap-weak", Math.abs(correlation) < WEAK);
    button.addEventListener("click", () => choose(view, signal));
    button.signal = signal;
    return button;
  });
  const focused = view.buttons.contains(document.activeElement) ? document.activeElement.signal : null;
  view.buttons.replaceChildren(...buttons);
  buttons.find(({ signal }) => signal === focused)?.focus(); // the arrival of new values must not take it
}

function choose(view, chosen) {
  view.chosen = chosen;
  paint(view);
}

// The unit that is shown: the user's, or the one that goes with the signal that the user chose.
function currentUnit({ chosen, matches, units }) {
  if (typeof chosen === "number") return clamp(chosen, units);
  return (matches.find(({ signal }) => signal === chosen) ?? matches[0])?.unit ?? 0;
}

function paint(view) {
  const { spans, values, characters, colors } = view, unit = currentUnit(view), count = characters.length;
  const row = values.subarray(unit * count, (unit + 1) * count);
  const max = view.signed ? row.reduce((peak, value) => Math.max(peak, Math.abs(value)), 1e-9) : 1;
  spans.forEach((span, k) => {
    const share = Math.round(Math.min(1, Math.abs(row[k]) / max) * STRONGEST * 100);
    span.style.backgroundColor = `color-mix(in srgb, ${colors[row[k] < 0 ? 0 : 1]} ${share}%, transparent)`;
  });
  view.range.value = unit;
  view.unit.textContent = unit;
  view.row = row;
  view.low.textContent = view.signed ? signed(-max) : "0";
  view.high.textContent = view.signed ? signed(max) : "1";
  const full = (color) => `color-mix(in srgb, ${color} ${STRONGEST * 100}%, transparent)`;
  const stops = view.signed ? [full(colors[0]), "transparent", full(colors[1])] : ["transparent", full(colors[1])];
  view.scale.style.background = `linear-gradient(to right, ${stops})`;
  for (const button of view.buttons.children) {
    const one = view.matches.find(({ signal }) => signal === button.signal);
    button.setAttribute("aria-pressed", one.unit === unit);
  }
  read(view, view.at);
}

function read(view, at) {
  view.spans[view.at]?.classList.remove("text-heatmap-here");
  view.at = at;
  if (at === null) {
    view.readout.textContent = "Point at a character to read its number.";
    return;
  }
  view.spans[at].classList.add("text-heatmap-here");
  const character = view.characters[at], name = { "\n": "line end", " ": "space" }[character] ?? character;
  view.readout.textContent = `${name}: ${view.name} = ${signed(view.row[at], 3)}`;
}

const signed = (value, digits = 2) => withMinus(value.toFixed(digits));
