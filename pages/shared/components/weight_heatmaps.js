// The browser half of weights_map.py. Two canvases lie on each other: the picture, painted once per message, size
// or theme; and the mark around one weight or bar, painted at every move of the mouse. canvas.js stands above.

const UNITS = 34, HEAD = 26, TITLE = 20, AXIS = 26, GAP = 16; // CSS pixels around each heatmap
const WIDE = 640, NAMES = 104, LETTERS = 28; // from which width on the gates' names stand beside their letters
const NARROWEST = 78, STRIP = 38; // a column that holds its norm; one of the biases
const HELP = "Hover to read a weight, or move with the arrow keys. Row: the unit whose gate it is. "
  + "Column: what it listens to.";

const views = new WeakMap(); // element -> what must outlive one message

export default function ({ data, parentElement }) {
  const element = parentElement.querySelector(".weights-map");
  if (!views.has(element)) views.set(element, mount(element));
  const view = views.get(element);
  Object.assign(view, decode(data));
  paint(view);
  // Streamlit also runs the cleanup of an overtaken call while the picture is still on the page.
  return () => { if (!element.isConnected) view.stop(); };
}

function decode(bytes) {
  const [message, take] = unpack(bytes);
  for (const panel of message.panels) panel.values = message.gates.map(() => take(message.units * panel.columns));
  for (const panel of message.panels) panel.norms = take(message.gates.length);
  message.counts = message.gates.map(() => take(message.bins));
  return message;
}

function mount(element) {
  const readout = child(element, "div", { class: "weights-map-readout" });
  const stage = child(element, "div", { class: "weights-map-stage", role: "img", tabindex: "0" });
  const picture = child(stage, "canvas", {}), overlay = child(stage, "canvas", {});
  const note = child(element, "div", { class: "weights-map-note" });
  const spoken = child(element, "div", { class: "weights-map-spoken", "aria-live": "polite" });
  const view = { element, readout, stage, picture, overlay, note, spoken, spot: null };
  listen(view);
  const resized = new ResizeObserver(() => {
    if (view.panels && view.width !== stage.clientWidth) paint(view);
  });
  resized.observe(stage);
  view.stop = () => resized.disconnect();
  return view;
}

// ---- what the user does: a spot is {panel, gate, row, column}; the histograms are the panel after the last ----

function listen(view) {
  const { stage } = view;
  stage.addEventListener("pointermove", (event) => {
    view.spot = locate(view, event);
    view.frame ??= requestAnimationFrame(() => { view.frame = null; paintMark(view); });
  });
  stage.addEventListener("pointerleave", () => { view.spot = null; paintMark(view); });
  stage.addEventListener("keydown", (event) => {
    const far = event.shiftKey ? 10 : 1;
    const across = { ArrowLeft: -far, ArrowRight: far }[event.key];
    const down = { ArrowUp: -far, ArrowDown: far }[event.key];
    if (!across && !down) return;
    event.preventDefault(); // the page would scroll
    view.spot = view.spot ? moved(view, view.spot, across ?? 0, down ?? 0) : { panel: 0, gate: 0, row: 0, column: 0 };
    paintMark(view);
    view.spoken.textContent = view.readout.textContent;
  });
}

const columnsOf = (view, panel) => (panel < view.panels.length ? view.panels[panel].columns : view.bins);
const rowsOf = (view, panel) => (panel < view.panels.length ? view.units : 1);

// Past an edge the mark goes on in the neighbour, as if all heatmaps were one.
function moved(view, { panel, gate, row, column }, across, down) {
  column += across;
  row += down;
  if (column >= columnsOf(view, panel) && panel < view.panels.length) [panel, column] = [panel + 1, 0];
  else if (column < 0 && panel > 0) [panel, column] = [panel - 1, Infinity];
  if (row >= rowsOf(view, panel) && gate < view.gates.length - 1) [gate, row] = [gate + 1, 0];
  else if (row < 0 && gate > 0) [gate, row] = [gate - 1, Infinity];
  return fitted(view, { panel, gate, row, column });
}

function fitted(view, { panel, gate, row, column }) {
  panel = clamp(panel, view.panels.length + 1); // another model may have no bias, or fewer units
  return { panel, gate, row: clamp(row, rowsOf(view, panel)), column: clamp(column, columnsOf(view, panel)) };
}

function locate(view, event) {
  const box = view.stage.getBoundingClientRect();
  const x = event.clientX - box.left, y = event.clientY - box.top;
  const spot = view.places.find((p) => x >= p.x && x <= p.x + p.w && y >= p.y && y <= p.y + p.h);
  if (!spot) return null;
  const { panel, gate } = spot;
  const row = Math.floor(((y - spot.y) / spot.h) * rowsOf(view, panel));
  const column = Math.floor(((x - spot.x) / spot.w) * columnsOf(view, panel));
  return fitted(view, { panel, gate, row, column });
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
  const places = [];
  gates.forEach((_, gate) => {
    let x = gutter;
    [...widths, bars].forEach((w, panel) => {
      places.push({ panel, gate, x: Math.round(x), y: HEAD + gate * (TITLE + h) + TITLE, w: Math.round(w), h });
      x += w + GAP;
    });
  });
  return { places, total: HEAD + gates.length * (TITLE + h) + AXIS };
}

