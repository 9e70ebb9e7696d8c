// What a live plot's canvas shows: axes with their grid, and lines; and over it the readout's marks and the zoom box.
// A line is { color, dash, width, opacity, x, low, high, y }: low and high differ where it stands for many values.

import { clamp, line, write } from "./canvas.js";
import { axisTicks } from "./plot_axis.js";

const TICK = 14, TITLE = 15; // font sizes
const LEFT = 30, RIGHT = 14, TOP = 8, BOTTOM = 46; // around the box, beside the widest label
const DASHES = { dot: [1, 2], dash: [4, 3], longdash: [7, 3], dashdot: [4, 2, 1, 2] };
const FAR = 10_000; // pixels: where a line that leaves the box ends

// Ticks of both axes, and the box that they leave for the lines.
export function arrange(pen, theme, { x, y }, { xStart }, width, height) {
  const yTicks = axisTicks(y, clamp(Math.floor((height - TOP - BOTTOM) / 34), 9) || 1);
  pen.font = `400 ${TICK}px ${theme.font}`;
  const widest = Math.max(0, ...yTicks.map(({ text }) => pen.measureText(text).width));
  const left = LEFT + Math.ceil(widest / 8) * 8; // in steps, so that a digit more does not move all the lines
  const box = { x: left, y: TOP, w: Math.max(20, width - left - RIGHT), h: Math.max(20, height - TOP - BOTTOM) };
  return { box, yTicks, xTicks: axisTicks(x, Math.max(1, Math.floor(box.w / 110)), xStart) };
}

export const across = (box, axis, value) => box.x + axis.place(value) * box.w;
export const down = (box, axis, value) => box.y + (1 - axis.place(value)) * box.h;

export function paintAxes(pen, theme, { box, xTicks, yTicks }, axes, { xTitle, yTitle }) {
  const { x, y, w, h } = box, bottom = y + h;
  for (const { value, text } of yTicks) {
    const at = down(box, axes.y, value);
    line(pen, theme.gridLight, 1, [[x, at], [x + w, at]]);
    write(pen, theme, text, x - 7, at, { size: TICK, align: "right" });
  }
  let free = -Infinity;
  for (const { value, text } of xTicks) {
    const at = across(box, axes.x, value);
    line(pen, theme.gridLight, 1, [[at, y], [at, bottom]]);
    pen.font = `400 ${TICK}px ${theme.font}`;
    const half = pen.measureText(text).width / 2, middle = Math.min(at, x + w + RIGHT - 2 - half);
    if (middle - half < free) continue;
    write(pen, theme, text, middle, bottom + 13, { size: TICK, align: "center" });
    free = middle + half + 8;
  }
  write(pen, theme, shortened(pen, theme, xTitle, w), x + w / 2, bottom + 34, { size: TITLE, align: "center" });
  pen.save();
  pen.translate(11, y + h / 2);
  pen.rotate(-Math.PI / 2);
  write(pen, theme, shortened(pen, theme, yTitle, h + BOTTOM), 0, 0, { size: TITLE, align: "center" });
  pen.restore();
}

export function shortened(pen, { font }, text, room, size = TITLE, weight = 400) {
  pen.font = `${weight} ${size}px ${font}`;
  const letters = [...text], now = () => (letters.length < [...text].length ? `${letters.join("")}…` : text);
  while (letters.length > 1 && pen.measureText(now()).width > room) letters.pop();
  return now();
}

// What happened at a place of the x axis: a dashed line with its words on top, where they find room.
export function paintEvents(pen, theme, { x, y, w, h }, axes, marks) {
  let free = -Infinity;
  for (const { x: value, text } of marks) {
    const at = x + axes.x.place(value) * w;
    if (!(at >= x - 0.5 && at <= x + w + 0.5)) continue;
    pen.setLineDash([4, 3]);
    line(pen, theme.text, 1.25, [[at, y], [at, y + h]]);
    pen.setLineDash([]);
    pen.font = `400 ${TICK}px ${theme.font}`;
    const { width } = pen.measureText(text), left = at + 5 + width > x + w ? at - 5 - width : at + 5;
    if (left < free) continue;
    pen.globalAlpha = 0.8;
    pen.fillStyle = theme.back;
    pen.fillRect(left - 2, y + 1, width + 4, TICK + 4);
    pen.globalAlpha = 1;
    write(pen, theme, text, left, y + 3 + TICK / 2, { size: TICK, align: "left" });
    free = left + width + 8;
  }
}

export function paintLines(pen, box, axes, lines) {
  pen.save();
  pen.beginPath();
  pen.rect(box.x, box.y, box.w, box.h);
  pen.clip();
  for (const one of lines) {
    pen.globalAlpha = one.opacity;
    if (one.points === 1) paintDot(pen, box, axes, one);
    else if (one.width < 2 && shownPoints(axes.x, one) > box.w) paintColumns(pen, box, axes, one);
    else if (one.low !== one.high) paintBand(pen, box, axes, one);
    else paintStroke(pen, box, axes, one);
  }
  pen.restore();
}

