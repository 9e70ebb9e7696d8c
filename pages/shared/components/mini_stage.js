// The browser half of mini_stage.py: a series, one window of it, and one unit's valves beside the map of all forget
// gates, all under one cursor that moves by itself until somebody touches it.

import { child, clamp, formatBrief, line, write } from "./canvas.js";
import {
  arrowMove, cellAt, contains, mountHeatmaps, onDrag, paintCells, paintCursor, paintRing, paintScale, paintStepAxis,
  pointIn, repaint, repaintOverlay, spanOf,
} from "./heatmap.js";
import { between, paintGauges } from "./mini_gauges.js";
import { paintSymbols, stepAtPoint, textHeight } from "./symbols.js";
import { component, isDrawn, unpack } from "./wire.js";

const GUTTER = 40, TITLE = 24, AXIS = 22, ENDS = 18, GAP = 18; // CSS pixels around each panel
const STRIP = 42, WINDOW = 52, NARROW = 540, VALVES = 216, GAUGE = 28, TEXT_LINES = 6;
const LOOP = 4500, MAX_RATE = 12, REST = 900; // ms for all steps, at most so many steps a second, ms at the last step
const FRAME = 45, FRAME_TRAINING = 125; // ms between two frames: beside the training, every frame costs it some steps
const SCREEN_FRAME = 12; // ms, about: what the browser itself waits before it draws
const STILL = matchMedia("(prefers-reduced-motion: reduce)");
const LABEL = "One window of the series through the network: one unit's gates and the map of all forget gates. Space "
  + "plays and pauses, left and right move by a step, up and down select the unit.";

export default component(".mini-stage", {
  mount(element) {
    const view = mountHeatmaps(element, { arrange, paint, paintOverlay, point() {}, key });
    Object.assign(view, { position: null, chosen: null, playing: !STILL.matches, seen: true, model: null });
    view.stage.setAttribute("aria-label", LABEL);
    view.button = child(element, "button", { class: "mini-stage-play", type: "button" });
    view.button.addEventListener("click", () => play(view, !view.playing));
    onDrag(view.stage, (event) => touch(view, event));
    view.watch = new IntersectionObserver(([entry]) => {
      view.seen = entry.isIntersecting;
      play(view, view.playing);
    });
    view.watch.observe(element);
    // Space pauses what moves even before anybody has clicked on it; a field or a button keeps its own.
    view.anywhere = (event) => {
      if (event.target === document.body && event.key === " " && view.seen && key(view, event)) event.preventDefault();
    };
    document.addEventListener("keydown", view.anywhere);
    return view;
  },
  show(view, { data }) {
    if (isDrawn(view, data)) return; // a tick of the polling brings it four times a second
    const message = decode(data), other = message.model !== view.model;
    Object.assign(view, message);
    view.element.style.minHeight = `${view.height}px`;
    if (other) { // another model: its own unit and from the start, unless somebody has chosen
      view.unit = view.chosen ?? view.valves?.start ?? 0;
      view.position = view.playing ? 0 : (view.position ?? Infinity);
    }
    view.position = Math.min(view.position, view.steps - 1);
    view.unit = clamp(view.unit, view.valves?.of[0].units ?? 1);
    view.button.hidden = !view.valves;
    repaint(view);
    play(view, view.playing);
  },
  stop(view) {
    view.disconnect();
    view.watch.disconnect();
    document.removeEventListener("keydown", view.anywhere);
    stopClock(view);
  },
});

function decode(bytes) {
  const [message, take] = unpack(bytes);
  for (const split of message.splits) Object.assign(split, { rows: take(split.points), values: take(split.points) });
  message.window.series = message.window.series.map((name) => ({ name, values: take(message.steps) }));
  for (const gauge of message.valves?.of ?? []) gauge.values = take(gauge.units * message.steps);
  return message;
}

// ---- playing, and what the user does ----

function play(view, on) {
  view.playing = on;
  stopClock(view);
  view.button.textContent = on ? "❚❚" : "▶";
  view.button.setAttribute("aria-label", on ? "Pause" : "Play");
  view.element.dataset.playing = on;
  if (!on || !view.valves || !view.seen) return;
  let last = performance.now();
  // Between two frames nothing is asked for: a browser that is asked 60 times a second takes a tenth of a core for it.
  const wait = () => {
    const ask = () => { view.animation = requestAnimationFrame(tick); };
    view.clock = setTimeout(ask, (view.training ? FRAME_TRAINING : FRAME) - SCREEN_FRAME);
  };
  const tick = (now) => {
    const passed = Math.max(0, Math.min(now - last, 250)); // a hidden page must not leap
    last = now;
    const rate = Math.max(view.steps / (2 * LOOP), Math.min(MAX_RATE / 1000, view.steps / LOOP)); // steps per ms
    const end = view.steps - 1 + REST * rate; // it rests on the last step
    view.position = view.position >= end ? 0 : view.position + passed * rate;
    repaintOverlay(view);
    wait();
  };
  wait();
}

