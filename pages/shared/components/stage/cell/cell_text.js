// What a part of the cell is called, does, and does at this step, with the numbers.

import { number } from "./equations.js";

// The state a step starts from is that of t − 1, or of t + 1 where the LSTM reads backwards.
export const previous = ({ direction }) => (direction ? "ₜ₊₁" : "ₜ₋₁");

// formula(past): past is previous(state).
export const PARTS = {
  f: {
    title: "Forget gate", formula: (past) => `f = σ(b + W x + U h${past})`,
    does: "It decides how much of the old cell state stays: 0 forgets it, 1 keeps it.",
  },
  i: {
    title: "Input gate", formula: (past) => `i = σ(b + W x + U h${past})`,
    does: "It decides how much of the cell candidate is written into the cell state.",
  },
  g: {
    title: "Cell candidate", formula: (past) => `g = tanh(b + W x + U h${past})`,
    does: "It is what could be written into the cell state, between −1 and 1.",
  },
  o: {
    title: "Output gate", formula: (past) => `o = σ(b + W x + U h${past})`,
    does: "It decides how much of the cell state is output as the hidden state.",
  },
  c: {
    title: "Cell state", formula: (past) => `c = f · c${past} + i · g`,
    does: "It is the memory: what is kept of the old plus what is written anew.",
  },
  h: {
    title: "Hidden state", formula: () => "h = o · tanh(c)",
    does: "It is the output of the cell: read by itself at the next step, and by the next layer or the head.",
  },
  x: {
    title: "Cell input", formula: (past) => `x and h${past}`,
    does: "The cell reads the input of this step, x, and its own hidden state of the previous step, h.",
  },
};

const percent = (share) => (Number.isFinite(share) ? `${Math.round(100 * share)} %` : "NaN");
export const short = (name, max) => (name.length > max ? `${name.slice(0, max - 1)}…` : name);

// An input's name: a feature's, or a unit of the layer below.
export function inputName({ scene, layer }, k) {
  if (layer === 0) return String(scene.features[k]);
  const { width, directions } = scene, back = directions > 1 ? (k < width ? " forward" : " backward") : "";
  return `h${k % width} of layer ${layer - 1}${back}`;
}

export const termName = (state, { kind, index }) => ({
  x: () => inputName(state, index),
  h: () => `h${index}${previous(state)}`,
  output: () => `o · tanh(c) of unit ${index}`,
})[kind]();

// now: the numbers by name, of one unit or, as arrays, of the whole layer.
export function sentence(name, now, from, state) {
  if (name === "x") return inputSentence(now, from, state);
  if (now.unit === null) return layerSentence(name, now);
  const { f, i, g, o, c, cPrev, kept, added, tanhC, output, unit } = now, n = number;
  const start = from.first(now.step) ? "Nothing is remembered yet: c was 0 before this first step." : "";
  return {
    f: start || `It keeps ${percent(f)} of what unit ${unit} remembered: ${n(cPrev)} becomes ${n(kept)}.`,
    i: `It lets ${percent(i)} of the candidate in: ${n(g)} becomes ${n(added)}.`,
    g: `It proposes ${n(g)} to unit ${unit}; the input gate lets ${percent(i)} of it in: ${n(added)}.`,
    o: `It lets ${percent(o)} of ${n(tanhC)}, the tanh of c, out: ${n(output)}.`,
    c: `${start || `Unit ${unit} remembered ${n(cPrev)}: ${n(kept)} of it stays, ${n(added)} is new.`} `
      + `Now it is ${n(c)}.`,
    h: from.projected ? projected(now, state)
      : `Unit ${unit} outputs ${n(output)}: ${percent(o)} of ${n(tanhC)}, the tanh of its c.`,
  }[name];
}

function projected({ unit, output, h }, { scene }) {
  const made = `With W_hr, ${scene.width} units of h are made from the ${scene.hidden} values o · tanh(c).`;
  const own = typeof h === "number" ? `h${unit} is ${number(h)}.` : `Unit ${unit} gives ${number(output)} to them.`;
  return `${made} ${own}`;
}

function inputSentence(now, from, state) {
  const count = from.size, name = (k) => short(inputName(state, k), 28);
  const x = count === 1 ? `${name(0)} is ${number(from.input(0, now.step))} now, as the model reads it`
    : `x has ${count} values now`;
  if (from.first(now.step)) return `${x}; h is 0 before this first step.`;
  return `${x}; h has ${state.scene.width} values from step ${from.previous(now.step) + 1}.`;
}

function layerSentence(name, now) {
  const values = Array.from(now[name]), mean = values.reduce((a, b) => a + b, 0) / values.length;
  const count = (test) => values.filter(test).length;
  const all = `Over ${values.length} units the mean is ${number(mean)}`;
  if ("ifo".includes(name)) {
    const open = count((v) => v > 0.9), shut = count((v) => v < 0.1);
    return `${all}: ${open} are wide open (over 0.9), ${shut} are shut (under 0.1).`;
  }
  return `${all}: ${count((v) => v > 0)} are above 0 and ${count((v) => v < 0)} below.`;
}
