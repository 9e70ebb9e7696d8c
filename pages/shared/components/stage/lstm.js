// An LSTM in the browser: the traces of earlier weights, of interventions and of changed inputs, without asking the
// server. The equations are those of lstm_core/trace, summed in float64 and kept in float32.

import { ALTER, dot, sigmoid } from "./numbers.js";
import { fastSums } from "./touch/fast_sums.js";
import { GATES, NAMES, layerWeights, times, truthAt } from "./scene.js";

const SLICE = 10; // ms of work before the page may do something else
const MANY = 96; // units from which WebAssembly's sums are worth their float32 while a hand moves

const tanh = (a) => 1 - 2 / (Math.exp(2 * a) + 1); // within 1e-15 of Math.tanh, and twice as fast

// Yields now and then, and returns a trace like scene.trace. edit: null, or an intervention on a gate:
// { gate, kind: "clamp" | "scale" | "add", value, layer, direction, unit: null for all }.
export function* traceOf(scene, weights, edit = null) {
  return yield* new Engine(scene, weights, edit).run(scene.inputs);
}

// One model's LSTM, which remembers h and c after every step: where the input is another from step t on, it goes on
// from there. Its traces share their arrays, so each is good until the next run.
export class Engine {
  constructor(scene, weights, edit = null) {
    const { layers, directions, features, width, steps } = scene;
    Object.assign(this, { steps, directions, size: features.length, inputs: null, hold: null });
    this.stale = 0; // the first step that is not worked out for these inputs
    this.rough = steps; // the first step that is worked out in float32 only
    this.cells = times(layers, (layer) => times(directions, (direction) => new Cell(
      layerWeights(weights, layer, direction), layer ? width * directions : features.length, scene, direction,
      intervention(edit, layer, direction),
    )));
  }

  // inputs, (steps, features), as the model reads them. hold: null, or a gate that is held: { gate, layer, direction,
  // unit: null for all, values: (steps,), NaN where it is let go }. live: without yielding, and with many units in
  // float32 sums, until a run that is not.
  *run(inputs, hold = null, live = false) {
    const { steps, cells } = this, change = this.firstChange(inputs, hold), isRough = live && cells[0][0].hidden >= MANY;
    const from = isRough ? change : Math.min(change, this.directions > 1 && this.rough < steps ? 0 : this.rough);
    Object.assign(this, { inputs, hold, stale: from, rough: isRough ? Math.min(from, this.rough) : this.rough });
    const turn = (this.turn = (this.turn ?? 0) + 1); // a run that another one has overtaken ends
    let begin = performance.now();
    for (let layer = 0; from < steps && layer < cells.length; layer++) {
      for (const [direction, cell] of cells[layer].entries()) {
        const sums = isRough ? cell.fast() : null;
        const held = hold?.layer === layer && hold.direction === direction ? hold : null;
        for (let k = from; k < steps; k++) {
          const t = direction ? steps - 1 - k : k;
          this.read(cell.vector, layer, t);
          cell.step(k, t, held, sums);
          if (!live && performance.now() - begin > SLICE) {
            yield;
            if (turn !== this.turn) return null;
            begin = performance.now();
          }
        }
      }
    }
    this.stale = steps;
    if (!isRough) this.rough = steps;
    return cells.map((row) => row.map(({ maps }) => ({ ...maps })));
  }

  // Makes what the first live run would otherwise have to make.
  warm() {
    for (const cell of this.cells.flat()) if (cell.hidden >= MANY) cell.fast();
  }

  // What a layer reads at a step: the input, or h of the layer below, directions side by side.
  read(vector, layer, t) {
    if (!layer) {
      for (let k = 0, at = t * this.size; k < this.size; k++) vector[k] = this.inputs[at + k];
      return;
    }
    let at = 0;
    this.cells[layer - 1].forEach(({ h, width }, direction) => {
      const from = (direction ? this.steps - t : t + 1) * width;
      for (let unit = 0; unit < width; unit++) vector[at++] = h[from + unit];
    });
  }

