// The browser half of live_plot.py: curves on a canvas that grow while training runs. It is painted only when what it
// shows has changed and is on the screen; zoom, hidden lines and the readout stay. Names are text, never markup.

import { child, line, readTheme } from "./canvas.js";
import { makeAxis, rangeOf } from "./plot_axis.js";
import { boxBetween, listen } from "./plot_input.js";
import { resolve } from "./plot_lines.js";
import { arrange, paintAxes, paintEvents, paintLines, paintMarks, paintZoomBox, shortened } from "./plot_painting.js";
import { drawReadout, eventTexts, lastValues, readValues } from "./plot_readout.js";
import { follow } from "./run_records.js";
import { addressOf, component, isDrawn, unpack } from "./wire.js";

const KEYS = "Arrow keys read the values, plus and minus zoom, 0 shows all.";

export default component(".live-plot", {
  mount,
  show(view, { data }) {
    if (isDrawn(view, data)) return; // a tick of the polling brings it again and again
    const message = decode(data), before = view.message;
    if (message.revision !== before?.revision) Object.assign(view, { zoom: {}, hidden: new Set() });
    if (message.logY !== before?.logY) delete view.zoom.y; // it means nothing on the other scale
    Object.assign(view, { message, theme: themeOf(view.element) });
    view.element.style.height = `${message.height}px`;
    followRecords(view, message.records);
    draw(view);
  },
  stop(view) {
    view.records?.stop();
    view.disconnect();
    cancelAnimationFrame(view.frame);
  },
});

function decode(bytes) {
  const [message, take] = unpack(bytes);
  for (const one of message.lines) if (!one.field) Object.assign(one, { x: take(one.points), y: take(one.points) });
  return message;
}

function themeOf(element) {
  const light = getComputedStyle(element).getPropertyValue("--st-border-color-light").trim();
  return { ...readTheme(element), gridLight: light };
}

// ---- nodes, and what the user does ----

function mount(element) {
  const legend = child(element, "div", { class: "live-plot-legend" });
  const stage = child(element, "div", { class: "live-plot-stage", role: "img", tabindex: "0" });
  const picture = child(stage, "canvas", {}), overlay = child(stage, "canvas", {});
  const readout = child(stage, "div", { class: "live-plot-readout", hidden: "" });
  const tools = child(element, "div", { class: "live-plot-tools" });
  const spoken = child(element, "div", { class: "live-plot-spoken", "aria-live": "polite" });
  const view = { element, legend, stage, picture, overlay, readout, spoken, zoom: {}, hidden: new Set(), redraws: 0 };
  view.seen = true;
  view.reset = button(tools, "Reset zoom", () => { view.zoom = {}; draw(view); });
  button(tools, "Save PNG", () => save(view));
  listen(view, () => draw(view), () => drawOverlay(view));
  const resized = new ResizeObserver(() => draw(view));
  resized.observe(stage);
  // Below the fold nothing is drawn: on two cores the browser's work is taken from the training.
  const scrolled = new IntersectionObserver(([entry]) => {
    view.seen = entry.isIntersecting;
    view.records?.set({ visible: view.seen });
    if (view.isDue) draw(view);
  });
  scrolled.observe(element);
  view.disconnect = () => { resized.disconnect(); scrolled.disconnect(); };
  element.plot = { // for those who do not see the canvas: tests and benchmarks
    get redraws() { return view.redraws; },
    get xRange() { return view.axes && [view.axes.x.low, view.axes.x.high]; },
    get yRange() { return view.axes && [view.axes.y.low, view.axes.y.high]; },
    get box() { return view.layout?.box; },
    get marks() { return view.message?.marks ?? []; },
    get lines() { return view.lines?.map(({ name, x, y }) => ({ name, x: Array.from(x), y: Array.from(y) })) ?? []; },
  };
  return view;
}

function button(parent, text, act) {
  const node = child(parent, "button", { type: "button" });
  node.textContent = text;
  node.addEventListener("click", act);
  return node;
}

function followRecords(view, records) {
  const url = records ? addressOf(records.url) : null;
  if (url !== view.url) {
    view.records?.stop();
    view.records = url && follow(url, () => draw(view));
    view.url = url;
  }
  view.records?.set({ active: records.active, visible: view.seen });
}

// ---- drawing ----

function draw(view) {
  view.isDue = true;
  if (view.frame) return;
  view.frame = requestAnimationFrame(() => {
    view.frame = null;
    if (view.message && view.seen && !view.press && view.stage.clientWidth) drawNow(view);
  });
}

