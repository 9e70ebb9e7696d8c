// The cell's equations with the numbers of one step in them: weights and traces in, numbers and text out.
// No drawing here. Gates are those of PyTorch: f = σ(b + W x + U hₜ₋₁), g with tanh; b = bias_ih + bias_hh.

import { withMinus } from "../../canvas.js";
import { GATES, layerInput, layerWeights } from "../scene.js";

const TOLERANCE = 1e-3; // a gate further from its own equation was set by an intervention
export const ACTIVATIONS = { i: "σ", f: "σ", g: "tanh", o: "σ" };
export const activate = (gate, sum) => (gate === "g" ? Math.tanh(sum) : 1 / (1 + Math.exp(-sum)));

// Always three or more digits in the same places, so that nothing jumps while time runs.
export function number(value) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value < 0 ? "−∞" : "∞";
  const size = Math.abs(value);
  const text = size >= 9999.5 ? value.toExponential(0).replace("e+", "e") : value.toFixed(digits(size));
  return /^-[0.]+$/.test(text) ? text.slice(1) : withMinus(text);
}

const digits = (size) => (size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
const shown = (value) => Number(number(value).replace("−", "-"));
const same = (a, b) => number(a) === number(b);
const equals = (computed, value) => (same(computed, value) ? "=" : "≈"); // from the digits shown, and in full
export const factor = (value) => (shown(value) < 0 ? `(${number(value)})` : number(value));
const signed = (value) => `${shown(value) < 0 ? "−" : "+"} ${number(Math.abs(value))}`;
const term = ({ weight, value }) => `${signed(weight)}·${factor(value)}`;
const leading = (term) => term.replace(/^\+ /, "").replace(/^− /, "−");

// What one layer and direction computes, step by step. side: { trace, weights }.
export function reader(scene, { trace, weights }, layer, direction) {
  const { steps, hidden, width } = scene, values = trace[layer][direction];
  const x = layerInput(scene, trace, layer), { ih, hh, hr, bias } = layerWeights(weights, layer, direction);
  const previous = (step) => (direction ? step + 1 : step - 1);
  // Before the first step that is read, h and c are 0.
  const at = (name, unit, step) => (step < 0 || step >= steps ? 0 : values[name][unit * steps + step] ?? NaN);
  const input = (k, step) => x.values[step * x.size + k];
  const output = (unit, step) => at("o", unit, step) * Math.tanh(at("c", unit, step));
  return {
    at, previous, input, size: x.size, projected: Boolean(hr),
    maxAbs: x.values.reduce((max, value) => Math.max(max, Math.abs(value)), 1), // of the whole input, and 1 at least
    first: (step) => previous(step) < 0 || previous(step) >= steps,
    column: (name, step) =>
      Float64Array.from({ length: name === "h" ? width : hidden }, (_, unit) => at(name, unit, step)),
    // { bias (null: there is none), terms: the largest first, others: how many more, sum, value, computed: the
    // equation's own value, edited: whether value is another }
    gate(gate, unit, step, most) {
      const row = GATES.indexOf(gate) * hidden + unit, past = previous(step), sum = summing(most);
      for (let k = 0; k < x.size; k++) sum.add("x", k, ih[row * x.size + k], input(k, step));
      for (let k = 0; k < width; k++) sum.add("h", k, hh[row * width + k], at("h", k, past));
      const total = sum.total + (bias ? bias[row] : 0), value = at(gate, unit, step), computed = activate(gate, total);
      const { terms, others } = sum, edited = Math.abs(computed - value) > TOLERANCE;
      return { bias: bias ? bias[row] : null, terms, others, sum: total, value, computed, edited };
    },
    // With proj_size: one unit of h as the sum over all units' outputs, W_hr (o · tanh c).
    projection(unit, step, most) {
      const sum = summing(most);
      for (let k = 0; k < hidden; k++) sum.add("output", k, hr[unit * hidden + k], output(k, step));
      return { bias: null, terms: sum.terms, others: sum.others, sum: sum.total, value: at("h", unit, step) };
    },
  };
}

// Adds up products and keeps the largest few; those that are exactly 0 are not counted.
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
  const products = terms.reduce((total, { weight, value }) => total + shown(weight) * shown(value), 0);
  return shown(sum) - (bias === null ? 0 : shown(bias)) - products;
}

// The pieces of σ( … ) in the order in which they are written: the bias, each term, the rest; and the result. Of a gate
// that is set it is longer, and the sum gives way to it: letters must not shrink under a hand.
export function gatePieces(gate, parts) {
  const { bias, terms, others, sum, value, computed, edited } = parts, left = rest(parts);
  const pieces = [...(bias === null ? [] : [signed(bias)]), ...terms.map(term)];
  if (others || !same(left, 0) || !pieces.length) pieces.push(`${signed(left)}${others ? " rest" : ""}`);
  pieces[0] = leading(pieces[0]);
  const ownValue = edited ? computed : value;
  const result = `${equals(activate(gate, shown(sum)), ownValue)} ${number(ownValue)}`;
  const sigma = `= ${ACTIVATIONS[gate]}(${number(sum)})`;
  return { pieces, result: edited ? `${result}, set to ${number(value)}` : `${sigma} ${result}` };
}

// What stands before the equals sign, and the result.
export function cellPieces({ f, cPrev, i, g, c }) {
  const computed = shown(f) * shown(cPrev) + shown(i) * shown(g);
  const inner = `${number(f)}·${factor(cPrev)} + ${number(i)}·${factor(g)}`;
  return { inner, result: `${equals(computed, c)} ${number(c)}` };
}

export function hiddenPieces({ o, c, output }) {
  const computed = shown(o) * Math.tanh(shown(c));
  return { inner: `${number(o)}·tanh(${number(c)})`, result: `${equals(computed, output)} ${number(output)}` };
}
