// Heatmaps on two canvases that lie on each other: the picture, painted when what it shows changes, and the overlay
// with cursor and marks, painted at every move of the mouse. Here live the painter of cells, cursor and axes, and
// what the keys and the mouse mean; what is shown, and where, is decided by each component.
// A box is { x, y, w, h } in CSS pixels; values are (rows, columns), one row after the other.

import { child, clamp, colorTable, context, formatBrief, line, readTheme, ticks, toPixel, write } from "./canvas.js";

// ---- cells ----

// How the cells under one pixel become one value, of those that are finite; NaN: none is.
export function mean(values, columns, top, bottom, left, right) {
  let sum = 0;
  for (let row = top; row < bottom; row++) {
    for (let cell = row * columns + left, end = row * columns + right; cell < end; cell++) sum += values[cell];
  }
  if (Number.isFinite(sum)) return sum / ((bottom - top) * (right - left));
  return finiteMean(values, columns, top, bottom, left, right);
}

function finiteMean(values, columns, top, bottom, left, right) {
  let sum = 0, count = 0;
  for (let row = top; row < bottom; row++) {
    for (const value of values.subarray(row * columns + left, row * columns + right)) {
      if (Number.isFinite(value)) { sum += value; count++; }
    }
  }
  return sum / count;
}

// For values of both signs, such as weights: a mean of many would fade to 0.
export function maxAbs(values, columns, top, bottom, left, right) {
  let found = NaN;
  for (let row = top; row < bottom; row++) {
    for (let cell = row * columns + left, end = row * columns + right; cell < end; cell++) {
      const value = values[cell];
      if (Number.isFinite(value) && !(Math.abs(value) <= Math.abs(found))) found = value;
    }
  }
  return found;
}

// The first cell under each pixel, and one more: where the last pixel's cells end.
const edges = (pixels, cells) =>
  Int32Array.from({ length: pixels + 1 }, (_, pixel) => Math.floor((pixel * cells) / pixels));

// One colour per device pixel, so nothing vanishes where cells are smaller than pixels, and larger cells keep sharp
// edges. Pixels without a finite value are striped.
export function paintCells(pen, theme, { x, y, w, h }, { values, rows, columns, low, high, scale, pool = mean }) {
  const ratio = pen.getTransform().a, width = Math.round(w * ratio), height = Math.round(h * ratio);
  if (width < 1 || height < 1) return;
  const image = pen.createImageData(width, height), pixels = new Uint32Array(image.data.buffer);
  const table = colorTable(scale, theme.back), factor = 255 / (high - low);
  const lefts = edges(width, columns), tops = edges(height, rows);
  const band = new Uint32Array(width); // the pixels of one line; 0, which no colour is, where there is no value
  let gaps = false;
  for (let py = 0, at = 0, bottom = 0; py < height; py++, at += width) {
    const top = tops[py], end = Math.max(top + 1, tops[py + 1]);
    if (end !== bottom || top !== tops[py - 1]) { // other cells than those under the line above
      bottom = end;
      gaps = false;
      for (let px = 0, right = 0; px < width; px++) {
        const left = lefts[px], stop = Math.max(left + 1, lefts[px + 1]);
        if (stop === right && left === lefts[px - 1]) band[px] = band[px - 1];
        else {
          right = stop;
          const single = bottom === top + 1 && right === left + 1; // the most common case
          const value = single ? values[top * columns + left] : pool(values, columns, top, bottom, left, right);
          band[px] = Number.isFinite(value) ? table[clamp(Math.round((value - low) * factor), 256)] : 0;
        }
        gaps ||= band[px] === 0;
      }
    }
    pixels.set(band, at);
    if (gaps) stripe(pixels, at, band, py, ratio, theme);
  }
  pen.putImageData(image, Math.round(x * ratio), Math.round(y * ratio));
}