  // A backward direction begins at the end, so any change there changes everything.
  firstChange(inputs, hold) {
    const { steps, size, stale } = this;
    let first = stale;
    if (this.inputs && inputs !== this.inputs) {
      let at = 0;
      while (at < first * size && inputs[at] === this.inputs[at]) at++;
      first = Math.min(first, Math.floor(at / size));
    }
    first = Math.min(first, firstHeldApart(hold, this.hold, steps));
    return this.directions > 1 && first < steps ? 0 : first;
  }
}

const sameGate = (a, b) => ["gate", "layer", "direction", "unit"].every((name) => a[name] === b[name]);

function firstHeldApart(one, other, steps) {
  if (one === other) return steps;
  const same = one && other && sameGate(one, other);
  const apart = (t) => (same ? !Object.is(one.values[t], other.values[t])
    : [one, other].some((hold) => hold && hold.values[t] === hold.values[t]));
  for (let t = 0; t < steps; t++) if (apart(t)) return t;
  return steps;
}

// One layer and direction. vector: what it reads, x and then h; h, c: after each of its steps, 0 before the first.
class Cell {
  constructor(weights, size, { hidden, width, steps }, direction, edited) {
    const count = size + width;
    Object.assign(this, { hidden, width, steps, direction, edited, size, hr: weights.hr });
    this.vector = new Float64Array(count);
    this.output = new Float64Array(hidden); // h before any projection
    this.gates = new Float64Array(4);
    this.h = new Float64Array((steps + 1) * width);
    this.c = new Float64Array((steps + 1) * hidden);
    const units = (name) => (name === "h" ? width : hidden);
    this.maps = Object.fromEntries(NAMES.map((name) => [name, new Float32Array(units(name) * steps)]));
    this.rows = new Float64Array(hidden * 4 * count); // unit by unit, and the four gates of each weight side by side
    this.bias = new Float64Array(hidden * 4);
    for (let unit = 0, at = 0; unit < hidden; unit++) {
      for (let k = 0; k < count; k++) for (let gate = 0; gate < 4; gate++) {
        const row = gate * hidden + unit;
        this.rows[at++] = k < size ? weights.ih[row * size + k] : weights.hh[row * width + k - size];
      }
      for (let gate = 0; gate < 4; gate++) this.bias[4 * unit + gate] = weights.bias?.[gate * hidden + unit] ?? 0;
    }
  }

  // WebAssembly's sums, or null; made once.
  fast() {
    if (this.sums === undefined) this.sums = fastSums(this.rows, this.bias, this.vector.length);
    return this.sums;
  }

  // Its k-th step, of time t. sums: see fast.
  step(k, t, held, sums) {
    const { vector, rows, bias, hidden, width, size, steps, h, c, output, hr, maps } = this, count = vector.length;
    const special = this.edited || held ? (unit) => this.alter(unit, t, held) : null, { gates } = this;
    for (let unit = 0; unit < width; unit++) vector[size + unit] = h[k * width + unit];
    const start = sums?.(vector) ?? bias, terms = sums ? 0 : count;
    for (let unit = 0, at = 0, out = t; unit < hidden; unit++, out += steps) {
      let i = start[4 * unit], f = start[4 * unit + 1], g = start[4 * unit + 2], o = start[4 * unit + 3];
      for (let j = 0; j < terms; j++, at += 4) {
        const value = vector[j];
        i += rows[at] * value;
        f += rows[at + 1] * value;
        g += rows[at + 2] * value;
        o += rows[at + 3] * value;
      }
      i = sigmoid(i); f = sigmoid(f); g = tanh(g); o = sigmoid(o);
      if (special) {
        gates[0] = i; gates[1] = f; gates[2] = g; gates[3] = o;
        special(unit);
        i = gates[0]; f = gates[1]; g = gates[2]; o = gates[3];
      }
      const state = f * c[k * hidden + unit] + i * g;
      c[(k + 1) * hidden + unit] = state;
      output[unit] = o * tanh(state);
      maps.i[out] = i; maps.f[out] = f; maps.g[out] = g; maps.o[out] = o; maps.c[out] = state;
    }
    for (let unit = 0, next = (k + 1) * width; unit < width; unit++) {
      const value = hr ? dot(hr, unit, output, 0, hidden) : output[unit];
      h[next + unit] = value;
      maps.h[unit * steps + t] = value;
    }
  }

