// What the guided tour says, what each card points at, and when it is done. Card by card; tour.js shows them.

import { withMinus } from "../../canvas.js";
import { editable } from "../touch/edits.js";

const CLOSED = 0.3; // a forget gate under this keeps little of c

const LEAST = 0.01; // how much a forget gate must move over the window for a card about it

const unitOf = (state) => state.sides[0].unit ?? 0;
const show = (value) => withMinus(value.toFixed(2));

function valuesOf(state, name, unit = unitOf(state)) {
  const { scene, layer, direction, sides } = state, from = unit * scene.steps;
  return sides[0].trace[layer][direction][name].subarray(from, from + scene.steps);
}

function ends(state, unit) {
  const values = valuesOf(state, "f", unit);
  return [Math.min(...values), Math.max(...values)];
}

// The unit whose forget gate moves most over the window: { unit, spread }.
export function liveliest(state) {
  const spreads = Array.from({ length: state.scene.hidden }, (_, unit) => {
    const [low, high] = ends(state, unit);
    return high - low || 0;
  });
  const spread = Math.max(...spreads);
  return { unit: spreads.indexOf(spread), spread };
}

// Under which value the forget gate of this unit counts as low: 0.3, or its lowest quarter if it never gets there.
function lowest(state) {
  const [low, high] = ends(state);
  return low < CLOSED ? CLOSED : Math.ceil(100 * (low + (high - low) / 4)) / 100; // as it is shown
}

function lowestText(state) {
  const [low, high] = ends(state), most = unitOf(state) === liveliest(state).unit ? ", more than any other's" : "";
  return `Over this window the forget gate of unit ${unitOf(state)} moves between ${show(low)} and ${show(high)}${most}. `
    + `Stop at a step where it is below ${show(lowest(state))} (← and → step) and see what c keeps.`;
}

function kept(state) {
  const { step, direction, scene } = state, c = valuesOf(state, "c"), past = direction ? step + 1 : step - 1;
  const before = past >= 0 && past < scene.steps ? c[past] : 0, f = valuesOf(state, "f")[step];
  return `f = ${show(f)} at step ${step + 1}: of c = ${show(before)}, ${show(f * before)} was kept.`;
}

const moves = ({ scene }) => scene.steps > 1;
const isTouchable = ({ scene }) => Boolean(scene.symbols) || editable(scene).length > 0;

function touchText({ scene, held }, start) {
  if (start.touched && !held) return "Everything has followed. Press Backspace, and it is as it was.";
  return scene.symbols
    ? "Click a symbol in the row that is read, and choose another: all that comes after it follows."
    : "Take hold of the line and drag it up or down: the cell, the maps and the prediction follow at once. "
      + "The pale line is what was.";
}
const stands = (state, start) => !state.playing && state.step !== start.step;

// at: selector of what the card points at; map: the heatmap among them, by name. parts: which part of the cell it asks
// to be opened. needs: without which the card is left out. done(state, start): start is the state as the card came up.
// enter(state): what is chosen as the card comes up; found: what can be said once it is done.
export const CARDS = [
  {
    title: "What the LSTM reads", at: ".stage-series", needs: moves, done: stands,
    text: () => "This strip shows what the LSTM reads, one step at a time, and what it predicts. Drag the cursor along it.",
  },
  {
    title: "Change it", at: ".stage-series", needs: isTouchable, text: touchText,
    done: ({ edits, held }, start) => {
      start.touched ||= edits !== null;
      return start.touched && edits === null && !held;
    },
  },
  {
    title: "Let it run", at: ".stage-play", needs: moves, done: (state) => state.playing,
    text: () => "At every step the cell takes the input and its own memory, and writes its memory anew. Press play.",
  },
  {
    title: "The forget gate", at: "[data-part=f]", parts: ["f"],
    text: () => "It decides how much of the old cell state is kept: 1 keeps all of it, 0 none. Click on it.",
  },
  {
    title: "Find it at its lowest", at: ".stage-maps", map: "f", found: kept, text: lowestText,
    needs: (state) => moves(state) && liveliest(state).spread >= LEAST,
    enter: (state) => state.set({ unit: liveliest(state).unit }),
    done: (state, start) => stands(state, start) && valuesOf(state, "f")[state.step] < lowest(state),
  },
  {
    title: "Hold it", at: "[data-part=f] .cell-valve",
    text: ({ hold }) => (hold ? "Let go, and the gate is the LSTM's own again."
      : "Take hold of its valve, drag it down and see what becomes of c from here on."),
    done: ({ hold }, start) => {
      start.held ||= hold?.gate === "f";
      return start.held && hold === null;
    },
  },
  {
    title: "What comes in", at: "[data-part=i], [data-part=g]", parts: ["i", "g"],
    text: () => "The candidate g is what could be added to the cell state, and the input gate i decides how much of it "
      + "is. Click on one of them.",
  },
  {
    title: "What goes out", at: "[data-part=o]", parts: ["o"],
    text: () => "The output gate decides how much of the cell state is output as h, and h is all that the rest of the "
      + "network reads. Click on it.",
  },
  {
    title: "Other units", at: ".stage-maps", map: "h", needs: ({ scene }) => scene.hidden > 1,
    text: () => "Each row of a heatmap is one unit, each column one step. Point at another row: the whole stage "
      + "turns to that unit.",
    done: (state, start) => state.unit !== start.unit,
  },
  {
    title: "Watch it learn", at: ".stage-learning", needs: ({ scene }) => scene.snapshots.length > 0,
    text: ({ scene, snapshot }, start) => (start.untrained && snapshot === 0
      ? "This is where it began. Now pull the slider back to the right, slowly, and watch what the gates become."
      : scene.snapshots[0].step ? "Pull this slider to its left end: the earliest epoch that was kept."
        : "Pull this slider to its left end: the LSTM before any training."),
    done: ({ scene, snapshot }, start) => {
      start.untrained ||= snapshot === 0;
      return start.untrained && snapshot === scene.snapshots.length;
    },
  },
  {
    title: "Let it go on", at: ".stage-ahead-button", needs: ({ scene }) => !scene.future.why,
    text: () => "The window ends here, and the model need not: press A, and it reads its own predictions.",
    done: ({ ahead }) => ahead !== null,
  },
];

export const READING = {
  title: "Read it",
  text: () => "This says what the part does, and what it does at this step. When you have read it, close it here "
    + "or with Esc.",
};

export const END = {
  title: "That was the tour",
  text: () => "Whatever you change, all pictures follow: go and find out what this LSTM keeps and forgets. "
    + "Press ? for the keys.",
};