function stripe(pixels, at, band, py, ratio, theme) {
  const plain = toPixel(theme.empty), dark = toPixel(theme.grid);
  for (let px = 0; px < band.length; px++) {
    if (!band[px]) pixels[at + px] = (px + py) % (8 * ratio) < 1.5 * ratio ? dark : plain;
  }
}

// ---- cursor and marks ----

// A line through the middle of a column, readable on any colours; returns its x.
export function paintCursor(pen, theme, { x, y, w, h }, column, columns, width = 1.5) {
  const at = x + ((column + 0.5) * w) / columns, points = [[at, y], [at, y + h]];
  line(pen, theme.back, width + 2.5, points);
  line(pen, theme.text, width, points);
  return at;
}

// A line around cells, at least 3 pixels apart, so that one cell of a large map can be seen.
export function paintOutline(pen, color, width, { x, y, w, h }) {
  Object.assign(pen, { strokeStyle: color, lineWidth: width });
  const wide = Math.max(w, 3) + 2, high = Math.max(h, 3) + 2;
  pen.strokeRect(x + (w - wide) / 2, y + (h - high) / 2, wide, high);
}

export function paintRing(pen, stroke, fill, x, y, { radius = 4, width = 1.5 } = {}) {
  if (!Number.isFinite(y)) return;
  Object.assign(pen, { fillStyle: fill, strokeStyle: stroke, lineWidth: width });
  pen.beginPath();
  pen.arc(x, y, radius, 0, 7);
  pen.fill();
  pen.stroke();
}

// ---- axes ----

