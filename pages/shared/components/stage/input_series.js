// The strip over the cell: the input, the prediction if the window ended at each step, and the cursor.

import { child, context, fontSize, formatBrief, line, readTheme, write } from "../canvas.js";
import { cellAt, onDrag, paintRing, pointIn, spanOf } from "../heatmap.js";

export const PREDICTION_COLORS = ["#D55E00", "#CC79A7"]; // of the sides that are compared
const LEFT = 8;

export function mount(root, state) {
  const holder = child(root, "div", { class: "stage-series" });
  const picture = child(holder, "canvas", {}), overlay = child(holder, "canvas", {});
  const view = { holder, picture, overlay, state };
  onDrag(holder, (event) => {
    const box = { x: LEFT, y: 0, w: holder.clientWidth - 2 * LEFT, h: 1 };
    state.set({ step: cellAt(box, pointIn(holder, event), 1, state.scene.steps).column, playing: false });
  });
  return {
    update(changed) {
      if (["sides", "size", "stage", "theme", "scene"].some((name) => changed.has(name))) paint(view);
      paintCursor(view);
    },
    element: holder,
  };
}

function scaled(lines, y, h) {
  const [low, high] = spanOf(lines.map(({ values }) => values));
  return (value) => y + h - ((value - low) / (high - low)) * h;
}

function paint(view) {
  const { holder, state } = view, { scene, sides } = state;
  const width = holder.clientWidth, height = holder.clientHeight;
  if (!width || !height) return;
  const theme = (view.theme = readTheme(holder)), size = (view.size = 0.95 * fontSize(holder));
  const top = (view.top = 1.7 * size), bottom = (view.bottom = 1.5 * size); // of the legend and of the text below
  const pen = context(view.picture, width, height);
  const w = width - 2 * LEFT, h = height - top - bottom - 8, y = top + 4;
  const x = (t) => LEFT + ((t + 0.5) * w) / scene.steps;
  const palette = theme.palette;
  const inputs = scene.series.map((series, k) => ({ ...series, color: palette[k % palette.length] }));
  // One feature is also what is forecast: input and prediction then share their scale. Else each has its own.
  const same = inputs.length === 1 && scene.targets[0] === inputs[0].name;
  const full = scene.classes.length ? `probability of ${scene.classes[scene.truth]}`
    : `prediction so far: ${scene.targets[0]}`;
  const short = scene.classes.length ? "probability" : "prediction so far";
  const predictions = sides.slice(0, state.compare?.kind === "unit" ? 1 : 2).map(({ prediction, label }, k) => ({
    name: label ? `${label}: ${short}` : full, values: prediction, color: PREDICTION_COLORS[k], dashed: true,
  }));
  const groups = same ? [[...inputs, ...predictions]] : [...inputs.map((one) => [one]), predictions];
  view.lines = groups.flatMap((group) => {
    const toY = scaled(group, y, h);
    return group.map((one) => ({ ...one, toY }));
  });
  for (const one of view.lines) {
    pen.setLineDash(one.dashed ? [7, 6] : []);
    line(pen, one.color, state.stage ? 3 : 2, Array.from(one.values, (value, t) => [x(t), one.toY(value)]));
  }
  pen.setLineDash([]);
  let at = LEFT;
  for (const { name, color } of view.lines) {
    pen.fillStyle = color;
    pen.fillRect(at, top / 2 - 2, 18, 4);
    const label = name.length > 36 ? `${name.slice(0, 35)}…` : name;
    at += 26 + write(pen, theme, label, at + 24, top / 2, { size }) + 18;
  }
  view.x = x;
  const label = (t) => (scene.when ? scene.when[t] : `step ${t}`), below = height - bottom / 2, small = 0.95 * size;
  write(pen, theme, label(0), LEFT, below, { size: small });
  if (scene.steps > 1) write(pen, theme, label(scene.steps - 1), LEFT + w, below, { size: small, align: "right" });
}

function paintCursor({ holder, overlay, state, theme, lines, x, size, top, bottom }) {
  if (!lines) return;
  const height = holder.clientHeight, pen = context(overlay, holder.clientWidth, height);
  const { step, scene, stage } = state;
  const at = x(step);
  line(pen, theme.text, 2, [[at, top], [at, height - bottom]]);
  for (const { values, color, toY } of lines) {
    paintRing(pen, theme.text, color, at, toY(values[step]), { radius: stage ? 8 : 5, width: 2 });
  }
  const when = scene.when ? `${scene.when[step]} · ` : "";
  const numbers = lines.map(({ values }) => formatBrief(values[step])).join(" · ");
  const text = `${when}step ${step} of ${scene.steps - 1} · ${numbers}`;
  const half = (text.length * size) / 4 + 6, middle = Math.min(Math.max(at, half + 8), holder.clientWidth - half - 8);
  pen.fillStyle = theme.back;
  pen.fillRect(middle - half, height - bottom, 2 * half, bottom);
  write(pen, theme, text, middle, height - bottom / 2, { size, align: "center", weight: 600 });
}
