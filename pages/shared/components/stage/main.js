// The stage: one trace, played step by step through a drawn LSTM cell. This file puts the parts together.

import { child } from "./canvas.js";
import * as cell from "./cell.js";
import * as compare from "./compare.js";
import { KEYS, listen } from "./keys.js";
import { saidAt, traceOf } from "./lstm.js";
import * as link from "./link.js";
import * as maps from "./maps.js";
import { decode } from "./scene.js";
import * as series from "./series.js";
import { State } from "./state.js";
import * as takeaway from "./takeaway.js";
import * as tour from "./tour.js";
import * as transport from "./transport.js";

const SIZES = ["layers", "directions", "hidden", "width", "steps"];
const KEPT = 64e6; // bytes of earlier moments' traces that stay at hand

// look: colours, titles and scales of the gates, as every figure has them; where: the address to take the state from.
export class Stage {
  constructor(element, look, where = null) {
    this.element = element;
    this.where = where;
    this.given = { look, bytes: null }; // what a page to take away is made from
    this.state = new State({
      scene: null, sides: [], peaks: {}, step: 0, unit: 0, layer: 0, direction: 0, moment: 0, playing: false, speed: 1,
      loop: false, stage: false, picture: null, part: null, help: false, working: false, size: 0, theme: 0,
      compare: null, menu: null, learning: false, touring: false, card: 0, ...look,
    });
    this.frames = new Map(); // what was worked out: key → { trace, said, weights }
    this.work = null;
  }

  // Another window, another training or another layer count takes the old picture's place; the same one changes nothing.
  show(bytes) {
    const scene = decode(bytes);
    if (scene.id === this.state.scene?.id) return;
    this.given.bytes = bytes;
    const first = !this.state.scene, { state } = this;
    const wasNow = first || state.moment === state.scene.snapshots.length;
    const step = first ? 0 : state.scene.snapshots[state.moment]?.step;
    this.frames.clear();
    const moment = wasNow ? scene.snapshots.length : nearest(scene, step);
    // Until the new traces are there the old ones stand, unless they have not this scene's sizes.
    if (SIZES.some((size) => scene[size] !== state.scene?.[size])) state.set({ sides: [] });
    state.set({ scene, moment, peaks: {}, compare: compare.within(scene, state.compare), ...inside(scene, state) });
    if (first) {
      state.set({ step: Math.min(scene.steps - 1, Math.floor(scene.steps / 2)), ...link.read(this.where, scene) });
      this.mount();
    }
    this.look();
    state.tell();
  }

  mount() {
    const { element, state } = this, actions = { toggleStage: () => state.set({ stage: !state.stage }) };
    element.replaceChildren();
    const top = child(element, "div", { class: "stage-top" });
    const middle = child(element, "div", { class: "stage-middle" });
    const below = child(element, "div", { class: "stage-below" });
    const bar = transport.mount(element, state, actions);
    const strip = series.mount(top, state), cells = [0, 1].map((side) => half(middle, state, side));
    const rows = [0, 1].map((side) => maps.mount(below, state, side));
    const menus = [compare.mountMenu(bar.element, state), takeaway.mountMenu(bar.element, state, this)];
    this.parts = [strip, ...cells, ...rows, bar, ...menus, tour.mount(element, state, rows[0].panelOf)];
    this.help = helpPanel(element, state);
    this.spoken = child(element, "div", { class: "stage-spoken", "aria-live": "polite" });
    const play = transport.player(state);
    state.on((changed) => {
      if (["moment", "compare"].some((name) => changed.has(name))) this.look();
      element.classList.toggle("stage-large", state.stage);
      element.classList.toggle("stage-two", state.sides.length > 1);
      this.help.hidden = !state.help;
      for (const part of this.parts) part.update(changed);
      play(changed);
      this.speak();
      link.write(this.where, state);
    });
    const resized = new ResizeObserver(() => state.set({ size: `${element.clientWidth} ${element.clientHeight}` }));
    resized.observe(element);
    const themed = setInterval(() => state.set({ theme: getComputedStyle(element).color }), 500);
    const deaf = listen(state, actions);
    this.stop = () => {
      resized.disconnect();
      clearInterval(themed);
      deaf();
      link.stop();
      state.set({ playing: false, learning: false });
    };
  }

