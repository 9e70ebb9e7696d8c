// The cell as textbooks draw it, with the numbers of the chosen unit at the chosen step, or of a whole layer.

import { child, colorTable } from "./canvas.js";
import { build, fitted } from "./cell_drawing.js";
import { layout } from "./cell_layout.js";
import * as panel from "./cell_panel.js";
import { PARTS, short } from "./cell_words.js";
import { ink, put, svg } from "./drawing.js";
import { cellPieces, gatePieces, hiddenPieces, number, reader } from "./equations.js";
import { range } from "./maps.js";
import { GATES } from "./scene.js";

const NAMED = 2; // terms of each equation that are written out
const MOST_CELLS = 24; // inputs drawn one by one
const HURRY = 150; // ms between two steps, under which nothing moves softly: it would only lag

export function mount(root, state, side) {
  const holder = child(root, "div", { class: "stage-cell" });
  const view = { holder, state, side, drawn: null, reader: null, tables: tables(state.scales), last: 0 };
  view.press = (part) => state.set({ part: state.part === part ? null : part });
  view.panel = panel.mount(holder, state, view.press);
  const show = () => {
    holder.hidden = !state.sides[side];
    if (holder.hidden || !view.drawn) return;
    read(view);
    draw(view);
  };
  // Beside a second cell it has half the width, whichever of the two hears of it first.
  new ResizeObserver(() => { if (place(view)) show(); }).observe(holder);
  return {
    update(changed) {
      if (changed.has("step")) hurry(view);
      show();
    },
    element: holder,
  };
}

// Builds the picture anew where its shape is another; true if it did.
function place(view) {
  const { holder, state } = view, width = holder.clientWidth, height = holder.clientHeight;
  if (!width || !height) return false;
  const spot = layout(width, height), shape = JSON.stringify([spot.across, spot.stacked]);
  if (shape === view.shape) return false;
  view.drawn?.root.remove();
  Object.assign(view, { shape, place: spot, drawn: build(holder, spot, state, view.press) });
  holder.classList.toggle("cell-narrow", !spot.stacked);
  return true;
}

// What the numbers are read from stays until the trace, the layer or the direction is another.
function read(view) {
  const { state, side } = view, { scene, layer, direction } = state, { trace, weights } = state.sides[side];
  const from = [trace, weights, layer, direction];
  if (view.from?.every((one, k) => one === from[k])) return;
  view.from = from;
  view.reader = reader(scene, state.sides[side], layer, direction);
}

function hurry(view) {
  const now = performance.now();
  view.holder.classList.toggle("cell-hurry", now - view.last < HURRY);
  view.last = now;
}

// All numbers of this moment by their names; an array where a whole layer is shown.
function gather(view) {
  const { state, side, reader: from } = view, { step } = state, { unit } = state.sides[side], past = from.before(step);
  const one = (name, at) => (unit === null ? from.column(name, at) : from.at(name, unit, at));
  const now = Object.fromEntries([...GATES, "c"].map((name) => [name, one(name, step)]));
  const both = (a, b, join) => (unit === null ? a.map((value, k) => join(value, b[k])) : join(a, b));
  const times = (a, b) => a * b, scene = state.scene;
  const said = unit !== null && unit < scene.width; // with proj_size there are fewer h than units
  const whole = (at) => (said ? from.at("h", unit, at) : from.column("h", at));
  const squashed = unit === null ? now.c.map(Math.tanh) : Math.tanh(now.c), before = one("c", past);
  return {
    ...now, unit, step, before, squashed, h: whole(step), past: whole(past),
    kept: both(now.f, before, times), added: both(now.i, now.g, times), told: both(now.o, squashed, times),
  };
}

const mean = (value) => (typeof value === "number" ? value : value.reduce((a, b) => a + b, 0) / value.length);
const size = (value) => (typeof value === "number" ? Math.abs(value) : mean(value.map(Math.abs)));

function draw(view) {
  const { state, drawn, reader: from } = view, { scene, layer, direction, part } = state, now = gather(view);
  const before = direction ? "t+1" : "t−1";
  drawn.plates.before.rename(before);
  drawn.plates.past.rename(before);
  for (const [plate, name, value] of [
    ...GATES.map((gate) => [gate, gate, now[gate]]), ["before", "c", now.before], ["after", "c", now.c],
    ["past", "h", now.past], ["output", "h", now.h],
  ]) drawn.plates[plate].set(face(view, name, value));
  for (const [flow, name, value] of [
    ["before", "c", now.before], ["kept", "c", now.kept], ["after", "c", now.c], ["proposed", "g", now.g],
    ["added", "g", now.added], ["squashed", "g", now.squashed], ["told", "g", now.told],
  ]) drawn.flows[flow]({ share: size(value) / range(state, name)[1], color: paint(view, name, mean(value)).color });
  for (const gate of ["f", "i", "o"]) {
    drawn.jaws[gate](mean(now[gate]));
    put(drawn.flows[gate], "strokeWidth", `${(1.5 + 6 * (mean(now[gate]) || 0)).toFixed(1)}px`);
  }
  put(drawn.flows.past, "strokeWidth", `${(1.5 + 5 * Math.min(1, size(now.past) || 0)).toFixed(1)}px`);
  inputs(view, now);
  words(view, now);
  for (const [name, group] of Object.entries(drawn.parts)) {
    put(group, "aria-pressed", String(part === name));
    put(group, "aria-label", `${PARTS[name].title}: ${label(now, name)}`);
  }
  put(drawn.root, "class", part ? "cell cell-dim" : "cell");
  const where = [scene.layers > 1 ? `layer ${layer}` : "", scene.directions > 1 ? (direction ? "backward" : "forward") : ""];
  const unit = now.unit === null ? `mean of ${scene.hidden} units` : `unit ${now.unit}`;
  const caption = [...where, unit].filter(Boolean).join(" · "), [, , width] = view.place.caption;
  put(drawn.caption, "text", caption);
  put(drawn.caption, "font-size", fitted(caption.length, view.place.font.note, width));
  view.panel.update(now, from);
}

