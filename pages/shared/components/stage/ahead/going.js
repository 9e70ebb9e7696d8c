// Going on past the window's end: the model reads its own predictions. Each function here is given all that it computes
// from, and yields now and then what there is so far, so that the page stays alive and a drag starts it anew.

import { uniform } from "../numbers.js";
import { FedTarget } from "./fed.js";
import { Network } from "./network.js";

const APART = 0x9e3779b1; // so that the draws of neighbouring seeds have nothing in common

// inputs: (steps, features), as the model reads them; choice: { rows, all, others, temperature, seed, futures }, see
// choice.js. Yields and returns, of numbers, { values, oneStep }: the first target after the window, by itself and with
// each row true up to then, as far as the table has rows; of symbols { futures }: the input of each row, [future][row].
// edit, hold: see network.js; slice(): ms of work before it yields.
export function goOn(scene, weights, inputs, choice, { edit = null, hold = null, slice = () => 10 } = {}) {
  const network = new Network(scene, weights, edit, hold), pause = pauser(slice);
  return (scene.future.map ? writeOn : forecast)(scene, network, inputs, { ...choice, pause });
}

function* forecast(scene, network, inputs, { rows, all, others, pause }) {
  const { steps, features, future, targets, outputSteps } = scene, size = features.length;
  const fed = future.fed.map((one) => new FedTarget(one, scene)), first = fed.find(({ index }) => index === 0);
  const values = new Float32Array((steps + rows + outputSteps) * size), result = { values: [], oneStep: [] };
  values.set(inputs);
  const rest = restOf(scene, inputs, others === "table"), taken = all ? outputSteps : 1;
  for (let end = steps; result.values.length < rows; end += taken) {
    yield* readWindow(network, values, end - steps, steps, pause, result);
    const outputs = network.outputs(values, (end - steps) * size);
    const predicted = fed.map((one) => Array.from({ length: taken },
      (_, k) => one.prediction(outputs[k * targets.length + one.index], k)));
    result.values.push(...predicted[fed.indexOf(first)].slice(0, rows - result.values.length));
    for (let k = 0; k < taken; k++) {
      const at = (end + k) * size;
      rest(values, at, end + k - steps);
      fed.forEach((one, which) => one.extend(predicted[which][k], values, at));
    }
  }
  yield* oneStepAhead(scene, network, inputs, { rows, pause, result });
  return result;
}

// A window that slides, from an empty memory each time, as Forecast reads it and as the model was trained.
function* readWindow(network, values, first, steps, pause, result) {
  network.begin();
  for (let t = first; t < first + steps; t++) {
    network.read(values, t * network.size);
    if (pause()) yield result;
  }
}

// Fills a row with what is no prediction: held at the window's last row, or as the table has it.
function restOf({ steps, features, future }, inputs, fromTable) {
  const size = features.length, known = features.map((_, column) => fromTable || future.known.includes(column));
  return (values, at, row) => {
    for (let column = 0; column < size; column++) {
      const told = known[column] && row < future.rows ? future.inputs[row * size + column] : NaN;
      values[at + column] = Number.isFinite(told) ? told : inputs[(steps - 1) * size + column];
    }
  };
}

// The prediction of each row from true rows alone, as far as the table has them. After a window that a hand has changed,
// what the model reads of a target behind a start is another, too.
function* oneStepAhead(scene, network, inputs, { rows, pause, result }) {
  const { steps, features, future } = scene, size = features.length, count = Math.min(rows, future.rows);
  const fed = future.fed.map((one) => new FedTarget(one, scene)), first = fed.findIndex(({ index }) => index === 0);
  const values = new Float32Array((steps + count) * size);
  values.set(inputs);
  values.set(future.inputs.subarray(0, count * size), steps * size);
  for (let row = 0; row < count; row++) {
    yield* readWindow(network, values, row, steps, pause, result);
    result.oneStep.push(fed[first].prediction(network.outputs(values, row * size)[0], 0));
    fed.forEach(({ started }, k) => {
      if (started) fed[k].write(started.takeIn(future.fed[k].z[row]), values, (steps + row) * size);
    });
  }
}

function* writeOn(scene, network, inputs, { rows, temperature, seed, futures, pause }) {
  const { steps, features, future } = scene, size = features.length;
  const result = { futures: [] }, values = new Float32Array((steps + rows) * size);
  values.set(inputs);
  yield* readWindow(network, values, 0, steps, pause, result);
  const after = network.keep();
  for (let k = 0; k < (temperature ? futures : 1); k++) {
    const written = [], draw = uniform(Math.imul(seed + k, APART));
    result.futures.push(written);
    network.resume(after);
    while (written.length < rows) {
      const row = steps + written.length, outputs = network.outputs(values, (row - steps) * size);
      const symbol = future.map[choose(outputs, temperature, draw)], at = row * size;
      written.push(symbol);
      for (let column = 0; column < size; column++) {
        values[at + column] = (column === symbol ? future.on : future.off)[column];
      }
      if (future.carries) network.read(values, at);
      else yield* readWindow(network, values, row + 1 - steps, steps, pause, result);
      if (pause()) yield result;
    }
  }
  return result;
}

// A draw from softmax(outputs / temperature) by Gumbel's trick, as the lesson Characters has it: the same seed gives the
// same noise, so that a choice changes only where the outputs or the temperature change it.
function choose(outputs, temperature, draw) {
  let best = 0, most = -Infinity;
  outputs.forEach((output, k) => {
    const value = temperature ? output - temperature * Math.log(-Math.log(draw())) : output;
    if (value > most) [best, most] = [k, value];
  });
  return best;
}

function pauser(slice) {
  let begin = null; // of this slice: it begins when the page has had its turn
  return () => {
    begin ??= performance.now();
    if (performance.now() - begin < slice()) return false;
    begin = null;
    return true;
  };
}
