// The future on the strip: numbers as lines on its own axis, what comes true beside them, and where they part.

import { format, line, write } from "../../canvas.js";
import { paintRing, spanOf } from "../../heatmap.js";
import { shorten, sign } from "../strip/strip_text.js";
import { DASH } from "../strip/truth.js";
import { otherInputs } from "./choice.js";

const MOST = 0.5, LEAST = 0.25, FEW = 20; // shares of the strip for the future, and rows
const TENTH = 0.1; // of the series' range, by which an error grows

// What is drawn of the future; null where the model does not go on. main: the strip's lines, of which `input` tells how
// far the series ranges. lines: of each side { values, oneStep, color }, or of symbols { symbols, color, label }.
export function futureOf(state, main) {
  const { scene, ahead, continued: [first] } = state, isText = Boolean(scene.future.map);
  if (!ahead || !first || isText !== Boolean(first.futures) || first.futures?.length === 0) return null; // it just begins
  return { rows: ahead.rows, ...(isText ? textOf(state) : numbersOf(state, main)) };
}

function textOf({ scene, sides, ahead, continued, predictionColors }) {
  const name = (futures, which) => (futures.length > 1 ? `future ${which + 1}` : "writes");
  const lines = continued.flatMap(({ futures }, k) => futures.map((symbols, which) => (
    { symbols, color: predictionColors[k], label: sides[k]?.label || name(futures, which) })));
  const truth = scene.future.truth.slice(0, ahead.rows), [{ symbols }] = lines;
  const other = symbols.findIndex((symbol, k) => k < truth.length && symbol !== truth[k]);
  return { lines, truth, drift: other < 0 ? null : { row: other }, legend: [] };
}

function numbersOf(state, main) {
  const { scene, sides, ahead, continued, predictionColors } = state, input = main.find(({ name }) => name === "input");
  const truth = Array.from(scene.future.truth.subarray(0, ahead.rows)), range = spanOf([input?.values ?? [], truth]);
  const lines = continued.map((one, k) => ({ ...one, color: predictionColors[k], label: sides[k]?.label }));
  const legend = legendOf(state, lines[0].color, truth.length > 0), drift = driftOf(lines[0], truth, range);
  return { lines, truth, from: input?.values.at(-1) ?? NaN, drift, legend };
}

// The first row whose error exceeds the one-step error by a tenth of the range, or else that of the largest error; null
// where no true row is known.
function driftOf({ values, oneStep }, truth, [low, high]) {
  const errors = values.map((value, k) => Math.abs(value - truth[k])), limit = TENTH * (high - low);
  const first = errors.findIndex((error, k) => error - Math.abs(oneStep[k] - truth[k]) > limit);
  if (first >= 0) return { row: first, error: errors[first], parts: true };
  const most = errors.reduce((best, error, k) => (error > (errors[best] ?? -1) ? k : best), -1);
  return most < 0 ? null : { row: most, error: errors[most], parts: false };
}

// [name, color, dash] of each line; the true rows are drawn as those of the window.
function legendOf({ scene, ahead: { others } }, color, hasTruth) {
  const rest = otherInputs(scene).length ? `, other inputs ${others === "table" ? "true" : "held"}` : "";
  return [[`free-running${rest}`, color, []], ...(hasTruth ? [["one step ahead", color, DASH]] : [])];
}

// In words, for the strip and for a screen reader.
export function driftText(scene, { drift, truth, lines }) {
  if (!drift) return "";
  const whose = lines.length > 1 ? `${shorten(lines[0].label, 16)}, ` : "";
  const place = `${whose}+${drift.row + 1}`, error = format(drift.error ?? NaN, 3);
  if (!scene.future.map) return `${place}: ${drift.parts ? "off by" : "largest error"} ${error}`;
  const word = (input) => shorten(sign(scene, scene.features[input]), 12);
  return `${place}: ${word(lines[0].symbols[drift.row])}, actual ${word(truth[drift.row])}`;
}

// How wide: a row as wide as a step, but half of the strip at most, and beside a long window a quarter at least; of
// symbols always half. Few rows take less, so that a future that is pulled out grows from nothing.
export function futureWidth(future, { steps, future: { map } }, room) {
  if (!future) return 0;
  const { rows } = future, least = LEAST * Math.min(1, rows / FEW);
  return room * (map ? MOST : Math.min(MOST, Math.max(least, rows / (steps + rows))));
}

// What the strip's axis must have room for; a forecast that runs away does not flatten all else.
export function futureValues({ lines, truth }, [low, high]) {
  const least = Math.min(low, ...truth.filter(Number.isFinite)), most = Math.max(high, ...truth.filter(Number.isFinite));
  const far = 0.6 * (most - least), near = (value) => Math.max(least - far, Math.min(most + far, value));
  return [truth, ...lines.flatMap(({ values, oneStep }) => [values.map(near), oneStep.map(near)])];
}

