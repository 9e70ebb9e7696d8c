// The strip over the cell: target, prediction and truth on one scale with an axis, the other inputs in a band of their
// own, or symbols in rows; and the cursor over them.

import { child, context, fontSize, line, readTheme, write } from "../../canvas.js";
import { cellAt, onDrag, paintRing, pointIn, spanOf } from "../../heatmap.js";
import { paintFrame } from "../../symbols.js";
import { axisTicks, piecesAt, shorten, sign } from "./strip_text.js";
import { pageOf, paintBar, paintRows, rowsOf } from "./symbol_rows.js";
import { DASH, horizonOf, horizonWidth, paintDiamond, paintHorizon, paintTruth, rightWidth, truthOf } from "./truth.js";

const PAINTED_FROM = ["sides", "size", "stage", "theme", "scene"];
const GAP = 6, BAND = 0.26, PALE = "#8A8F98"; // px; share of the other inputs' band; their colour
const DASHES = [[], [2, 3], [8, 3, 2, 3], [5, 5]]; // tell the other inputs apart
const LONG = 24; // letters of a name

export function mount(root, state) {
  const holder = child(root, "div", { class: "stage-series" });
  const picture = child(holder, "canvas", {}), overlay = child(holder, "canvas", {});
  const view = { holder, picture, overlay, state };
  onDrag(holder, (event) => {
    if (!view.plot) return;
    const { first, count } = view.page;
    const { column } = cellAt({ ...view.plot, h: 1 }, pointIn(holder, event), 1, count);
    state.set({ step: first + column, playing: false });
  });
  return {
    update(changed) {
      const { first, count } = view.page ?? {}, { step } = state;
      const turned = step < first || step >= first + count;
      if (turned || PAINTED_FROM.some((name) => changed.has(name))) paint(view);
      paintCursor(view);
    },
    element: holder,
    place: () => view.plot && { plot: view.plot, x: view.x, page: view.page }, // where its steps stand
    readout: () => readout(view),
  };
}

// What the strip shows, in words and numbers: for tests, and for whoever asks what stands where.
function readout({ main, others, span, truth, horizon, rows, page: { first, count }, state }) {
  const names = (lines) => lines.map(({ name }) => name), pages = Array.from({ length: count }, (_, k) => first + k);
  return {
    span, labels: axisTicks(...span, 3).map(([, label]) => label), truth, horizon,
    main: names(main), others: names(others),
    heights: main.map(({ values, toY }) => Array.from(values, toY)), page: [first, count],
    rows: rows.map(({ label, cell }) => [label, pages.map(cell)]),
    text: piecesAt(state, [...main, ...others], state.step).join(" · "),
  };
}

// { main: the lines on the one axis, others: those in the band }. told: how the cursor's text calls a line.
function linesOf({ scene, sides, compare, predictionColors }, theme) {
  const [target] = scene.targets, own = scene.series.find(({ name }) => name === target), main = [], others = [];
  const shown = sides.slice(0, compare?.kind === "unit" ? 1 : 2), last = scene.head === "last";
  const ahead = scene.outputSteps > 1 ? `, ${scene.ahead} step ahead` : "";
  if (!scene.classes.length) {
    const actual = scene.truth.map((value) => value ?? NaN);
    if (own) main.push({ name: "input", told: shorten(target, LONG), values: own.values, color: theme.text });
    else if (actual.filter(Number.isFinite).length > 1) {
      main.push({ name: "actual", told: "actual", values: actual, color: theme.text, actual: true });
    }
  }
  if (!rowsOf({ scene, sides, compare }).some(({ tall }) => tall)) {
    shown.forEach(({ prediction, label }, k) => {
      const what = `prediction${last ? " so far" : ""}${ahead}`;
      const name = label ? `${label}: ${what}` : what, told = label ? `${label}` : "prediction";
      main.push({ name, told, values: prediction.values, color: predictionColors[k], dash: DASH, side: k });
    });
  }
  if (!scene.symbols) {
    scene.series.filter((one) => one !== own).forEach(({ name, values }, k) => {
      const short = shorten(name, LONG);
      others.push({ name: short, told: short, values, color: PALE, dash: DASHES[k % DASHES.length], pale: true });
    });
  }
  return { main, others };
}

