// An LSTM in the browser: the traces of earlier weights and of altered runs, without asking the server.
// The equations are those of lstm_core/trace.py, summed in float64 and kept in float32.

import { GATES, NAMES, layerWeights, readBy, times } from "./scene.js";

const SLICE = 10; // ms of work between two breaths of the page

const sigmoid = (a) => 1 / (1 + Math.exp(-a));
const SHAPE = { i: sigmoid, f: sigmoid, g: Math.tanh, o: sigmoid };

// Yields now and then, and returns a trace like scene.trace. edit: null, or what an altered run does to a gate:
// { gate, kind: "clamp" | "scale" | "add", value, layer, direction, unit: null for all }.
export function* traceOf(scene, weights, edit = null) {
  const { layers, directions, hidden, width, steps } = scene;
  const trace = [];
  let begin = performance.now();
  for (let layer = 0; layer < layers; layer++) {
    const read = readBy(scene, trace, layer);
    trace.push(times(directions, () => Object.fromEntries(
      NAMES.map((name) => [name, new Float32Array((name === "h" ? width : hidden) * steps)]),
    )));
    for (let direction = 0; direction < directions; direction++) {
      const step = stepper(layerWeights(weights, layer, direction), read, scene, alteration(edit, layer, direction));
      for (let k = 0; k < steps; k++) {
        step(direction ? steps - 1 - k : k, trace[layer][direction]);
        if (performance.now() - begin > SLICE) {
          yield;
          begin = performance.now();
        }
      }
    }
  }
  return trace;
}

function alteration(edit, layer, direction) {
  if (!edit || edit.layer !== layer || edit.direction !== direction) return null;
  const how = { clamp: () => edit.value, scale: (value) => value * edit.value, add: (value) => value + edit.value }[edit.kind];
  return { gate: GATES.indexOf(edit.gate), touches: (unit) => edit.unit === null || edit.unit === unit, how };
}

function stepper({ ih, hh, hr, bias }, read, { hidden, width, steps }, altered) {
  let h = new Float64Array(width);
  const c = new Float64Array(hidden), gates = times(4, () => new Float64Array(hidden));
  const shapes = GATES.map((name) => SHAPE[name]);
  return (t, into) => {
    for (let gate = 0; gate < 4; gate++) {
      for (let unit = 0; unit < hidden; unit++) {
        const row = gate * hidden + unit;
        const sum = (bias ? bias[row] : 0) + dot(ih, row, read.values, t, read.size) + dot(hh, row, h, 0, width);
        let value = shapes[gate](sum);
        if (altered?.gate === gate && altered.touches(unit)) value = altered.how(value);
        gates[gate][unit] = value;
        into[GATES[gate]][unit * steps + t] = value;
      }
    }
    const [i, f, g, o] = gates, whole = new Float64Array(hidden);
    for (let unit = 0; unit < hidden; unit++) {
      c[unit] = f[unit] * c[unit] + i[unit] * g[unit];
      into.c[unit * steps + t] = c[unit];
      whole[unit] = o[unit] * Math.tanh(c[unit]);
    }
    h = hr ? Float64Array.from({ length: width }, (_, row) => dot(hr, row, whole, 0, hidden)) : whole;
    h.forEach((value, unit) => { into.h[unit * steps + t] = value; });
  };
}

function dot(matrix, row, vector, at, size) {
  let sum = 0;
  for (let k = 0, a = row * size, b = at * size; k < size; k++) sum += matrix[a + k] * vector[b + k];
  return sum;
}

// What the model would say if the window ended after each step, (steps,): its first number in the table's own units,
// or the probability of the true class. A reverse direction has then read the whole window all the same.
export function saidAt(scene, trace, weights) {
  const { steps, width, directions, classes, head } = scene, top = trace.at(-1);
  const matrix = weights["head.weight"], bias = weights["head.bias"];
  const input = new Float64Array(width * directions);
  return Float32Array.from({ length: steps }, (_, t) => {
    top.forEach(({ h }, direction) => {
      const at = direction && head === "last" ? 0 : t;
      for (let unit = 0; unit < width; unit++) input[direction * width + unit] = h[unit * steps + at];
    });
    const outputs = Float64Array.from(bias, (value, row) => value + dot(matrix, row, input, 0, input.length));
    if (!classes.length) return outputs[0] * scene.scale[0] + scene.center[0];
    const most = Math.max(...outputs), powers = outputs.map((value) => Math.exp(value - most));
    return powers[scene.truth] / powers.reduce((a, b) => a + b);
  });
}
