// The browser half of gate_heatmaps.py: an input series, heatmaps of units over steps, and one unit's curves, all under
// one time cursor.

import { clamp, formatBrief, line, ticks, withMinus, write } from "./canvas.js";
import {
  arrowMove, cellAt, contains, mountHeatmaps, paintCells, paintCursor, paintRing, paintRowEnds, paintScale,
  paintStepAxis, pointIn, repaint, spanOf,
} from "./heatmap.js";
import { component, unpack } from "./wire.js";

const GUTTER = 40, RIGHT = 12, TITLE = 26, AXIS = 24, GAP = 10; // CSS pixels around each panel
const SERIES_HEIGHT = 72, CURVES_HEIGHT = 112, LARGE = 14;
const SEND_AFTER = 150; // ms: when a key is held down, Python hears of the last unit only
const LABEL = "The input series, heatmaps of the gates by unit and step, and one unit's curves. "
  + "Left and right move the time cursor, up and down select the unit.";
const help = (row) => `Hover to read values, click a heatmap to select ${row}; the arrow keys do both.`;

export default component(".gate-heatmaps", {
  mount(element) {
    const view = mountHeatmaps(element, { arrange, paint, paintOverlay, point, key });
    Object.assign(view, { cursor: null, hovered: null }); // a step, a unit; or none
    view.stage.setAttribute("aria-label", LABEL);
    view.stage.addEventListener("click", (event) => {
      point(view, pointIn(view.stage, event)); // a finger taps without having moved
      if (view.hovered !== null) select(view, view.hovered);
    });
    return view;
  },
  show(view, { data, setStateValue }) {
    Object.assign(view, decode(data), { setStateValue });
    if (view.rows && view.start !== view.started) view.chosen = view.start; // Python's choice rules
    view.started = view.start;
    view.chosen ??= view.start;
    view.unit = clamp(view.chosen, view.units); // as Python does: more units bring the choice back
    view.cursor = view.cursor === null ? null : clamp(view.cursor, view.steps);
    repaint(view);
  },
  stop(view) {
    view.disconnect();
    clearTimeout(view.sending);
  },
});

function decode(bytes) {
  const [message, take] = unpack(bytes);
  const arrays = []; // sent in the order of their first use
  for (const part of [...message.maps, ...message.groups.flatMap(({ group }) => group)]) {
    part.values = arrays[part.array] ??= take(part.units * message.steps);
  }
  message.series = message.series.map((name) => ({ name, values: take(message.steps) }));
  for (const { lines } of message.curves) for (const curve of lines) curve.values = take(message.steps);
  return message;
}

// ---- what the user does ----

function point(view, at) {
  view.hovered = null;
  const inside = ({ x, y, w, h }) =>
    contains({ x: x - GUTTER, y: y - TITLE, w: w + GUTTER + RIGHT, h: h + TITLE + AXIS }, at);
  const panel = at && view.steps ? view.boxes.find(inside) : null;
  if (!panel) return; // the cursor stays
  const { row, column } = cellAt(panel, at, panel.map?.units ?? 1, view.steps);
  view.cursor = column;
  if (panel.map) view.hovered = row;
}

function key(view, event) {
  const { rows, columns } = arrowMove(event) ?? { rows: 0, columns: { Home: -Infinity, End: Infinity }[event.key] };
  if (!rows && !columns) return false;
  view.hovered = null;
  if (columns) view.cursor = clamp((view.cursor ?? -1) + columns, view.steps);
  if (rows) select(view, clamp(view.unit + rows, view.units));
  return true;
}

function select(view, unit) {
  if (unit === view.unit) return;
  view.unit = view.chosen = unit;
  repaint(view);
  clearTimeout(view.sending);
  view.sending = setTimeout(() => view.setStateValue("unit", view.unit), SEND_AFTER);
}

// ---- the picture ----

