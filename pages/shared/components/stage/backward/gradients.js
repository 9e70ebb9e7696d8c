// The exact gradient of one prediction with respect to every c and h of a window, as torch.autograd has it.
// Numbers only; drawn by the other files of this folder. Activations are worked out anew in float64: of a saturated
// gate, 1 − o is a difference that the trace's float32 no longer has.

import { predictionAt } from "../lstm.js";
import { addProduct, sigmoid } from "../numbers.js";
import { GATES, layerInput, layerWeights, times, truthAt } from "../scene.js";

const SET = 1e-5; // a gate further from its own equation was set by hand, and hands nothing back

const CANDIDATE = GATES.indexOf("g");


// Which number is differentiated: the head's output for it, by its row, and what that is called, in two lines. One
// prediction a window: that one; one a step: the last step's. Of classes the logit of the right one, or of the
// likeliest.
export function askedOf(scene, trace, weights) {
  const { classes, targets, steps } = scene;
  if (!classes.length) return asked(0, "the prediction", `of ${targets[0]}`);
  const right = truthAt(scene, steps - 1);
  if (right !== null) return asked(right, `the logit of ${classes[right]},`, "the actual class");
  const { shares } = predictionAt(scene, trace, weights), last = shares.subarray((steps - 1) * classes.length);
  const row = last.indexOf(Math.max(...last));
  return asked(row, `the logit of ${classes[row]},`, "the likeliest class");
}

const asked = (row, ...lines) => ({ row, lines, name: lines.join(" ") });

// Yields after slice() ms. Returns { asked, input: d/dx, layers: layer → direction → { c, h: d/dc and d/dh; m: d/d(o tanh c),
// which is h without a projection; i, f, g, o: before the activation; fromC, fromH: the parts of c and h that the next
// step hands back; start: { c, h } what is handed to before the first step; max: the largest size of c and h } }, each
// (units, steps). c and h are nodes of the graph: all ways from them to the prediction count.
export function* gradientOf(scene, trace, weights, slice = () => Infinity) {
  const question = askedOf(scene, trace, weights), layers = [];
  let above = headGradient(scene, weights, question.row);
  for (let layer = scene.layers - 1; layer >= 0; layer--) {
    const input = layerInput(scene, trace, layer), below = new Float64Array(input.size * scene.steps);
    layers[layer] = [];
    for (let direction = 0; direction < scene.directions; direction++) {
      const own = { values: trace[layer][direction], weights: layerWeights(weights, layer, direction) };
      layers[layer].push(yield* throughTime(scene, { ...own, slice }, direction, input, above, below));
    }
    above = below;
  }
  return { asked: question, layers, input: above };
}

// What the head hands to h of the last layer, (directions · width, steps).
function headGradient({ width, directions, steps, head }, weights, row) {
  const all = width * directions, gradient = new Float64Array(all * steps), matrix = weights["head.weight"];
  for (let k = 0; k < all; k++) {
    const at = k >= width && head === "last" ? 0 : steps - 1; // backwards, the last step that is read is the first
    gradient[k * steps + at] = matrix[row * all + k];
  }
  return gradient;
}

// One layer in one direction, from the last step that it read to the first. below: d/d(its input), added to.
function* throughTime(scene, { values, weights, slice }, direction, input, above, below) {
  const { hidden, width, steps } = scene, rows = (count) => new Float64Array(count * steps);
  const found = {
    c: rows(hidden), h: rows(width), m: rows(hidden), fromC: rows(hidden), fromH: rows(width), start: null, max: 0,
    ...Object.fromEntries(GATES.map((name) => [name, rows(hidden)])),
  };
  const cellStep = stepper(scene, values, weights, direction, input);
  let handed = { c: new Float64Array(hidden), h: new Float64Array(width) }, begin = performance.now();
  for (let k = 0; k < steps; k++) {
    const t = direction ? k : steps - 1 - k;
    for (let unit = 0; unit < width; unit++) {
      found.fromH[unit * steps + t] = handed.h[unit];
      found.h[unit * steps + t] = above[(direction * width + unit) * steps + t] + handed.h[unit];
    }
    for (let unit = 0; unit < hidden; unit++) found.fromC[unit * steps + t] = handed.c[unit];
    handed = cellStep(t, found);
    for (let feature = 0; feature < input.size; feature++) below[feature * steps + t] += handed.x[feature];
    if (performance.now() - begin > slice()) {
      yield;
      begin = performance.now();
    }
  }
  found.start = handed;
  for (const name of ["c", "h"]) for (const value of found[name]) found.max = Math.max(found.max, Math.abs(value));
  return found;
}

// Returns what takes the gradient of h_t and of c_{t+1}'s share through step t: { c, h: for the step before, x }.
function stepper({ hidden, width, steps }, values, { ih, hh, hr, bias }, direction, input) {
  const sums = times(4, () => new Float64Array(hidden)); // d/d(pre-activation) of i, f, g, o
  const activations = new Float64Array(4 * hidden), kept = GATES.map((name) => values[name]);
  const value = new Float64Array(4), slope = new Float64Array(4); // of one unit's gates
  const gate = (k, sum, own) => {
    const is = k === CANDIDATE ? Math.tanh(sum) : sigmoid(sum), isSet = Math.abs(is - own) > SET;
    value[k] = isSet ? own : is;
    slope[k] = isSet ? 0 : k === CANDIDATE ? 1 - is ** 2 : is * sigmoid(-sum);
  };
  return (t, found) => {
    const past = direction ? t + 1 : t - 1, within = past >= 0 && past < steps;
    const before = (name, count) => Float64Array.from(
      { length: count }, (_, unit) => (within ? values[name][unit * steps + past] : 0),
    );
    const hPrev = before("h", width), cPrev = before("c", hidden), c = new Float64Array(hidden);
    if (bias) activations.set(bias);
    else activations.fill(0);
    addProduct(activations, ih, input.values, t * input.size, input.size);
    addProduct(activations, hh, hPrev, 0, width);
    for (let unit = 0; unit < hidden; unit++) {
      const at = unit * steps + t, tanhC = Math.tanh(values.c[at]);
      for (let k = 0; k < 4; k++) gate(k, activations[k * hidden + unit], kept[k][at]);
      const [i, f, g, o] = value;
      let m = hr ? 0 : found.h[at];
      if (hr) for (let k = 0; k < width; k++) m += hr[k * hidden + unit] * found.h[k * steps + t];
      const dc = found.fromC[at] + m * o * (1 - tanhC ** 2);
      found.m[at] = m;
      found.c[at] = dc;
      c[unit] = dc * f;
      sums[0][unit] = found.i[at] = dc * g * slope[0];
      sums[1][unit] = found.f[at] = dc * cPrev[unit] * slope[1];
      sums[2][unit] = found.g[at] = dc * i * slope[2];
      sums[3][unit] = found.o[at] = m * tanhC * slope[3];
    }
    return { c, h: transposed(hh, sums, width), x: transposed(ih, sums, input.size) };
  };
}

// Mᵀ · the four gates' gradients, M: (4 · hidden, columns).
function transposed(matrix, sums, columns) {
  const result = new Float64Array(columns);
  sums.forEach((gate, k) => {
    for (let unit = 0; unit < gate.length; unit++) {
      const gradient = gate[unit], row = (k * gate.length + unit) * columns;
      if (gradient) for (let column = 0; column < columns; column++) result[column] += gradient * matrix[row + column];
    }
  });
  return result;
}
