// One layer at five neighbouring steps, h and c handed from each to the next. Built once for a size; update sets a step.

import { arrow, put, svg } from "../cell/drawing.js";
import { number } from "../cell/equations.js";
import { short } from "../cell/cell_text.js";
import { range } from "../heatmaps.js";
import { readAt } from "../numbers.js";
import { GATES, layerInput } from "../scene.js";
import { symbolAt } from "../strip/strip_text.js";

const SHOWN = [-2, -1, 0, 1, 2], CELLS = 16; // steps beside the one in the middle; units of a strip
const EMPTY = "#8a8f98";

// { boxes: of each step, screen: where the cell's own drawing stands in the middle one, lines: y of c and h }
export function place({ w, h }) {
  const wide = 0.13 * w, gap = 0.055 * w, left = (w - 5 * wide - 4 * gap) / 2, font = fontOf(w, h);
  const y = Math.max(0.2 * h, 3.7 * font), high = 0.83 * h - 2.2 * font - y;
  const boxes = SHOWN.map((_, k) => ({ x: left + k * (wide + gap), y, w: wide, h: high }));
  const screen = { w: 0.9 * wide, h: (0.9 * wide * h) / w };
  return {
    w, h, font, boxes, gap, cLine: y + 0.2 * high, hLine: y + 0.8 * high,
    screen: { ...screen, x: boxes[2].x + 0.05 * wide, y: y + (high - screen.h) / 2 },
  };
}

export const fontOf = (w, h) => Math.max(12.5, Math.min(0.062 * h, 0.0175 * w, 30));

// press(offset): of the step that was clicked, beside the one in the middle.
export function build(parent, at, press) {
  const root = svg(parent, "g", { class: "levels-unrolled" }), { font } = at;
  const text = (x, y, more = {}) => svg(root, "text", { x, y, "text-anchor": "middle", "font-size": font, ...more });
  const handed = ["c", "h"].map((name) => [-1, 0, 1, 2, 3, 4].map((k) => wire(root, at, name, k)));
  const cells = at.boxes.map(({ x, y, w, h }, k) => {
    const middle = x + w / 2, offset = SHOWN[k], below = y + h + 0.07 * at.h, plate = 1.6 * font;
    const group = svg(root, "g", { class: `levels-cell${offset ? "" : " levels-now"}` });
    group.addEventListener("click", () => press(offset));
    svg(group, "rect", { x, y, width: w, height: h, rx: 10, class: "levels-box" });
    const up = svg(root, "path", { d: `M${middle} ${y}V${y - 0.7 * font}`, class: "levels-wire" });
    svg(root, "path", { d: `M${middle} ${below}V${y + h + 6}`, class: "levels-wire" });
    arrow(root, middle, y + h + 6, -90, 5);
    return {
      group, up, tip: arrow(root, middle, y - 0.7 * font, -90, 5),
      strips: ["c", "h"].map((name) => strip(group, at, name, { x, y, w, h })),
      reader: text(middle, y - 1.15 * font, { "font-size": Math.max(12.5, 0.85 * font) }),
      gates: offset ? gates(group, { x, y, w, h }, font) : [],
      plate: svg(root, "rect", {
        x: middle - 2.2 * font, y: below, width: 4.4 * font, height: plate, rx: 6, class: "levels-plate",
      }),
      input: text(middle, below + 0.72 * plate, { "font-weight": 600 }), note: text(middle, y + h / 2 + font / 3),
      label: text(middle, Math.min(at.h - 4, below + plate + 1.05 * font), {
        "font-weight": offset ? 400 : 700, "font-size": Math.max(12.5, 0.88 * font),
      }),
    };
  });
  for (const [name, y] of [["c", at.cLine - 0.6 * font], ["h", at.hLine + 1.3 * font]]) {
    text(0.5 * at.boxes[0].x, y, { "font-weight": 700, "font-style": "italic" }).textContent = name;
  }
  const title = svg(root, "text", { x: 8, y: 1.25 * font, "font-size": font, "font-weight": 700 });
  return { root, at, handed, cells, title };
}

// Beside the middle, where the cell itself stands: the gates' values, as many as there is room for.
function gates(group, { x, y, w, h }, size) {
  const font = Math.max(12.5, 0.88 * size), columns = w > 7.8 * font ? 2 : 1;
  const room = Math.floor((0.5 * h) / (1.25 * font));
  const names = GATES.slice(0, columns * Math.max(1, room)), rows = Math.ceil(names.length / columns);
  return names.map((name, k) => {
    const row = Math.floor(k / columns), column = k % columns, middle = y + h / 2 + (row - (rows - 1) / 2) * 1.3 * font;
    const made = svg(group, "text", {
      x: x + (w * (column + 0.5)) / columns, y: middle + 0.34 * font, "text-anchor": "middle", "font-size": font,
    });
    svg(made, "tspan", { class: "cell-letter" }).textContent = `${name} `;
    return [name, svg(made, "tspan", {})];
  });
}

// From the k-th box to the one right of it: a line, its tips either way, and the number that is handed on.
function wire(root, { boxes, gap, cLine, hLine, font }, name, k) {
  const pitch = boxes[1].x - boxes[0].x, from = boxes[0].x + k * pitch + boxes[0].w, y = name === "c" ? cLine : hLine;
  const end = k < 0 || k > 3, length = end ? Math.max(gap, 18) : gap, x = k < 0 ? boxes[0].x - length : from;
  const line = svg(root, "path", { d: `M${x} ${y}H${x + length}`, class: "levels-handed" });
  const tips = [arrow(root, x + length - 4, y, 0, 6), arrow(root, x + 4, y, 180, 6)];
  const value = svg(root, "text", {
    x: x + length / 2, y: name === "c" ? y - 0.6 * font : y + 1.35 * font, "text-anchor": "middle",
    "font-size": font, "font-weight": 600,
  });
  return { line, tips, value, end };
}

