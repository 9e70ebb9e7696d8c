// What the strip shows of a changed input: the original as a ghost, a ribbon from it to the new line, the held point.

import { format, line, write } from "../../canvas.js";
import { originalOf } from "./edits.js";

const HALO = 11; // px

// one: a line of the strip.
export function paintGhost(pen, { state: { scene, edits }, theme, x, page: { first, count } }, { place, hand, toY }) {
  if (!hand || !edits?.series[place]) return;
  const points = ({ values }) =>
    Array.from(values.slice(first, first + count), (value, k) => [x(first + k), toY(value)]);
  const before = points(originalOf(scene).series[place]), now = points(scene.series[place]);
  pen.beginPath();
  for (const [at, y] of [...before, ...now.reverse()]) pen.lineTo(at, y);
  pen.closePath();
  Object.assign(pen, { fillStyle: theme.accent, globalAlpha: 0.28 });
  pen.fill();
  pen.globalAlpha = 0.5;
  line(pen, theme.text, 1.5, before);
  pen.globalAlpha = 1;
}

// A halo on the held point, and its value left of the plot, where no line is.
export function paintHeld(pen, { state: { scene, held }, theme, x, plot, size, top, main, others }) {
  const one = held && [...main, ...others].find(({ place, hand }) => hand && place === held.place);
  if (!one) return;
  const value = scene.series[held.place].values[held.step], { box } = one;
  const y = Math.max(box.y, Math.min(one.toY(value), box.y + box.h));
  pen.beginPath();
  pen.arc(x(held.step), y, HALO, 0, 7);
  Object.assign(pen, { strokeStyle: theme.accent, fillStyle: theme.accent, lineWidth: 3, globalAlpha: 0.3 });
  pen.fill();
  pen.globalAlpha = 1;
  pen.stroke();
  const text = format(value);
  pen.font = `700 ${size}px ${theme.font}`;
  const wide = pen.measureText(text).width + 12, left = Math.max(0, plot.x - 4 - wide), high = 1.4 * size;
  const middle = Math.max(y, top + high / 2 - 1); // off the legend
  pen.fillStyle = theme.accent;
  pen.beginPath();
  pen.roundRect(left, middle - high / 2, wide, high, 5);
  pen.fill();
  write(pen, { ...theme, text: theme.back }, text, left + 6, middle, { size, weight: 700 });
}
