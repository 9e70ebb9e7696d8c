// The browser half of future_strips.py: inputs that are known ahead, whose values to come are drawn by hand.

import { child, clamp, context, format, line, readTheme, withMinus, write } from "./canvas.js";
import { makeAxis, rangeOf } from "./plot_axis.js";
import { shortened } from "./plot_painting.js";
import { component, isDrawn, sender, unpack } from "./wire.js";

const TITLE = 24, STRIP = 64, GAP = 10, SIDE = 10; // CSS pixels
const NEAR = 3.2, MOST_DOTS = 80; // radius of a dot; beyond so many values they are a line alone
const MARGIN = 0.2; // of the range, above and below: room to drag to
const HINT = "drag the values to come";
const KEY_SHARE = 40; // an arrow moves a value by this part of the range

export default component(".future-strips", {
  mount(element) {
    const canvas = child(element, "canvas", { tabindex: "0", role: "application" });
    const view = { element, canvas, count: 0, pending: new Map(), pressed: null, at: null };
    view.sender = sender(() => send(view));
    canvas.addEventListener("pointerdown", (event) => press(view, event));
    canvas.addEventListener("pointermove", (event) => move(view, event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => release(view));
    canvas.addEventListener("pointerleave", () => { if (!view.pressed) point(view, null); });
    canvas.addEventListener("keydown", (event) => { if (key(view, event)) event.preventDefault(); });
    canvas.addEventListener("blur", () => point(view, null));
    view.watch = new ResizeObserver(() => paint(view));
    view.watch.observe(element);
    return view;
  },
  show(view, { data, setStateValue }) {
    view.setStateValue = setStateValue;
    if (isDrawn(view, data)) return;
    const [message, take] = unpack(data);
    for (const one of message.features) Object.assign(one, { past: take(message.past), ahead: take(message.steps) });
    if (message.received === view.count) view.sender.receive();
    const isMine = view.pressed || view.pending.size || view.sender.waiting;
    if (isMine && view.message?.series === message.series) { // what is under the hand is newer than what has come
      message.features.forEach((one, k) => Object.assign(one, { ahead: view.message.features[k].ahead }));
    } else if (!view.message) view.count = message.received;
    view.message = message;
    view.canvas.setAttribute("aria-label", message.label);
    if (!view.pressed) view.axes = message.features.map(({ past, ahead }) => makeAxis(rangeOf([past, ahead], false, MARGIN)));
    paint(view);
  },
  stop: (view) => view.watch.disconnect(),
});

// ---- the hand ----

function place(view, event) {
  const { left, top } = view.canvas.getBoundingClientRect(), y = event.clientY - top;
  const feature = clamp(Math.floor(y / (TITLE + STRIP + GAP)), view.message.features.length);
  return { feature, step: stepAt(view, event.clientX - left), y };
}

function stepAt(view, x) {
  const { past, steps } = view.message, width = view.width - 2 * SIDE;
  return clamp(Math.round(((x - SIDE) / width) * (past + steps - 1)) - past, steps);
}

const isAhead = (view, event) =>
  event.clientX - view.canvas.getBoundingClientRect().left >= across(view, view.message.past - 0.5);

function press(view, event) {
  if (event.button || !isAhead(view, event)) return;
  view.canvas.setPointerCapture(event.pointerId);
  view.pressed = view.last = place(view, event);
  set(view, view.pressed, valueAt(view, view.pressed));
}

function move(view, event) {
  const here = place(view, event);
  if (!view.pressed) return point(view, isAhead(view, event) ? here : null);
  here.feature = view.pressed.feature;
  const before = view.last, distance = Math.abs(here.step - before.step);
  for (let k = 1; k < distance; k++) { // a fast hand skips steps
    const part = k / distance, step = before.step + k * Math.sign(here.step - before.step);
    const between = { feature: here.feature, step, y: before.y + part * (here.y - before.y) };
    set(view, between, valueAt(view, between));
  }
  view.last = here;
  set(view, here, valueAt(view, here));
}

function release(view) {
  if (!view.pressed) return;
  view.pressed = null;
  view.isDone = true;
  view.sender.offer();
}

// The value under the hand, with as many decimals as the column has.
function valueAt(view, { feature, y }) {
  const axis = view.axes[feature], top = topOf(feature);
  const share = Math.max(0, Math.min(1, 1 - (y - top) / STRIP));
  return rounded(axis.at(share), view.message.features[feature].decimals);
}

const rounded = (value, decimals) => (decimals === null ? Number(value.toPrecision(4)) : Number(value.toFixed(decimals)));

function set(view, { feature, step }, value) {
  view.message.features[feature].ahead[step] = value;
  view.pending.set(`${feature} ${step}`, { feature, step, value });
  view.at = { feature, step };
  paint(view);
  view.sender.offer();
}

function send(view) {
  if (!view.pending.size && !view.isDone) return false;
  view.count += 1;
  const { series } = view.message, changes = [...view.pending.values()];
  view.setStateValue("drawn", { count: view.count, series, changes, done: !view.pressed });
  view.pending.clear();
  view.isDone = false;
  return true;
}

function point(view, at) {
  view.at = at;
  paint(view);
}

function key(view, event) {
  const { steps, features } = view.message, at = view.at ?? { feature: 0, step: 0 };
  const [across, up] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [];
  if (across === undefined) return false;
  if (!view.at || across) {
    if (event.shiftKey) point(view, { ...at, feature: clamp(at.feature + across, features.length) });
    else point(view, { ...at, step: clamp(at.step + (view.at ? across : 0), steps) });
    return true;
  }
  const { ahead, decimals } = features[at.feature], { low, high } = view.axes[at.feature];
  const least = decimals === null ? 0 : 10 ** -decimals, by = Math.max(least, (high - low) / KEY_SHARE);
  set(view, at, rounded(ahead[at.step] + up * by, decimals));
  return true;
}

// ---- the picture ----

const topOf = (feature) => feature * (TITLE + STRIP + GAP) + TITLE;
const across = (view, k) =>
  SIDE + (k * (view.width - 2 * SIDE)) / Math.max(1, view.message.past + view.message.steps - 1);

function paint(view) {
  const { element, canvas, message } = view;
  if (!message || !element.clientWidth) return;
  view.width = element.clientWidth;
  const height = message.features.length * (TITLE + STRIP + GAP) - GAP + 4;
  Object.assign(canvas.style, { width: `${view.width}px`, height: `${height}px` });
  const pen = context(canvas, view.width, height), theme = readTheme(element);
  message.features.forEach((one, k) => paintStrip(pen, view, theme, one, k));
}

function paintStrip(pen, view, theme, { name, color, past, ahead, decimals }, k) {
  const { message, width } = view, axis = view.axes[k], top = topOf(k);
  const down = (value) => top + Math.max(0, Math.min(1, 1 - axis.place(value))) * STRIP;
  const border = across(view, message.past - 0.5);
  pen.fillStyle = theme.empty;
  pen.fillRect(border, top, width - SIDE - border + 4, STRIP);
  const at = view.at?.feature === k ? view.at.step : null;
  const readout = at === null ? "" : `${message.times[at]}: ${shown(ahead[at], decimals)}`;
  pen.font = `400 14px ${theme.font}`;
  const room = width - pen.measureText(readout).width - 24;
  const title = shortened(pen, theme, name, room, 14, 600);
  const after = SIDE + write(pen, theme, title, SIDE, top - TITLE / 2, { size: 14, weight: 600 }) + 10;
  pen.font = `400 14px ${theme.font}`;
  if (after + pen.measureText(HINT).width < room) write(pen, theme, HINT, after, top - TITLE / 2, { size: 14 });
  write(pen, theme, readout, width - SIDE, top - TITLE / 2, { size: 14, align: "right" });
  line(pen, theme.text, 1.6, Array.from(past, (value, j) => [across(view, j), down(value)]));
  const points = Array.from(ahead, (value, j) => [across(view, message.past + j), down(value)]);
  line(pen, color, 2.4, [[across(view, message.past - 1), down(past.at(-1))], ...points]);
  points.forEach(([x, y], j) => {
    if (j !== at && points.length > MOST_DOTS) return;
    Object.assign(pen, { fillStyle: color, strokeStyle: theme.back, lineWidth: 1.5 });
    pen.beginPath();
    pen.arc(x, y, j === at ? 2 * NEAR : NEAR, 0, 7);
    pen.fill();
    pen.stroke();
  });
}

const shown = (value, decimals) => (decimals === null ? format(value) : withMinus(value.toFixed(decimals)));
