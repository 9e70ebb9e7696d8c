// Works out the gradients of what is shown, while they are asked for, and keeps them in state.gradients, one a side.

import { format, powerOfTen, withMinus } from "../../canvas.js";
import { originalOf } from "../touch/edits.js";
import { gradientOf } from "./gradients.js";

const SLICE = 10, SLICE_HELD = 4; // ms of work before the page may do something else, and while a hand drags
const DECADES = 4; // of sizes that are told apart: what is smaller counts as nothing

export function mount(root, state) {
  let work = null, isStale = false, source = null;
  const start = () => {
    source = originalOf(state.scene);
    isStale = false;
    work = gather(state);
    advance(work);
  };
  const advance = (started) => {
    if (started !== work) return;
    if (!started.next().done) return setTimeout(() => advance(started)); // the page goes first
    work = null;
    if (isStale) setTimeout(() => { if (!work && state.backward) start(); });
  };
  return {
    update(changed) {
      root.classList.toggle("stage-backward", state.backward);
      if (!["backward", "sides"].some((name) => changed.has(name))) return;
      if (state.backward) {
        // A hand changes the trace at every frame: what is begun is finished, and the newest is taken up then.
        if (work && source === originalOf(state.scene)) isStale = true;
        else start();
        return;
      }
      work = null;
      if (state.gradients.length) state.set({ gradients: [] });
    },
  };
}

function* gather(state) {
  const gradients = [], { scene } = state, slice = () => (state.held || state.hold ? SLICE_HELD : SLICE);
  for (const { trace, weights } of state.sides.map(kept)) {
    gradients.push(yield* gradientOf(scene, trace, weights, slice));
  }
  state.set({ gradients });
}

// A changed trace is written into the same arrays again and again (lstm.js), so it is copied before others come.
const kept = ({ trace, weights, before }) => ({ weights, trace: before ? trace.map((row) => row.map(copied)) : trace });

const copied = (maps) => Object.fromEntries(Object.entries(maps).map(([name, values]) => [name, values.slice()]));

// What is shown of one side: the gradients of the chosen layer and direction, and of which prediction they are; null
// while the stage plays forward, or while they are being worked out for another scene.
export function gradientAt({ backward, gradients, layer, direction, scene }, side) {
  const found = gradients[side], own = found?.layers[layer]?.[direction];
  if (!backward || own?.c.length !== scene.hidden * scene.steps) return null;
  return { ...own, asked: found.asked };
}

// From which step to which time plays: the gradient goes from the last that was read to the first.
export function playedWay({ backward, direction, scene: { steps } }) {
  return backward && !direction ? { from: steps - 1, to: 0 } : { from: 0, to: steps - 1 };
}

// The step that the chosen direction reads last, and how many steps before it another is.
export const lastRead = ({ direction, scene: { steps } }) => (direction ? 0 : steps - 1);
export const stepsBack = (state, t) => Math.abs(lastRead(state) - t);

// From −1 to 1, on a log scale: gradients shrink by powers of ten.
export function logShare(value, max) {
  if (!(max > 0) || !value) return 0;
  return Math.sign(value) * Math.max(0, Math.min(1, 1 + Math.log10(Math.abs(value) / max) / DECADES));
}

// Instead of the maps of c and h: their gradients. Null for the gates, which stay what they are.
export function gradientMap(state, side, name) {
  const found = name === "c" || name === "h" ? gradientAt(state, side) : null;
  if (!found) return null;
  const values = Float32Array.from(found[name], (value) => logShare(value, found.max));
  return { values, low: -1, high: 1, label: `∂${name}`, title: "gradient, log scale", span: `±${brief(found.max)}` };
}

// Two or three digits, or so many times a power of ten: a gradient of 0.0004 is read as 4·10⁻⁴.
export function brief(value, digits = 2) {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 0.001 && size < 1000) return format(value, size >= 0.1 ? 3 : 2);
  if (!Number.isFinite(value)) return format(value);
  const [factor, power] = value.toExponential(digits - 1).split("e");
  return `${withMinus(factor)}·${powerOfTen(Number(power))}`;
}
