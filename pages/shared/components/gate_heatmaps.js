// The browser half of gate_view.py. Two canvases lie on each other: the picture, painted once per
// message, size, theme or selected unit; and the time cursor, painted at every move of the mouse.
// The tools are stage/canvas.js, which Python puts before this text.

const GUTTER = 40, RIGHT = 12, TITLE = 26, AXIS = 24, GAP = 10; // CSS pixels around each panel
const TEXT = 70; // height of the readout above and the help below
const SERIES_HEIGHT = 72, CURVES_HEIGHT = 112, LARGE = 14;
const LABEL = "The input series, heatmaps of the gates by unit and step, and one unit's curves. "
  + "Left and right move the time cursor, up and down select the unit.";
const help = (row) => `Hover to read values, click a heatmap to select ${row}; the arrow keys do both.`;

const views = new WeakMap(); // element -> what must outlive one message

export default function ({ data, parentElement, setStateValue }) {
  const element = parentElement.querySelector(".gate-view");
  if (!views.has(element)) views.set(element, mount(element));
  const view = views.get(element);
  const message = decode(data);
  Object.assign(view, message, { setStateValue });
  if (view.rows && view.start !== view.started) view.chosen = view.start; // Python's choice rules
  view.started = view.start;
  view.chosen ??= view.start;
  view.unit = clamp(view.chosen, view.units); // as Python does: more units bring the choice back
  view.cursor = view.cursor === null ? null : clamp(view.cursor, view.steps);
  paint(view);
  // Streamlit also runs the cleanup of an overtaken call while the picture is still on the page.
  return () => { if (!element.isConnected) view.stop(); };
}

function decode(bytes) {
  const [message, take] = unpack(bytes);
  const arrays = []; // sent in the order of their first use
  for (const part of [...message.maps, ...message.groups.flatMap(({ group }) => group)]) {
    part.values = arrays[part.array] ??= take(part.units * message.steps);
  }
  message.series = message.series.map((name) => ({ name, values: take(message.steps) }));
  for (const { lines } of message.curves) for (const line of lines) line.values = take(message.steps);
  return message;
}

function mount(element) {
  const readout = child(element, "div", { class: "gate-view-readout" });
  const note = child(element, "div", { class: "gate-view-note" });
  const stage = child(element, "div", { class: "gate-view-stage", role: "img", tabindex: "0" });
  const picture = child(stage, "canvas", {}), overlay = child(stage, "canvas", {});
  const hint = child(element, "div", { class: "gate-view-note" });
  const spoken = child(element, "div", { class: "gate-view-spoken", "aria-live": "polite" });
  stage.setAttribute("aria-label", LABEL);
  const view = { element, readout, note, stage, picture, overlay, hint, spoken };
  Object.assign(view, { cursor: null, hovered: null }); // a step, a unit; or none
  listen(view);
  const resized = new ResizeObserver(() => {
    if (view.maps && view.width !== stage.clientWidth) paint(view);
  });
  resized.observe(stage);
  view.stop = () => { resized.disconnect(); clearTimeout(view.telling); };
  return view;
}

// ---- what the user does ----

function listen(view) {
  const { stage } = view;
  stage.addEventListener("pointermove", (event) => {
    const spot = locate(view, event);
    if (!spot) return;
    Object.assign(view, { cursor: spot.step, hovered: spot.unit });
    view.frame ??= requestAnimationFrame(() => { view.frame = null; paintCursor(view); });
  });
  stage.addEventListener("pointerleave", () => { view.hovered = null; paintCursor(view); });
  stage.addEventListener("click", (event) => {
    const spot = locate(view, event);
    if (spot && spot.unit !== null) select(view, spot.unit);
  });
  stage.addEventListener("keydown", (event) => {
    const far = event.shiftKey ? 10 : 1;
    const steps = { ArrowLeft: -far, ArrowRight: far, Home: -Infinity, End: Infinity }[event.key];
    const units = { ArrowUp: -far, ArrowDown: far }[event.key];
    if (!steps && !units) return;
    event.preventDefault(); // the page would scroll
    view.hovered = null;
    if (steps) view.cursor = clamp((view.cursor ?? -1) + steps, view.steps);
    if (units) select(view, clamp(view.unit + units, view.units));
    paintCursor(view);
    view.spoken.textContent = view.readout.textContent;
  });
}

