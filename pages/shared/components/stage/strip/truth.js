// What follows the window, at the strip's end: the truth, what was predicted of it, and both in words; of a horizon of
// several rows, row by row on the strip's own axis.

import { format, line, write } from "../../canvas.js";
import { paintRing } from "../../heatmap.js";
import { truthAt } from "../scene.js";
import { likeliest, percent, shorten, sign } from "./strip_text.js";

export const DASH = [7, 6]; // of a prediction
const MOST = 0.4, MARKED = 9; // share of the strip for the horizon; px between two rows that are marked each

// Where several rows are predicted: the actual values and each side's predictions, row by row, NaN where one is not
// known; else null. lines: those of the strip.
export function horizonOf({ scene, sides }, lines) {
  const shown = lines.filter(({ side }) => side !== undefined);
  if (scene.horizon.length < 2 || !shown.length) return null;
  const predictions = shown.map(({ side }) => [...sides[side].prediction.horizon]);
  return { actual: scene.horizon.map((value) => value ?? NaN), predictions };
}

// How wide the horizon is drawn: each row as wide as a step, while that leaves room for the steps.
export const horizonWidth = (horizon, { steps }, room) => {
  const rows = horizon ? horizon.actual.length : 0;
  return room * Math.min(MOST, rows / (steps + rows));
};

// The truth at the window's end, of a horizon in its last row: its value on the axis, the predictions of it, and both in
// words; null where it is not known. Two sides are told apart by their colours, and by the cursor's text.
export function truthOf({ scene, sides }, lines, horizon) {
  const end = scene.steps - 1, value = horizon ? scene.horizon.at(-1) : truthAt(scene, end);
  const shown = lines.filter(({ side }) => side !== undefined);
  if (value === null || value === undefined || !shown.length) return null;
  const predictions = horizon?.predictions.map((values) => values.at(-1)) ?? shown.map(({ values }) => values[end]);
  const word = (name) => shorten(sign(scene, name), 12);
  const [predicted] = predictions, isClass = scene.classes.length > 0;
  const [[name, share]] = isClass ? likeliest(scene, sides[0].prediction, end, 1) : [[]];
  return {
    value: isClass ? 1 : value, predictions, text: `actual ${isClass ? word(scene.classes[value]) : format(value)}`,
    beside: shown.length > 1 ? "" : `predicted ${isClass ? `${word(name)} ${percent(share)}` : format(predicted)}`,
  };
}

// Wide enough for any number or class, so that nothing moves while it changes.
export function rightWidth({ scene }, measure) {
  const { classes } = scene, names = classes.map((name) => shorten(sign(scene, name), 12));
  const longest = names.reduce((a, b) => (b.length > a.length ? b : a), "");
  return 26 + measure(`predicted ${classes.length ? `${longest} 100 %` : "−0.0000"}`);
}

// On the strip's axis: the actual values of the whole horizon, and what was predicted of each.
export function paintHorizon(pen, { theme, horizon, plot, state, onAxis, xAhead }, { y, h }) {
  const points = (values) => values.map((value, k) => [xAhead(k), onAxis(value)]), edge = plot.x + plot.w;
  const marked = xAhead(1) - xAhead(0) >= MARKED;
  pen.setLineDash([2, 4]);
  line(pen, theme.text, 1, [[edge, y], [edge, y + h]]); // where the window ends
  pen.setLineDash([]);
  line(pen, theme.text, 2, points(horizon.actual));
  horizon.predictions.forEach((values, k) => {
    const color = state.predictionColors[k];
    pen.setLineDash(DASH);
    line(pen, color, 2, points(values));
    pen.setLineDash([]);
    if (marked) for (const [x, y] of points(values)) paintRing(pen, theme.back, color, x, y, { radius: 3.5 });
  });
  if (marked) for (const [x, y] of points(horizon.actual)) paintDiamond(pen, theme, x, y, 5);
}

// Beside the last step, or the horizon's last row: what was predicted and what was right, joined by their difference.
export function paintTruth(pen, { theme, truth, horizon, plot, state, onAxis, xAhead, size }, box) {
  const { predictionColors: colors } = state, right = onAxis(truth.value);
  const at = horizon ? xAhead(horizon.actual.length - 1) : plot.x + plot.w + 10;
  const predicted = truth.predictions.map(onAxis);
  predicted.forEach((y, k) => line(pen, colors[k], 2, [[at, right], [at, y]]));
  predicted.forEach((y, k) => paintRing(pen, theme.back, colors[k], at, y, { radius: 4.5, width: 1.5 }));
  paintDiamond(pen, theme, at, right);
  const inside = (y) => Math.min(box.y + box.h, Math.max(box.y, y)), far = truth.beside ? predicted[0] : right;
  const apart = truth.beside ? 1.25 * size - Math.abs(inside(right) - inside(far)) : 0;
  const moved = ((right <= far ? 1 : -1) * Math.max(0, apart)) / 2;
  const own = inside(right) - moved, other = inside(far) + moved;
  const highest = box.y + 0.4 * size, deepest = box.y + box.h - 0.3 * size; // the legend is above, the text below
  const shift = Math.max(0, highest - Math.min(own, other)) - Math.max(0, Math.max(own, other) - deepest);
  write(pen, theme, truth.text, at + 12, own + shift, { size, weight: 600 });
  write(pen, theme, truth.beside, at + 12, other + shift, { size });
}

export function paintDiamond(pen, theme, x, y, r = 6) {
  if (!Number.isFinite(y)) return;
  pen.beginPath();
  for (const [dx, dy] of [[0, -r], [r, 0], [0, r], [-r, 0]]) pen.lineTo(x + dx, y + dy);
  pen.closePath();
  Object.assign(pen, { fillStyle: theme.text, strokeStyle: theme.back, lineWidth: 1.5 });
  pen.fill();
  pen.stroke();
}
