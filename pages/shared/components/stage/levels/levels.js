// Three depths of one drawing: the network, a layer unrolled in time, and the cell that cell/ draws. A camera goes
// from one to the next; the cell's own drawing rides along in the middle box of the chosen layer.

import { child } from "../../canvas.js";
import { tables, tint } from "../cell/cell.js";
import { svg } from "../cell/drawing.js";
import { range } from "../heatmaps.js";
import * as camera from "./camera.js";
import { CELL, NAMES, go } from "./depth.js";
import * as network from "./network.js";
import * as unrolled from "./unrolled.js";

// holder: of the cell, which the world shares; side: of the state's.
export function mount(holder, state, side) {
  const view = { holder, state, side, world: null, zoom: state.level, colors: null };
  const bar = buttons(holder, state);
  const zoomTo = camera.zoomer(state.level, (zoom) => {
    look(view, zoom);
    if (side === 0 && zoom === state.level) state.set({ settled: zoom }); // the tour points at parts where they rest
  });
  state.set({ settled: state.level });
  const show = (changed) => {
    if (!state.sides[side]) return;
    if (!isStep(changed) && rebuild(view)) look(view, view.zoom);
    if (view.zoom < CELL || state.level < CELL) update(view);
  };
  new ResizeObserver(() => show(null)).observe(holder);
  return {
    element: holder,
    update(changed) {
      if (changed.has("theme") || !view.colors) view.colors = tables(state.scales, holder);
      bar();
      show(changed);
      if (changed.has("level")) {
        if (state.level < CELL && state.part) state.set({ part: null });
        if (side === 0) state.set({ settled: null });
        zoomTo(state.level, !view.world);
      } else if (["layer", "direction", "sides"].some((name) => changed.has(name)) && view.world) look(view, view.zoom);
    },
  };
}

// Whether nothing but another step is to be shown: to ask for the sizes would lay the page out once more at each.
const isStep = (changed) => changed !== null && [...changed].every((name) => name === "step" || name === "playing");

// The world for this size and this network; true if it is a new one.
function rebuild(view) {
  const { holder, state } = view, { scene } = state, w = holder.clientWidth, h = holder.clientHeight;
  const shape = JSON.stringify([w, h, scene.id]);
  if (!w || !h || shape === view.shape) return false;
  view.world?.root.remove();
  const root = svg(holder, "svg", { class: "levels", role: "group", "aria-label": "The network" });
  const at = network.place(w, h, scene), inner = unrolled.place({ w, h });
  const open = (layer, direction) => state.set({ layer, direction, ...go(state, 1) });
  const press = (offset) => state.set(offset ? move(state, offset) : go(state, 1));
  const whole = network.build(root, at, state, open);
  const layers = at.layers.map((row) => row.map(({ screen }) => {
    const group = svg(root, "g", { transform: `translate(${screen.x} ${screen.y}) scale(${screen.w / w})` });
    return unrolled.build(group, inner, press);
  }));
  Object.assign(view, { shape, world: { root, at, inner, whole, layers, w, h } });
  return true;
}

const move = ({ step, scene }, offset) =>
  (step + offset < 0 || step + offset >= scene.steps ? {} : { step: step + offset, playing: false });

function update(view) {
  const { world, state, side } = view;
  if (!state.sides[side]) return; // a scene of other sizes is on its way, or a second side has just gone
  const { trace } = state.sides[side], largest = largestInput(state.scene);
  const span = (name) => (name === "x" ? [-largest, largest] : range(state, name));
  const paint = (name, value) => tint({ tables: view.colors }, span(name), value);
  if (!world || trace.length !== world.layers.length) return;
  network.update(world.whole, state, side, paint);
  world.layers.forEach((row, layer) => row.forEach((drawn, direction) => {
    const chosen = layer === state.layer && direction === state.direction;
    if (chosen || view.zoom < 1) unrolled.update(drawn, state, side, layer, direction, paint);
  }));
}

const largest = new WeakMap(); // scene → the largest size of its inputs, and 1 at least
function largestInput(scene) {
  if (!largest.has(scene)) largest.set(scene, scene.inputs.reduce((max, value) => Math.max(max, Math.abs(value) || 0), 1));
  return largest.get(scene);
}

// Points the camera, and lays the cell's own drawing where its box is seen. Letters come once they are large enough.
function look(view, zoom) {
  const { holder, world, state } = view, before = view.zoom;
  view.zoom = zoom;
  if (!world) return;
  if ([CELL, 1].some((depth) => before >= depth && zoom < depth)) update(view); // what was not in view until now
  const { w, h, at, inner, root } = world, { screen } = at.layers[state.layer]?.[state.direction] ?? at.layers[0][0];
  const seen = camera.inView(zoom, { w, h }, { layer: screen, cell: inner.screen });
  root.setAttribute("viewBox", [seen.x, seen.y, seen.w, seen.h].join(" "));
  const box = camera.seen(camera.within(screen, inner.screen, w), seen, w), inside = zoom >= CELL;
  holder.classList.toggle("levels-inside", inside);
  holder.classList.toggle("levels-network-only", zoom < 0.5);
  const letters = (from) => String(Math.max(0, Math.min(1, (zoom - from) / 0.35)));
  holder.style.setProperty("--levels-unrolled", letters(0.6));
  holder.style.setProperty("--levels-cell", letters(1.6));
  const cell = holder.querySelector(".cell");
  if (cell) cell.style.transform = inside ? "" : `translate(${box.x}px, ${box.y}px) scale(${box.w / w})`;
}

// Two buttons in the corner, for the mouse and the finger.
function buttons(holder, state) {
  const bar = child(holder, "div", { class: "levels-buttons", role: "group", "aria-label": "Depth" });
  const button = (sign, by) => {
    const made = child(bar, "button", { type: "button" });
    made.textContent = sign;
    made.addEventListener("mousedown", (event) => event.preventDefault()); // the keys stay the stage's
    made.addEventListener("click", () => state.set(go(state, by)));
    return made;
  };
  const out = button("−", -1), into = button("+", 1);
  return () => {
    for (const [made, by, key] of [[out, -1, "−"], [into, 1, "+"]]) {
      const to = NAMES[state.level + by];
      made.disabled = !to;
      made.title = made.ariaLabel = to ? `To the ${to} (${key})` : `This is the ${NAMES[state.level]}`;
    }
  };
}
