// The browser half of weight_heatmaps.py: one row a gate, one heatmap a parameter, and a histogram at the row's end.
// A spot is { panel, gate, row, column }; the histograms are the panel after the last.

import { clamp, formatBrief, line, withMinus, write } from "./canvas.js";
import {
  arrowMove, cellAt, contains, maxAbs, mountHeatmaps, paintCells, paintColumnLabels, paintOutline, paintRowEnds,
  paintScale, repaint,
} from "./heatmap.js";
import { component, unpack } from "./wire.js";

const UNITS = 34, HEAD = 26, TITLE = 20, AXIS = 26, GAP = 16; // CSS pixels around each heatmap
const WIDE = 640, NAMES = 104, LETTERS = 28; // from which width on the gates' names stand beside their letters
const NARROWEST = 78, STRIP = 38; // a column that holds its norm; one of the biases
const HELP = "Hover to read a weight, or move with the arrow keys. Row: the unit whose gate it is. "
  + "Column: the input of the weight.";

export default component(".weight-heatmaps", {
  mount: (element) => mountHeatmaps(element, { arrange, paint, paintOverlay, point, key, spot: null }),
  show(view, { data }) {
    Object.assign(view, decode(data));
    repaint(view);
  },
  stop: (view) => view.disconnect(),
});

function decode(bytes) {
  const [message, take] = unpack(bytes);
  for (const panel of message.panels) panel.values = message.gates.map(() => take(message.units * panel.columns));
  for (const panel of message.panels) panel.norms = take(message.gates.length);
  message.counts = message.gates.map(() => take(message.bins));
  return message;
}

// ---- what the user does ----

const columnsOf = (view, panel) => (panel < view.panels.length ? view.panels[panel].columns : view.bins);
const rowsOf = (view, panel) => (panel < view.panels.length ? view.units : 1);

function point(view, at) {
  const box = at && view.boxes.find((one) => contains(one, at));
  if (!box) view.spot = null;
  else {
    const { panel, gate } = box;
    view.spot = { panel, gate, ...cellAt(box, at, rowsOf(view, panel), columnsOf(view, panel)) };
  }
}

function key(view, event) {
  const move = arrowMove(event);
  if (move) view.spot = view.spot ? moved(view, view.spot, move) : { panel: 0, gate: 0, row: 0, column: 0 };
  return move !== null;
}

// Past an edge the spot goes on in the neighbour, as if all heatmaps were one.
function moved(view, { panel, gate, row, column }, { rows, columns }) {
  column += columns;
  row += rows;
  if (column >= columnsOf(view, panel) && panel < view.panels.length) [panel, column] = [panel + 1, 0];
  else if (column < 0 && panel > 0) [panel, column] = [panel - 1, Infinity];
  if (row >= rowsOf(view, panel) && gate < view.gates.length - 1) [gate, row] = [gate + 1, 0];
  else if (row < 0 && gate > 0) [gate, row] = [gate - 1, Infinity];
  return clamped(view, { panel, gate, row, column });
}

function clamped(view, { panel, gate, row, column }) {
  panel = clamp(panel, view.panels.length + 1); // another model may have no bias, or fewer units
  return { panel, gate, row: clamp(row, rowsOf(view, panel)), column: clamp(column, columnsOf(view, panel)) };
}

// ---- the picture ----

function arrange({ panels, gates }, width) {
  const [names, strip] = width < WIDE ? [LETTERS, 0] : [NAMES, STRIP], gutter = names + UNITS;
  const bars = Math.round(Math.max(110, Math.min(width * 0.24, 420)));
  const strips = panels.map(({ name, columns }) => (name === "bias" ? Math.max(NARROWEST, columns * strip) : 0));
  const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
  const room = width - gutter - bars - panels.length * GAP - sum(strips);
  // By the square root: 512 columns need more room than 1, but not all of it.
  const shares = panels.map(({ columns }, k) => (strips[k] ? 0 : Math.sqrt(columns)));
  const least = Math.max(8, Math.min(NARROWEST, room / shares.filter(Boolean).length));
  const free = Math.max(0, room - least * shares.filter(Boolean).length);
  const widths = shares.map((share, k) => strips[k] || least + (free * share) / sum(shares));
  const h = Math.round(Math.max(60, Math.min(width * 0.1 - 38, 130))); // a laptop shows all four at once
  const boxes = [];
  gates.forEach((_, gate) => {
    let x = gutter;
    [...widths, bars].forEach((w, panel) => {
      boxes.push({ panel, gate, x: Math.round(x), y: HEAD + gate * (TITLE + h) + TITLE, w: Math.round(w), h });
      x += w + GAP;
    });
  });
  return { boxes, total: HEAD + gates.length * (TITLE + h) + AXIS };
}

function paint(view, pen) {
  view.above.textContent = view.warning;
  view.below.textContent = HELP;
  view.stage.setAttribute("aria-label", description(view));
  const maxCount = Math.max(1, ...view.counts.map((counts) => Math.max(...counts)));
  for (const box of view.boxes) {
    if (box.panel === view.panels.length) paintHistogram(pen, view, box, maxCount);
    else paintMap(pen, view, box);
  }
  paintGates(pen, view);
  paintColorScale(pen, view);
}