  // Brings the traces of the chosen moment and, if there is one, of its comparison.
  look() {
    const { state } = this, what = JSON.stringify([state.scene.id, state.moment, state.compare]);
    if (what === this.looked) return;
    this.looked = what;
    this.work?.return();
    this.work = this.gather(compare.sidesOf(state));
    this.carry(this.work);
  }

  *gather(sides) {
    const { state } = this;
    for (const side of sides) Object.assign(side, yield* this.frame(side));
    const peaks = { ...state.peaks };
    for (const { trace } of sides) {
      for (const one of trace.flat()) for (const name of ["c", "h"]) {
        for (const value of one[name]) peaks[name] = Math.max(peaks[name] ?? (name === "h" ? 1 : 0.01), Math.abs(value));
      }
    }
    state.set({ sides, peaks, working: false });
  }

  // edit: see lstm.js; other: which of scene.others, instead of a moment of this run.
  *frame({ moment, edit = null, other = null }) {
    const { scene } = this.state, now = moment >= scene.snapshots.length;
    const { weights } = scene.others[other] ?? scene.snapshots[moment] ?? scene;
    const key = JSON.stringify([moment, edit, other]);
    if (!this.frames.has(key)) {
      const trace = now && !edit && !scene.others[other] ? scene.trace : yield* traceOf(scene, weights, edit);
      this.frames.set(key, { trace, said: saidAt(scene, trace, weights), weights });
      const size = 4 * 6 * scene.hidden * scene.steps * scene.layers * scene.directions;
      const surplus = this.frames.size - Math.max(2, Math.floor(KEPT / size)); // both sides always fit
      for (const old of [...this.frames.keys()].slice(0, Math.max(0, surplus))) this.frames.delete(old);
    }
    return this.frames.get(key);
  }

  // A long computation gives way to the page between its slices.
  carry(work) {
    if (work !== this.work || work.next().done) return;
    this.state.set({ working: true });
    setTimeout(() => this.carry(work));
  }

  speak() {
    const { state, spoken } = this, { scene, sides, layer, direction, step } = state;
    if (!sides.length || state.playing) return;
    const { trace, unit } = sides[0], maps = Object.entries(trace[layer][direction]);
    const mean = (values) => {
      let sum = 0;
      for (let at = step; at < values.length; at += scene.steps) sum += values[at];
      return (sum * scene.steps) / values.length;
    };
    const of = (values) => (unit === null ? mean(values) : values[unit * scene.steps + step]);
    const numbers = maps.map(([name, values]) => [name, of(values)]).filter(([, value]) => value !== undefined);
    const who = unit === null ? "mean of all units" : `unit ${unit}`;
    const words = `Step ${step}, ${who}: ${numbers.map(([name, value]) => `${name} ${value.toFixed(2)}`).join(", ")}`;
    if (spoken.textContent !== words) spoken.textContent = words;
  }
}

const nearest = ({ snapshots }, step) => {
  const far = snapshots.map((snapshot) => Math.abs(snapshot.step - step));
  return far.length ? far.indexOf(Math.min(...far)) : 0;
};

// The choices as far as this scene has them.
function inside(scene, { step, unit, layer, direction }) {
  return {
    step: Math.min(step, scene.steps - 1),
    unit: unit === null ? null : Math.min(unit, scene.hidden - 1),
    layer: Math.min(layer, scene.layers - 1),
    direction: Math.min(direction, scene.directions - 1),
  };
}

// One side's cell under its name.
function half(middle, state, side) {
  const element = child(middle, "div", { class: "stage-half" });
  const parts = [compare.mountName(element, state, side), cell.mount(element, state, side)];
  return {
    update(changed) {
      element.hidden = !state.sides[side];
      for (const part of parts) part.update(changed);
    },
    element,
  };
}

function helpPanel(element, state) {
  const panel = child(element, "div", { class: "stage-help", role: "dialog", "aria-label": "Keys" });
  for (const [keys, does] of KEYS) {
    const row = child(panel, "div", {});
    for (const key of keys.split(" ")) child(row, "kbd", {}).textContent = key;
    child(row, "span", {}).textContent = does;
  }
  panel.addEventListener("click", () => state.set({ help: false }));
  panel.hidden = true;
  return panel;
}
