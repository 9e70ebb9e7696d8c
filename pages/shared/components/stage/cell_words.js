// What a part of the cell is called, does, and is doing now, in plain words with the numbers.

import { number } from "./equations.js";

export const PARTS = {
  f: { title: "Forget gate", formula: "f = σ(b + W x + U h before)", does: "It decides how much of the old cell state stays: 0 forgets it, 1 keeps it." },
  i: { title: "Input gate", formula: "i = σ(b + W x + U h before)", does: "It decides how much of the cell candidate is written into the cell state." },
  g: { title: "Cell candidate", formula: "g = tanh(b + W x + U h before)", does: "It is what could be written into the cell state, between −1 and 1." },
  o: { title: "Output gate", formula: "o = σ(b + W x + U h before)", does: "It decides how much of the cell state is shown to the outside." },
  c: { title: "Cell state", formula: "c = f · c before + i · g", does: "It is the memory: what is kept of the old plus what is written anew." },
  h: { title: "Hidden state", formula: "h = o · tanh(c)", does: "It is what the cell tells: to itself at the next step, and to whoever reads this layer." },
  x: { title: "What the cell reads", formula: "x and h before", does: "It reads the input of this step, x, and its own hidden state of the step before, h." },
};

const percent = (share) => (Number.isFinite(share) ? `${Math.round(100 * share)} %` : "NaN");
export const short = (name, most) => (name.length > most ? `${name.slice(0, most - 1)}…` : name);

// An input's name: a feature's, or a unit of the layer below.
export function inputName({ scene, layer }, k) {
  if (layer === 0) return String(scene.features[k]);
  const { width, directions } = scene, back = directions > 1 ? (k < width ? " forward" : " backward") : "";
  return `h${k % width} of layer ${layer - 1}${back}`;
}

export const termName = (state, { kind, index }) =>
  ({ x: () => inputName(state, index), h: () => `h${index} before`, told: () => `o · tanh(c) of unit ${index}` })[kind]();

// now: the numbers by name, of one unit or, as arrays, of the whole layer.
export function sentence(name, now, from, state) {
  if (name === "x") return reads(now, from, state);
  if (now.unit === null) return spread(name, now);
  const { f, i, g, o, c, before, kept, added, squashed, told, unit } = now, n = number;
  const start = from.first(now.step) ? "Nothing is remembered yet: c was 0 before this first step." : "";
  return {
    f: start || `It keeps ${percent(f)} of what unit ${unit} remembered: ${n(before)} becomes ${n(kept)}.`,
    i: `It lets ${percent(i)} of the candidate in: ${n(g)} becomes ${n(added)}.`,
    g: `It proposes ${n(g)} to unit ${unit}; the input gate lets ${percent(i)} of it in: ${n(added)}.`,
    o: `It shows ${percent(o)} of ${n(squashed)}, the tanh of c: ${n(told)} comes out.`,
    c: start ? `${start} Now it is ${n(c)}.` : `Unit ${unit} remembered ${n(before)}: ${n(kept)} of it stays, ${n(added)} is new. Now it is ${n(c)}.`,
    h: from.projected ? projected(now, state) : `Unit ${unit} tells ${n(told)}: ${percent(o)} of ${n(squashed)}, the tanh of its c.`,
  }[name];
}

function projected({ unit, told, h }, { scene }) {
  const made = `With W_hr, ${scene.width} units of h are made from the ${scene.hidden} values o · tanh(c).`;
  return typeof h === "number" ? `${made} h${unit} is ${number(h)}.` : `${made} Unit ${unit} gives ${number(told)} to them.`;
}

function reads(now, from, state) {
  const count = from.size, name = (k) => short(inputName(state, k), 28);
  const x = count === 1 ? `${name(0)} is ${number(from.input(0, now.step))} now, as the model reads it` : `x has ${count} values now`;
  if (from.first(now.step)) return `${x}; h is 0 before this first step.`;
  return `${x}; h has ${state.scene.width} values from step ${from.before(now.step)}.`;
}

function spread(name, now) {
  const values = Array.from(now[name]), mean = values.reduce((a, b) => a + b, 0) / values.length;
  const count = (test) => values.filter(test).length;
  const all = `Over ${values.length} units the mean is ${number(mean)}`;
  if ("ifo".includes(name)) return `${all}: ${count((v) => v > 0.9)} are wide open (over 0.9), ${count((v) => v < 0.1)} are shut (under 0.1).`;
  return `${all}: ${count((v) => v > 0)} are above 0 and ${count((v) => v < 0)} below.`;
}