function paint(view) {
  view.width = view.stage.clientWidth;
  if (!view.width) return; // hidden; the ResizeObserver calls again
  const { places, total } = arrange(view, view.width);
  view.places = places;
  view.stage.style.height = `${total}px`;
  view.element.style.minHeight = 0;
  view.note.textContent = [view.warning, HELP].filter(Boolean).join(" ");
  view.theme = readTheme(view.element);
  view.stage.setAttribute("aria-label", inWords(view));
  const pen = context(view.picture, view.width, total);
  const table = colorTable(view.scale), most = Math.max(1, ...view.counts.map((counts) => Math.max(...counts)));
  for (const place of places) {
    if (place.panel === view.panels.length) paintBars(pen, view, place, most);
    else paintMap(pen, view, place, table);
  }
  paintGates(pen, view);
  paintScale(pen, view);
  paintMark(view);
}

function inWords({ title, panels, gates }) {
  const norms = panels.map(({ name, norms }) =>
    `${name}: ${gates.map((gate, k) => `${gate.title} ${brief(norms[k])}`).join(", ")}`);
  return `${title}: heatmaps and histograms by gate. Norms of ${norms.join("; of ")}. The arrow keys read single values.`;
}

function paintMap(pen, view, place, table) {
  const { theme } = view, { panel, gate, x, y, w, h } = place, { name, source, norms, ticks } = view.panels[panel];
  paintCells(pen, view, place, table);
  write(pen, theme, `norm ${brief(norms[gate])}`, x, y - TITLE / 2 + 1);
  if (gate === 0) paintHeading(pen, theme, name, source && `← ${source}`, x, w);
  if (gate === view.gates.length - 1) paintTicks(pen, theme, ticks, x, y + h + AXIS / 2 + 1, w);
}

function paintHeading(pen, theme, name, more, x, w) {
  const used = write(pen, theme, name, x, HEAD / 2 - 2, { size: 15, weight: 700 });
  pen.font = `400 13px ${theme.font}`;
  if (pen.measureText(more).width <= w - used - 8) write(pen, theme, more, x + used + 8, HEAD / 2 - 2);
}

// Each column's own tick where it fits, else the first and the last.
function paintTicks(pen, theme, ticks, x, y, w) {
  const wide = w / ticks.length;
  if (wide >= 24) {
    ticks.forEach((tick, k) => {
      write(pen, theme, shortened(pen, theme, tick, wide - 4), x + (k + 0.5) * wide, y, { align: "center" });
    });
    return;
  }
  const first = shortened(pen, theme, ticks[0], w / 2 - 4), last = shortened(pen, theme, ticks.at(-1), w / 2 - 4);
  write(pen, theme, first, x, y);
  write(pen, theme, last, x + w, y, { align: "right" });
}

function shortened(pen, { font }, words, room) {
  pen.font = `400 13px ${font}`;
  let letters = [...words];
  const text = () => (letters.length < [...words].length ? `${letters.join("")}…` : words);
  while (letters.length && pen.measureText(text()).width > room) letters.pop();
  return letters.length ? text() : "";
}

// One colour per device pixel: of the cells under it the one that is farthest from 0. A mean of many would fade to
// white, since weights have both signs; larger cells keep sharp edges.
function paintCells(pen, view, { panel, gate, x, y, w, h }, table) {
  const { units, limit, theme } = view, { columns, values: all } = view.panels[panel], values = all[gate];
  const dots = pen.getTransform().a, width = Math.round(w * dots), height = Math.round(h * dots);
  const image = pen.createImageData(width, height), pixels = new Uint32Array(image.data.buffer);
  const [plain, stripe] = [theme.empty, theme.grid].map(toPixel);
  const edges = (size, cells) =>
    Int32Array.from({ length: size + 1 }, (_, pixel) => Math.floor((pixel * cells) / size));
  const lefts = edges(width, columns), tops = edges(height, units);
  for (let py = 0, at = 0; py < height; py++) {
    const top = tops[py], bottom = Math.max(top + 1, tops[py + 1]);
    for (let px = 0; px < width; px++, at++) {
      const left = lefts[px], right = Math.max(left + 1, lefts[px + 1]);
      let most = NaN;
      for (let row = top; row < bottom; row++) {
        for (let cell = row * columns + left, end = row * columns + right; cell < end; cell++) {
          const value = values[cell];
          if (value - value === 0 && !(Math.abs(value) <= Math.abs(most))) most = value; // finite
        }
      }
      if (most === most) pixels[at] = table[clamp(Math.round((most / limit + 1) * 127.5), 256)];
      else pixels[at] = (px + py) % (8 * dots) < 1.5 * dots ? stripe : plain;
    }
  }
  pen.putImageData(image, Math.round(x * dots), Math.round(y * dots));
}