function description({ title, panels, gates }) {
  const norms = panels.map(({ name, norms }) =>
    `${name}: ${gates.map((gate, k) => `${gate.title} ${formatBrief(norms[k])}`).join(", ")}`);
  return `${title}: heatmaps and histograms by gate. Norms of ${norms.join("; of ")}. `
    + "The arrow keys read single values.";
}

function paintMap(pen, view, box) {
  const { theme, limit, scale, gates } = view, { panel, gate, x, y, w } = box;
  const { name, source, norms, ticks, columns, values } = view.panels[panel];
  paintCells(pen, theme, box, {
    values: values[gate], rows: view.units, columns, low: -limit, high: limit, scale, pool: maxAbs,
  });
  write(pen, theme, `norm ${formatBrief(norms[gate])}`, x, y - TITLE / 2 + 1);
  if (gate === 0) paintHeading(pen, theme, name, source && `← ${source}`, x, w);
  if (gate === gates.length - 1) paintColumnLabels(pen, theme, box, ticks, AXIS);
}

function paintHeading(pen, theme, name, more, x, w) {
  const used = write(pen, theme, name, x, HEAD / 2 - 2, { size: 15, weight: 700 });
  pen.font = `400 13px ${theme.font}`;
  if (pen.measureText(more).width <= w - used - 8) write(pen, theme, more, x + used + 8, HEAD / 2 - 2);
}

function paintHistogram(pen, view, { gate, x, y, w, h }, maxCount) {
  const { theme, counts, bins, edge, gates } = view;
  line(pen, theme.grid, 1, [[x + w / 2, y - 4], [x + w / 2, y + h]]);
  pen.fillStyle = gates[gate].color;
  counts[gate].forEach((count, k) => {
    const from = Math.round(x + (k * w) / bins), to = Math.round(x + ((k + 1) * w) / bins);
    const tall = count && Math.max(1, (count / maxCount) * h);
    pen.fillRect(from, y + h - tall, Math.max(1, to - from - 1), tall);
  });
  line(pen, theme.grid, 1, [[x, y + h], [x + w, y + h]]);
  if (gate === 0) paintHeading(pen, theme, view.counted, "histogram", x, w);
  if (gate < gates.length - 1) return;
  const below = y + h + AXIS / 2 + 1;
  write(pen, theme, formatBrief(-edge), x, below);
  write(pen, theme, "0", x + w / 2, below, { align: "center" });
  write(pen, theme, formatBrief(edge), x + w, below, { align: "right" });
}

function paintGates(pen, { theme, gates, boxes, units, stride, width }) {
  for (const box of boxes) {
    if (box.panel) continue;
    const { name, title, color } = gates[box.gate], middle = box.y + box.h / 2;
    write(pen, { ...theme, text: color }, name, 0, middle - 10, { size: 22, weight: 700 });
    if (width >= WIDE) write(pen, theme, title, 0, middle + 12, { size: 14 });
    write(pen, theme, "unit", box.x - 6, middle, { align: "right" });
    paintRowEnds(pen, theme, box, 6, "0", units > 1 ? String((units - 1) * stride) : null);
  }
}

function paintColorScale(pen, { theme, scale, limit, width }) {
  if (width < WIDE) return; // the readout tells the value
  const y = HEAD / 2 - 2, [low, high] = [-limit, limit].map(formatBrief);
  const x = 5 + write(pen, theme, low, 0, y);
  const bar = Math.max(12, Math.min(44, NAMES + UNITS - 12 - x - pen.measureText(high).width));
  paintScale(pen, scale, x, y, bar);
  write(pen, theme, high, x + bar + 5, y);
}

// ---- the marked cell ----

function paintOverlay(view, pen) {
  if (view.spot) {
    const { theme } = view, { panel, gate, row, column } = (view.spot = clamped(view, view.spot));
    const box = view.boxes.find((one) => one.panel === panel && one.gate === gate);
    const w = box.w / columnsOf(view, panel), h = box.h / rowsOf(view, panel);
    const cell = { x: box.x + column * w, y: box.y + row * h, w, h };
    paintOutline(pen, theme.back, 4, cell);
    paintOutline(pen, theme.text, 1.5, cell);
  }
  writeReadout(view);
}

function writeReadout(view) {
  const { readout, spot, title } = view, number = document.createElement("b");
  if (!spot) return readout.replaceChildren(title);
  const [text, value] = view.panels[spot.panel] ? weightText(view, spot) : binText(view, spot);
  number.textContent = value;
  readout.replaceChildren(text, " ", number);
}

function weightText({ panels, gates, stride }, { panel, gate, row, column }) {
  const { name, labels, columns, values } = panels[panel], label = labels[column], unit = row * stride;
  const value = values[gate][row * columns + column], title = gates[gate].title;
  const text = name === "bias" ? `${label}, ${title}: unit ${unit}` : `${name}, ${title}: unit ${unit} ← ${label}`;
  return [text, Number.isFinite(value) ? withMinus(String(Number(value.toPrecision(4)))) : "not finite"];
}

function binText({ counts, gates, counted, edge, bins }, { gate, column }) {
  const low = -edge + (2 * edge * column) / bins, high = low + (2 * edge) / bins;
  const text = `${counted}, ${gates[gate].title}: from ${formatBrief(low)} to ${formatBrief(high)} there are`;
  return [text, counts[gate][column].toLocaleString("en")];
}
