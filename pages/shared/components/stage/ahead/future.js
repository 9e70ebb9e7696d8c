// The future on the strip: numbers as lines on its own axis, what comes true beside them, and where they part.

import { format, line, write } from "../../canvas.js";
import { paintRing, spanOf } from "../../heatmap.js";
import { shorten, sign } from "../strip/strip_text.js";
import { DASH } from "../strip/truth.js";
import { otherInputs } from "./choice.js";

const MOST = 0.5, TENTH = 0.1; // share of the strip for the future; of the series' range: from there on it is off

// What is drawn of the future; null where the model does not go on. main: the strip's lines, of which `input` tells how
// far the series ranges. lines: of each side { values, oneStep, color }, or of symbols { symbols, color, label }.
export function futureOf({ scene, sides, ahead, continued, predictionColors }, main) {
  if (!ahead || !continued.length) return null;
  const { rows } = ahead, color = (k) => predictionColors[k];
  if (scene.future.map) {
    const lines = continued.flatMap(({ futures }, k) => futures.map((symbols, which) => (
      { symbols, color: color(k), label: sides[k]?.label || (futures.length > 1 ? `future ${which + 1}` : "writes") })));
    const truth = scene.future.truth.slice(0, rows), [{ symbols }] = lines;
    return { rows, lines, truth, drift: firstOther(symbols, truth) };
  }
  const truth = Array.from(scene.future.truth.subarray(0, rows)), input = main.find(({ name }) => name === "input");
  const range = spanOf([input?.values ?? [], truth]), lines = continued.map((one, k) => ({ ...one, color: color(k) }));
  return { rows, lines, truth, from: input?.values.at(-1) ?? NaN, drift: driftOf(lines[0].values, truth, range) };
}

const firstOther = (symbols, truth) => {
  const row = symbols.findIndex((symbol, k) => k < truth.length && symbol !== truth[k]);
  return row < 0 ? null : { row };
};

// The first row in which it is off by a tenth of the range, or else the one in which it is off most; null: no truth.
function driftOf(values, truth, [low, high]) {
  const errors = values.map((value, k) => Math.abs(value - truth[k])), limit = TENTH * (high - low);
  const first = errors.findIndex((error) => error > limit);
  if (first >= 0) return { row: first, error: errors[first], parts: true };
  const most = errors.reduce((best, error, k) => (error > (errors[best] ?? -1) ? k : best), -1);
  return most < 0 ? null : { row: most, error: errors[most], parts: false };
}

// In words, for the strip and for a screen reader.
export function driftText(scene, { drift, truth, lines }) {
  if (!drift) return "";
  const place = `+${drift.row + 1}`;
  if (drift.error !== undefined) return drift.parts ? `${place}: off by ${format(drift.error, 3)}` : `off by ${format(drift.error, 3)} at most`;
  const word = (input) => shorten(sign(scene, scene.features[input]), 12);
  return `${place}: ${word(lines[0].symbols[drift.row])}, actual ${word(truth[drift.row])}`;
}

// How wide: a row as wide as a step, while that leaves half of the strip to the steps; of symbols always half.
export function futureWidth(future, { steps, future: { map } }, room) {
  if (!future) return 0;
  return room * (map ? MOST : Math.min(MOST, future.rows / (steps + future.rows)));
}

// What the strip's axis must have room for; a forecast that runs away does not flatten all else.
export function futureValues({ lines, truth }, [low, high]) {
  const least = Math.min(low, ...truth.filter(Number.isFinite)), most = Math.max(high, ...truth.filter(Number.isFinite));
  const far = 0.6 * (most - least), near = (value) => Math.max(least - far, Math.min(most + far, value));
  return [truth, ...lines.flatMap(({ values, oneStep }) => [values.map(near), oneStep.map(near)])];
}

// [name, color or null for the text's, dash] of what the legend explains.
export function futureLegend({ scene, ahead }, { lines, truth }, theme) {
  if (scene.future.map) return [];
  const others = otherInputs(scene).length ? `, other inputs ${ahead.others === "table" ? "from the table" : "held"}` : "";
  const own = [`going on by itself${others}`, lines[0].color, []];
  if (!truth.length) return [own];
  return [own, ["one step ahead, on true rows", lines[0].color, DASH], ["actual", theme.text, []]];
}

