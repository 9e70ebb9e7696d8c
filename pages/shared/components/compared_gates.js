// The browser half of compared_gates.py: an input series, then a row of heatmaps a gate, one a run, and beside them
// the average over units of each run. One cursor over all; above them what the averages are there.

import { child, clamp, formatBrief, line, withMinus, write } from "./canvas.js";
import {
  arrowMove, cellAt, contains, mountHeatmaps, paintCells, paintCursor, paintRing, paintRowEnds, paintScale,
  paintStepAxis, pointIn, repaint, spanOf,
} from "./heatmap.js";
import { component, unpack } from "./wire.js";

const GUTTER = 36, RIGHT = 10, HEAD = 24, AXIS = 24, GAP = 6; // CSS pixels around each panel
const SERIES_HEIGHT = 60, MAP_HEIGHT = 84, NARROWEST = 112, LARGE = 14;
const LABEL = "Heatmaps of the gates by unit and step, one column for each run, and the averages over the units. "
  + "Left and right move the time cursor over all of them.";

export default component(".compared-gates", {
  mount(element) {
    const view = mountHeatmaps(element, { arrange, paint, paintOverlay, point, key });
    Object.assign(view, { cursor: null, hovered: null });
    view.stage.setAttribute("aria-label", LABEL);
    view.stage.addEventListener("click", (event) => point(view, pointIn(view.stage, event))); // a finger has not moved
    return view;
  },
  show(view, { data }) {
    Object.assign(view, decode(data));
    view.hovered = null;
    view.cursor = view.cursor === null ? null : clamp(view.cursor, view.steps);
    repaint(view);
  },
  stop: (view) => view.disconnect(),
});

function decode(bytes) {
  const [message, take] = unpack(bytes);
  for (const gate of message.gates) {
    gate.maps = message.runs.map((run) => {
      const units = run.units[gate.name], values = take(units * message.steps);
      return { units, values, mean: average(values, units, message.steps) };
    });
  }
  message.series = message.series.map((name) => ({ name, values: take(message.steps) }));
  return message;
}

function average(values, units, steps) {
  const mean = new Float32Array(steps);
  for (let unit = 0; unit < units; unit++) {
    for (let step = 0; step < steps; step++) mean[step] += values[unit * steps + step] / units;
  }
  return mean;
}

// ---- what the user does ----

function point(view, at) {
  view.hovered = null;
  const inside = ({ x, y, w, h }) => contains({ x: x - GUTTER, y, w: w + GUTTER + RIGHT, h }, at);
  const panel = at && view.steps ? view.boxes.find(inside) : null;
  if (!panel) return; // the cursor stays
  const { row, column } = cellAt(panel, at, panel.map?.units ?? 1, view.steps);
  view.cursor = column;
  if (panel.map) view.hovered = { panel, unit: row };
}

function key(view, event) {
  const columns = arrowMove(event)?.columns || { Home: -Infinity, End: Infinity }[event.key];
  if (!columns) return false;
  view.hovered = null;
  view.cursor = clamp((view.cursor ?? -1) + columns, view.steps);
  return true;
}

// ---- the picture ----

// As many runs side by side as leave each its room, the averages last; what does not fit goes on in a second line.
// The runs' names stand over the first gate's maps, the steps under the last one's: all six are seen at once.
function arrange({ gates, runs, series }, width) {
  const across = Math.max(1, Math.min(runs.length + 1, Math.floor(width / (NARROWEST + GUTTER + RIGHT))));
  const inner = (count) => (width - (count - 1) * GAP) / count - GUTTER - RIGHT;
  const w = inner(across), boxes = [];
  let top = 0;
  if (series.length) {
    boxes.push({ series, axis: true, x: GUTTER, y: HEAD, w: inner(1), h: SERIES_HEIGHT });
    top = HEAD + SERIES_HEIGHT + AXIS;
  }
  gates.forEach((gate, row) => {
    const panels = [...runs.map((run, k) => ({ gate, run, map: gate.maps[k] })), { gate, averages: true }];
    const axis = row === gates.length - 1, wrapped = panels.length > across;
    const title = top + HEAD / 2;
    top += HEAD;
    for (let first = 0; first < panels.length; first += across) {
      const head = row === 0 || wrapped; // else a column is named once
      if (head) top += HEAD;
      panels.slice(first, first + across).forEach((panel, k) => {
        const x = GUTTER + k * (w + GUTTER + RIGHT + GAP);
        boxes.push({ ...panel, axis, head, x, y: top, w, h: MAP_HEIGHT, title: first + k ? null : title });
      });
      top += MAP_HEIGHT + (axis ? AXIS : 2);
    }
  });
  return { boxes, total: top };
}

function paint(view, pen) {
  view.above.textContent = view.warning;
  view.below.textContent = "Move over the picture, or use the arrow keys: the cursor is at the same step of every run.";
  for (const panel of view.boxes) {
    if (panel.title) paintTitle(pen, view, panel);
    if (panel.map) paintMap(pen, view, panel);
    else paintCurves(pen, view, panel);
    if (panel.axis) paintStepAxis(pen, view.theme, panel, view.steps, view.stride, AXIS, 1);
  }
}

