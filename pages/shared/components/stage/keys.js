// The keyboard: for a speaker who looks at the audience. Keys never fire while something is typed into a field.

import { clamp } from "../canvas.js";
import { toggle } from "./ahead/ahead.js";
import { go } from "./levels/depth.js";
import { NAMES } from "./scene.js";

export const KEYS = [
  ["Space", "play or pause"], ["← →", "one step back or on"], ["Shift ← →", "ten steps"],
  ["Home End", "first or last step"], ["↑ ↓", "unit above or below"], ["0", "the whole layer"],
  ["1 – 6", "i f g o c h large, again: all six"], ["[ ]", "an earlier or later epoch"],
  ["L", "next layer or direction"], ["+ −", "into the cell, out to the network"],
  ["A", "go on past the window, or stop"], ["B", "backward: the gradient of the prediction"],
  ["D", "draw the input, again: grab it"], ["Backspace", "put the input back"],
  ["M", "add this moment to the talk"], ["PgDn PgUp", "on and back in the talk"],
  ["P", "stage mode, on the full screen"], [".", "a pointer: while held, or tapped until the next tap"],
  ["Esc", "close what is open"], ["?", "this list"],
];

export function listen(state, actions) {
  const onKey = (event) => {
    if (typing(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = state.filming ? event.key === "Escape" && state.filming.cancel : command(state, event, actions);
    if (!act) return;
    event.preventDefault(); // the page would scroll
    event.stopPropagation(); // Streamlit has keys of its own: R runs the page again
    act();
  };
  window.addEventListener("keydown", onKey, true);
  return () => window.removeEventListener("keydown", onKey, true);
}

export function typing({ target }) {
  const field = target.closest?.("input, textarea, select, [contenteditable], [role=combobox], [role=slider]");
  return Boolean(field) && !field.matches(".stage input[type=range]");
}

function command(state, { key, shiftKey, target }, { toggleStage, talk }) {
  const { scene, step, unit, snapshot } = state, last = scene.steps - 1;
  if (key === " " || key === "Enter") {
    if (target.closest?.("button, a, summary")) return null; // they have a meaning of their own there
    return key === " " ? () => state.set({ playing: !state.playing }) : null;
  }
  if (/^(Arrow|Home|End)/.test(key) && target.matches?.(".stage-learning input")) return null; // they move that slider
  const far = shiftKey ? 10 : 1;
  const to = (index) => () => state.set({ step: clamp(index, scene.steps), playing: false });
  const select = (index) => () => state.set({ unit: clamp(index, scene.hidden) });
  const draw = () => state.set({ tool: state.tool === "draw" ? "point" : "draw", backward: false });
  if (/^[1-3]$/.test(key) && talk.answer(Number(key) - 1)) return () => {};
  const digit = NAMES[Number(key) - 1];
  if (digit) return () => state.set({ heatmap: state.heatmap === digit ? null : digit });
  return {
    ArrowLeft: to(step - far), ArrowRight: to(step + far), Home: to(0), End: to(last),
    ArrowUp: select((unit ?? 1) - far), ArrowDown: select((unit ?? -1) + far),
    0: () => state.set({ unit: null }),
    "[": () => state.set({ snapshot: Math.max(0, snapshot - 1) }),
    "]": () => state.set({ snapshot: Math.min(scene.snapshots.length, snapshot + 1) }),
    l: () => nextLayer(state), L: () => nextLayer(state),
    a: () => toggle(state), A: () => toggle(state, shiftKey || state.ahead !== null),
    m: () => talk.add(), M: () => talk.add(), PageDown: () => talk.forward(), PageUp: () => talk.back(),
    p: toggleStage, P: toggleStage,
    d: draw, D: draw, Backspace: () => state.set({ edits: null }),
    b: () => state.set({ backward: !state.backward }), B: () => state.set({ backward: !state.backward }),
    "+": () => state.set(go(state, 1)), "=": () => state.set(go(state, 1)), "-": () => state.set(go(state, -1)),
    "?": () => state.set({ help: !state.help }),
    Escape: escape(state, toggleStage, talk),
  }[key];
}

function nextLayer(state) {
  const { layers, directions } = state.scene;
  const index = (state.layer * directions + state.direction + 1) % (layers * directions);
  state.set({ layer: Math.floor(index / directions), direction: index % directions });
}

function escape(state, toggleStage, talk) {
  if (state.help) return () => state.set({ help: false });
  if (state.tool === "draw") return () => state.set({ tool: "point" });
  if (state.menu) return () => state.set({ menu: null });
  for (const name of ["part", "heatmap"]) { // what a talk's moment has opened goes with the talk
    if (state[name] && state[name] !== talk.shown?.[name]) return () => state.set({ [name]: null });
  }
  if (state.giving) return () => talk.leave();
  if (state.touring) return () => state.set({ touring: false });
  return state.stage ? toggleStage : null;
}
