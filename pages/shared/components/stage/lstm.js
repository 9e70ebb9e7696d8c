// An LSTM in the browser: the traces of earlier weights and of interventions, without asking the server.
// The equations are those of lstm_core/trace, summed in float64 and kept in float32.

import { GATES, NAMES, layerInput, layerWeights, times, truthAt } from "./scene.js";

const SLICE = 10; // ms of work before the page may do something else

const sigmoid = (a) => 1 / (1 + Math.exp(-a));
const ACTIVATION = { i: sigmoid, f: sigmoid, g: Math.tanh, o: sigmoid };

// Yields now and then, and returns a trace like scene.trace. edit: null, or an intervention on a gate:
// { gate, kind: "clamp" | "scale" | "add", value, layer, direction, unit: null for all }.
export function* traceOf(scene, weights, edit = null) {
  const { layers, directions, hidden, width, steps } = scene;
  const trace = [];
  let begin = performance.now();
  for (let layer = 0; layer < layers; layer++) {
    const input = layerInput(scene, trace, layer);
    trace.push(times(directions, () => Object.fromEntries(
      NAMES.map((name) => [name, new Float32Array((name === "h" ? width : hidden) * steps)]),
    )));
    for (let direction = 0; direction < directions; direction++) {
      const step = stepper(layerWeights(weights, layer, direction), input, scene, intervention(edit, layer, direction));
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

function intervention(edit, layer, direction) {
  if (!edit || edit.layer !== layer || edit.direction !== direction) return null;
  const apply = {
    clamp: () => edit.value, scale: (value) => value * edit.value, add: (value) => value + edit.value,
  }[edit.kind];
  return { gate: GATES.indexOf(edit.gate), actsOn: (unit) => edit.unit === null || edit.unit === unit, apply };
}

function stepper({ ih, hh, hr, bias }, input, { hidden, width, steps }, edited) {
  let h = new Float64Array(width);
  const c = new Float64Array(hidden), gates = times(4, () => new Float64Array(hidden));
  const activations = GATES.map((name) => ACTIVATION[name]);
  return (t, trace) => {
    for (let gate = 0; gate < 4; gate++) {
      for (let unit = 0; unit < hidden; unit++) {
        const row = gate * hidden + unit;
        const sum = (bias ? bias[row] : 0) + dot(ih, row, input.values, t, input.size) + dot(hh, row, h, 0, width);
        let value = activations[gate](sum);
        if (edited?.gate === gate && edited.actsOn(unit)) value = edited.apply(value);
        gates[gate][unit] = value;
        trace[GATES[gate]][unit * steps + t] = value;
      }
    }
    const [i, f, g, o] = gates, output = new Float64Array(hidden); // h before any projection
    for (let unit = 0; unit < hidden; unit++) {
      c[unit] = f[unit] * c[unit] + i[unit] * g[unit];
      trace.c[unit * steps + t] = c[unit];
      output[unit] = o[unit] * Math.tanh(c[unit]);
    }
    h = hr ? Float64Array.from({ length: width }, (_, row) => dot(hr, row, output, 0, hidden)) : output;
    h.forEach((value, unit) => { trace.h[unit * steps + t] = value; });
  };
}

function dot(matrix, row, vector, at, size) {
  let sum = 0;
  for (let k = 0, a = row * size, b = at * size; k < size; k++) sum += matrix[a + k] * vector[b + k];
  return sum;
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
    const outputs = Float64Array.from(
      bias, (value, row) => value + dot(matrix, row, input, 0, input.length) + skip(row, t),
    );
    if (!count) {
      if (t === steps - 1) horizon.forEach((_, k) => { horizon[k] = inOwnUnits(scene, outputs[k * targets.length], k, t); });
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
