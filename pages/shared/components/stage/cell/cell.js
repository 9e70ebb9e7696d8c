// The cell as textbooks draw it, with the numbers of the chosen unit at the chosen step, or of a whole layer.

import { child, colorTable, readTheme } from "../../canvas.js";
import * as backward from "../backward/cell_backward.js";
import * as clock from "../clock.js";
import { build, fitted, LETTER } from "./cell_drawing.js";
import { layout } from "./cell_layout.js";
import * as panel from "./cell_panel.js";
import { PARTS, previous, short } from "./cell_text.js";
import { ink, put, svg } from "./drawing.js";
import { cellPieces, gatePieces, hiddenPieces, number, reader } from "./equations.js";
import { range } from "../heatmaps.js";
import { mean, size } from "../numbers.js";
import { GATES } from "../scene.js";
import { symbolAt } from "../strip/strip_text.js";
import * as valve from "../touch/valve.js";

const NAMED = 2; // terms of each equation that are written out
const LEAST = 24; // letters of a longer name that still tell what it is
const MAX_CELLS = 24; // inputs drawn one by one
const TRANSITION = 150; // ms between two steps, under which nothing moves smoothly: it would only lag

export function mount(root, state, side) {
  const holder = child(root, "div", { class: "stage-cell" });
  const view = { holder, state, side, drawn: null, reader: null, tables: tables(state.scales, holder), last: 0 };
  view.press = (part) => state.set({ part: state.part === part ? null : part });
  view.panel = panel.mount(holder, state, view.press);
  const hand = valve.mount(holder, state, side);
  // A part that was clicked or held must not keep the focus: with the next key a ring would stay around it.
  // It has it for a moment all the same: a stage in a frame of a page gets the keys by that.
  holder.addEventListener("mousedown", (event) => {
    const part = event.target.closest("[data-part]");
    if (part) setTimeout(() => part.blur());
  });
  const show = () => {
    holder.hidden = !state.sides[side];
    if (holder.hidden || !view.drawn) return;
    updateReader(view);
    draw(view);
    hand.update();
  };
  // Beside a second cell it has half the width, whichever of the two is resized first.
  new ResizeObserver(() => { if (rebuild(view)) show(); }).observe(holder);
  return {
    update(changed) {
      if (changed.has("step")) limitTransitions(view);
      if (changed.has("theme")) view.tables = tables(state.scales, holder);
      show();
    },
    element: holder,
  };
}

// Builds the drawing anew where its layout is another; true if it did.
function rebuild(view) {
  const { holder, state } = view, width = holder.clientWidth, height = holder.clientHeight;
  if (!width || !height) return false;
  const place = layout(width, height), shape = JSON.stringify([place.across, place.stacked]);
  if (shape === view.shape) return false;
  view.drawn?.root.remove();
  Object.assign(view, { shape, place, drawn: build(holder, place, state, view.press) });
  holder.classList.toggle("cell-narrow", !place.stacked);
  return true;
}

// The reader stays until the trace, the layer or the direction is another.
function updateReader(view) {
  const { state, side } = view, { scene, layer, direction } = state, { trace, weights } = state.sides[side];
  const source = [trace, weights, layer, direction];
  if (view.source?.every((one, k) => one === source[k])) return;
  view.source = source;
  view.reader = reader(scene, state.sides[side], layer, direction);
}

function limitTransitions(view) {
  const now = clock.now();
  view.holder.classList.toggle("cell-instant", Math.abs(now - view.last) < TRANSITION);
  view.last = now;
}

// All numbers of this step by their names; an array where a whole layer is shown. output: o · tanh(c), before W_hr.
function gather(view) {
  const { state, side, reader: from } = view, { step } = state, { unit } = state.sides[side];
  const past = from.previous(step);
  const one = (name, at) => (unit === null ? from.column(name, at) : from.at(name, unit, at));
  const now = Object.fromEntries([...GATES, "c"].map((name) => [name, one(name, step)]));
  const product = (a, b) => (unit === null ? a.map((value, k) => value * b[k]) : a * b);
  const single = unit !== null && unit < state.scene.width; // with proj_size there are fewer h than units
  const h = (at) => (single ? from.at("h", unit, at) : from.column("h", at));
  const tanhC = unit === null ? now.c.map(Math.tanh) : Math.tanh(now.c), cPrev = one("c", past);
  return {
    ...now, unit, step, cPrev, tanhC, h: h(step), hPrev: h(past),
    kept: product(now.f, cPrev), added: product(now.i, now.g), output: product(now.o, tanhC),
  };
}