function stopClock(view) {
  clearTimeout(view.clock);
  cancelAnimationFrame(view.animation);
}

// Where the cursor stands: it rests on each step, whose numbers are then the bars', and glides to the next.
function eased({ position, steps }) {
  const whole = Math.floor(position), part = Math.max(0, (position - whole - 0.55) / 0.45);
  return Math.min(whole + part * part * (3 - 2 * part), steps - 1);
}

const stepAt = (view) => Math.round(eased(view));

function touch(view, event) {
  const map = view.boxes?.find((box) => box.map), at = pointIn(view.stage, event);
  if (!map || !view.valves) return;
  const begins = event.type === "pointerdown", { row, column } = cellAt(map, at, view.valves.of[0].units, view.steps);
  if (begins) {
    view.pressed = view.boxes.some((box) => (box.map || box.curves) && contains(widened(box), at));
    if (contains(map, at)) view.unit = view.chosen = row; // only a press selects: dragging would go through many units
  }
  if (!view.pressed) return;
  play(view, false);
  const text = view.window.symbols && view.boxes.find(({ curves }) => curves);
  if (begins) view.inText = text && contains(text, at);
  view.position = view.inText ? stepAtPoint(text, view.window.symbols, stepAt(view), at) : column;
  repaintOverlay(view);
}

const widened = ({ x, y, w, h }) => ({ x: x - 8, y: y - TITLE, w: w + 16, h: h + TITLE + AXIS });

function key(view, event) {
  if (!view.valves) return false;
  if (event.key === " ") {
    play(view, !view.playing);
    return true;
  }
  const { rows, columns } = arrowMove(event) ?? { rows: 0, columns: { Home: -Infinity, End: Infinity }[event.key] };
  if (!rows && !columns) return false;
  play(view, false);
  if (columns) view.position = clamp(stepAt(view) + columns, view.steps);
  if (rows) view.unit = view.chosen = clamp(view.unit + rows, view.valves.of[0].units);
  repaintOverlay(view);
  return true;
}

// ---- the picture ----

// With valves: the series, under it the window and the map, on their right the gauges or, where it is narrow, below.
function arrange({ valves, window, height }, width) {
  const inner = width - GUTTER - 8, series = { x: GUTTER, y: TITLE, w: inner, strip: true };
  if (!valves) {
    const both = height - 2 * (TITLE + ENDS) - 8;
    const h = window.symbols ? textHeight(window.symbols, inner, TEXT_LINES) : both / 2;
    const y = TITLE + both - h + ENDS + 8 + TITLE;
    return { boxes: [{ ...series, h: both - h }, { x: GUTTER, y, w: inner, h, curves: window.series }], total: height };
  }
  const narrow = width < NARROW, w = narrow ? inner : inner - VALVES - GAP;
  const top = TITLE + STRIP + ENDS + 6 + TITLE, below = top + WINDOW + 4 + TITLE;
  const rows = valves.of.length * GAUGE, h = height - below - AXIS;
  const boxes = [
    { ...series, h: STRIP },
    { x: GUTTER, y: top, w, h: WINDOW, curves: window.series },
    { x: GUTTER, y: below, w, h, map: valves.of.find(({ name }) => name === "f") },
    narrow
      ? { x: GUTTER, y: height + TITLE, w, h: rows, gauges: valves.of }
      : { x: GUTTER + w + GAP, y: top, w: VALVES, h: below + h - top, gauges: valves.of },
  ];
  return { boxes, total: narrow ? height + TITLE + rows + 6 : height };
}

function paint(view, pen) {
  for (const box of view.boxes) {
    if (box.strip) paintStrip(pen, view, box);
    if (box.curves) paintWindow(pen, view, box);
    if (box.map) paintMap(pen, view, box);
  }
}

function paintStrip(pen, { theme, title, splits, ends, window }, { x, y, w, h }) {
  const rows = spanOf(splits.map((split) => split.rows)), [low, high] = spanOf(splits.map(({ values }) => values));
  const across = (row) => x + ((row - rows[0]) / (rows[1] - rows[0])) * w;
  const down = (value) => y + h - 3 - ((value - low) / (high - low)) * (h - 6);
  pen.fillStyle = theme.empty; // the window's place
  const left = across(window.start), right = across(window.start + window.length - 1);
  pen.fillRect(left - 1, y, Math.max(3, right - left + 2), h);
  for (const { color, dots, rows: at, values } of splits) {
    if (dots) {
      pen.fillStyle = color;
      at.forEach((row, k) => pen.fillRect(across(row) - 1, down(values[k]) - 1, 2.5, 2.5));
    } else line(pen, color, 1.4, Array.from(at, (row, k) => [across(row), down(values[k])]));
  }
  Object.assign(pen, { strokeStyle: theme.text, lineWidth: 1 });
  pen.strokeRect(left - 1, y, Math.max(3, right - left + 2), h);
  heading(pen, theme, title, splits, x, y - TITLE / 2, w - 44);
  write(pen, theme, ends[0], x, y + h + ENDS / 2 + 1);
  write(pen, theme, ends[1], x + w, y + h + ENDS / 2 + 1, { align: "right" });
}

