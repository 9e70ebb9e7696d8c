// The six heatmaps, units over steps, under the one cursor: click or hover to go to a unit and a step.

import { child, context, fontSize, formatBrief, readTheme, write } from "../canvas.js";
import { cellAt, contains, onDrag, paintCells, paintCursor, paintOutline, pointIn } from "../heatmap.js";
import { gradientMap } from "./backward/backward.js";
import { NAMES } from "./scene.js";
import { differenceOf, isShown } from "./touch/difference.js";

const PAINTED_FROM = [
  "sides", "layer", "direction", "size", "stage", "heatmap", "theme", "held", "hold", "difference", "backward", "gradients",
];
const GAP = 14, MARGIN = 6;

// side: which of the traces that are compared; alone, there is only side 0.
export function mount(root, state, side) {
  const holder = child(root, "div", { class: "stage-maps" });
  const picture = child(holder, "canvas", {}), overlay = child(holder, "canvas", {});
  const view = { holder, picture, overlay, state, side, boxes: [] };
  onDrag(holder, (event) => select(view, event), { hover: true });
  return {
    update(changed) {
      holder.hidden = !state.sides[side] || (side > 0 && state.compare?.kind === "unit"); // two units, one trace
      if (holder.hidden) return;
      if (PAINTED_FROM.some((name) => changed.has(name))) paint(view);
      paintOverlay(view);
    },
    element: holder,
    boxOf: (name) => view.boxes.find((box) => box.name === name),
  };
}

function select({ holder, state, boxes }, event) {
  const at = pointIn(holder, event), box = boxes.find((one) => contains(one, at));
  if (!box) return;
  const { row, column } = cellAt(box, at, box.units, state.scene.steps);
  state.set({ step: column, unit: row, playing: false });
}

// What the colours span: gates from 0 to 1, the others about 0, to the largest value of all snapshots seen so far.
export function range(state, name) {
  if ("ifo".includes(name)) return [0, 1];
  if (name === "g") return [-1, 1];
  const max = state.maxAbs?.[name] ?? 1;
  return [-max, max];
}

function paint(view) {
  const { holder, state, side } = view, { scene, heatmap } = state, { trace } = state.sides[side];
  const width = holder.clientWidth, height = holder.clientHeight;
  if (!width || !height) return;
  Object.assign(view, { width, height, theme: readTheme(holder) });
  const pen = context(view.picture, width, height), size = 0.95 * fontSize(holder), title = 1.5 * size;
  const names = heatmap ? [heatmap] : NAMES;
  const columns = Math.min(names.length, width < 520 ? 3 : 6), rows = Math.ceil(names.length / columns);
  const w = (width - GAP * (columns - 1) - 2 * MARGIN) / columns, h = height / rows - title - 4;
  view.boxes = names.map((name, k) => ({
    name, units: name === "h" ? scene.width : scene.hidden, w, h,
    x: MARGIN + (k % columns) * (w + GAP), y: Math.floor(k / columns) * (h + title + 4) + title,
  }));
  const crowded = scene.steps > w || scene.hidden > h;
  holder.title = crowded ? "More cells than pixels: each pixel is the mean of the cells under it" : "";
  const apart = isShown(state, state.sides[side]);
  if (!apart) view.reaches = {};
  for (const box of view.boxes) {
    const shown = gradientMap(state, side, box.name) ?? (apart ? apartMap(view, box.name) : mapOf(state, trace, box.name));
    const { values, low, high, label, title, span, isApart } = shown;
    const scale = state.scales[low < 0 ? "signed" : "gate"];
    paintCells(pen, view.theme, box, { values, rows: box.units, columns: scene.steps, low, high, scale });
    paintTitle(pen, view, { ...box, label, title, isApart }, size, span);
  }
}

// What a map shows, between which values, and what stands over it.
function mapOf(state, trace, name) {
  const [low, high] = range(state, name), span = `${formatBrief(low)} … ${formatBrief(high)}`;
  return { values: trace[state.layer][state.direction][name], low, high, label: name, title: state.titles[name], span };
}

// What a hand has changed of it.
function apartMap({ state, side, reaches }, name) {
  const { trace, before } = state.sides[side], { layer, direction } = state, [, most] = range(state, name);
  const { reach, values } = differenceOf(reaches, name, trace[layer][direction][name], before[layer][direction][name], most);
  const span = `${formatBrief(-reach)} … ${formatBrief(reach)}`;
  return { values, low: -reach, high: reach, label: name, title: "now − before", span, isApart: true };
}

function paintTitle(pen, { state, side, theme, boxes }, box, size, span) {
  const { name, x, y, w, title, isApart } = box, middle = y - 0.75 * size, { label } = state.sides[side];
  pen.fillStyle = state.colors[name];
  pen.fillRect(x, middle - 7, 5, 14);
  let from = x + 12 + write(pen, theme, box.label, x + 12, middle, { size, weight: 700 });
  if (label) {
    if (isApart) from += write(pen, theme, " Δ", from, middle, { size });
    if (name === boxes[0].name) {
      let text = label; // the next map's name stands beside it
      while (text.length > 2 && from + pen.measureText(`  ${text}`).width > x + w) text = `${text.slice(0, -2)}…`;
      write(pen, theme, `  ${text}`, from, middle, { size, weight: 600 });
    }
    return;
  }
  if (w > 9 * size) write(pen, theme, ` ${title}`, from, middle, { size });
  else if (isApart) write(pen, theme, " Δ", from, middle, { size });
  if (w > (isApart ? 13 : 16) * size) write(pen, theme, span, x + w, middle, { size: size - 1, align: "right" });
}

// In the size that the maps were painted in: to ask for it anew would lay the page out once more at each step.
function paintOverlay({ overlay, width, height, state, side, theme, boxes }) {
  const marked = state.compare?.kind === "unit" ? state.sides : [state.sides[side]];
  if (!boxes.length) return;
  const pen = context(overlay, width, height), { step, scene } = state;
  for (const box of boxes) {
    paintCursor(pen, theme, box, step, scene.steps, 2);
    marked.forEach(({ unit }, k) => {
      if (unit === null || unit >= box.units) return;
      const h = box.h / box.units;
      pen.setLineDash(k ? [6, 4] : []);
      paintOutline(pen, theme.text, k ? 2.5 : 1.5, { ...box, y: box.y + unit * h, h });
      pen.setLineDash([]);
    });
  }
}
