// The browser half of coloured_text.py: one span a character, coloured by one unit's values.
// The tools are stage/canvas.js, which Python puts before this text.

const STRONGEST = 0.75; // opacity of a colour, so that the text on it can be read in either theme
const WEAK = 0.3; // a correlation below which a unit can hardly be said to follow

const views = new WeakMap(); // element -> what must outlive one message

export default function ({ data, parentElement }) {
  const element = parentElement.querySelector(".coloured-text");
  if (!views.has(element)) views.set(element, mount(element));
  const view = views.get(element);
  const [message, take] = unpack(data);
  const text = [...message.words];
  if (message.words !== view.words) lay(view, text);
  Object.assign(view, message, { text, values: take(message.units * text.length) });
  view.range.max = view.units - 1;
  offer(view);
  paint(view);
}

function mount(element) {
  const found = child(element, "div", { class: "coloured-found" });
  const bar = child(element, "div", { class: "coloured-bar" });
  const label = child(bar, "label", {});
  label.textContent = "unit ";
  const range = child(label, "input", { type: "range", min: 0, step: 1, value: 0, "aria-label": "unit" });
  const unit = child(label, "output", {});
  const legend = child(bar, "span", { class: "coloured-legend" });
  const [low, scale, high] = ["b", "i", "b"].map((tag) => child(legend, tag, {}));
  const readout = child(bar, "span", { class: "coloured-readout", "aria-live": "polite" });
  const page = child(element, "div", { class: "coloured-page", tabindex: "0", role: "document" });
  // chosen: a signal, whose unit may change as the model learns, or a unit's number; null: the first signal
  const view = { found, range, unit, low, scale, high, readout, page, spans: [], chosen: null, at: null };
  range.addEventListener("input", () => choose(view, Number(range.value)));
  page.addEventListener("pointerover", (event) => {
    const at = view.spans.indexOf(event.target);
    if (at >= 0) tell(view, at);
  });
  page.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault(); // the page would scroll
    tell(view, clamp((view.at ?? -1) + step, view.spans.length));
  });
  return view;
}

function lay(view, text) {
  view.spans = text.map((sign) => {
    const span = document.createElement("span");
    span.textContent = sign === "\n" ? "↵\n" : sign;
    if (sign === "\n") span.className = "coloured-end";
    return span;
  });
  view.page.replaceChildren(...view.spans);
  view.at = null;
}

function offer(view) {
  const buttons = view.trackers.map(({ signal, unit, correlation }) => {
    const button = document.createElement("button"), strong = document.createElement("b");
    button.type = "button";
    strong.textContent = signal;
    button.append(strong, ` unit ${unit}: ${signed(correlation)}`);
    button.classList.toggle("coloured-weak", Math.abs(correlation) < WEAK);
    button.addEventListener("click", () => choose(view, signal));
    button.signal = signal;
    return button;
  });
  const focused = view.found.contains(document.activeElement) ? document.activeElement.signal : null;
  view.found.replaceChildren(...buttons);
  buttons.find(({ signal }) => signal === focused)?.focus(); // the arrival of new values must not take it
}

function choose(view, chosen) {
  view.chosen = chosen;
  paint(view);
}

// The unit that is shown: the user's, or the one that goes with the signal that the user chose.
function current({ chosen, trackers, units }) {
  if (typeof chosen === "number") return clamp(chosen, units);
  return (trackers.find(({ signal }) => signal === chosen) ?? trackers[0])?.unit ?? 0;
}

function paint(view) {
  const { spans, values, text, colors } = view, unit = current(view);
  const row = values.subarray(unit * text.length, (unit + 1) * text.length);
  const most = view.signed ? row.reduce((peak, value) => Math.max(peak, Math.abs(value)), 1e-9) : 1;
  spans.forEach((span, k) => {
    const share = Math.round(Math.min(1, Math.abs(row[k]) / most) * STRONGEST * 100);
    span.style.backgroundColor = `color-mix(in srgb, ${colors[row[k] < 0 ? 0 : 1]} ${share}%, transparent)`;
  });
  view.range.value = unit;
  view.unit.textContent = unit;
  view.row = row;
  view.low.textContent = view.signed ? signed(-most) : "0";
  view.high.textContent = view.signed ? signed(most) : "1";
  const full = (color) => `color-mix(in srgb, ${color} ${STRONGEST * 100}%, transparent)`;
  const stops = view.signed ? [full(colors[0]), "transparent", full(colors[1])] : ["transparent", full(colors[1])];
  view.scale.style.background = `linear-gradient(to right, ${stops})`;
  for (const button of view.found.children) {
    const one = view.trackers.find(({ signal }) => signal === button.signal);
    button.setAttribute("aria-pressed", one.unit === unit);
  }
  tell(view, view.at);
}

function tell(view, at) {
  view.spans[view.at]?.classList.remove("coloured-here");
  view.at = at;
  if (at === null) {
    view.readout.textContent = "Point at a character to read its number.";
    return;
  }
  view.spans[at].classList.add("coloured-here");
  const sign = view.text[at], shown = { "\n": "line end", " ": "space" }[sign] ?? sign;
  view.readout.textContent = `${shown}: ${view.name} = ${signed(view.row[at], 3)}`;
}

const signed = (value, digits = 2) => value.toFixed(digits).replace("-", "−");
