// The stage: one trace, played step by step through a drawn LSTM cell. This file puts the parts together.

import { child } from "../canvas.js";
import * as ahead from "./ahead/ahead.js";
import { clampChoice } from "./ahead/choice.js";
import { follower } from "./ahead/follow.js";
import * as backward from "./backward/backward.js";
import * as decay from "./backward/decay.js";
import * as cell from "./cell/cell.js";
import * as compare from "./bar/compare.js";
import { KEYS, listen } from "./keys.js";
import { predictionAt, traceOf } from "./lstm.js";
import * as link from "./link.js";
import * as heatmaps from "./heatmaps.js";
import { readAt } from "./numbers.js";
import { decode } from "./scene.js";
import * as levels from "./levels/levels.js";
import * as inputSeries from "./strip/input_series.js";
import * as pointer from "./pointer/pointer.js";
import { State } from "./state.js";
import * as exports from "./export/export.js";
import * as tour from "./tour/tour.js";
import * as talk from "./talk/mount.js";
import { EMPTY, Talk } from "./talk/talk.js";
import { toggleStage, watchScreen } from "./full_screen.js";
import * as transport from "./bar/transport.js";
import { clampEdits, edited, originalOf } from "./touch/edits.js";
import { Follower } from "./touch/follow.js";
import * as touch from "./touch/touch.js";

const SIZES = ["layers", "directions", "hidden", "width", "steps"];
const TRACED_FROM = ["snapshot", "compare", "edits", "hold", "held"];
const RESTED = 400; // ms without another trace, after which the first grab is prepared
const CACHE_BYTES = 64e6; // of traces of other snapshots that are kept

// style: colours, titles and scales of the gates, as every figure has them; where: the address to take the state from.
export class Stage {
  constructor(element, style, where = null) {
    this.element = element;
    this.where = where;
    this.given = { style, bytes: null }; // what an exported page is made from
    this.state = new State({
      scene: null, sides: [], maxAbs: {}, step: 0, unit: 0, layer: 0, direction: 0, snapshot: 0, playing: false,
      speed: 1, loop: false, stage: false, heatmap: null, part: null, help: false, working: false, size: 0, theme: 0,
      compare: null, menu: null, learning: false, touring: false, card: 0, predictionColors: [],
      ahead: null, aheadBefore: null, continued: [], pointing: false, backward: false, gradients: [], level: 2,
      settled: null, talk: EMPTY, giving: null, wanted: null, filming: null, ...touch.FIELDS, ...style,
    });
    this.frames = new Map(); // what was worked out: key → { trace, prediction, weights }
    this.follower = new Follower(); // of a changed input
    this.seen = {}; // the largest |c| and |h| of the input as it was
    this.tracing = null; // the computation of the traces to be shown
  }

  // What the page sends. A talk that is being given stays; the newest scene of the page comes back at its end.
  show(bytes) {
    this.own = bytes;
    if (!this.talk?.target && !this.state.filming) this.open(decode(bytes), bytes);
  }

  // The page's own scene again; choose(scene): what is chosen of it.
  openOwn(choose) {
    const scene = decode(this.own);
    this.open(scene, this.own, choose(scene));
  }

  // Another window, another training or another layer count takes the old one's place; of the same one only the choices
  // do. choices: what is shown of it, for a moment of a talk.
  open(scene, bytes, choices = {}) {
    if (scene.id === this.state.scene?.id) return this.state.set(choices);
    this.given.bytes = bytes;
    const first = !this.state.scene, { state } = this;
    const wasNow = first || state.snapshot === state.scene.snapshots.length;
    const snapshotStep = first ? 0 : state.scene.snapshots[state.snapshot]?.step;
    this.frames.clear();
    this.seen = {};
    this.follower.clear();
    const snapshot = wasNow ? scene.snapshots.length : nearest(scene, snapshotStep);
    // Until the new traces are there the old ones stand, unless they have not this scene's sizes.
    if (SIZES.some((size) => scene[size] !== state.scene?.[size])) state.set({ sides: [] });
    const comparison = compare.clampComparison(scene, state.compare);
    const edits = touch.sameWindow(scene, state.scene) ? clampEdits(scene, state.edits) : null;
    const kept = { compare: comparison, edits, ahead: clampChoice(scene, state.ahead), ...clampedChoices(scene, state) };
    state.set({ scene, snapshot, maxAbs: {}, held: null, hold: null, ...kept, ...choices });
    state.set({ scene: edited(scene, state.edits) });
    if (first) {
      const step = Math.min(scene.steps - 1, Math.floor(scene.steps / 2));
      state.set({ step, ...scene.opening, ...link.read(this.where, scene) });
      state.set({ scene: edited(scene, state.edits) });
      this.mount();
    }
    this.trace();
    state.notify();
  }

