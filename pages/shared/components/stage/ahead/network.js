// The model as it reads one row after the other: its state goes from row to row, and can be kept and taken up again.
// The equations are lstm.js's; there a whole window is traced, here nothing of it is kept but the state.

import { ALTER, addProduct, dot, sigmoid } from "../numbers.js";
import { GATES, layerWeights } from "../scene.js";

// weights: by their names, as decode gives them; edit: null, or an intervention, and hold: null, or a gate that is held,
// both as lstm.js takes them; after the window a gate is held where the hand has it now.
export class Network {
  constructor({ layers, hidden, width, features, steps }, weights, edit = null, hold = null) {
    Object.assign(this, { hidden, width, size: features.length, steps });
    this.layers = Array.from({ length: layers }, (_, layer) => {
      const { ih, hh, hr, bias } = layerWeights(weights, layer, 0);
      const exact = (matrix) => matrix && Float64Array.from(matrix);
      return {
        ih: exact(ih), hh: exact(hh), hr: exact(hr), bias, size: layer ? width : features.length,
        edit: edit?.layer === layer ? edit : null, hold: hold?.layer === layer ? hold : null,
        gates: new Float64Array(4 * hidden), output: new Float64Array(hidden),
      };
    });
    this.head = { matrix: weights["head.weight"], bias: weights["head.bias"] };
    this.skip = weights["skip.weight"] && { matrix: weights["skip.weight"], bias: weights["skip.bias"] };
    this.begin();
  }

  // An empty memory.
  begin() {
    const { hidden, width } = this;
    this.states = this.layers.map(() => ({ h: new Float64Array(width), c: new Float64Array(hidden) }));
  }

  keep() { return this.states.map(({ h, c }) => ({ h: h.slice(), c: c.slice() })); }

  resume(states) { this.states = states.map(({ h, c }) => ({ h: h.slice(), c: c.slice() })); }

  // One row, which begins at `at` in values; these begin with the window.
  read(values, at) {
    let input = values, begin = at;
    this.row = at / this.size;
    this.layers.forEach((layer, k) => {
      this.step(layer, this.states[k], input, begin);
      input = this.states[k].h;
      begin = 0;
    });
  }

  step({ ih, hh, hr, bias, size, edit, hold, gates, output }, { h, c }, input, at) {
    const { hidden, width } = this;
    if (bias) gates.set(bias);
    else gates.fill(0);
    addProduct(gates, ih, input, at, size);
    addProduct(gates, hh, h, 0, width);
    for (let row = 0; row < 4 * hidden; row++) {
      gates[row] = row >= 2 * hidden && row < 3 * hidden ? Math.tanh(gates[row]) : sigmoid(gates[row]);
    }
    if (edit) alter(gates, edit, hidden);
    const held = hold && (this.row < this.steps ? hold.values[this.row] : hold.value);
    if (hold && !Number.isNaN(held)) alter(gates, { ...hold, kind: "clamp", value: held }, hidden);
    for (let unit = 0; unit < hidden; unit++) {
      c[unit] = gates[hidden + unit] * c[unit] + gates[unit] * gates[2 * hidden + unit];
      output[unit] = gates[3 * hidden + unit] * Math.tanh(c[unit]);
    }
    if (hr) for (let row = 0; row < width; row++) h[row] = dot(hr, row, output, 0, hidden);
    else h.set(output);
  }

  // What the head makes of the state; a linear skip reads the window that begins at `at` in values, too.
  outputs(values, at) {
    const { h } = this.states.at(-1), { head, skip, width, steps, size } = this;
    return Float64Array.from(head.bias, (bias, row) => bias + dot(head.matrix, row, h, 0, width)
      + (skip ? skip.bias[row] + dot(skip.matrix, row, values, at, steps * size) : 0));
  }
}

function alter(gates, { gate, kind, value, unit }, hidden) {
  const first = GATES.indexOf(gate) * hidden;
  for (let k = 0; k < hidden; k++) {
    if (unit === null || unit === k) gates[first + k] = ALTER[kind](gates[first + k], value);
  }
}
