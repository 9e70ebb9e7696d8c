// One unit's valves of the mini-stage: a bar a gate, c and h, at a step or between two.

import { line, withMinus, write } from "./canvas.js";

const TITLE = 24; // CSS pixels above the bars

export const between = (values, at) => {
  const low = Math.floor(at), high = Math.min(low + 1, values.length - 1);
  return values[low] + (values[high] - values[low]) * (at - low);
};

// Each a bar from its zero: a valve from closed (empty) to open (full); g, c and h to either side of the middle.
export function paintGauges(pen, { theme, unit, steps, stride, window, valves }, { x, y, w, h, gauges }, at, step) {
  const strong = { size: 14, weight: 700 };
  const title = write(pen, theme, `${valves.layer}unit ${unit}`, x, y - TITLE / 2, strong);
  write(pen, theme, ` · step ${step * stride + 1} of ${window.length}`, x + title, y - TITLE / 2, { size: 14 });
  const left = x + 92, wide = w - 92 - 48, each = h / gauges.length, high = 0.52 * each;
  gauges.forEach(({ name, title: full, color, signed, units, values }, k) => {
    const middle = y + (k + 0.5) * each, row = unit < units ? values.subarray(unit * steps, (unit + 1) * steps) : [];
    const top = signed ? row.reduce((peak, value) => Math.max(peak, Math.abs(value)), 1) : 1, low = signed ? -top : 0;
    write(pen, theme, name, x, middle, strong);
    write(pen, theme, full.replace(/ (gate|state)$/, "").replace("cell candidate", "candidate"), x + 16, middle);
    pen.fillStyle = theme.empty;
    pen.fillRect(left, middle - high / 2, wide, high);
    const value = row.length ? between(row, at) : NaN, zero = left + ((0 - low) / (top - low)) * wide;
    if (Number.isFinite(value)) {
      pen.fillStyle = color;
      const end = left + ((value - low) / (top - low)) * wide;
      pen.fillRect(Math.min(zero, end), middle - high / 2, Math.abs(end - zero), high);
    }
    Object.assign(pen, { strokeStyle: theme.text, lineWidth: 1 });
    pen.strokeRect(left - 0.5, middle - high / 2 - 0.5, wide + 1, high + 1);
    if (low < 0) line(pen, theme.text, 1, [[zero, middle - high / 2 - 3], [zero, middle + high / 2 + 3]]);
    write(pen, theme, row.length ? withMinus(row[step].toFixed(2)) : "–", x + w, middle, { align: "right" });
  });
}