function paintBars(pen, view, { gate, x, y, w, h }, most) {
  const { theme, counts, bins, edge, gates } = view;
  line(pen, theme.grid, 1, [[x + w / 2, y - 4], [x + w / 2, y + h]]);
  pen.fillStyle = gates[gate].color;
  counts[gate].forEach((count, k) => {
    const from = Math.round(x + (k * w) / bins), to = Math.round(x + ((k + 1) * w) / bins);
    const tall = count && Math.max(1, (count / most) * h);
    pen.fillRect(from, y + h - tall, Math.max(1, to - from - 1), tall);
  });
  line(pen, theme.grid, 1, [[x, y + h], [x + w, y + h]]);
  if (gate === 0) paintHeading(pen, theme, view.counted, "histogram", x, w);
  if (gate < gates.length - 1) return;
  const below = y + h + AXIS / 2 + 1;
  write(pen, theme, brief(-edge), x, below);
  write(pen, theme, "0", x + w / 2, below, { align: "center" });
  write(pen, theme, brief(edge), x + w, below, { align: "right" });
}

function paintGates(pen, { theme, gates, places, units, stride, width }) {
  for (const { gate, panel, x, y, h } of places) {
    if (panel) continue;
    const { name, title, color } = gates[gate];
    write(pen, { ...theme, text: color }, name, 0, y + h / 2 - 10, { size: 22, weight: 700 });
    if (width >= WIDE) write(pen, theme, title, 0, y + h / 2 + 12, { size: 14 });
    write(pen, theme, "0", x - 6, y + 7, { align: "right" });
    write(pen, theme, "unit", x - 6, y + h / 2, { align: "right" });
    if (units > 1) write(pen, theme, String((units - 1) * stride), x - 6, y + h - 6, { align: "right" });
  }
}

function paintScale(pen, { theme, scale, limit, width }) {
  if (width < WIDE) return; // the readout says it in words
  const y = HEAD / 2 - 2, [low, high] = [-limit, limit].map(brief);
  const x = 5 + write(pen, theme, low, 0, y);
  const bar = Math.max(12, Math.min(44, NAMES + UNITS - 12 - x - pen.measureText(high).width));
  const colors = pen.createLinearGradient(x, 0, x + bar, 0);
  scale.forEach((color, k) => colors.addColorStop(k / (scale.length - 1), color));
  pen.fillStyle = colors;
  pen.fillRect(x, y - 5, bar, 10);
  write(pen, theme, high, x + bar + 5, y);
}

// ---- the mark ----

function paintMark(view) {
  if (!view.width) return;
  const { theme, spot } = view;
  const pen = context(view.overlay, view.width, parseFloat(view.stage.style.height));
  if (spot) {
    view.spot = fitted(view, spot);
    const { panel, gate, row, column } = view.spot;
    const place = view.places.find((p) => p.panel === panel && p.gate === gate);
    const w = place.w / columnsOf(view, panel), h = place.h / rowsOf(view, panel);
    const box = [place.x + column * w - 1, place.y + row * h - 1, Math.max(w, 3) + 2, Math.max(h, 3) + 2];
    Object.assign(pen, { strokeStyle: theme.back, lineWidth: 4 });
    pen.strokeRect(...box);
    Object.assign(pen, { strokeStyle: theme.text, lineWidth: 1.5 });
    pen.strokeRect(...box);
  }
  paintReadout(view);
}

function paintReadout(view) {
  const { readout, spot, title } = view, number = document.createElement("b");
  if (!spot) return readout.replaceChildren(title);
  const [words, value] = view.panels[spot.panel] ? ofWeight(view, spot) : ofBar(view, spot);
  number.textContent = value;
  readout.replaceChildren(words, " ", number);
}

function ofWeight({ panels, gates, stride }, { panel, gate, row, column }) {
  const { name, labels, columns, values } = panels[panel], label = labels[column], unit = row * stride;
  const value = values[gate][row * columns + column], where = gates[gate].title;
  const words = name === "bias" ? `${label}, ${where}: unit ${unit}` : `${name}, ${where}: unit ${unit} ← ${label}`;
  return [words, Number.isFinite(value) ? String(Number(value.toPrecision(4))).replace("-", "−") : "not finite"];
}

function ofBar({ counts, gates, counted, edge, bins }, { gate, column }) {
  const low = -edge + (2 * edge * column) / bins, high = low + (2 * edge) / bins;
  const words = `${counted}, ${gates[gate].title}: from ${brief(low)} to ${brief(high)} there are`;
  return [words, counts[gate][column].toLocaleString("en")];
}