// box: that of the strip's main lines.
export function paintFuture(pen, view, box) {
  const { future, theme, plot, state, aheadWide: wide } = view, edge = plot.x + plot.w;
  pen.globalAlpha = 0.09;
  pen.fillStyle = theme.accent;
  pen.fillRect(edge, view.top, wide, plot.h);
  pen.globalAlpha = 1;
  line(pen, theme.accent, 1.5, [[edge, view.top], [edge, view.top + plot.h]]);
  if (state.scene.future.map) return paintText(pen, view, { x: edge, y: view.top, w: wide, h: plot.h });
  pen.save();
  pen.beginPath();
  pen.rect(edge - plot.w / view.page.count, box.y - 6, wide + plot.w / view.page.count, box.h + 12);
  pen.clip();
  const bold = state.stage ? 1.4 : 1, start = [view.x(state.scene.steps - 1), view.onAxis(future.from)];
  const points = (values) => [start, ...values.map((value, k) => [view.xAhead(k), view.onAxis(value)])];
  line(pen, theme.text, 2 * bold, points(future.truth));
  for (const { values, oneStep, fresh = values.length, color } of [...future.lines].reverse()) {
    pen.setLineDash(DASH);
    line(pen, color, 2 * bold, points(oneStep).slice(1));
    pen.setLineDash([]);
    const all = points(values);
    line(pen, color, 3 * bold, all.slice(0, fresh + 1));
    pen.globalAlpha = 0.3; // of the computation before
    line(pen, color, 3 * bold, all.slice(fresh));
    pen.globalAlpha = 1;
  }
  paintDrift(pen, view, box);
  pen.restore();
}

// Where it parts from what comes true, on the strip; in words below it.
function paintDrift(pen, { future: { drift, lines, truth }, theme, onAxis, xAhead }, { y, h }) {
  if (!drift?.parts) return;
  const inside = (value) => Math.max(y, Math.min(y + h, onAxis(value)));
  const x = xAhead(drift.row), [{ values, color }] = lines;
  line(pen, theme.text, 1.5, [[x, inside(truth[drift.row])], [x, inside(values[drift.row])]]);
  paintRing(pen, theme.back, color, x, inside(values[drift.row]), { radius: 5 });
}

// In the line of the cursor's text, under its place if there is room; right: where the button begins.
export function paintDriftText(pen, { future, theme, size, state, plot, xAhead }, y, right) {
  const text = driftText(state.scene, future), left = plot.x + plot.w + 16;
  pen.font = `600 ${size}px ${theme.font}`;
  const half = pen.measureText(text).width / 2;
  if (!text || left + 2 * half > right) return;
  const at = state.scene.future.map ? left : xAhead(future.drift.row);
  write(pen, theme, text, Math.max(left + half, Math.min(at, right - half)), y, { size, align: "center", weight: 600 });
}

// Symbols: what comes true in the first line, then what the model writes, one future in several lines, or each in one.
function paintText(pen, view, box) {
  const { lines, truth, drift } = view.future, grid = gridOf(pen, view, box), above = truth.length ? 1 : 0;
  if (truth.length) paintSymbols(pen, view, grid, { label: "actual", symbols: truth, from: 0, most: 1 });
  lines.forEach(({ label, symbols, color }, k) => {
    const most = lines.length > 1 ? 1 : grid.rows - above, marked = k ? null : drift?.row;
    paintSymbols(pen, view, grid, { label: shorten(label, 14), symbols, from: above + k, most, color, marked });
  });
}

// Lines as high as there is room for, and no higher than is read with ease.
function gridOf(pen, { future: { lines, truth, rows: wanted }, theme, size, state: { scene } }, { x, y, w, h }) {
  const word = (k) => shorten(sign(scene, scene.features[k]), 3);
  const labels = [...lines.map(({ label }) => shorten(label, 14)), "actual"];
  pen.font = `400 ${0.9 * size}px ${theme.font}`;
  const left = Math.max(...labels.map((label) => pen.measureText(label).width)) + 18;
  const letters = Math.max(...lines.flatMap(({ symbols }) => symbols.map((k) => [...word(k)].length)), 1);
  const cell = size * (0.25 + 0.6 * letters), across = Math.max(1, Math.floor((w - left - 8) / cell));
  const needed = (truth.length ? 1 : 0) + (lines.length > 1 ? lines.length : Math.ceil(wanted / across));
  const rows = lines.length > 1 ? needed : Math.max(2, Math.min(needed, Math.floor(h / (1.2 * size))));
  const tall = Math.min(1.5 * size, h / rows);
  return { x, y, left, cell, across, rows, tall, word, size: Math.min(size, tall / 1.1) };
}

function paintSymbols(pen, { theme }, grid, { label, symbols, from, most, color, marked }) {
  const { x, y, left, cell, across, tall, word, size } = grid;
  write(pen, theme, label, x + left - 9, y + (from + 0.5) * tall, { size: 0.9 * size, align: "right" });
  for (let k = 0; k < Math.min(symbols.length, most * across); k++) {
    const at = x + left + (k % across) * cell, middle = y + (from + Math.floor(k / across) + 0.5) * tall;
    if (color) {
      pen.globalAlpha = k === marked ? 0.6 : 0.2;
      pen.fillStyle = color;
      pen.fillRect(at, middle - 0.5 * tall + 1, cell + 0.5, tall - 2);
      pen.globalAlpha = 1;
    }
    write(pen, theme, word(symbols[k]), at + cell / 2, middle, { size, align: "center", weight: color ? 600 : 400 });
  }
}