  mount() {
    const { element, state } = this, actions = { toggleStage: () => toggleStage(element, state) };
    actions.talk = this.talk = new Talk(this, actions);
    element.replaceChildren();
    const top = child(element, "div", { class: "stage-top" });
    const middle = child(element, "div", { class: "stage-middle" });
    const below = child(element, "div", { class: "stage-below" });
    const bar = transport.mount(element, state, actions);
    const strip = inputSeries.mount(top, state), cells = [0, 1].map((side) => half(middle, state, side));
    const rows = [0, 1].map((side) => heatmaps.mount(below, state, side));
    const menus = [compare.mountMenu(bar.element, state), exports.mountMenu(bar.element, state, this)];
    this.strip = strip;
    const [tools, hand] = touch.mount(strip.view, state), hands = [hand, ahead.mount(top, state, strip)];
    const overlays = [decay.mount(element, state, strip), pointer.mount(element, state, bar.element)];
    const guide = tour.mount(element, state, rows[0].boxOf), gradients = backward.mount(element, state);
    const talking = talk.mount(element, bar.element, this.talk);
    // The second row of maps first: where it comes or goes, the first one is painted to another height.
    const drawn = [tools, strip, ...hands, ...cells, ...rows.toReversed(), bar];
    this.parts = [gradients, ...drawn, ...menus, guide, ...overlays, talking];
    this.help = helpPanel(element, state);
    this.spoken = child(element, "div", { class: "stage-spoken", "aria-live": "polite" });
    const play = transport.player(state), goOn = follower(state);
    state.on((changed) => {
      if (changed.has("edits")) state.set({ scene: edited(state.scene, state.edits) });
      if (TRACED_FROM.some((name) => changed.has(name))) this.trace();
      goOn();
      state.absorb(changed);
      element.classList.toggle("stage-large", state.stage);
      element.classList.toggle("stage-two", state.sides.length > 1);
      this.help.hidden = !state.help;
      for (const part of this.parts) part.update(changed);
      play(changed);
      this.speak();
      link.write(state.giving || state.filming ? null : this.where, state);
    });
    const resized = new ResizeObserver(() => state.set({ size: `${element.clientWidth} ${element.clientHeight}` }));
    resized.observe(element);
    const themed = setInterval(() => state.set({ theme: getComputedStyle(element).color }), 500);
    const unlisten = listen(state, actions), unwatch = watchScreen(element, state);
    this.stop = () => {
      unwatch();
      clearTimeout(this.later);
      resized.disconnect();
      clearInterval(themed);
      unlisten();
      for (const part of this.parts) part.stop?.();
      link.stop();
      state.set({ playing: false, learning: false });
    };
  }

  // Brings the traces of the chosen snapshot and, if there is one, of its comparison.
  trace() {
    const { state } = this, shown = [state.scene, state.snapshot, state.compare, state.hold, Boolean(state.held)];
    if (this.traced?.every((value, k) => value === shown[k])) return;
    this.traced = shown;
    this.tracing?.return();
    this.tracing = this.gather(compare.comparedSides(state));
    this.advance(this.tracing);
  }

  *gather(sides) {
    const { state } = this;
    for (const [k, side] of sides.entries()) Object.assign(side, yield* this.frame(side, k));
    const isHeld = state.held || state.hold; // under a hand the colours mean the same
    const maxAbs = isHeld ? state.maxAbs : this.largest(sides);
    state.set({ sides, maxAbs, working: false });
    clearTimeout(this.later);
    this.later = setTimeout(() => touch.whenIdle(() => this.prepare()), RESTED);
  }