function paint(view) {
  const { holder, state } = view, { scene } = state, width = holder.clientWidth, height = holder.clientHeight;
  if (!width || !height) return;
  const theme = (view.theme = readTheme(holder)), size = (view.size = Math.max(12.5, 0.92 * fontSize(holder)));
  const pen = context(view.picture, width, height), rows = (view.rows = rowsOf(state)), isClass = scene.classes.length > 0;
  Object.assign(view, linesOf(state, theme));
  const { main, others } = view, horizon = (view.horizon = horizonOf(state, main));
  const truth = (view.truth = truthOf(state, main, horizon));
  const values = main.map((one) => one.values), ends = truth ? [truth.value, ...truth.predictions] : [];
  if (horizon) values.push(horizon.actual, ...horizon.predictions);
  const [low, high] = isClass ? [0, 1] : spanOf([...values, ends]), room = isClass ? 0 : 0.05 * (high - low);
  view.span = [low - room, high + room];
  const measure = (text) => { pen.font = `600 ${size}px ${theme.font}`; return pen.measureText(text).width; };
  const top = (view.top = 1.5 * size), bottom = (view.bottom = 1.55 * size), tall = height - top - bottom;
  const counted = main.length ? axisTicks(...view.span, Math.max(2, Math.floor(tall / 34))) : [];
  const labels = [...(isClass ? [] : counted.map(([, label]) => label)), ...rows.map(({ label }) => label)];
  const left = Math.min(0.2 * width, Math.max(isClass ? measure("100 %") : 24, ...labels.map(measure)) + 12);
  const words = truth ? rightWidth(state, measure) : 8, ahead = horizonWidth(horizon, scene, width - left - words);
  const right = words + ahead;
  const lowRow = Math.min(1.45 * size, tall / 3), rowsHigh = rows.some((row) => row.tall) ? tall : rows.length * lowRow;
  const plot = (view.plot = { x: left, y: top, w: width - left - right, h: tall });
  view.page = pageOf(scene, state.step, plot.w, size);
  const { first, count } = view.page;
  view.x = (t) => plot.x + ((t - first + 0.5) * plot.w) / count;
  view.xAhead = (k) => plot.x + plot.w + ((k + 0.5) * ahead) / horizon.actual.length; // of the k-th row after the window
  const bandHigh = others.length ? Math.max(16, BAND * tall) : 0;
  const plotHigh = tall - bandHigh - rowsHigh - (bandHigh || (rows.length && main.length) ? GAP : 4);
  const box = { ...plot, y: top + 2, h: plotHigh };
  scaleLines(view, box, { ...plot, y: top + tall - bandHigh + 2, h: bandHigh - 6 });
  if (main.length) paintAxis(pen, view, box, isClass ? [[0, "0 %"], [0.5, "50 %"], [1, "100 %"]] : counted);
  for (const one of [...others, ...main]) paintLine(pen, view, one);
  if (horizon) paintHorizon(pen, view, box);
  if (truth) paintTruth(pen, view, box);
  const below = { ...plot, y: top + tall - rowsHigh, h: rowsHigh };
  paintRows(pen, theme, below, rows, view.page, { size, colors: state.predictionColors, low: lowRow });
  paintLegend(pen, view, width, measure);
}

function scaleLines(view, box, band) {
  const [low, high] = view.span, onAxis = (value) => box.y + box.h - ((value - low) / (high - low)) * box.h;
  view.onAxis = onAxis;
  for (const one of view.main) one.toY = onAxis;
  for (const one of view.others) {
    const [least, most] = spanOf([one.values]);
    one.toY = (value) => band.y + band.h - ((value - least) / (most - least)) * band.h;
  }
}

function paintAxis(pen, { theme, onAxis, size }, { x, y, w, h }, places) {
  for (const [place, label] of places) {
    const at = onAxis(place);
    if (at < y - 1 || at > y + h + 1) continue;
    line(pen, theme.grid, 1, [[x, at], [x + w, at]]);
    write(pen, theme, label, x - 8, at, { size: Math.max(12, 0.88 * size), align: "right" });
  }
}

function paintLine(pen, { state, x, page: { first, count } }, { values, color, dash = [], pale, toY }) {
  const points = Array.from(values.slice(first, first + count), (value, k) => [x(first + k), toY(value)]);
  pen.setLineDash(dash);
  line(pen, color, (state.stage ? 1.4 : 1) * (pale ? 1 : 2), points);
  pen.setLineDash([]);
}