  alter(unit, t, held) {
    const { edited, gates } = this;
    if (edited?.actsOn(unit)) gates[edited.gate] = edited.apply(gates[edited.gate]);
    if (!held || !(held.unit === null || held.unit === unit)) return;
    const value = held.values[t];
    if (value === value) gates[GATES.indexOf(held.gate)] = value;
  }
}

function intervention(edit, layer, direction) {
  if (!edit || edit.layer !== layer || edit.direction !== direction) return null;
  const apply = (value) => ALTER[edit.kind](value, edit.value);
  return { gate: GATES.indexOf(edit.gate), actsOn: (unit) => edit.unit === null || edit.unit === unit, apply };
}

// The prediction if the window ended after each step. values, (steps,): the first output in the table's own units, or
// the probability of the class that is right there; shares, (steps, classes): the probability of every class, or null;
// horizon, (output steps,): the first target in every row that is predicted after the last step; none for classes.
// A reverse direction has then read the whole window all the same.
export function predictionAt(scene, trace, weights) {
  const { steps, width, directions, classes, head, targets } = scene, top = trace.at(-1), count = classes.length;
  const matrix = weights["head.weight"], bias = weights["head.bias"], skip = skipOf(scene, weights);
  const input = new Float64Array(width * directions), shares = count ? new Float32Array(steps * count) : null;
  const horizon = new Float32Array(scene.horizon.length);
  const values = Float32Array.from({ length: steps }, (_, t) => {
    top.forEach(({ h }, direction) => {
      const at = direction && head === "last" ? 0 : t;
      for (let unit = 0; unit < width; unit++) input[direction * width + unit] = h[unit * steps + at];
    });
    const outputs = new Float64Array(count || t === steps - 1 ? bias.length : 1); // of a horizon the first row is drawn
    for (let row = 0; row < outputs.length; row++) {
      outputs[row] = bias[row] + dot(matrix, row, input, 0, input.length) + skip(row, t);
    }
    if (!count) {
      if (t === steps - 1) {
        horizon.forEach((_, k) => { horizon[k] = inOwnUnits(scene, outputs[k * targets.length], k, t); });
      }
      return inOwnUnits(scene, outputs[0], 0, t);
    }
    const max = Math.max(...outputs), powers = outputs.map((value) => Math.exp(value - max));
    const sum = powers.reduce((a, b) => a + b), truth = truthAt(scene, t);
    powers.forEach((power, k) => { shares[t * count + k] = power / sum; });
    return truth === null ? NaN : powers[truth] / sum;
  });
  return { values, shares, horizon };
}

// What the linear skip adds to an output if the window ended after step t: the steps before its first count as zeros.
function skipOf({ inputs, steps, features }, weights) {
  const matrix = weights["skip.weight"], bias = weights["skip.bias"], size = steps * features.length;
  if (!matrix) return () => 0;
  return (row, t) => {
    const read = (t + 1) * features.length;
    let sum = bias[row];
    for (let k = 0, a = (row + 1) * size - read; k < read; k++) sum += matrix[a + k] * inputs[k];
    return sum;
  };
}

// An output for the row k of those that are predicted after step t, in the first target's own units.
function inOwnUnits({ scale, center, start, log, steps }, output, k, t) {
  const value = output * scale[k] + (start ? start[k * steps + t] : center);
  return log ? Math.exp(value) : value;
}
