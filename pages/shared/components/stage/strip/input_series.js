// The strip over the cell: target, prediction and truth on one scale with an axis, the other inputs in a band of their
// own, or symbols in rows; and the cursor over them.

import { child, context, fontSize, line, readTheme, write } from "../../canvas.js";
import { cellAt, paintRing, pointIn, spanOf } from "../../heatmap.js";
import { paintFrame } from "../../symbols.js";
import { futureOf, futureValues, futureWidth, paintDriftText, paintFuture } from "../ahead/future.js";
import { lines, originalOf } from "../touch/edits.js";
import { paintGhost, paintHeld } from "../touch/ghost.js";
import { axisTicks, piecesAt, shorten, sign } from "./strip_text.js";
import { pageOf, paintBar, paintRows, rowsOf } from "./symbol_rows.js";
import { DASH, horizonOf, horizonWidth, paintDiamond, paintHorizon, paintTruth, rightWidth, truthOf } from "./truth.js";

const PAINTED_FROM = ["sides", "size", "stage", "theme", "scene", "continued", "tool", "edits", "held", "backward"];
const ROOM = 0.12, LITTLE_ROOM = 0.05; // of the span, over and under it: a hand may pull the highest point up
const GAP = 6, BAND = 0.26, PALE = "#8A8F98"; // px; share of the other inputs' band; their colour
const DASHES = [[], [2, 3], [8, 3, 2, 3], [5, 5]]; // tell the other inputs apart
const LONG = 24; // letters of a name

export function mount(root, state) {
  const holder = child(root, "div", { class: "stage-series" });
  const picture = child(holder, "canvas", {}), overlay = child(holder, "canvas", {});
  const view = { holder, picture, overlay, state };
  // The step under the pointer; touch/ decides whether a drag scrubs through time or changes the input.
  view.stepAt = (event) => {
    const { first, count } = view.page, { column } = cellAt({ ...view.plot, h: 1 }, pointIn(holder, event), 1, count);
    return first + column;
  };
  return {
    update(changed) {
      const { first, count } = view.page ?? {}, { step } = state;
      const turned = step < first || step >= first + count;
      if (turned || PAINTED_FROM.some((name) => changed.has(name))) paint(view);
      paintCursor(view);
    },
    element: holder,
    view,
    place: () => view.plot && { plot: view.plot, x: view.x, page: view.page }, // where its steps stand
    readout: () => readout(view),
  };
}

// What the strip shows, in words and numbers: for tests, and for whoever asks what stands where.
function readout({ main, others, span, truth, horizon, future, rows, page: { first, count }, state }) {
  const names = (lines) => lines.map(({ name }) => name), pages = Array.from({ length: count }, (_, k) => first + k);
  return {
    span, labels: axisTicks(...span, 3).map(([, label]) => label), truth, horizon, future,
    main: names(main), others: names(others),
    heights: main.map(({ values, toY }) => Array.from(values, toY)), page: [first, count],
    rows: rows.map(({ label, cell }) => [label, pages.map(cell)]),
    text: piecesAt(state, [...main, ...others], state.step).join(" · "),
  };
}