// The axis by its name, then each line; what does not fit is left out, from the right.
function paintLegend(pen, view, width, measure) {
  const { theme, main, others, truth, horizon, size, top, rows, state: { scene, predictionColors }, page } = view;
  const middle = top / 2 - 1;
  const pages = page.count < scene.steps ? `steps ${page.first + 1}–${page.first + page.count} of ${scene.steps}` : "";
  const end = width - (pages ? measure(pages) + 16 : 4);
  if (pages) write(pen, theme, pages, width - 4, middle, { size, align: "right" });
  let at = 4;
  const put = (name, draw, wide, weight = 400) => {
    const needed = wide + measure(name) + 16;
    if (at + needed > end) { at = end; return; }
    draw?.(at);
    at += wide + 16 + write(pen, theme, name, at + wide, middle, { size, weight });
  };
  const stroke = ({ color, dash = [], pale }) => (x) => {
    pen.setLineDash(dash);
    line(pen, color, pale ? 1.5 : 3, [[x, middle], [x + 20, middle]]);
    pen.setLineDash([]);
  };
  put(axisName(scene, main), null, 0, 600);
  for (const one of main) put(shorten(one.name, 40), stroke(one), 26);
  if (rows.some(({ tall }) => tall)) {
    put("right", (x) => paintBar(pen, { x, y: middle - 6, w: 12, h: 12 }, predictionColors[0], false), 18);
    put("wrong", (x) => paintBar(pen, { x, y: middle - 6, w: 12, h: 12 }, predictionColors[0], true), 18);
  }
  if (others.length) {
    const what = "below, each on its own scale:", all = others.map(({ name }) => 42 + measure(name));
    if (at + measure(what) + 16 + all.reduce((a, b) => a + b, 0) > end) {
      const brief = ["below: other inputs, each on its own scale", "below: own scales"];
      put(brief.find((text) => at + measure(text) + 16 <= end) ?? "below: …", null, 0);
    } else {
      put(what, null, 0);
      for (const one of others) put(one.name, stroke(one), 26);
    }
  }
  // It bears its own label, so here it comes last.
  const name = horizon ? `actual, next ${horizon.actual.length} steps` : "actual, at the end";
  if (truth || horizon) put(name, (x) => paintDiamond(pen, theme, x + 6, middle, 5), 18);
}

function axisName({ classes, truth, head, targets, steps, symbols, ...scene }, main) {
  if (!main.length) return symbols ? "Symbols; bars: probability of the predicted one" : "";
  if (!classes.length) return shorten(targets[0], LONG);
  const known = head === "last" && truth[steps - 1] !== null;
  return `Probability of ${known ? shorten(sign(scene, classes[truth[steps - 1]]), LONG) : "the actual class"}`;
}

function paintCursor(view) {
  const { holder, overlay, state, theme, main, others, rows, size, top, bottom, plot, page } = view;
  if (!main) return;
  const width = holder.clientWidth, height = holder.clientHeight, pen = context(overlay, width, height);
  const { step, stage } = state, at = view.x(step), wide = plot.w / page.count, end = height - bottom;
  if (rows.length) paintFrame(pen, theme, { x: at - wide / 2, y: top, w: wide, h: end - top });
  else line(pen, theme.text, 2, [[at, top], [at, end]]);
  for (const { values, color, toY, pale } of [...others, ...main]) {
    const radius = (stage ? 1.5 : 1) * (pale ? 3 : 5);
    paintRing(pen, theme.back, color, at, toY(values[step]), { radius, width: 1.5 });
  }
  const pieces = piecesAt(state, [...main, ...others], step);
  pen.font = `600 ${size}px ${theme.font}`;
  while (pieces.length > 1 && pen.measureText(pieces.join(" · ")).width > width - 16) pieces.pop();
  const text = pieces.join(" · "), half = pen.measureText(text).width / 2 + 8;
  const middle = Math.max(half, Math.min(Math.max(at, plot.x + half), width - half)), y = height - bottom / 2;
  write(pen, theme, text, middle, y, { size, align: "center", weight: 600 });
  paintEnds(pen, view, y, [middle - half, middle + half]);
}

// The first and the last step by name, unless the cursor's text, between left and right, is in their way.
function paintEnds(pen, { theme, page: { first, count }, plot, horizon, xAhead, size, state: { scene } }, y, [left, right]) {
  const rows = horizon?.actual.length;
  if (rows && right + size < xAhead(rows - 1)) write(pen, theme, `+${rows}`, xAhead(rows - 1), y, { size, align: "center" });
  const label = (t) => (scene.when ? scene.when[t] : `step ${t + 1}`), last = label(first + count - 1);
  pen.font = `400 ${size}px ${theme.font}`;
  if (plot.x + pen.measureText(label(first)).width < left) write(pen, theme, label(first), plot.x, y, { size });
  if (count < 2 || plot.x + plot.w - pen.measureText(last).width < right) return;
  write(pen, theme, last, plot.x + plot.w, y, { size, align: "right" });
}