function shownPoints({ low, high }, { x }) {
  let count = 0;
  for (const value of x) if (value >= low && value <= high) count += 1;
  return count;
}

function paintDot(pen, box, axes, { x, y, color, width }) {
  const k = y.findIndex(Number.isFinite);
  pen.fillStyle = color;
  pen.beginPath();
  pen.arc(across(box, axes.x, x[k]), down(box, axes.y, y[k]), (width + 5) / 2, 0, 7);
  pen.fill();
}

function paintStroke(pen, box, axes, { x, y, color, width, dash }) {
  const unit = Math.max(width, 2);
  Object.assign(pen, { strokeStyle: color, lineWidth: width, lineJoin: "round", lineCap: dash ? "butt" : "round" });
  pen.setLineDash((DASHES[dash] ?? []).map((part) => part * unit));
  pen.beginPath();
  let isDown = false;
  for (let k = 0; k < x.length; k++) {
    const place = axes.y.place(y[k]);
    if (!Number.isFinite(place)) {
      isDown = false;
      continue;
    }
    const px = across(box, axes.x, x[k]), py = Math.max(-FAR, Math.min(FAR, box.y + (1 - place) * box.h));
    if (!isDown) pen.moveTo(px, py);
    pen.lineTo(px, py); // to itself too: a lone point becomes a dot
    isDown = true;
  }
  pen.stroke();
  pen.setLineDash([]);
}

// From the lowest to the highest value of each bucket, and along their middle.
function paintBand(pen, box, axes, { x, low, high, y, color, width }) {
  const place = (value) => Math.max(-FAR, Math.min(FAR, down(box, axes.y, value)));
  const kept = Array.from(x.keys()).filter((k) => Number.isFinite(place(high[k])));
  const bottom = (k) => (Number.isFinite(place(low[k])) ? place(low[k]) : box.y + box.h); // a log axis has no zero
  pen.fillStyle = color;
  pen.beginPath();
  for (const k of kept) pen.lineTo(across(box, axes.x, x[k]), place(high[k]));
  for (const k of kept.reverse()) pen.lineTo(across(box, axes.x, x[k]), bottom(k));
  pen.fill();
  paintStroke(pen, box, axes, { x, y, color, width });
}

// One bar a column of device pixels, from the lowest to the highest value there, each reaching its neighbour's: the
// same picture as a line through all of them, and no work is done for points that lie on each other.
function paintColumns(pen, box, axes, { x, low, high, color, width }) {
  const ratio = pen.getTransform().a, columns = Math.ceil(box.w * ratio);
  const tops = new Float32Array(columns).fill(Infinity), bottoms = new Float32Array(columns).fill(-Infinity);
  let last = null; // { column, top, bottom }: the point before, or the column between
  const put = (column, top, bottom) => {
    if (column >= 0 && column < columns) {
      tops[column] = Math.min(tops[column], last ? Math.min(top, last.bottom) : top);
      bottoms[column] = Math.max(bottoms[column], last ? Math.max(bottom, last.top) : bottom);
    }
    last = { column, top, bottom };
  };
  for (let k = 0; k < x.length; k++) {
    const top = down(box, axes.y, high[k]), lowest = down(box, axes.y, low[k]);
    if (!Number.isFinite(top)) {
      last = null;
      continue;
    }
    const bottom = Number.isFinite(lowest) ? lowest : box.y + box.h; // a log axis has no zero
    const column = Math.floor(axes.x.place(x[k]) * columns), before = last;
    const from = before && column >= 0 ? Math.max(before.column + 1, 0) : column;
    for (let between = from; between < Math.min(column, columns); between++) {
      const part = (between - before.column) / (column - before.column);
      put(between, before.top + part * (top - before.top), before.bottom + part * (bottom - before.bottom));
    }
    put(column, top, bottom);
  }
  pen.fillStyle = color;
  for (let column = 0; column < columns; column++) {
    if (tops[column] > bottoms[column]) continue;
    const height = Math.max(bottoms[column] - tops[column], width), middle = (tops[column] + bottoms[column]) / 2;
    pen.fillRect(box.x + column / ratio, middle - height / 2, 1 / ratio, height);
  }
}

// ---- over the picture ----

export function paintMarks(pen, theme, { x, y, h }, at, marks) {
  line(pen, theme.grid, 1, [[at, y], [at, y + h]]);
  for (const { px, py, color } of marks) {
    Object.assign(pen, { fillStyle: color, strokeStyle: theme.back, lineWidth: 1.5 });
    pen.beginPath();
    pen.arc(px, py, 4.5, 0, 7);
    pen.fill();
    pen.stroke();
  }
}

export function paintZoomBox(pen, theme, { x, y, w, h }) {
  Object.assign(pen, { fillStyle: theme.accent, strokeStyle: theme.accent, lineWidth: 1.5 });
  pen.globalAlpha = 0.14;
  pen.fillRect(x, y, w, h);
  pen.globalAlpha = 1;
  pen.strokeRect(x, y, w, h);
}