function label(now, name) {
  return name === "x" ? "what it reads" : number(mean(now[name]));
}

const paint = (view, name, value) => tint(view, range(view.state, name), value);

function tint({ tables: all }, [low, high], value) {
  const place = Math.round(((value - low) / (high - low)) * 255);
  const table = all[low < 0 ? "signed" : "gate"];
  return place === place ? table[Math.max(0, Math.min(255, place))] : { color: "#8A8F98", ink: "#111" };
}

function face(view, name, value) {
  const [low, high] = range(view.state, name), middle = mean(value);
  return { ...paint(view, name, middle), words: number(middle), spread: typeof value === "number" ? null : { values: value, low, high } };
}

function inputs(view, now) {
  const { drawn, reader: from, state } = view, { cells, plates, flows, features } = drawn, count = from.size;
  const values = Float64Array.from({ length: count }, (_, k) => from.input(k, now.step));
  put(flows.input, "strokeWidth", `${(1.5 + 5 * Math.min(1, size(values) / from.peak || 0)).toFixed(1)}px`);
  const ends = [-from.peak, from.peak], paper = { color: "none", ink: "currentColor", words: "", spread: null };
  plates.input.set(count === 1 ? { ...tint(view, ends, values[0]), words: number(values[0]), spread: null } : paper);
  const shown = count === 1 ? 0 : Math.min(count, MOST_CELLS);
  while (cells.each.length < shown) cells.each.push(svg(cells.group, "rect", { y: cells.y, height: cells.h }));
  cells.each.forEach((rect, k) => {
    const wide = cells.w / Math.max(1, shown);
    put(rect, "x", cells.x + k * wide);
    put(rect, "width", k < shown ? wide : 0);
    if (k < shown) put(rect, "fill", tint(view, ends, values[Math.floor((k * count) / shown)]).color);
  });
  const lines = inputLines(state, values, features.length);
  features.forEach((text, row) => put(text, "text", lines[row] ?? ""));
}

// What x is, in so many short lines at the most.
function inputLines({ scene, layer }, values, most) {
  const count = values.length, name = (k) => String(scene.features[k]);
  if (layer > 0) return [`h of layer ${layer - 1}`, `${count} values`];
  if (count === 1) return [short(name(0), 18)];
  const line = (value, k) => `${short(name(k), 11)} ${number(value)}`;
  return count > most ? [...Array.from(values.subarray(0, most - 1), line), `and ${count - most + 1} more`] : Array.from(values, line);
}

function words(view, now) {
  const { drawn, reader: from, state } = view, { equations, notes } = drawn;
  const { unit, step } = now, whole = unit === null;
  for (const gate of GATES) {
    if (whole) equations[gate](["b + W x", "+ U h before),"], `mean ${number(mean(now[gate]))}`);
    else {
      const { pieces, result, inner } = gatePieces(gate, from.gate(gate, unit, step, NAMED));
      pieces[pieces.length - 1] += ")";
      equations[gate](pieces, `= ${gate === "g" ? "tanh" : "σ"}(${inner}) ${result}`);
    }
  }
  if (whole) equations.c(["f·c before + i·g,"], `mean ${number(mean(now.c))}`);
  else {
    const { inner, result } = cellPieces(now);
    equations.c([inner], result);
  }
  hidden(view, now);
  put(notes.kept, "text", `f · c = ${number(mean(now.kept))}`);
  put(notes.added, "text", `i · g = ${number(mean(now.added))}`);
  put(notes.squashed, "text", number(mean(now.squashed)));
  if (notes.reader) put(notes.reader, "text", whoReads(state));
}

function hidden(view, now) {
  const { drawn: { equations }, reader: from } = view, { unit, h } = now;
  if (unit === null) return equations.h([from.projected ? "W_hr (o·tanh(c))," : "o·tanh(c),"], `mean ${number(mean(h))}`);
  const { inner, result } = hiddenPieces(now);
  if (!from.projected) return equations.h([inner], result);
  const tells = typeof h === "number" ? ` = ${number(h)}` : "";
  if (!view.place.stacked) return equations.h(["W_hr (o·tanh(c))"], tells.trim());
  return equations.h([`W_hr m${tells},`, `m = ${inner}`], result);
}

// Who takes h_t up, beside the next step of the same cell.
function whoReads({ scene, layer, direction, step }) {
  if (layer < scene.layers - 1) return `to layer ${layer + 1}`;
  const end = direction ? 0 : scene.steps - 1;
  return scene.head !== "last" || step === end ? "to the head" : `to step ${step + (direction ? -1 : 1)}`;
}

// The colours of the heatmaps, 256 of each scale, with the ink that is read on them.
function tables(scales) {
  const css = (pixel) => `rgb(${pixel & 255},${(pixel >> 8) & 255},${(pixel >> 16) & 255})`;
  return Object.fromEntries(Object.entries(scales).map(([name, scale]) => [
    name, Array.from(colorTable(scale), (pixel) => ({ color: css(pixel), ink: ink(css(pixel)) })),
  ]));
}