function select(view, unit) {
  if (unit === view.unit) return;
  view.unit = view.chosen = unit;
  paint(view);
  clearTimeout(view.telling); // Python hears of the last one when a key is held down
  view.telling = setTimeout(() => view.setStateValue("unit", view.unit), 150);
}

function locate(view, event) {
  const box = view.stage.getBoundingClientRect();
  const x = event.clientX - box.left, y = event.clientY - box.top;
  const panel = view.panels.find((p) =>
    x >= p.x - GUTTER && x <= p.x + p.w + RIGHT && y >= p.y - TITLE && y <= p.y + p.h + AXIS);
  if (!panel || !view.steps) return null;
  const step = clamp(Math.floor(((x - panel.x) / panel.w) * view.steps), view.steps);
  const units = panel.map?.units;
  return { step, unit: units ? clamp(Math.floor(((y - panel.y) / panel.h) * units), units) : null };
}

// ---- the picture ----

function arrange({ maps, groups, series, curves, large, height }, width) {
  const shown = large ? maps.filter((map) => map.name === large) : maps;
  const fitting = width >= 740 ? 3 : width >= 460 ? 2 : 1;
  const columns = Math.min(fitting, shown.length), rows = Math.ceil(shown.length / columns);
  const across = Math.max(1, Math.min(groups.length, fitting === 1 ? 1 : 2));

  const inner = (count) => (width - (count - 1) * GAP) / count - GUTTER - RIGHT;
  const around = TITLE + AXIS;
  const fixed = (series.length ? SERIES_HEIGHT + around : 0)
    + (Math.ceil(groups.length / across) + Math.ceil(curves.length / fitting)) * (CURVES_HEIGHT + around);
  const ideal = inner(columns) * (large ? 0.3 : shown.length > 3 ? 0.5 : 0.7);
  const share = height ? (height - TEXT - fixed) / rows - around : ideal;
  const mapHeight = Math.round(Math.max(70, Math.min(share, large ? 420 : 230)));

  const panels = [];
  let top = 0;
  const stack = (items, count, h) => {
    for (let first = 0; first < items.length; first += count) {
      items.slice(first, first + count).forEach((item, k) => {
        const x = GUTTER + k * (inner(count) + GUTTER + RIGHT + GAP);
        panels.push({ ...item, x, y: top + TITLE, w: inner(count), h });
      });
      top += h + around;
    }
  };
  if (series.length) stack([{ series }], 1, SERIES_HEIGHT);
  stack(shown.map((map) => ({ map })), columns, mapHeight);
  stack(groups, across, CURVES_HEIGHT);
  stack(curves, Math.min(fitting, curves.length), CURVES_HEIGHT);
  return { panels, total: top };
}

function paint(view) {
  view.width = view.stage.clientWidth;
  if (!view.width) return; // hidden; the ResizeObserver calls again
  const { panels, total } = arrange(view, view.width);
  view.panels = panels;
  view.stage.style.height = `${total}px`;
  view.element.style.minHeight = 0;
  view.note.textContent = view.warning;
  view.hint.textContent = help(view.rows ? "a moment" : "a unit");
  view.theme = readTheme(view.element);
  const pen = context(view.picture, view.width, total);
  for (const panel of panels) {
    if (panel.map) paintMap(pen, view, panel);
    else paintCurves(pen, view, panel);
    paintSteps(pen, view, panel);
  }
  paintCursor(view);
}

function paintMap(pen, view, panel) {
  const { theme } = view, { map, x, y, w, h } = panel;
  paintCells(pen, view, panel);
  const used = write(pen, theme, map.name, x, y - TITLE / 2, { size: LARGE, weight: 700 });
  write(pen, theme, map.title && ` · ${map.title}`, x + used, y - TITLE / 2, { size: LARGE });

  const high = brief(map.high), bar = 56, end = x + w; // the colour scale ends the title's line
  const right = end - write(pen, theme, high, end, y - TITLE / 2, { align: "right" }) - 5;
  const colors = pen.createLinearGradient(right - bar, 0, right, 0);
  map.scale.forEach((color, k) => colors.addColorStop(k / (map.scale.length - 1), color));
  pen.fillStyle = colors;
  pen.fillRect(right - bar, y - TITLE / 2 - 5, bar, 10);
  write(pen, theme, brief(map.low), right - bar - 5, y - TITLE / 2, { align: "right" });

  const last = map.units - 1, name = (row) => view.rows?.[row].split(" ").at(-1) ?? String(row);
  write(pen, theme, name(0), x - 12, y + 7, { align: "right" });
  if (last > 0) write(pen, theme, name(last), x - 12, y + h - 6, { align: "right" });
  pen.save();
  pen.translate(x - GUTTER + 8, y + h / 2);
  pen.rotate(-Math.PI / 2);
  write(pen, theme, view.rows?.[0].split(" ")[0] ?? "unit", 0, 0, { align: "center" });
  pen.restore();
  if (map.note) paintNote(pen, theme, map.note, x + w / 2, y + h / 2);
}