function draw(view) {
  const { state, drawn, reader: from } = view, { scene, layer, direction, part } = state, now = gather(view);
  const subscript = direction ? "t+1" : "t−1";
  drawn.plates.cPrev.rename(subscript);
  drawn.plates.hPrev.rename(subscript);
  for (const [plate, name, value] of [
    ...GATES.map((gate) => [gate, gate, now[gate]]), ["cPrev", "c", now.cPrev], ["cNow", "c", now.c],
    ["hPrev", "h", now.hPrev], ["hNow", "h", now.h],
  ]) drawn.plates[plate].set(plateContent(view, name, value));
  for (const [flow, name, value] of [
    ["cPrev", "c", now.cPrev], ["kept", "c", now.kept], ["cNow", "c", now.c], ["proposed", "g", now.g],
    ["added", "g", now.added], ["tanhC", "g", now.tanhC], ["output", "g", now.output],
  ]) drawn.flows[flow]({ share: size(value) / range(state, name)[1], color: colorsOf(view, name, mean(value)).color });
  for (const gate of ["f", "i", "o"]) {
    drawn.jaws[gate](mean(now[gate]));
    put(drawn.flows[gate], "strokeWidth", `${(1.5 + 6 * (mean(now[gate]) || 0)).toFixed(1)}px`);
  }
  put(drawn.flows.hPrev, "strokeWidth", `${(1.5 + 5 * Math.min(1, size(now.hPrev) || 0)).toFixed(1)}px`);
  drawInputs(view, now);
  writeEquations(view, now);
  for (const [name, group] of Object.entries(drawn.parts)) {
    put(group, "aria-pressed", String(part === name));
    put(group, "aria-label", `${PARTS[name].title}: ${label(now, name)}`);
  }
  drawn.root.classList.toggle("cell-dim", Boolean(part));
  const reading = scene.directions > 1 ? (direction ? "backward" : "forward") : "";
  const unit = now.unit === null ? `average over ${scene.hidden} units` : `unit ${now.unit}`;
  const where = [scene.layers > 1 ? `layer ${layer}` : "", reading, unit].filter(Boolean).join(" · ");
  const [, , width] = view.place.caption, letter = view.place.font.caption;
  const caption = captionOf(scene.model, where, width / letter);
  put(drawn.caption, "text", caption);
  put(drawn.caption, "font-size", fitted(caption.length, letter, width));
  backward.draw(view, now, (share) => tint(view, [-1, 1], share));
  view.panel.update(now, from);
}

// The model's name before the rest, as far as there is room for it in letters that can be read; wide: in letters' heights.
function captionOf(model, where, wide) {
  const room = Math.floor(wide / (0.85 * LETTER)) - where.length - 3;
  if (!model || room < Math.min(model.length, LEAST)) return where;
  const end = Math.floor(room / 2) - 1; // where runs of one lesson differ
  return `${model.length > room ? `${model.slice(0, room - end - 1).trimEnd()}…${model.slice(-end)}` : model} · ${where}`;
}

function label(now, name) {
  return name === "x" ? "input" : number(mean(now[name]));
}

const colorsOf = (view, name, value) => tint(view, range(view.state, name), value);

export function tint({ tables: all }, [low, high], value) {
  const place = Math.round(((value - low) / (high - low)) * 255);
  const table = all[low < 0 ? "signed" : "gate"];
  return place === place ? table[Math.max(0, Math.min(255, place))] : { color: "#8A8F98", ink: "#111" };
}

function plateContent(view, name, value) {
  const [low, high] = range(view.state, name), middle = mean(value);
  const values = typeof value === "number" ? null : { all: value, low, high };
  return { ...colorsOf(view, name, middle), text: number(middle), values };
}