// [low, high] over all finite values and, at least, over the given ends; never empty.
export function spanOf(arrays, [low, high] = [Infinity, -Infinity]) {
  for (const values of arrays) for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return [0, 1];
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

// Time steps under a box whose columns are every stride-th step, in a line `height` high.
// first: what the first step is called.
export function paintStepAxis(pen, theme, { x, y, w, h }, columns, stride, height, first = 0) {
  const middle = y + h + height / 2;
  write(pen, theme, "step", x - 8, middle, { align: "right" });
  for (const tick of ticks(first, first + (columns - 1) * stride, Math.max(1, Math.floor(w / 90)))) {
    if ((tick - first) % stride) continue;
    const at = x + (((tick - first) / stride + 0.5) * w) / columns;
    line(pen, theme.text, 1, [[at, y + h], [at, y + h + 4]]);
    write(pen, theme, formatBrief(tick), Math.max(at, x + 4), middle + 2, { align: "center" });
  }
}

// What the columns are called, below a box: each where its label fits, else the first and the last.
export function paintColumnLabels(pen, theme, { x, y, w, h }, labels, height) {
  const wide = w / labels.length, middle = y + h + height / 2 + 1;
  if (wide >= 24) {
    labels.forEach((label, k) => {
      write(pen, theme, shortened(pen, theme, label, wide - 4), x + (k + 0.5) * wide, middle, { align: "center" });
    });
    return;
  }
  const [first, last] = [labels[0], labels.at(-1)].map((label) => shortened(pen, theme, label, w / 2 - 4));
  write(pen, theme, first, x, middle);
  write(pen, theme, last, x + w, middle, { align: "right" });
}

function shortened(pen, { font }, label, room) {
  pen.font = `400 13px ${font}`;
  const all = [...label], letters = [...label];
  const text = () => (letters.length < all.length ? `${letters.join("")}…` : label);
  while (letters.length && pen.measureText(text()).width > room) letters.pop();
  return letters.length ? text() : "";
}

// What the first and the last row are called, `gap` pixels left of a box.
export function paintRowEnds(pen, theme, { x, y, h }, gap, first, last) {
  write(pen, theme, first, x - gap, y + 7, { align: "right" });
  if (last !== null) write(pen, theme, last, x - gap, y + h - 6, { align: "right" });
}

// The bar of a colour scale, 10 pixels high about y.
export function paintScale(pen, scale, x, y, width) {
  const colors = pen.createLinearGradient(x, 0, x + width, 0);
  scale.forEach((color, k) => colors.addColorStop(k / (scale.length - 1), color));
  pen.fillStyle = colors;
  pen.fillRect(x, y - 5, width, 10);
}

// ---- mouse and keys ----

export function pointIn(element, { clientX, clientY }) {
  const { left, top } = element.getBoundingClientRect();
  return { x: clientX - left, y: clientY - top };
}

export const contains = ({ x, y, w, h }, at) => at.x >= x && at.x <= x + w && at.y >= y && at.y <= y + h;

// Calls act(event) where the element is pressed and while it is dragged; hover: also while the mouse only moves.
export function onDrag(element, act, { hover = false } = {}) {
  let pressed = false;
  element.addEventListener("pointerdown", (event) => {
    pressed = true;
    element.setPointerCapture(event.pointerId);
    act(event);
  });
  element.addEventListener("pointermove", (event) => {
    if (pressed || (hover && event.pointerType === "mouse")) act(event);
  });
  element.addEventListener("pointerup", () => { pressed = false; });
}

// The cell at a point in a box, or the nearest to a point beside it.
export const cellAt = ({ x, y, w, h }, at, rows, columns) => ({
  row: clamp(Math.floor(((at.y - y) / h) * rows), rows),
  column: clamp(Math.floor(((at.x - x) / w) * columns), columns),
});

// By how many rows and columns an arrow key moves, ten with Shift; null for any other key.
export function arrowMove({ key, shiftKey }) {
  const far = shiftKey ? 10 : 1;
  return {
    ArrowLeft: { rows: 0, columns: -far }, ArrowRight: { rows: 0, columns: far },
    ArrowUp: { rows: -far, columns: 0 }, ArrowDown: { rows: far, columns: 0 },
  }[key] ?? null;
}

// ---- what the components with heatmaps have in common ----

// The nodes of one, as a view. arrange(view, width): { boxes, total }, what is painted where, and the height of all;
// paint(view, pen) and paintOverlay(view, pen) paint it; point(view, at): the mouse is at a point, or nowhere (null);
// key(view, event): true if the key meant something. Notes stand above and below the canvases.
export function mountHeatmaps(element, actions) {
  const note = () => child(element, "div", { class: "heatmap-note" });
  const readout = child(element, "div", { class: "heatmap-readout" }), above = note();
  const stage = child(element, "div", { class: "heatmap-stage", role: "img", tabindex: "0" });
  const picture = child(stage, "canvas", {}), overlay = child(stage, "canvas", {});
  const below = note(), spoken = child(element, "div", { class: "heatmap-spoken", "aria-live": "polite" });
  const view = { ...actions, element, readout, above, stage, picture, overlay, below, spoken };
  stage.addEventListener("pointermove", (event) => {
    view.point(view, pointIn(stage, event));
    view.frame ??= requestAnimationFrame(() => { view.frame = null; repaintOverlay(view); });
  });
  stage.addEventListener("pointerleave", () => { view.point(view, null); repaintOverlay(view); });
  stage.addEventListener("keydown", (event) => {
    if (!view.key(view, event)) return;
    event.preventDefault(); // the page would scroll
    repaintOverlay(view);
    spoken.textContent = readout.textContent;
  });
  const resized = new ResizeObserver(() => {
    if (view.width !== undefined && view.width !== stage.clientWidth) repaint(view);
  });
  resized.observe(stage);
  view.disconnect = () => resized.disconnect();
  return view;
}

export function repaint(view) {
  const { element, stage } = view, width = (view.width = stage.clientWidth);
  if (!width) return; // hidden; the ResizeObserver calls again
  const { boxes, total } = view.arrange(view, width);
  Object.assign(view, { boxes, total });
  stage.style.height = `${total}px`;
  element.style.minHeight = 0;
  view.theme = readTheme(element);
  view.paint(view, context(view.picture, width, total));
  repaintOverlay(view);
}

export function repaintOverlay(view) {
  if (view.width) view.paintOverlay(view, context(view.overlay, view.width, view.total));
}