function paintNote(pen, theme, words, x, y) {
  const style = { align: "center", size: LARGE }, wide = write(pen, theme, words, x, y, style) + 20;
  pen.fillStyle = theme.back; // the text must be read on any colours
  pen.fillRect(x - wide / 2, y - 13, wide, 26);
  write(pen, theme, words, x, y, style);
}

// One colour per device pixel: the mean of the cells under it. Nothing vanishes where cells are
// smaller than pixels, and larger cells keep sharp edges.
function paintCells(pen, { steps, theme }, { map, x, y, w, h }) {
  const dots = pen.getTransform().a;
  const width = Math.round(w * dots), height = Math.round(h * dots);
  const image = pen.createImageData(width, height), pixels = new Uint32Array(image.data.buffer);
  const table = colorTable(map.scale), [plain, stripe] = [theme.empty, theme.grid].map(toPixel);
  const factor = 255 / (map.high - map.low);
  const edges = (size, cells) =>
    Int32Array.from({ length: size + 1 }, (_, pixel) => Math.floor((pixel * cells) / size));
  const columns = edges(width, steps), rows = edges(height, map.units);
  for (let py = 0, at = 0; py < height; py++) {
    const top = rows[py], bottom = Math.max(top + 1, rows[py + 1]);
    for (let px = 0; px < width; px++, at++) {
      const left = columns[px], right = Math.max(left + 1, columns[px + 1]);
      let sum = 0, count = 0;
      for (let unit = top; unit < bottom; unit++) {
        for (let cell = unit * steps + left, end = unit * steps + right; cell < end; cell++) {
          const value = map.values[cell];
          if (value - value === 0) { sum += value; count++; } // finite
        }
      }
      if (count) pixels[at] = table[clamp(Math.round((sum / count - map.low) * factor), 256)];
      else pixels[at] = (px + py) % (8 * dots) < 1.5 * dots ? stripe : plain;
    }
  }
  pen.putImageData(image, Math.round(x * dots), Math.round(y * dots));
}

// The curves of a panel: the input series, given lines, or what the selected unit did.
function curvesOf({ unit, steps, theme }, { series, lines, group }) {
  if (series) {
    return series.map((line, k) => ({ ...line, color: theme.palette[k % theme.palette.length] }));
  }
  if (lines) return lines.map((line) => ({ ...line, color: line.color ?? theme.text }));
  return group.filter((line) => unit < line.units).map((line) => ({
    ...line,
    values: line.values.subarray(unit * steps, (unit + 1) * steps),
    color: line.color ?? theme.text,
  }));
}

