// The cell's equations with the numbers of one step in them: weights and traces in, numbers and words out.
// No drawing here. Gates are those of PyTorch: f = σ(b + W x + U h before), g with tanh; b = bias_ih + bias_hh.

import { GATES, layerWeights, readBy } from "./scene.js";

const ALTERED = 1e-3; // a gate this far from its own equation was set by hand
export const SHAPES = { i: "σ", f: "σ", g: "tanh", o: "σ" };
export const shape = (gate, sum) => (gate === "g" ? Math.tanh(sum) : 1 / (1 + Math.exp(-sum)));

// Always three or more digits in the same places, so that nothing jumps while time runs.
export function number(value) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value < 0 ? "−∞" : "∞";
  const size = Math.abs(value);
  const words = size >= 9999.5 ? value.toExponential(0).replace("e+", "e") : value.toFixed(digits(size));
  return /^-[0.]+$/.test(words) ? words.slice(1) : words.replace("-", "−");
}

const digits = (size) => (size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
const shown = (value) => Number(number(value).replace("−", "-"));
const same = (a, b) => number(a) === number(b);
const equals = (found, said) => (same(found, said) ? "=" : "≈"); // what the shown digits give, and what is so
export const factor = (value) => (shown(value) < 0 ? `(${number(value)})` : number(value));
const signed = (value) => `${shown(value) < 0 ? "−" : "+"} ${number(Math.abs(value))}`;
const term = ({ weight, value }) => `${signed(weight)}·${factor(value)}`;
const leading = (words) => words.replace(/^\+ /, "").replace(/^− /, "−");

// What one layer and direction computes, step by step. side: { trace, weights }.
export function reader(scene, { trace, weights }, layer, direction) {
  const { steps, hidden, width } = scene, values = trace[layer][direction];
  const read = readBy(scene, trace, layer), { ih, hh, hr, bias } = layerWeights(weights, layer, direction);
  const before = (step) => (direction ? step + 1 : step - 1);
  // Before the first step that is read, h and c are 0.
  const at = (name, unit, step) => (step < 0 || step >= steps ? 0 : values[name][unit * steps + step] ?? NaN);
  const input = (k, step) => read.values[step * read.size + k];
  const told = (unit, step) => at("o", unit, step) * Math.tanh(at("c", unit, step));
  return {
    at, before, input, told, size: read.size, projected: Boolean(hr),
    peak: read.values.reduce((most, value) => Math.max(most, Math.abs(value)), 1), // of all that is read, and 1 at least
    first: (step) => before(step) < 0 || before(step) >= steps,
    column: (name, step) => Float64Array.from({ length: name === "h" ? width : hidden }, (_, unit) => at(name, unit, step)),
    // { bias (null: there is none), terms: the largest first, others: how many more, sum, value, altered }
    gate(gate, unit, step, most) {
      const row = GATES.indexOf(gate) * hidden + unit, past = before(step), sum = summing(most);
      for (let k = 0; k < read.size; k++) sum.add("x", k, ih[row * read.size + k], input(k, step));
      for (let k = 0; k < width; k++) sum.add("h", k, hh[row * width + k], at("h", k, past));
      const total = sum.total + (bias ? bias[row] : 0), value = at(gate, unit, step), found = shape(gate, total);
      const { terms, others } = sum;
      return { bias: bias ? bias[row] : null, terms, others, sum: total, value, found, altered: Math.abs(found - value) > ALTERED };
    },
    // With proj_size: one unit of h as the sum over what all units say, W_hr (o · tanh c).
    projection(unit, step, most) {
      const sum = summing(most);
      for (let k = 0; k < hidden; k++) sum.add("told", k, hr[unit * hidden + k], told(k, step));
      return { bias: null, terms: sum.terms, others: sum.others, sum: sum.total, value: at("h", unit, step) };
    },
  };
}

// Adds up products and keeps the largest few; those that are exactly 0 say nothing.
function summing(most) {
  const terms = [];
  let total = 0, count = 0;
  return {
    terms,
    get total() { return total; },
    get others() { return count - terms.length; },
    add(kind, index, weight, value) {
      const product = weight * value, size = Math.abs(product);
      total += product;
      if (product === 0) return;
      count++;
      if (terms.length === most && !(size > Math.abs(terms[most - 1].product))) return;
      let place = terms.length;
      while (place && size > Math.abs(terms[place - 1].product)) place--;
      terms.splice(place, 0, { kind, index, weight, value, product });
      if (terms.length > most) terms.pop();
    },
  };
}

// What is left so that the numbers as shown add up to the sum as shown.
export function rest({ bias, terms, sum }) {
  const given = terms.reduce((all, { weight, value }) => all + shown(weight) * shown(value), bias === null ? 0 : shown(bias));
  return shown(sum) - given;
}

// The pieces of σ( … ) in the order in which they are written: the bias, each term, the rest; and what comes of it.
export function gatePieces(gate, parts) {
  const { bias, terms, others, sum, value, found, altered } = parts, left = rest(parts);
  const pieces = [...(bias === null ? [] : [signed(bias)]), ...terms.map(term)];
  if (others || !same(left, 0) || !pieces.length) pieces.push(`${signed(left)}${others ? " rest" : ""}`);
  pieces[0] = leading(pieces[0]);
  const shaped = altered ? found : value;
  const result = `${equals(shape(gate, shown(sum)), shaped)} ${number(shaped)}`;
  return { pieces, inner: number(sum), result: altered ? `${result}, set to ${number(value)}` : result };
}

// What stands before the equals sign, and what comes of it.
export function cellPieces({ f, before, i, g, c }) {
  const found = shown(f) * shown(before) + shown(i) * shown(g);
  const inner = `${number(f)}·${factor(before)} + ${number(i)}·${factor(g)}`;
  return { inner, result: `${equals(found, c)} ${number(c)}` };
}

export function hiddenPieces({ o, c, told }) {
  const found = shown(o) * Math.tanh(shown(c));
  return { inner: `${number(o)}·tanh(${number(c)})`, result: `${equals(found, told)} ${number(told)}` };
}
