// What the guided tour says, what each card points at, and when it is done. Card by card; tour.js shows them.

import { withMinus } from "../canvas.js";

const CLOSED = 0.3; // a forget gate under this keeps little

const unitOf = (state) => state.sides[0].unit ?? 0;

function valuesOf(state, name) {
  const { scene, layer, direction, sides } = state, from = unitOf(state) * scene.steps;
  return sides[0].trace[layer][direction][name].subarray(from, from + scene.steps);
}

// Under which value the forget gate of this unit counts as closing: 0.3, or its lowest quarter if it never gets there.
function closing(state) {
  const values = valuesOf(state, "f"), low = Math.min(...values), high = Math.max(...values);
  return low < CLOSED ? CLOSED : low + (high - low) / 4;
}

function forgotten(state) {
  const { step, direction, scene } = state, c = valuesOf(state, "c"), past = direction ? step + 1 : step - 1;
  const before = past >= 0 && past < scene.steps ? c[past] : 0, show = (value) => withMinus(value.toFixed(2));
  const f = valuesOf(state, "f")[step];
  return `f = ${show(f)} at step ${step}: of c = ${show(before)}, only ${show(f * before)} was kept.`;
}

const moves = ({ scene }) => scene.steps > 1;
const stands = (state, start) => !state.playing && state.step !== start.step;

// at: selector of what the card points at; map: the heatmap among them, by name. parts: which part of the cell it asks
// to be opened. needs: without which the card is left out. done(state, start): start is the state as the card came up.
// found: what can be said once it is done.
export const CARDS = [
  {
    title: "What the LSTM reads", at: ".stage-series", needs: moves, done: stands,
    text: () => "This strip is the input, and the LSTM reads it one step at a time. Drag the cursor along it.",
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
    title: "Find it closing", at: ".stage-maps", map: "f", needs: moves, found: forgotten,
    text: (state) => {
      const limit = closing(state).toFixed(2), never = Number(limit) > CLOSED ? "rather low" : "nearly shut";
      return `At some steps the forget gate of unit ${unitOf(state)} is ${never}: below ${limit}. `
        + "Stop at one of them (← and → step) and see what c keeps.";
    },
    done: (state, start) => stands(state, start) && valuesOf(state, "f")[state.step] <= closing(state),
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
];

export const READING = {
  title: "Read it",
  text: () => "This says what the part does, and what it does at this step. When you have read it, close it here "
    + "or with Esc.",
};

export const END = {
  title: "That was the tour",
  text: () => "All pictures follow the same cursor, so go and find out what this LSTM keeps and forgets. "
    + "Press ? for the keys.",
};