function drawNow(view) {
  view.isDue = false;
  const { message, theme, stage, zoom, hidden } = view, { clientWidth: width, clientHeight: height } = stage;
  view.lines = resolve(view);
  drawLegend(view);
  const shown = view.lines.filter(({ name }) => !hidden.has(name)), { logY } = message;
  view.axes = {
    x: makeAxis(zoom.x ?? rangeOf(shown.map(({ x }) => x), false, 0.01)),
    y: makeAxis(zoom.y ?? message.yRange ?? rangeOf(shown.flatMap(({ low, high }) => [low, high]), logY), logY),
  };
  paint(view, penOf(view.picture, width, height), width, height, shown);
  view.redraws += 1;
  view.element.classList.toggle("zoomed", Boolean(zoom.x ?? zoom.y));
  view.reset.hidden = !(zoom.x ?? zoom.y);
  const said = `${lastValues(view, shown)}${eventTexts(view)}`;
  stage.setAttribute("aria-label", `${message.yTitle} over ${message.xTitle}. ${said} ${KEYS}`);
  Object.assign(theme, { width, height });
  drawOverlay(view);
}

function paint(view, pen, width, height, shown) {
  const { theme, axes, message } = view;
  pen.fillStyle = theme.back;
  pen.fillRect(0, 0, width, height);
  view.layout = arrange(pen, theme, axes, message, width, height);
  paintAxes(pen, theme, view.layout, axes, message);
  paintLines(pen, view.layout.box, axes, shown);
  paintEvents(pen, theme, view.layout.box, axes, message.marks);
}

// A canvas keeps its memory from one frame to the next, unless its size has changed.
function penOf(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1, [w, h] = [width, height].map((size) => Math.round(size * ratio));
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}

function drawLegend(view) {
  const { legend, hidden, lines } = view;
  const looks = JSON.stringify(lines.map(({ name, color, dash, points }) => [name, color, dash, points === 1]));
  if (looks !== view.legendLooks) {
    view.legendLooks = looks;
    legend.replaceChildren();
    for (const one of lines) {
      const node = child(legend, "button", { type: "button", title: `Show or hide ${one.name}` });
      const mark = child(node, "i", one.points === 1 ? { class: "dot-mark" } : {});
      if (one.points === 1) mark.style.background = one.color;
      else {
        const style = { dot: "dotted", dash: "dashed", longdash: "dashed", dashdot: "dashed" }[one.dash] ?? "solid";
        Object.assign(mark.style, { borderTopColor: one.color, borderTopStyle: style, opacity: one.opacity });
        mark.style.borderTopWidth = `${Math.max(2, one.width)}px`;
      }
      child(node, "span", {}).textContent = one.name;
      node.addEventListener("click", () => {
        if (!hidden.delete(one.name)) hidden.add(one.name);
        draw(view);
      });
    }
  }
  lines.forEach(({ name }, k) => legend.children[k].setAttribute("aria-pressed", !view.hidden.has(name)));
}

function drawOverlay(view) {
  if (!view.layout || !view.message) return;
  const { theme, pointer, press, layout: { box } } = view;
  const pen = penOf(view.overlay, theme.width, theme.height);
  const part = press && pointer && boxBetween(view, press, pointer);
  const isInside = pointer && pointer.x >= box.x - 1 && pointer.x <= box.x + box.w + 1;
  if (part) paintZoomBox(pen, theme, part);
  const read = isInside && !part ? readValues(view) : null;
  if (read) paintMarks(pen, theme, box, read.at, read.marks);
  drawReadout(view, read);
}

// ---- as a file ----

function save(view) {
  const { theme, lines, hidden, message: { yTitle } } = view, { width, height } = theme, top = 30;
  const shown = lines.filter(({ name }) => !hidden.has(name)), canvas = document.createElement("canvas");
  Object.assign(canvas, { width: 2 * width, height: 2 * (height + top) });
  const pen = canvas.getContext("2d");
  pen.setTransform(2, 0, 0, 2, 0, 0);
  pen.fillStyle = theme.back;
  pen.fillRect(0, 0, width, height + top);
  let x = 12;
  for (const { name, color } of shown) {
    const text = shortened(pen, theme, name, width / 2, 14);
    line(pen, color, 3, [[x, 15], [x + 18, 15]]);
    Object.assign(pen, { fillStyle: theme.text, textAlign: "left", textBaseline: "middle" });
    pen.fillText(text, x + 24, 15);
    x += 24 + pen.measureText(text).width + 18;
  }
  pen.setTransform(2, 0, 0, 2, 0, 2 * top);
  paint(view, pen, width, height, shown);
  canvas.toBlob((blob) => {
    const link = document.createElement("a"), url = URL.createObjectURL(blob);
    Object.assign(link, { href: url, download: `${yTitle.replace(/[^\w-]+/g, "_")}.png` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  });
}