function strip(group, { font }, name, { x, y, w, h }) {
  const inset = 8, high = 0.7 * font, top = name === "c" ? y + 0.2 * h - high / 2 : y + 0.8 * h - high / 2;
  const cells = Array.from({ length: CELLS }, () => svg(group, "rect", { y: top, height: high }));
  return { cells, x: x + inset, w: w - 2 * inset };
}

// paint(name, value): the colour that every picture gives this value; side: of the state's, with its unit.
export function update({ cells, handed, root, title }, state, side, layer, direction, paint) {
  const { scene, step } = state, { steps } = scene, { trace, unit } = state.sides[side];
  const values = trace[layer][direction], x = layerInput(scene, trace, layer), back = direction > 0;
  const within = (t) => t >= 0 && t < steps;
  const read = (name, t) => (within(t) ? readAt(values[name], unit, t, steps) : 0);
  put(title, "text", titleOf(scene, layer, direction, unit));
  cells.forEach((cell, k) => {
    const t = step + SHOWN[k], inside = within(t);
    put(cell.group, "data-inside", String(inside));
    for (const [name, text] of cell.gates) {
      put(text, "text", number(read(name, t)));
      put(text.parentNode, "visibility", inside ? "visible" : "hidden");
    }
    put(cell.note, "text", inside ? "" : t < 0 === back ? "no step" : "c = h = 0"); // what the first step starts from
    put(cell.label, "text", inside ? short(scene.when?.[t] ?? `step ${t + 1}`, 13) : "");
    for (const [row, name] of ["c", "h"].entries()) {
      paintStrip(cell.strips[row], values[name], t, steps, inside, (value) => paint(name, value));
    }
    put(cell.input, "text", inside ? inputText(scene, x, layer, t) : "");
    const color = inside ? inputColor(x, t, paint) : null;
    put(cell.plate, "fill", color?.color ?? "none");
    put(cell.input, "fill", color?.ink ?? "currentColor");
    const reader = inside ? readerOf(scene, layer, direction, t) : "";
    put(cell.reader, "text", reader);
    for (const part of [cell.up, cell.tip]) put(part, "visibility", reader ? "visible" : "hidden");
  });
  for (const [row, name] of ["c", "h"].entries()) {
    handed[row].forEach((one, k) => {
      hand(one, read(name, giver(step, k, back)), within(taker(step, k, back)), name, back, state, paint);
    });
  }
}

function titleOf({ layers, directions, hidden }, layer, direction, unit) {
  const way = directions > 1 ? (direction ? ", backward" : ", forward") : "", name = layers > 1 ? ` ${layer}` : "";
  const which = unit === null ? `average over ${hidden} units` : `unit ${unit}`;
  return `LSTM layer${name}${way}: the same weights at every step · ${which}`;
}

// Which step hands on through the k-th wire, the 0th being left of the first box, and which takes.
const giver = (step, k, back) => step + k - 3 + (back ? 1 : 0);
const taker = (step, k, back) => step + k - 3 + (back ? 0 : 1);

function hand({ line, tips, value, end }, given, taken, name, back, state, paint) {
  const share = Math.min(1, Math.abs(given) / range(state, name)[1]) || 0, { color } = paint(name, given);
  put(line, "strokeWidth", `${(2.5 + 9 * share).toFixed(1)}px`);
  put(line, "stroke", share > 0.02 ? color : EMPTY);
  put(line, "opacity", taken ? 1 : 0.25);
  tips.forEach((tip, k) => put(tip, "visibility", (k === 1) === back && taken ? "visible" : "hidden"));
  put(value, "text", taken && !end ? number(given) : "");
}

// Of the units that share a cell the largest in size.
export function paintStrip({ cells, x, w }, values, t, steps, inside, paint) {
  const count = values.length / steps, shown = Math.min(count, cells.length);
  cells.forEach((rect, k) => {
    put(rect, "x", x + (k * w) / shown);
    put(rect, "width", inside && k < shown ? w / shown : 0);
    if (!inside || k >= shown) return;
    let most = 0;
    for (let unit = Math.floor((k * count) / shown); unit < Math.floor(((k + 1) * count) / shown); unit++) {
      const value = values[unit * steps + t];
      if (!(Math.abs(value) <= Math.abs(most))) most = value;
    }
    put(rect, "fill", paint(most).color);
  });
}

function inputText(scene, { values, size }, layer, t) {
  if (layer > 0) return `h, layer ${layer - 1}`;
  if (scene.symbols) return scene.symbols[t] === null ? "–" : short(symbolAt(scene, t), 8);
  return size === 1 ? number(values[t]) : `${size} values`;
}

function inputColor({ values, size }, t, paint) {
  return size === 1 ? paint("x", values[t]) : null;
}

function readerOf(scene, layer, direction, t) {
  if (layer < scene.layers - 1) return `to layer ${layer + 1}`;
  return scene.head !== "last" || t === (direction ? 0 : scene.steps - 1) ? "to the head" : "";
}