// A title and the legend after it, as much of both as fits.
function heading(pen, theme, title, lines, x, middle, w) {
  let from = x + write(pen, theme, shortened(pen, theme, title, w * 0.7), x, middle, { size: 14, weight: 700 }) + 14;
  for (const [k, { name, color }] of lines.entries()) {
    const label = [...name].length > 28 ? `${[...name].slice(0, 27).join("")}…` : name;
    pen.font = `400 13px ${theme.font}`;
    if (from + 20 + pen.measureText(label).width > x + w) {
      const more = `+ ${lines.length - k} more`;
      if (k && from + pen.measureText(more).width <= x + w) write(pen, theme, more, from, middle);
      return;
    }
    pen.fillStyle = color;
    pen.fillRect(from, middle - 2, 14, 4);
    from += 34 + write(pen, theme, label, from + 20, middle);
  }
}

function shortened(pen, { font }, text, room) {
  pen.font = `700 14px ${font}`;
  const letters = [...text];
  const now = () => (letters.length < [...text].length ? `${letters.join("")}…` : text);
  while (letters.length > 1 && pen.measureText(now()).width > room) letters.pop();
  return now();
}

function paintWindow(pen, view, box) {
  const { theme, window, steps, valves, stride } = view, { x, y, w, h } = box, colors = theme.palette;
  if (window.symbols) {
    heading(pen, theme, `${window.title}, read as symbols`, [], x, y - TITLE / 2, w);
    if (!valves) paintSymbols(pen, theme, box, window.symbols, null);
    return;
  }
  const [low, high] = spanOf(window.series.map(({ values }) => values));
  box.height = (value) => y + h - 3 - ((value - low) / (high - low)) * (h - 6);
  for (const value of [low, high]) {
    write(pen, theme, formatBrief(value), x - 8, Math.round(box.height(value)), { align: "right" });
    line(pen, theme.grid, 1, [[x, box.height(value)], [x + w, box.height(value)]]);
  }
  box.lines = window.series.map((curve, k) => ({ ...curve, color: colors[k % colors.length] }));
  for (const { values, color } of box.lines) {
    line(pen, color, 2, Array.from(values, (value, k) => [x + ((k + 0.5) * w) / steps, box.height(value)]));
  }
  heading(pen, theme, window.title, box.lines, x, y - TITLE / 2, w);
  if (!valves) paintStepAxis(pen, theme, box, steps, stride, AXIS);
}

function paintMap(pen, { theme, steps, stride, scale }, box) {
  const { map, x, y, w, h } = box, middle = y - TITLE / 2, end = x + w;
  paintCells(pen, theme, box, { ...map, low: 0, high: 1, scale, rows: map.units, columns: steps });
  const used = write(pen, theme, "f", x, middle, { size: 14, weight: 700 });
  const units = `${map.units} unit${map.units > 1 ? "s" : ""}`;
  const text = w > 340 ? ` · forget gates of ${units}` : ` · ${units}`;
  write(pen, theme, text, x + used, middle, { size: 14 });
  const right = end - write(pen, theme, "remembers", end, middle, { align: "right" }) - 5;
  paintScale(pen, scale, right - 40, middle, 40);
  write(pen, theme, "forgets", right - 45, middle, { align: "right" });
  paintStepAxis(pen, theme, box, steps, stride, AXIS);
  pen.save();
  pen.translate(x - GUTTER + 14, y + h / 2);
  pen.rotate(-Math.PI / 2);
  write(pen, theme, "unit", 0, 0, { align: "center" });
  pen.restore();
}

// ---- the cursor and the valves: what moves ----

function paintOverlay(view, pen) {
  if (!view.valves) return;
  const { theme, steps, unit } = view, at = eased(view), step = stepAt(view);
  for (const box of view.boxes) {
    if (box.gauges) paintGauges(pen, view, box, at, step);
    if (!box.curves && !box.map) continue;
    if (box.curves && view.window.symbols) {
      paintText(pen, view, box, step);
      continue;
    }
    const x = paintCursor(pen, theme, box, at, steps);
    if (box.map) paintRing(pen, theme.text, theme.back, x, box.y + ((unit + 0.5) * box.h) / box.map.units);
    for (const { values, color } of box.lines ?? []) {
      paintRing(pen, theme.text, color, x, box.height(between(values, at)));
    }
  }
  view.element.dataset.step = step; // for those who do not see the canvas: tests
  if (!view.playing) view.readout.textContent = `step ${step * view.stride + 1} of ${view.window.length}, unit ${unit}`;
}

// The symbols around the cursor, and which ones they are, if they are not all.
function paintText(pen, { theme, window, steps, stride }, box, step) {
  const { first, count } = paintSymbols(pen, theme, box, window.symbols, step);
  if (count === steps) return;
  const text = `${first * stride + 1}–${(first + count - 1) * stride + 1}`;
  write(pen, theme, text, box.x + box.w, box.y - TITLE / 2, { align: "right" });
}