function paintTitle(pen, { theme }, { gate, x, title }) {
  pen.fillStyle = gate.color;
  pen.fillRect(x, title - 6, 12, 12);
  const used = write(pen, theme, gate.name, x + 19, title, { size: LARGE, weight: 700 });
  const from = x + 19 + used + write(pen, theme, ` · ${gate.title}`, x + 19 + used, title, { size: LARGE }) + 18;
  const low = write(pen, theme, formatBrief(gate.low), from, title) + 6;
  paintScale(pen, gate.scale, from + low, title, 56);
  write(pen, theme, formatBrief(gate.high), from + low + 62, title);
}

function paintMap(pen, { theme, steps }, { gate, run, map, head, x, y, w, h }) {
  paintCells(pen, theme, { x, y, w, h }, { ...gate, values: map.values, rows: map.units, columns: steps });
  if (head) paintHead(pen, theme, run.label, run.color, x, y - HEAD / 2, w);
  paintRowEnds(pen, theme, { x, y, w, h }, 8, "0", map.units > 1 ? String(map.units - 1) : null);
}

function paintHead(pen, theme, label, color, x, y, w) {
  pen.fillStyle = color;
  pen.fillRect(x, y - 5, 10, 10);
  pen.save();
  pen.beginPath();
  pen.rect(x, y - 12, w, 24);
  pen.clip();
  write(pen, theme, label, x + 15, y, { size: 13 });
  pen.restore();
}

function curvesOf({ runs, theme }, { gate, series }) {
  if (series) return series.map((curve, k) => ({ ...curve, color: theme.palette[k % theme.palette.length] }));
  return gate.maps.map((map, k) => ({ name: "", values: map.mean, color: runs[k].color }));
}

function paintCurves(pen, view, panel) {
  const { theme, steps } = view, { x, y, w, h, head, averages } = panel;
  panel.curves = curvesOf(view, panel);
  const [low, high] = spanOf(panel.curves.map(({ values }) => values));
  const margin = (high - low) * 0.06;
  panel.height = (value) => y + h - ((value - low + margin) / (high - low + 2 * margin)) * h;
  for (const value of [low, high]) {
    line(pen, theme.grid, 1, [[x, panel.height(value)], [x + w, panel.height(value)]]);
    write(pen, theme, formatBrief(Number(value.toPrecision(2))), x - 6, panel.height(value), { align: "right" });
  }
  for (const { values, color } of panel.curves) {
    line(pen, color, 2, Array.from(values, (value, k) => [x + ((k + 0.5) * w) / steps, panel.height(value)]));
  }
  if (averages) {
    if (head) write(pen, theme, "average over units", x, y - HEAD / 2);
    return;
  }
  let from = x + write(pen, theme, "Input", x, y - HEAD / 2, { size: LARGE, weight: 700 }) + 16;
  for (const { name, color } of panel.curves) {
    pen.fillStyle = color;
    pen.fillRect(from, y - HEAD / 2 - 2, 16, 4);
    from += 22 + write(pen, theme, name.length > 28 ? `${name.slice(0, 27)}…` : name, from + 22, y - HEAD / 2) + 14;
  }
}

// ---- the cursor ----

function paintOverlay(view, pen) {
  const { theme, cursor, steps, hovered } = view;
  for (const panel of view.boxes) {
    if (cursor === null || !steps) break;
    const at = paintCursor(pen, theme, panel, cursor, steps);
    for (const { values, color } of panel.curves ?? []) paintRing(pen, theme.text, color, at, panel.height(values[cursor]));
    if (hovered?.panel === panel) {
      paintRing(pen, theme.text, theme.back, at, panel.y + ((hovered.unit + 0.5) * panel.h) / panel.map.units);
    }
  }
  writeReadout(view);
}

// The same cells before the first hover as after it: the picture must not move under the mouse.
function writeReadout({ readout, cursor, stride, steps, runs, gates, series, hovered }) {
  const table = document.createElement("table"), at = cursor ?? -1;
  const cell = (row, tag, text, color) => {
    const node = child(row, tag, {});
    if (color) node.appendChild(document.createElement("i")).style.background = color;
    node.append(text);
  };
  const head = child(child(table, "thead", {}), "tr", {});
  const step = at < 0 || !steps ? "–" : at * stride + 1;
  cell(head, "th", hovered && at >= 0
    ? `step ${step} · ${hovered.panel.gate.name} of unit ${hovered.unit}: ${exact(hovered.panel.map.values[hovered.unit * steps + at])}`
    : `step ${step} · averages over units`);
  for (const gate of gates) cell(head, "th", gate.name, gate.color);
  const body = child(table, "tbody", {});
  runs.forEach((run, k) => {
    const row = child(body, "tr", {});
    cell(row, "td", run.label, run.color);
    for (const gate of gates) cell(row, "td", exact(at < 0 ? undefined : gate.maps[k].mean[at]));
  });
  const row = child(body, "tr", {});
  cell(row, "td", series.map(({ name, values }) => `${name} ${exact(at < 0 ? undefined : values[at])}`).join(", "));
  row.firstChild.colSpan = gates.length + 1;
  readout.replaceChildren(table);
}

function exact(value) {
  if (value === undefined) return "–";
  if (Number.isNaN(value)) return "no data";
  return withMinus(Math.abs(value) < 1000 ? value.toFixed(3) : value.toPrecision(6));
}