  // Of c and h over all that was seen with the input as it was, and over these sides.
  largest(sides) {
    const grown = (found, traces) => {
      const grew = { h: found.h ?? 1, c: found.c ?? 0.01 };
      for (const layer of traces.flat(2)) for (const name of ["c", "h"]) {
        for (const value of layer[name]) grew[name] = Math.max(grew[name], Math.abs(value));
      }
      return grew;
    };
    this.seen = grown(this.seen, sides.map(({ trace, before }) => before ?? trace));
    return grown(this.seen, sides.flatMap(({ trace, before }) => (before ? [trace] : [])));
  }

  // What a side shows: the input as it was, or the one that a hand has changed; before: the trace without the hand;
  // hold: the valve that it holds.
  *frame(side, place) {
    const { scene, held, compare: comparison } = this.state, before = yield* this.original(side);
    const hold = touch.holdOf(this.state.hold, place, comparison);
    if (!scene.original && !hold) return { ...before, before: null, hold };
    const changes = { edit: side.edit ?? null, hold, live: Boolean(held || hold) };
    const frame = yield* this.follower.frame(scene, keyOf(side, place), before.weights, changes);
    return { ...frame, before: before.trace, hold };
  }

  // What the first grab, or valve, would have to wait for.
  prepare() {
    const { scene, sides, playing, learning, working } = this.state;
    if (!playing && !learning && !working) sides.forEach((side, k) => {
      this.follower.prepare(scene, keyOf(side, k), side.weights, side.edit ?? null);
    });
  }

  // edit: see lstm.js; other: which of scene.others, instead of a snapshot of this run.
  *original({ snapshot, edit = null, other = null }) {
    const scene = originalOf(this.state.scene), now = snapshot >= scene.snapshots.length;
    const { weights } = scene.others[other] ?? scene.snapshots[snapshot] ?? scene;
    const key = JSON.stringify([snapshot, edit, other]);
    if (!this.frames.has(key)) {
      const trace = now && !edit && !scene.others[other] ? scene.trace : yield* traceOf(scene, weights, edit);
      this.frames.set(key, { trace, prediction: predictionAt(scene, trace, weights), weights });
      const size = 4 * 6 * scene.hidden * scene.steps * scene.layers * scene.directions;
      const surplus = this.frames.size - Math.max(2, Math.floor(CACHE_BYTES / size)); // both sides always fit
      for (const old of [...this.frames.keys()].slice(0, Math.max(0, surplus))) this.frames.delete(old);
    }
    return this.frames.get(key);
  }

  // A long computation gives way to the page between its slices.
  advance(tracing) {
    if (tracing !== this.tracing || tracing.next().done) return;
    this.state.set({ working: true });
    setTimeout(() => this.advance(tracing));
  }

  speak() {
    const { state, spoken } = this, { scene, sides, layer, direction, step } = state;
    if (!sides.length || state.playing || state.held || state.hold) return;
    const { trace, unit } = sides[0], has = (values) => unit === null || unit * scene.steps < values.length;
    const numbers = Object.entries(trace[layer][direction]).filter(([, values]) => has(values))
      .map(([name, values]) => [name, readAt(values, unit, step, scene.steps)]);
    const which = unit === null ? "average over units" : `unit ${unit}`;
    const text = `Step ${step + 1}, ${which}: ${numbers.map(([name, value]) => `${name} ${value.toFixed(2)}`).join(", ")}`;
    if (spoken.textContent !== text) spoken.textContent = text;
  }
}

const keyOf = ({ snapshot, edit = null, other = null }, place) => JSON.stringify([snapshot, edit, other, place]);

const nearest = ({ snapshots }, step) => {
  const distances = snapshots.map((snapshot) => Math.abs(snapshot.step - step));
  return distances.length ? distances.indexOf(Math.min(...distances)) : 0;
};

// The choices as far as this scene has them.
function clampedChoices(scene, { step, unit, layer, direction }) {
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
  parts.push(levels.mount(parts[1].element, state, side));
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
  for (const [keys, meaning] of KEYS) {
    const row = child(panel, "div", {});
    for (const key of keys.split(" ")) child(row, "kbd", {}).textContent = key;
    child(row, "span", {}).textContent = meaning;
  }
  panel.addEventListener("click", () => state.set({ help: false }));
  panel.hidden = true;
  return panel;
}
