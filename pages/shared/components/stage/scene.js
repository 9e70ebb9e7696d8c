// What Python sends (lstm_core/scene.py), unpacked: names, inputs, the trace of now, weights of every snapshot.

export const GATES = ["i", "f", "g", "o"], NAMES = [...GATES, "c", "h"];

// bytes: uint32 length of the JSON, the JSON, float32 arrays; all little-endian.
export function decode(bytes) {
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const scene = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
  const numbers = new Float32Array(bytes.slice(4 + size).buffer);
  let at = 0;
  const take = (count) => numbers.subarray(at, (at += count));
  const { steps, layers, directions, hidden, width } = scene;
  scene.inputs = take(steps * scene.features.length); // (steps, features), as the model reads them
  scene.series = scene.series.map((name) => ({ name, values: take(steps) })); // in the table's own units
  scene.trace = times(layers, () => times(directions, () => Object.fromEntries(
    NAMES.map((name) => [name, take((name === "h" ? width : hidden) * steps)]), // (units, steps)
  )));
  const parameters = scene.parameters;
  const weights = () => named(parameters, take);
  scene.weights = weights();
  scene.snapshots = scene.snapshots.map((step) => ({ step, weights: weights() }));
  scene.others = scene.others.map((label) => ({ label, weights: weights() })); // other runs, to compare with
  return scene;
}

export const times = (count, make) => Array.from({ length: count }, (_, k) => make(k));

function named(parameters, take) {
  return Object.fromEntries(parameters.map(([name, shape]) => [name, take(shape.reduce((a, b) => a * b, 1))]));
}

// The four weights of one layer and direction, by their short names; biases may be missing.
export function layerWeights(weights, layer, direction) {
  const suffix = `_l${layer}${direction ? "_reverse" : ""}`;
  const one = (kind) => weights[`lstm.${kind}${suffix}`];
  return {
    ih: one("weight_ih"), hh: one("weight_hh"), hr: one("weight_hr"),
    bias: one("bias_ih") && Float64Array.from(one("bias_ih"), (value, row) => value + one("bias_hh")[row]),
  };
}

// What a layer reads: (steps, features), the scene's inputs or the h of the layer below, directions side by side.
export function readBy(scene, trace, layer) {
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
