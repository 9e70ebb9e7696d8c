// The six pictures, units over steps, under the one cursor: click or hover to go to a unit and a step.

import { child, clamp, colorTable, context, brief, line, readTheme, toPixel, typeSize, write } from "./canvas.js";
import { NAMES } from "./scene.js";

const PAINTED_FROM = ["sides", "layer", "direction", "size", "stage", "picture", "theme"];
const GAP = 14, SIDE = 6;

// side: which of the traces that are compared; alone, there is only side 0.
export function mount(root, state, side) {
  const holder = child(root, "div", { class: "stage-maps" });
  const picture = child(holder, "canvas", {}), overlay = child(holder, "canvas", {});
  const view = { holder, picture, overlay, state, side, panels: [] };
  listen(view);
  return {
    update(changed) {
      holder.hidden = !state.sides[side] || (side > 0 && state.compare?.kind === "unit"); // two units, one trace
      if (holder.hidden) return;
      if (PAINTED_FROM.some((name) => changed.has(name))) paint(view);
      paintCursor(view);
    },
    element: holder,
    panelOf: (name) => view.panels.find((panel) => panel.name === name),
  };
}

function listen(view) {
  const { holder, state } = view;
  const go = (event) => {
    const box = holder.getBoundingClientRect();
    const x = event.clientX - box.left, y = event.clientY - box.top;
    const panel = view.panels.find((p) => x >= p.x && x < p.x + p.w && y >= p.y && y < p.y + p.h);
    if (!panel) return;
    const step = clamp(Math.floor(((x - panel.x) / panel.w) * state.scene.steps), state.scene.steps);
    const unit = clamp(Math.floor(((y - panel.y) / panel.h) * panel.units), panel.units);
    state.set({ step, unit, playing: false });
  };
  let held = false;
  holder.addEventListener("pointerdown", (event) => { held = true; holder.setPointerCapture(event.pointerId); go(event); });
  holder.addEventListener("pointermove", (event) => { if (held || event.pointerType === "mouse") go(event); });
  holder.addEventListener("pointerup", () => { held = false; });
}

// What a colour means: gates from 0 to 1, the others about 0, to the largest value of all moments seen so far.
export function range(state, name) {
  if ("ifo".includes(name)) return [0, 1];
  if (name === "g") return [-1, 1];
  const most = state.peaks?.[name] ?? 1;
  return [-most, most];
}

function paint(view) {
  const { holder, state, side } = view, { scene, layer, direction, picture } = state, { trace } = state.sides[side];
  const width = holder.clientWidth, height = holder.clientHeight;
  if (!width || !height) return;
  view.theme = readTheme(holder);
  const pen = context(view.picture, width, height), font = 0.95 * typeSize(holder), title = 1.5 * font;
  const shown = picture ? [picture] : NAMES;
  const columns = Math.min(shown.length, width < 700 ? 3 : 6), rows = Math.ceil(shown.length / columns);
  const w = (width - GAP * (columns - 1) - 2 * SIDE) / columns, h = height / rows - title - 4;
  view.panels = shown.map((name, k) => ({
    name, values: trace[layer][direction][name], units: name === "h" ? scene.width : scene.hidden,
    x: SIDE + (k % columns) * (w + GAP), y: Math.floor(k / columns) * (h + title + 4) + title, w, h,
  }));
  const crowded = scene.steps > w || scene.hidden > h;
  holder.title = crowded ? "More cells than there are dots: each dot is the mean of the cells under it" : "";
  for (const panel of view.panels) {
    paintCells(pen, view, panel, scene.steps);
    const middle = panel.y - title / 2, color = state.colors[panel.name];
    pen.fillStyle = color;
    pen.fillRect(panel.x, middle - 7, 5, 14);
    const used = write(pen, view.theme, panel.name, panel.x + 12, middle, { size: font, weight: 700 });
    const [low, high] = range(state, panel.name);
    const { label } = state.sides[view.side];
    if (label && panel === view.panels[0]) write(pen, view.theme, `  ${label}`, panel.x + 12 + used, middle, { size: font, weight: 600 });
    const words = w > 9 * font && !label ? ` ${state.titles[panel.name]}` : "";
    write(pen, view.theme, words, panel.x + 12 + used, middle, { size: font });
    if (w > 16 * font && !label) write(pen, view.theme, `${brief(low)} … ${brief(high)}`, panel.x + w, middle, { size: font - 1, align: "right" });
  }
}

// One colour per device pixel: the mean of the cells under it, so nothing vanishes where cells are small.
function paintCells(pen, { state, theme }, { name, values, units, x, y, w, h }, steps) {
  const dots = pen.getTransform().a, width = Math.round(w * dots), height = Math.round(h * dots);
  if (width < 1 || height < 1) return;
  const image = pen.createImageData(width, height), pixels = new Uint32Array(image.data.buffer);
  const [low, high] = range(state, name), table = colorTable(state.scales[low < 0 ? "signed" : "gate"]);
  const empty = toPixel(theme.empty), factor = 255 / (high - low);
  const edges = (size, cells) => Int32Array.from({ length: size + 1 }, (_, pixel) => Math.floor((pixel * cells) / size));
  const columns = edges(width, steps), rows = edges(height, units);
  for (let py = 0, at = 0; py < height; py++) {
    const top = rows[py], bottom = Math.max(top + 1, rows[py + 1]);
    if (py && top === rows[py - 1] && bottom === Math.max(rows[py - 1] + 1, top)) {
      pixels.copyWithin(at, at - width, at); // the same units as the line above
      at += width;
      continue;
    }
    for (let px = 0; px < width; px++, at++) {
      const left = columns[px], right = Math.max(left + 1, columns[px + 1]);
      let sum = 0, count = 0;
      for (let unit = top; unit < bottom; unit++) {
        for (let cell = unit * steps + left, end = unit * steps + right; cell < end; cell++) {
          sum += values[cell];
          count++;
        }
      }
      const place = Math.round((sum / count - low) * factor);
      pixels[at] = place === place ? table[clamp(place, 256)] : empty;
    }
  }
  pen.putImageData(image, Math.round(x * dots), Math.round(y * dots));
}

function paintCursor(view) {
  const { holder, state, theme, panels } = view;
  const marked = state.compare?.kind === "unit" ? state.sides : [state.sides[view.side]];
  if (!panels.length) return;
  const pen = context(view.overlay, holder.clientWidth, holder.clientHeight);
  const { step, scene } = state;
  for (const { units, x, y, w, h } of panels) {
    const at = x + ((step + 0.5) * w) / scene.steps;
    line(pen, theme.back, 5, [[at, y], [at, y + h]]);
    line(pen, theme.text, 2, [[at, y], [at, y + h]]);
    marked.forEach(({ unit }, k) => {
      if (unit === null || unit >= units) return;
      const tall = Math.max(h / units, 3), middle = y + ((unit + 0.5) * h) / units;
      Object.assign(pen, { strokeStyle: theme.text, lineWidth: k ? 2.5 : 1.5 });
      pen.setLineDash(k ? [6, 4] : []);
      pen.strokeRect(x - 1, middle - tall / 2, w + 2, tall);
      pen.setLineDash([]);
    });
  }
}
