// The hand in the strip: near a line that the model reads a drag up or down changes it, everywhere else it scrubs
// through time. What a drag does to the line is the tool's.

import { clamp } from "../../canvas.js";
import { pointIn } from "../../heatmap.js";
import { telling, valuesOf, withValues } from "./edits.js";

export const NEAR = { mouse: 11, pen: 16, touch: 26 }; // px from a line
const STARTS = 3; // px after which a press is a drag
const ROOM = 2; // px over a held point
const AROUND = 8; // px left and right in which a steep line is looked for

// tool → the new values. from: the values as they were; step: the one that is held; by: how far it is dragged in the
// table's units; wide: by how many steps the hand has gone sideways; span: of the line's axis.
const CHANGES = {
  point: ({ from, step, by }) => from.map((value, t) => (t === step ? value + by : value)),
  brush: ({ from, step, by, wide }) => {
    const reach = Math.max(1, 0.03 * from.length) + wide / 2;
    return from.map((value, t) => {
      const part = Math.exp(-(((t - step) / reach) ** 2) / 2);
      return part < 0.01 ? value : value + by * part;
    });
  },
  shift: ({ from, by }) => from.map((value) => value + by),
  scale: ({ from, step, by, span }) => {
    const middle = meanOf(from), out = from[step] - middle;
    const factor = Math.abs(out) > 0.1 * span ? (out + by) / out : 1 + by / (0.5 * span);
    return from.map((value) => middle + (value - middle) * Math.max(-4, Math.min(4, factor)));
  },
};

const meanOf = (values) => {
  const known = values.filter(Number.isFinite);
  return known.reduce((a, b) => a + b, 0) / known.length;
};

export function mount(view, state) {
  const { holder } = view, hand = { view, state, press: null };
  holder.addEventListener("pointerdown", (event) => {
    if (!view.plot || hand.press) return;
    holder.setPointerCapture(event.pointerId);
    press(hand, event);
  });
  holder.addEventListener("pointermove", (event) => {
    if (hand.press?.id === event.pointerId) move(hand, event);
    else if (!hand.press && view.plot) holder.style.cursor = cursor(hand, event);
  });
  const end = (event) => {
    if (hand.press?.id !== event.pointerId) return;
    hand.press = null;
    state.set({ held: null });
    holder.style.cursor = cursor(hand, event);
  };
  for (const name of ["pointerup", "pointercancel"]) holder.addEventListener(name, end);
  return {};
}

function cursor({ view, state }, event) {
  if (pencilled(view, state)) return "";
  return lineNear(view, pointIn(view.holder, event), NEAR.mouse) ? "grab" : "";
}

// The line that a pencil draws: the chosen one.
export function pencilled(view, state) {
  if (state.tool !== "draw" || state.backward) return null;
  const lines = [...view.main, ...view.others].filter(({ hand }) => hand);
  return lines.find(({ place }) => place === state.feature) ?? lines[0] ?? null;
}

function press(hand, event) {
  const { view, state } = hand, at = pointIn(view.holder, event), step = view.stepAt(event);
  const client = { x: event.clientX, y: event.clientY };
  hand.press = { id: event.pointerId, at, client, step, act: null, line: null };
  if (at.y < view.top) return; // on the legend
  const line = pencilled(view, state);
  if (line) {
    Object.assign(hand.press, { act: draw, line, last: null });
    draw(hand, event);
    return;
  }
  const near = lineNear(view, at, NEAR[event.pointerType] ?? NEAR.mouse);
  hand.press.line = near && Number.isNaN(near.values[step]) ? null : near; // what is missing there has no height
  hand.press.act = hand.press.line ? null : scrub;
  scrub(hand, event);
}

function move(hand, event) {
  const { press, view } = hand;
  if (press.line && !press.act) {
    const at = following(press, event), across = Math.abs(at.x - press.at.x), up = Math.abs(at.y - press.at.y);
    if (Math.max(across, up) < STARTS) return;
    press.act = up >= across ? drag : scrub;
    if (press.act === drag) begin(hand);
  }
  press.act?.(hand, event);
}

function scrub({ view, state }, event) {
  state.set({ step: view.stepAt(event), playing: false });
}

function begin({ press, state, view }) {
  const { place } = press.line;
  press.from = valuesOf(state, place).slice();
  press.away = press.line.toY(press.from[press.step]) - press.at.y; // from the pointer to the point that it holds
  press.told = telling(state.scene, place);
  view.holder.style.cursor = "grabbing";
}

function drag({ press, state, view }, event) {
  const { line, step, from, told } = press, { place, box, toValue } = line, at = following(press, event);
  const y = inside(box, at.y + press.away, line.toY(from[step]));
  const by = toValue(y) - from[step], span = Math.abs(toValue(box.y) - toValue(box.y + box.h));
  const wide = (Math.abs(at.x - press.at.x) * view.page.count) / view.plot.w;
  const tool = event.shiftKey ? "shift" : state.tool;
  const values = CHANGES[tool]({ from, step, by, wide, span });
  put(state, place, step, values.map((value, t) => (value === from[t] ? value : told(value))));
}

// Where the pointer is in the strip, told from the press: to ask the page again would cost a layout.
const following = ({ at, client }, { clientX, clientY }) =>
  ({ x: at.x + clientX - client.x, y: at.y + clientY - client.y });

// The pencil: every step that it has passed since it was last seen lies on the straight line between the two places.
function draw({ press, state, view }, event) {
  const { place, box, toValue } = press.line, at = pointIn(view.holder, event), step = view.stepAt(event);
  const x = Math.max(view.x(0), Math.min(at.x, view.x(state.scene.steps - 1)));
  const now = { x, value: toValue(inside(box, at.y, at.y)) };
  const last = press.last ?? now, values = valuesOf(state, place).slice(), told = telling(state.scene, place);
  for (let t = 0; t < values.length; t++) {
    const part = (view.x(t) - last.x) / (now.x - last.x);
    if (part >= 0 && part <= 1 && !Number.isNaN(values[t])) values[t] = told(last.value + part * (now.value - last.value));
  }
  if (!press.last && !Number.isNaN(values[step])) values[step] = told(now.value);
  press.last = now;
  put(state, place, step, values);
}

// A point stays in its box, and its halo off the legend, unless it was there from the first.
function inside({ y, h }, at, first) {
  const room = Math.min(ROOM, 0.1 * h);
  return Math.max(Math.min(first, y + room), y, Math.min(at, y + h));
}

function put(state, place, step, values) {
  const edits = withValues(state.scene, state.edits, place, values);
  state.set({ edits, held: { place, step }, feature: place, step, playing: false });
}

// The line that can be grabbed at a point, or another kind of line: the nearest within so many pixels.
export function lineNear(view, at, near, isOfKind = ({ hand }) => hand) {
  let found = null, least = near;
  if (view.state.backward) return null; // the gradient's line stands in its place
  for (const line of [...view.main, ...view.others]) {
    if (!isOfKind(line)) continue;
    for (const x of [at.x - AROUND, at.x, at.x + AROUND]) {
      const away = Math.hypot(heightAt(view, line, x) - at.y, x - at.x);
      if (away < least || (away === least && line.place === view.state.feature)) [found, least] = [line, away];
    }
  }
  return found;
}

function heightAt({ plot, page: { first, count } }, { values, toY }, x) {
  const place = ((x - plot.x) / plot.w) * count - 0.5, low = clamp(Math.floor(place), count);
  const high = clamp(low + 1, count);
  const part = Math.max(0, Math.min(1, place - low));
  return toY(values[first + low] * (1 - part) + values[first + high] * part);
}