// box: that of the strip's main lines; view.edge: where the window ends.
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
  for (const { values, oneStep, color } of [...future.lines].reverse()) {
    pen.setLineDash(DASH);
    line(pen, color, 2 * bold, points(oneStep).slice(1));
    pen.setLineDash([]);
    line(pen, color, 3 * bold, points(values));
  }
  paintDrift(pen, view, box);
  pen.restore();
}

function paintDrift(pen, view, box) {
  const { future: { drift, lines, truth }, future, theme, size, state, plot, aheadWide: wide } = view;
  if (!drift) return;
  const x = view.xAhead(drift.row), [{ values, color }] = lines, text = driftText(state.scene, future);
  if (drift.parts) {
    const inside = (y) => Math.max(box.y, Math.min(box.y + box.h, y));
    line(pen, theme.text, 1.5, [[x, inside(view.onAxis(truth[drift.row]))], [x, inside(view.onAxis(values[drift.row]))]]);
    paintRing(pen, theme.back, color, x, inside(view.onAxis(values[drift.row])), { radius: 5 });
  }
  pen.font = `600 ${size}px ${theme.font}`;
  const half = pen.measureText(text).width / 2 + 6, edge = plot.x + plot.w;
  const middle = Math.max(edge + half, Math.min(drift.parts ? x : edge + wide - half, edge + wide - half));
  const free = freeEnd(view, box, middle - half, middle + half), y = free ? box.y + 0.7 * size : box.y + box.h - 0.7 * size;
  pen.globalAlpha = 0.8;
  pen.fillStyle = theme.back;
  pen.fillRect(middle - half, y - 0.7 * size, 2 * half, 1.4 * size);
  pen.globalAlpha = 1;
  write(pen, theme, text, middle, y, { size, align: "center", weight: 600 });
}

// Whether the lines between two places leave more room above than below.
function freeEnd({ future: { lines, truth }, xAhead, onAxis }, { y, h }, left, right) {
  const near = [truth, lines[0].values].flatMap((values) =>
    values.map(onAxis).filter((at, k) => Number.isFinite(at) && xAhead(k) > left && xAhead(k) < right));
  return Math.min(...near, y + h) - y >= y + h - Math.max(...near, y);
}

// Symbols: what comes true in the first line, then what the model writes, one future in several lines, or each in one.
function paintText(pen, view, { x, y, w, h }) {
  const { future: { lines, truth, drift }, theme, size, state: { scene }, plot, page } = view;
  const tall = 1.5 * size, rows = Math.max(1, Math.floor(h / tall)), word = (k) => shorten(sign(scene, scene.features[k]), 3);
  const labels = [...(truth.length ? ["actual"] : []), ...lines.map(({ label }) => shorten(label, 14))];
  pen.font = `400 ${0.9 * size}px ${theme.font}`;
  const left = Math.max(...labels.map((label) => pen.measureText(label).width)) + 18;
  const cell = plot.w / page.count, across = Math.max(1, Math.floor((w - left - 4) / cell));
  let at = 0;
  const put = (label, symbols, most, color, marked) => {
    write(pen, theme, label, x + left - 9, y + (at + 0.5) * tall, { size: 0.9 * size, align: "right" });
    for (let k = 0; k < Math.min(symbols.length, most * across); k++) {
      const place = x + left + (k % across) * cell, middle = y + (at + Math.floor(k / across) + 0.5) * tall;
      if (color) {
        pen.globalAlpha = k === marked ? 0.6 : 0.2;
        pen.fillStyle = color;
        pen.fillRect(place, middle - 0.5 * tall + 1, cell + 0.5, tall - 2);
        pen.globalAlpha = 1;
      }
      write(pen, theme, word(symbols[k]), place + cell / 2, middle, { size: Math.min(size * 1.05, cell * 0.95), align: "center", weight: color ? 600 : 400 });
    }
    at += Math.max(1, Math.min(most, Math.ceil(symbols.length / across)));
  };
  if (truth.length && rows > 1) put("actual", truth, 1, null);
  const room = rows - at;
  lines.slice(0, room).forEach(({ label, symbols, color }, k) => {
    put(shorten(label, 14), symbols, lines.length > 1 ? 1 : room, color, k ? undefined : drift?.row);
  });
}