function paintCurves(pen, view, panel) {
  const { theme, steps, unit } = view, { x, y, w, h, title, lines, span } = panel;
  panel.curves = curvesOf(view, panel);
  let [low, high] = span ?? (lines ? [0, 1] : [Infinity, -Infinity]);
  for (const { values } of panel.curves) {
    for (const value of values.filter(Number.isFinite)) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (low > high) [low, high] = [0, 1];
  if (low === high) [low, high] = [low - 0.5, high + 0.5];
  const margin = (high - low) * 0.05;
  panel.height = (value) => y + h - ((value - low + margin) / (high - low + 2 * margin)) * h;

  for (const tick of ticks(low, high, 3)) {
    line(pen, theme.grid, 1, [[x, panel.height(tick)], [x + w, panel.height(tick)]]);
    write(pen, theme, brief(tick), x - 8, panel.height(tick), { align: "right" });
  }
  for (const { values, color, dashed } of panel.curves) {
    const point = (value, k) => [x + ((k + 0.5) * w) / steps, panel.height(value)];
    pen.setLineDash(dashed ? [2, 5] : []);
    line(pen, color, 2, Array.from(values, point));
  }
  pen.setLineDash([]);
  const heading = lines ? title : title ? `${view.rows?.[unit] ?? `Unit ${unit}`} · ${title}` : "Input";
  const strong = { size: LARGE, weight: 700 };
  paintLegend(pen, theme, panel, x + write(pen, theme, heading, x, y - TITLE / 2, strong));
}

function paintLegend(pen, theme, panel, from) {
  const { x, y, w } = panel, curves = panel.curves.filter(({ name }) => name);
  for (const [k, { name, color, dashed }] of curves.entries()) {
    const words = name.length > 24 ? `${name.slice(0, 23)}…` : name;
    if (from + 120 > x + w && k < curves.length - 1) {
      write(pen, theme, `+ ${curves.length - k} more`, from + 16, y - TITLE / 2, { size: LARGE });
      return;
    }
    pen.fillStyle = color;
    for (const at of dashed ? [0, 6, 12] : [0]) pen.fillRect(from + 16 + at, y - TITLE / 2 - 2, dashed ? 4 : 16, 4);
    from += 38 + write(pen, theme, words, from + 38, y - TITLE / 2, { size: LARGE });
  }
}

function paintSteps(pen, { theme, steps, stride }, { x, y, w, h }) {
  const middle = y + h + AXIS / 2;
  write(pen, theme, "step", x - 8, middle, { align: "right" });
  for (const tick of ticks(0, (steps - 1) * stride, Math.max(1, Math.floor(w / 90)))) {
    if (tick % stride && tick) continue;
    const at = x + ((tick / stride + 0.5) * w) / steps;
    line(pen, theme.text, 1, [[at, y + h], [at, y + h + 4]]);
    write(pen, theme, brief(tick), Math.max(at, x + 4), middle + 2, { align: "center" });
  }
}

function ticks(low, high, count) { // about `count` steps of 1, 2 or 5 times a power of ten
  if (!(high > low)) return [low];
  const raw = (high - low) / count, power = 10 ** Math.floor(Math.log10(raw));
  const size = power * [1, 2, 5, 10].find((step) => step * power >= raw * 0.8);
  const first = Math.ceil(low / size - 1e-9), last = Math.floor(high / size + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, k) => (first + k) * size);
}

// ---- the cursor ----

function paintCursor(view) {
  if (!view.width) return;
  const { theme, cursor, steps, unit } = view, marked = view.hovered ?? unit;
  const pen = context(view.overlay, view.width, parseFloat(view.stage.style.height));
  for (const { map, curves, height, x, y, w, h } of view.panels) {
    const at = x + ((cursor + 0.5) * w) / steps;
    const middle = (row) => y + ((row + 0.5) * h) / map.units;
    if (map && unit < map.units) arrows(pen, theme.accent, x, w, middle(unit));
    if (cursor === null || !steps) continue;
    line(pen, theme.back, 4, [[at, y], [at, y + h]]);
    line(pen, theme.text, 1.5, [[at, y], [at, y + h]]);
    if (map && marked < map.units) ring(pen, theme.text, theme.back, at, middle(marked));
    for (const { values, color } of curves ?? []) {
      ring(pen, theme.text, color, at, height(values[cursor]));
    }
  }
  paintReadout(view, marked);
}

function arrows(pen, color, x, w, y) {
  pen.fillStyle = color;
  for (const [tip, side] of [[x - 1, -1], [x + w + 1, 1]]) {
    pen.beginPath();
    pen.moveTo(tip, y);
    pen.lineTo(tip + side * 8, y - 5);
    pen.lineTo(tip + side * 8, y + 5);
    pen.fill();
  }
}

function ring(pen, stroke, fill, x, y) {
  if (!Number.isFinite(y)) return;
  Object.assign(pen, { fillStyle: fill, strokeStyle: stroke, lineWidth: 1.5 });
  pen.beginPath();
  pen.arc(x, y, 4, 0, 7);
  pen.fill();
  pen.stroke();
}

function paintReadout({ readout, theme, cursor, steps, stride, maps, series, rows }, unit) {
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
  if (Number.isInteger(value)) return String(value).replace("-", "−");
  return (Math.abs(value) < 1000 ? value.toFixed(3) : value.toPrecision(6)).replace("-", "−");
}
