// A presenter's pointer: a soft bright dot where the mouse or the finger is, large enough for the back row.

import { child } from "../../canvas.js";
import { iconButton } from "../bar/icons.js";
import { typing } from "../keys.js";

const KEY = ".", HELD = 350; // ms from which on a press of the key was a hold and no tap
const LINGERS = 1500; // ms that it stays where a finger was lifted

export function mount(root, state, bar) {
  const dot = child(root, "div", { class: "stage-pointer", "aria-hidden": "true" });
  const view = { root, state, dot, at: null, pressed: null, before: false, gone: null };
  const toggle = () => state.set({ pointing: !state.pointing });
  const button = iconButton(bar.querySelector(".stage-menus"), "pointer", "Pointer (.)", toggle);
  followHand(view);
  const stop = listen(view);
  return {
    update() {
      button.setAttribute("aria-pressed", state.pointing);
      root.classList.toggle("stage-pointing", state.pointing);
      draw(view);
    },
    element: dot,
    stop,
  };
}

function followHand(view) {
  const { root, state } = view;
  const move = (event) => {
    clearTimeout(view.gone);
    view.at = [event.clientX, event.clientY];
    if (state.pointing) draw(view);
  };
  const leave = () => {
    view.at = null;
    draw(view);
  };
  const lift = ({ pointerType }) => { if (pointerType !== "mouse") view.gone = setTimeout(leave, LINGERS); };
  for (const name of ["pointermove", "pointerdown"]) root.addEventListener(name, move, true);
  for (const name of ["pointerup", "pointercancel"]) root.addEventListener(name, lift, true);
  root.addEventListener("pointerleave", ({ pointerType }) => { if (pointerType === "mouse") leave(); });
}

// Held, the key shows the dot until it is let go; tapped, until it is tapped again.
function listen(view) {
  const { state } = view;
  const down = (event) => {
    if (event.key !== KEY || typing(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.repeat || view.pressed !== null) return;
    Object.assign(view, { pressed: performance.now(), before: state.pointing });
    state.set({ pointing: true });
  };
  const up = ({ key }) => {
    if (key !== KEY || view.pressed === null) return;
    const held = performance.now() - view.pressed > HELD;
    view.pressed = null;
    if (held || view.before) state.set({ pointing: false });
  };
  const lost = () => up({ key: KEY }); // another window has the keyboard: no key will come up here
  window.addEventListener("keydown", down, true);
  window.addEventListener("keyup", up, true);
  window.addEventListener("blur", lost);
  return () => {
    window.removeEventListener("keydown", down, true);
    window.removeEventListener("keyup", up, true);
    window.removeEventListener("blur", lost);
  };
}

function draw({ root, state, dot, at }) {
  dot.hidden = !state.pointing || !at;
  if (dot.hidden) return;
  const { left, top } = root.getBoundingClientRect();
  dot.style.transform = `translate(${at[0] - left}px, ${at[1] - top}px)`;
}
