// Symbols of a one-hot input as text, a cell a step, in lines that turn over like pages: how many can be read, where
// each stands, and which one a point is on. A box is { x, y, w, h } in CSS pixels; symbols are texts, "" for none.

import { clamp, write } from "./canvas.js";

const SIZE = 14, LINE = 24; // CSS pixels

// So wide is a cell in which a text of so many letters can be read.
const cellWidth = (size, letters) => size * (0.55 + 0.6 * letters);

const longest = (symbols) => symbols.reduce((most, text) => Math.max(most, [...text].length), 1);

// As many steps as can be read in so much width, and this one among them: { first, count }.
export function pageOf(steps, step, width, size, letters = 1) {
  const count = Math.max(1, Math.min(steps, Math.floor(width / cellWidth(size, letters))));
  return { first: Math.max(0, Math.min(Math.floor(step / count) * count, steps - count)), count };
}

export function writeSymbol(pen, theme, text, { x, y, w, h }, size) {
  const fits = text.length > 1 ? Math.min(size, (1.7 * w) / text.length) : size;
  write(pen, theme, text, x + w / 2, y + h / 2, { size: fits, align: "center", weight: 600 });
}

// So many stand in a line; where all lines fit, they are equally long.
function acrossIn(symbols, width, most) {
  const { count } = pageOf(symbols.length, 0, width, SIZE, longest(symbols)), lines = Math.ceil(symbols.length / count);
  return lines > most ? count : Math.ceil(symbols.length / lines);
}

// How high the lines of all symbols are in so much width, `most` lines at most.
export function textHeight(symbols, width, most) {
  return LINE * Math.min(most, Math.ceil(symbols.length / acrossIn(symbols, width, most)));
}

// The page that a step is on: its first step, how many there are, and their cells, `across` to a line.
function pageIn({ w, h }, symbols, step) {
  const lines = Math.max(1, Math.floor(h / LINE + 1e-6)), across = acrossIn(symbols, w, lines);
  const count = Math.min(symbols.length, across * lines);
  const first = Math.min(Math.floor(step / count) * count, symbols.length - count);
  return { first, count, across, wide: w / across, high: Math.min(LINE, h) };
}

const cellIn = ({ x, y }, { across, wide, high }, k) =>
  ({ x: x + (k % across) * wide, y: y + Math.floor(k / across) * high, w: wide, h: high });

// The symbols around a step, which is framed; null frames none. Returns which steps they are: { first, count }.
export function paintSymbols(pen, theme, box, symbols, step) {
  const page = pageIn(box, symbols, step ?? 0);
  for (let k = 0; k < page.count; k++) {
    writeSymbol(pen, theme, symbols[page.first + k], cellIn(box, page, k), SIZE);
  }
  if (step !== null) paintFrame(pen, theme, cellIn(box, page, step - page.first));
  return page;
}

// A frame around a cell, so that what stands in it can still be read.
export function paintFrame(pen, theme, { x, y, w, h }) {
  pen.globalAlpha = 0.1;
  pen.fillStyle = theme.text;
  pen.fillRect(x, y, w, h);
  pen.globalAlpha = 1;
  Object.assign(pen, { strokeStyle: theme.text, lineWidth: 2 });
  pen.strokeRect(x, y, w, h);
}

// The step whose symbol is at this point, or the nearest to it, of the page that `step` is on.
export function stepAtPoint(box, symbols, step, at) {
  const { first, count, across, wide, high } = pageIn(box, symbols, step ?? 0);
  const column = clamp(Math.floor((at.x - box.x) / wide), across);
  const row = clamp(Math.floor((at.y - box.y) / high), Math.ceil(count / across));
  return first + clamp(row * across + column, count);
}