function arrange({ maps, groups, series, curves, large }, width) {
  const shown = large ? maps.filter((map) => map.name === large) : maps;
  const fitting = width >= 740 ? 3 : width >= 460 ? 2 : 1;
  const columns = Math.min(fitting, shown.length);
  const across = Math.max(1, Math.min(groups.length, fitting === 1 ? 1 : 2));

  const inner = (count) => (width - (count - 1) * GAP) / count - GUTTER - RIGHT;
  const ideal = inner(columns) * (large ? 0.3 : shown.length > 3 ? 0.5 : 0.7);
  const mapHeight = Math.round(Math.max(70, Math.min(ideal, large ? 420 : 230)));

  const boxes = [];
  let top = 0;
  const stack = (items, count, h) => {
    for (let first = 0; first < items.length; first += count) {
      items.slice(first, first + count).forEach((item, k) => {
        const x = GUTTER + k * (inner(count) + GUTTER + RIGHT + GAP);
        boxes.push({ ...item, x, y: top + TITLE, w: inner(count), h });
      });
      top += h + TITLE + AXIS;
    }
  };
  if (series.length) stack([{ series }], 1, SERIES_HEIGHT);
  stack(shown.map((map) => ({ map })), columns, mapHeight);
  stack(groups, across, CURVES_HEIGHT);
  stack(curves, Math.min(fitting, curves.length), CURVES_HEIGHT);
  return { boxes, total: top };
}

function paint(view, pen) {
  view.above.textContent = view.warning;
  view.below.textContent = help(view.rows ? "a snapshot" : "a unit");
  for (const panel of view.boxes) {
    if (panel.map) paintMap(pen, view, panel);
    else paintCurves(pen, view, panel);
    paintStepAxis(pen, view.theme, panel, view.steps, view.stride, AXIS);
  }
}

function paintMap(pen, view, panel) {
  const { theme, steps } = view, { map, x, y, w, h } = panel, middle = y - TITLE / 2;
  paintCells(pen, theme, panel, { ...map, rows: map.units, columns: steps });
  const used = write(pen, theme, map.name, x, middle, { size: LARGE, weight: 700 });
  write(pen, theme, map.title && ` · ${map.title}`, x + used, middle, { size: LARGE });

  const bar = 56, end = x + w; // the colour scale ends the title's line
  const right = end - write(pen, theme, formatBrief(map.high), end, middle, { align: "right" }) - 5;
  paintScale(pen, map.scale, right - bar, middle, bar);
  write(pen, theme, formatBrief(map.low), right - bar - 5, middle, { align: "right" });

  const last = map.units - 1, name = (row) => view.rows?.[row].split(" ").at(-1) ?? String(row);
  paintRowEnds(pen, theme, panel, 12, name(0), last > 0 ? name(last) : null);
  pen.save();
  pen.translate(x - GUTTER + 8, y + h / 2);
  pen.rotate(-Math.PI / 2);
  write(pen, theme, view.rows?.[0].split(" ")[0] ?? "unit", 0, 0, { align: "center" });
  pen.restore();
  if (map.note) paintNote(pen, theme, map.note, x + w / 2, y + h / 2);
}

function paintNote(pen, theme, text, x, y) {
  const style = { align: "center", size: LARGE }, wide = write(pen, theme, text, x, y, style) + 20;
  pen.fillStyle = theme.back; // the text must be read on any colours
  pen.fillRect(x - wide / 2, y - 13, wide, 26);
  write(pen, theme, text, x, y, style);
}

// The curves of a panel: the input series, given lines, or what the selected unit did.
function curvesOf({ unit, steps, theme }, { series, lines, group }) {
  if (series) {
    return series.map((curve, k) => ({ ...curve, color: theme.palette[k % theme.palette.length] }));
  }
  if (lines) return lines.map((curve) => ({ ...curve, color: curve.color ?? theme.text }));
  return group.filter((curve) => unit < curve.units).map((curve) => ({
    ...curve,
    values: curve.values.subarray(unit * steps, (unit + 1) * steps),
    color: curve.color ?? theme.text,
  }));
}