// { main: the lines on the one axis, others: those in the band }. told: how the cursor's text calls a line.
function linesOf({ scene, sides, compare, predictionColors }, theme) {
  const [target] = scene.targets, own = scene.series.find(({ name }) => name === target), main = [], others = [];
  const read = new Map(lines(scene).map((one) => [one.place, one]));
  const ofSeries = (one, place = scene.series.indexOf(one)) =>
    ({ values: one.values, place, hand: read.get(place)?.why === "", why: read.get(place)?.why });
  const shown = sides.slice(0, compare?.kind === "unit" ? 1 : 2), last = scene.head === "last";
  const ahead = scene.outputSteps > 1 ? `, ${scene.ahead} step ahead` : "";
  if (!scene.classes.length) {
    const actual = scene.truth.map((value) => value ?? NaN);
    if (own) main.push({ name: "input", told: shorten(target, LONG), ...ofSeries(own), color: theme.text });
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
    scene.series.filter((one) => one !== own).forEach((one, k) => {
      const name = shorten(one.name, LONG), dash = DASHES[k % DASHES.length];
      others.push({ name, told: name, ...ofSeries(one), color: PALE, dash, pale: true });
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
  const { main, others } = view, future = (view.future = state.backward ? null : futureOf(state, main));
  const horizon = (view.horizon = future ? null : horizonOf(state, main));
  const truth = (view.truth = future ? null : truthOf(state, main, horizon));
  const values = main.map((one) => one.values), ends = truth ? [truth.value, ...truth.predictions] : [];
  if (horizon) values.push(horizon.actual, ...horizon.predictions);
  if (!state.held || !view.span) { // under a hand the axis stays
    const before = main.filter(({ hand }) => hand).map(({ place }) => originalOf(scene).series[place].values);
    if (future && !isClass) values.push(...futureValues(future, spanOf(values)));
    const [low, high] = isClass ? [0, 1] : spanOf([...values, ...before, ends]), wide = before.length ? ROOM : LITTLE_ROOM;
    const room = isClass ? 0 : wide * (high - low), found = [low - room, high + room];
    view.span = staying(view, [low, high]) ?? found;
    view.spanOf = originalOf(scene);
  }
  const measure = (text) => { pen.font = `600 ${size}px ${theme.font}`; return pen.measureText(text).width; };
  const top = (view.top = 1.5 * size), bottom = (view.bottom = 1.55 * size), tall = height - top - bottom;
  const counted = main.length ? axisTicks(...view.span, Math.max(2, Math.floor(tall / 34))) : [];
  const labels = [...(isClass ? [] : counted.map(([, label]) => label)), ...rows.map(({ label }) => label)];
  const left = Math.min(0.2 * width, Math.max(isClass ? measure("100 %") : 24, ...labels.map(measure)) + 12);
  const words = truth ? rightWidth(state, measure) : 8, free = width - left - words;
  const ahead = (view.aheadWide = future ? futureWidth(future, scene, free) : horizonWidth(horizon, scene, free));
  const right = words + ahead;
  const lowRow = Math.min(1.45 * size, tall / 3), rowsHigh = rows.some((row) => row.tall) ? tall : rows.length * lowRow;
  const plot = (view.plot = { x: left, y: top, w: width - left - right, h: tall });
  view.page = pageOf(scene, state.step, plot.w, size);
  const { first, count } = view.page;
  view.x = (t) => plot.x + ((t - first + 0.5) * plot.w) / count;
  view.xAhead = (k) => plot.x + plot.w + ((k + 0.5) * ahead) / (future?.rows ?? horizon.actual.length); // of the k-th row after the window
  const bandHigh = others.length ? Math.max(16, BAND * tall) : 0;
  const plotHigh = tall - bandHigh - rowsHigh - (bandHigh || (rows.length && main.length) ? GAP : 4);
  const box = { ...plot, y: top + 2, h: plotHigh };
  scaleLines(view, box, { ...plot, y: top + tall - bandHigh + 2, h: bandHigh - 6 });
  if (main.length) paintAxis(pen, view, box, isClass ? [[0, "0 %"], [0.5, "50 %"], [1, "100 %"]] : counted);
  within(pen, { x: 0, y: top, w: width, h: tall }, () => {
    for (const one of [...others, ...main]) paintGhost(pen, view, one);
    for (const one of [...others, ...main]) paintLine(pen, view, one);
  });
  if (horizon) paintHorizon(pen, view, box);
  if (future) paintFuture(pen, view, box);
  if (truth) paintTruth(pen, view, box);
  const below = { ...plot, y: top + tall - rowsHigh, h: rowsHigh };
  view.reads = rows.length ? { ...below, h: lowRow } : null;
  paintRows(pen, theme, below, rows, view.page, { size, colors: state.predictionColors, low: lowRow });
  paintLegend(pen, view, width, measure);
}

// The axis as it was, where a hand let go within it: what it has just set must not move. A new scene has its own.
function staying({ span, spanOf: of, state: { scene, edits, continued } }, [low, high]) {
  const stays = span && edits && of === originalOf(scene) && !continued.length;
  return stays && low >= span[0] && high <= span[1] && high - low > 0.6 * (span[1] - span[0]) ? span : null;
}

function scaleLines(view, box, band) {
  const { scene, held } = view.state;
  const scale = (one, [low, high], { y, h }) => Object.assign(one, {
    box: { y, h },
    toY: (value) => y + h - ((value - low) / (high - low)) * h, toValue: (at) => low + ((y + h - at) / h) * (high - low),
  });
  view.onAxis = scale({}, view.span, box).toY;
  for (const one of view.main) scale(one, view.span, box);
  if (!held || !view.spans) {
    const before = (place) => originalOf(scene).series[place].values;
    view.spans = new Map(view.others.map(({ place, values, hand }) => {
      const [low, high] = spanOf([values, before(place)]), room = hand ? ROOM * (high - low) : 0;
      return [place, [low - room, high + room]];
    }));
  }
  for (const one of view.others) scale(one, view.spans.get(one.place), band);
}

function within(pen, { x, y, w, h }, act) {
  pen.save();
  pen.beginPath();
  pen.rect(x, y, w, h);
  pen.clip();
  act();
  pen.restore();
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
  const { theme, main, others, truth, horizon, future, size, top, rows, state: { scene, predictionColors }, page } = view;
  const middle = top / 2 - 1;
  const pages = page.count < scene.steps ? `steps ${page.first + 1}–${page.first + page.count} of ${scene.steps}` : "";
  const right = width - 10 - (view.tools?.offsetWidth ?? 0);
  const end = right - (pages ? measure(pages) + 12 : 0);
  view.legendEnd = right;
  if (pages) write(pen, theme, pages, right, middle, { size, align: "right" });
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
  for (const [name, color, dash] of future?.legend ?? []) put(name, stroke({ color, dash }), 26);
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
  const { step, stage } = state, at = view.x(step), wide = plot.w / page.count, deep = height - bottom;
  if (rows.length) paintFrame(pen, theme, { x: at - wide / 2, y: top, w: wide, h: deep - top });
  else line(pen, theme.text, 2, [[at, top], [at, deep]]);
  for (const { values, color, toY, pale } of [...others, ...main]) {
    const radius = (stage ? 1.5 : 1) * (pale ? 3 : 5);
    paintRing(pen, theme.back, color, at, toY(values[step]), { radius, width: 1.5 });
  }
  const pieces = piecesAt(state, [...main, ...others], step);
  pen.font = `600 ${size}px ${theme.font}`;
  const button = width - 5.4 * size - 12, end = view.future ? plot.x + plot.w : button; // both go on from there
  while (pieces.length > 1 && pen.measureText(pieces.join(" · ")).width > end - 16) pieces.pop();
  const text = pieces.join(" · "), half = pen.measureText(text).width / 2 + 8;
  const middle = Math.max(half, Math.min(Math.max(at, plot.x + half), end - half)), y = height - bottom / 2;
  write(pen, theme, text, middle, y, { size, align: "center", weight: 600 });
  paintEnds(pen, view, y, [middle - half, middle + half], end);
  if (view.future) paintDriftText(pen, view, y, button);
  paintHeld(pen, view);
}

// The first and the last step by name, unless the cursor's text, between left and right, is in their way.
function paintEnds(pen, { theme, page: { first, count }, plot, horizon, xAhead, size, state: { scene } }, y, [left, right], end) {
  const rows = horizon?.actual.length;
  if (rows && right + size < xAhead(rows - 1)) write(pen, theme, `+${rows}`, xAhead(rows - 1), y, { size, align: "center" });
  const label = (t) => (scene.when ? scene.when[t] : `step ${t + 1}`), last = label(first + count - 1);
  pen.font = `400 ${size}px ${theme.font}`;
  if (plot.x + pen.measureText(label(first)).width < left) write(pen, theme, label(first), plot.x, y, { size });
  const edge = Math.min(plot.x + plot.w, end);
  if (count < 2 || edge - pen.measureText(last).width < right) return;
  write(pen, theme, last, edge, y, { size, align: "right" });
}