function drawInputs(view, now) {
  const { drawn, reader: from, state } = view, { cells, plates, flows, features } = drawn, count = from.size;
  const values = Float64Array.from({ length: count }, (_, k) => from.input(k, now.step));
  put(flows.input, "strokeWidth", `${(1.5 + 5 * Math.min(1, size(values) / from.maxAbs || 0)).toFixed(1)}px`);
  const ends = [-from.maxAbs, from.maxAbs], paper = { color: "none", ink: "currentColor", text: "", values: null };
  plates.input.set(count === 1 ? { ...tint(view, ends, values[0]), text: number(values[0]), values: null } : paper);
  const shown = count === 1 ? 0 : Math.min(count, MAX_CELLS);
  while (cells.each.length < shown) cells.each.push(svg(cells.group, "rect", { y: cells.y, height: cells.h }));
  cells.each.forEach((rect, k) => {
    const wide = cells.w / Math.max(1, shown);
    put(rect, "x", cells.x + k * wide);
    put(rect, "width", k < shown ? wide : 0);
    if (k < shown) put(rect, "fill", tint(view, ends, largestOf(values, k, shown)).color);
  });
  const lines = inputLines(state, values, features.length);
  features.forEach((text, row) => put(text, "text", lines[row] ?? ""));
}

// Of the inputs that share the k-th of so many cells the largest in size: a lone 1 among zeros must not get lost.
function largestOf(values, k, cells) {
  const from = Math.floor((k * values.length) / cells), to = Math.floor(((k + 1) * values.length) / cells);
  return values.subarray(from, Math.max(from + 1, to)).reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
}

// What x is, in at most so many short lines.
function inputLines({ scene, layer, step }, values, max) {
  const count = values.length, name = (k) => String(scene.features[k]);
  if (layer > 0) return [`h of layer ${layer - 1}`, `${count} values`];
  if (count === 1) return [short(name(0), 18)];
  if (scene.symbols) return [scene.symbols[step] === null ? "no symbol yet" : short(`the symbol ${symbolAt(scene, step)}`, 18)];
  const line = (value, k) => `${short(name(k), 11)} ${number(value)}`;
  return count > max
    ? [...Array.from(values.subarray(0, max - 1), line), `and ${count - max + 1} more`] : Array.from(values, line);
}

function writeEquations(view, now) {
  const { drawn, reader: from, state } = view, { equations, notes } = drawn;
  const { unit, step } = now, whole = unit === null, past = previous(state);
  for (const gate of GATES) {
    if (whole) equations[gate](["b + W x", `+ U h${past}),`], `mean ${number(mean(now[gate]))}`);
    else {
      const { pieces, result } = gatePieces(gate, from.gate(gate, unit, step, NAMED));
      pieces[pieces.length - 1] += ")";
      equations[gate](pieces, result);
    }
  }
  if (whole) equations.c([`f·c${past} + i·g,`], `mean ${number(mean(now.c))}`);
  else {
    const { inner, result } = cellPieces(now);
    equations.c([inner], result);
  }
  hidden(view, now);
  put(notes.kept, "text", `f · c = ${number(mean(now.kept))}`);
  put(notes.added, "text", `i · g = ${number(mean(now.added))}`);
  put(notes.tanhC, "text", number(mean(now.tanhC)));
  if (notes.reader) put(notes.reader, "text", readersOf(state));
}

function hidden(view, now) {
  const { drawn: { equations }, reader: from } = view, { unit, h } = now;
  if (unit === null) {
    return equations.h([from.projected ? "W_hr (o·tanh(c))," : "o·tanh(c),"], `mean ${number(mean(h))}`);
  }
  const { inner, result } = hiddenPieces(now);
  if (!from.projected) return equations.h([inner], result);
  const value = typeof h === "number" ? ` = ${number(h)}` : "";
  if (!view.place.stacked) return equations.h(["W_hr (o·tanh(c))"], value.trim());
  return equations.h([`W_hr m${value},`, `m = ${inner}`], result);
}

// What reads h_t, beside the next step of the same cell.
function readersOf({ scene, layer, direction, step }) {
  if (layer < scene.layers - 1) return `to layer ${layer + 1}`;
  const end = direction ? 0 : scene.steps - 1;
  return scene.head !== "last" || step === end ? "to the head" : `to step ${step + 1 + (direction ? -1 : 1)}`;
}

// The colours of the heatmaps, 256 of each scale, with the ink that is read on them.
export function tables(scales, holder) {
  const { back } = readTheme(holder);
  const css = (pixel) => `rgb(${pixel & 255},${(pixel >> 8) & 255},${(pixel >> 16) & 255})`;
  return Object.fromEntries(Object.entries(scales).map(([name, scale]) => [
    name, Array.from(colorTable(scale, back || "white"), (pixel) => ({ color: css(pixel), ink: ink(css(pixel)) })),
  ]));
}