function paintCurves(pen, view, panel) {
  const { theme, steps, unit } = view, { x, y, w, h, title, lines, span } = panel;
  panel.curves = curvesOf(view, panel);
  const [low, high] = spanOf(panel.curves.map(({ values }) => values), span ?? (lines ? [0, 1] : undefined));
  const margin = (high - low) * 0.05;
  panel.height = (value) => y + h - ((value - low + margin) / (high - low + 2 * margin)) * h;

  for (const tick of ticks(low, high, 3)) {
    line(pen, theme.grid, 1, [[x, panel.height(tick)], [x + w, panel.height(tick)]]);
    write(pen, theme, formatBrief(tick), x - 8, panel.height(tick), { align: "right" });
  }
  for (const { values, color, dashed } of panel.curves) {
    const position = (value, k) => [x + ((k + 0.5) * w) / steps, panel.height(value)];
    pen.setLineDash(dashed ? [2, 5] : []);
    line(pen, color, 2, Array.from(values, position));
  }
  pen.setLineDash([]);
  const heading = lines ? title : title ? `${view.rows?.[unit] ?? `Unit ${unit}`} · ${title}` : "Input";
  const strong = { size: LARGE, weight: 700 };
  paintLegend(pen, theme, panel, x + write(pen, theme, heading, x, y - TITLE / 2, strong));
}

function paintLegend(pen, theme, panel, from) {
  const { x, y, w } = panel, curves = panel.curves.filter(({ name }) => name), middle = y - TITLE / 2;
  for (const [k, { name, color, dashed }] of curves.entries()) {
    const label = name.length > 24 ? `${name.slice(0, 23)}…` : name;
    const rest = k < curves.length - 1 ? 80 : 0; // room for how many more there are
    if (k && from + 38 + 7.5 * label.length + rest > x + w) {
      write(pen, theme, `+ ${curves.length - k} more`, from + 16, middle, { size: LARGE });
      return;
    }
    pen.fillStyle = color;
    for (const at of dashed ? [0, 6, 12] : [0]) pen.fillRect(from + 16 + at, middle - 2, dashed ? 4 : 16, 4);
    from += 38 + write(pen, theme, label, from + 38, middle, { size: LARGE });
  }
}

// ---- the cursor ----

function paintOverlay(view, pen) {
  const { theme, cursor, steps, unit } = view, marked = view.hovered ?? unit;
  for (const panel of view.boxes) {
    const { map, curves, height, x, y, w, h } = panel;
    const middle = (row) => y + ((row + 0.5) * h) / map.units;
    if (map && unit < map.units) paintArrows(pen, theme.accent, x, w, middle(unit));
    if (cursor === null || !steps) continue;
    const at = paintCursor(pen, theme, panel, cursor, steps);
    if (map && marked < map.units) paintRing(pen, theme.text, theme.back, at, middle(marked));
    for (const { values, color } of curves ?? []) paintRing(pen, theme.text, color, at, height(values[cursor]));
  }
  writeReadout(view, marked);
}

function paintArrows(pen, color, x, w, y) {
  pen.fillStyle = color;
  for (const [tip, side] of [[x - 1, -1], [x + w + 1, 1]]) {
    pen.beginPath();
    pen.moveTo(tip, y);
    pen.lineTo(tip + side * 8, y - 5);
    pen.lineTo(tip + side * 8, y + 5);
    pen.fill();
  }
}

function writeReadout({ readout, theme, cursor, steps, stride, maps, series, rows }, unit) {
  // The same items before the first hover as after it: the picture must not move under the mouse.
  const item = (name, value, color) => {
    const node = document.createElement("span"), number = document.createElement("b");
    if (color) node.appendChild(document.createElement("i")).style.background = color;
    number.textContent = value === undefined ? "–" : typeof value === "string" ? value : exact(value);
    node.append(name, " ", number, " ");
    return node;
  };
  const row = (...items) => {
    const node = document.createElement("div");
    node.append(...items);
    return node;
  };
  const at = cursor !== null && steps ? cursor : undefined;
  const inside = (map) => (unit < map.units ? map.values[unit * steps + at] : undefined);
  readout.replaceChildren(
    row(item("step", at === undefined ? at : at * stride), rows ? item(...rows[unit].split(" ")) : item("unit", unit),
      ...maps.map((map) => item(map.name, inside(map), map.color ?? theme.text))),
    row(...series.map(({ name, values }) => item(name, values[at]))),
  );
}

function exact(value) {
  if (Number.isNaN(value)) return "no data";
  if (Number.isInteger(value)) return withMinus(String(value));
  return withMinus(Math.abs(value) < 1000 ? value.toFixed(3) : value.toPrecision(6));
}
