// A hand on a valve of the drawn cell: f, i or o is held between shut and open, from the step at which the hand is;
// what was played before stays as it was played, and letting go brings back the trace without the hand.

import { child } from "../../canvas.js";
import { number } from "../cell/equations.js";
import { readAt } from "../numbers.js";

const TRAVEL = 90; // px from shut to open
const STARTS = 3; // px after which a press is a drag, and not a click that opens the part

export function mount(holder, state, side) {
  const label = child(holder, "div", { class: "touch-valve touch-apart", role: "status" });
  label.hidden = true;
  let press = null;
  holder.addEventListener("pointerdown", (event) => {
    const valve = event.target.closest?.(".cell-valve");
    if (!valve || press) return;
    press = { id: event.pointerId, y: event.clientY, gate: valve.closest("[data-part]").dataset.part, valve };
  });
  holder.addEventListener("pointermove", (event) => {
    if (press?.id !== event.pointerId) return;
    const up = press.y - event.clientY;
    if (press.from === undefined) {
      if (Math.abs(up) < STARTS) return;
      press.from = valueOf(state, side, press.gate);
      holder.setPointerCapture(event.pointerId);
      holder.classList.add("touch-holding");
    }
    hold(state, side, press.gate, Math.max(0, Math.min(1, press.from + up / TRAVEL)));
  });
  const end = (event) => {
    if (press?.id !== event.pointerId) return;
    if (press.from !== undefined) holder.addEventListener("click", swallow, { capture: true, once: true });
    setTimeout(() => holder.removeEventListener("click", swallow, { capture: true }));
    press = null;
    holder.classList.remove("touch-holding");
    state.set({ hold: null });
  };
  for (const name of ["pointerup", "pointercancel"]) holder.addEventListener(name, end);
  return {
    update() {
      const { hold } = state;
      label.hidden = hold?.side !== side || !press;
      if (label.hidden) return;
      const whose = hold.unit === null ? "all " : ""; // the cell's caption names a unit
      const text = `${whose}${hold.gate} held at ${number(hold.value)}`;
      if (label.textContent !== text) label.textContent = text;
      const ring = press.valve.querySelector(".cell-ring").getBoundingClientRect();
      place(label, holder.getBoundingClientRect(), ring, hold.gate);
    },
  };
}

// Where no number and no title of the cell stands: right of f on the pipe, left of i on its line, under o.
function place(label, inside, ring, gate) {
  const wide = label.offsetWidth, high = label.offsetHeight;
  const left = { f: ring.right + 12, i: ring.left - wide - 10, o: ring.left - wide + 8 }[gate];
  const top = gate === "o" ? ring.bottom + 2 : ring.top + (ring.height - high) / 2;
  label.style.left = `${Math.round(left - inside.left)}px`;
  label.style.top = `${Math.round(top - inside.top)}px`;
}

const swallow = (event) => { event.stopPropagation(); event.preventDefault(); };

// What the valve shows: the gate of the chosen unit, or the mean of the layer.
const valueOf = ({ scene, sides, layer, direction, step }, side, gate) =>
  readAt(sides[side].trace[layer][direction][gate], sides[side].unit, step, scene.steps);

// From this step on, in the order in which the direction reads, the gate has this value.
function hold(state, side, gate, value) {
  const { layer, direction, step, scene } = state, { unit } = state.sides[side], last = state.hold;
  const values = last?.values.slice() ?? new Float32Array(scene.steps).fill(NaN);
  if (direction) values.fill(value, 0, step + 1);
  else values.fill(value, step);
  state.set({ hold: { gate, layer, direction, unit, side, value, values } });
}
