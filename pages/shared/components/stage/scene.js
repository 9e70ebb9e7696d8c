// What Python sends (lstm_core/figures/stage_scene.py), unpacked: names, inputs, the trace of now, weights of every snapshot.

import { decodeFuture } from "./ahead/fed.js";
import { decodeRecipes } from "./recipe/started.js";
import { unpack } from "../wire.js";

export const GATES = ["i", "f", "g", "o"], NAMES = [...GATES, "c", "h"];

export function decode(bytes) {
  const [scene, take] = unpack(bytes);
  const { steps, layers, directions, hidden, width } = scene;
  scene.inputs = take(steps * scene.features.length); // (steps, features), as the model reads them
  scene.series = scene.series.map((name) => ({ name, values: take(steps) })); // in the table's own units
  scene.start = scene.start ? take(scene.outputSteps * steps) : null; // (output steps, steps), what the model corrects
  scene.trace = times(layers, () => times(directions, () => Object.fromEntries(
    NAMES.map((name) => [name, take((name === "h" ? width : hidden) * steps)]), // (units, steps)
  )));
  const parameters = scene.parameters;
  const weights = () => named(parameters, take);
  scene.weights = weights();
  scene.snapshots = scene.snapshots.map((step) => ({ step, weights: weights() }));
  scene.others = scene.others.map((label) => ({ label, weights: weights() })); // other runs, to compare with
  decodeRecipes(scene, take);
  decodeFuture(scene, take);
  return scene;
}

// What is right after a step: a model with one prediction a window is only ever asked for the one at the end.
export const truthAt = ({ head, truth, steps }, t) => truth[head === "last" ? steps - 1 : t];

export const times = (count, make) => Array.from({ length: count }, (_, k) => make(k));

function named(parameters, take) {
  return Object.fromEntries(parameters.map(([name, shape]) => [name, take(shape.reduce((a, b) => a * b, 1))]));
}

// The four weights of one layer and direction, by their short names; biases may be missing.
export function layerWeights(weights, layer, direction) {
  const suffix = `_l${layer}${direction ? "_reverse" : ""}`;
  const parameter = (kind) => weights[`lstm.${kind}${suffix}`];
  const [first, second] = [parameter("bias_ih"), parameter("bias_hh")];
  return {
    ih: parameter("weight_ih"), hh: parameter("weight_hh"), hr: parameter("weight_hr"),
    bias: first && Float64Array.from(first, (value, row) => value + second[row]),
  };
}

// The input of a layer, (steps, features): the scene's inputs, or the h of the layer below, directions side by side.
export function layerInput(scene, trace, layer) {
  if (layer === 0) return { values: scene.inputs, size: scene.features.length };
  const { steps, width, directions } = scene, size = width * directions;
  const values = new Float32Array(steps * size);
  trace[layer - 1].forEach(({ h }, direction) => {
    for (let unit = 0; unit < width; unit++) {
      for (let t = 0; t < steps; t++) values[t * size + direction * width + unit] = h[unit * steps + t];
    }
  });
  return { values, size };
}
