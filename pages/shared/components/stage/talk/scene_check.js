// Whether bytes are a scene that the stage can draw. A talk's file may come from anybody: every field that is read
// later is looked at here, and the numbers must be exactly as many as the fields announce.

import { NAMES } from "../scene.js";
import { MOST, isObject, list, number, orNull, text, truth, whole } from "./checks.js";
import { isFuture, numbersOfFuture } from "./future_check.js";
import { areRecipes, numbersOfRecipes } from "./recipe_check.js";

const word = text(), texts = list(word), units = whole(1, 4096), trained = whole(0, 1e12); // steps of a training
const FIELDS = {
  layers: whole(1, 64), directions: whole(1, 2), hidden: units, width: units, steps: whole(1),
  head: word, now: trained, perEpoch: (value) => number(value) && value > 0,
  snapshots: list(trained), others: texts, features: texts, series: texts, targets: texts,
  classes: texts, when: orNull(texts), truth: list(orNull(number)), horizon: list(orNull(number)),
  symbols: orNull(list(orNull(whole()))), ahead: whole(-MOST),
  inputCenter: list(number), inputScale: list(number), outputSteps: whole(1), center: number, scale: list(number),
  start: truth, log: truth, glyphs: (value) => isObject(value) && Object.values(value).every(word),
  model: (value) => value === undefined || word(value),
  best: (value) => value === undefined || value === "refit" || orNull(trained)(value),
  parameters: list((one) => Array.isArray(one) && one.length === 2 && word(one[0]) && list(whole(1))(one[1])),
};
const product = (shape) => shape.reduce((all, one) => all * one, 1);

// What is wrong with them, as the end of a sentence; "" if nothing is.
export function faultOf(bytes) {
  let header;
  try {
    const size = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(4, 4 + size)));
    const numbers = (bytes.byteLength - 4 - size) / 4;
    const field = Object.keys(FIELDS).find((name) => !FIELDS[name](header[name]));
    if (field) return `its field ${field} is missing or not what a stage can draw`;
    if (!areRecipes(header)) return "its field recipes is missing or not what a stage can make inputs of";
    if (!isFuture(header)) return "its field future is missing or not what a stage can go on from";
    const wanted = numbersOf(header);
    if (numbers !== wanted) return `it has ${numbers} numbers instead of ${wanted}`;
  } catch {
    return "it cannot be read";
  }
  return unfitting(header);
}

// How many numbers follow the header: see scene.js, which takes them in this order.
function numbersOf({ steps, layers, directions, hidden, width, features, series, start, outputSteps, ...header }) {
  const cell = (NAMES.length - 1) * hidden + width;
  const weights = header.parameters.reduce((sum, [, shape]) => sum + product(shape), 0);
  return steps * (features.length + series.length + (start ? outputSteps : 0) + layers * directions * cell)
    + weights * (1 + header.snapshots.length + header.others.length)
    + numbersOfRecipes({ steps, ...header }) + numbersOfFuture({ features, start, ...header });
}

// Lists of another length than the window, and weights of another shape than the LSTM.
function unfitting({ steps, layers, directions, hidden, width, features, parameters, ...header }) {
  for (const name of ["when", "truth", "symbols"]) {
    if (header[name] && header[name].length !== steps) return `its field ${name} has not one entry for each step`;
  }
  for (const name of ["inputCenter", "inputScale"]) {
    if (header[name].length !== features.length) return `its field ${name} has not one entry for each input`;
  }
  if (header.symbols?.some((symbol) => symbol >= features.length)) return "it reads a symbol that it has not";
  if (header.truth.some((k) => header.classes.length && k !== null && !header.classes[k])) return "a class is missing";
  const shapes = new Map(parameters);
  for (let layer = 0; layer < layers; layer++) {
    for (let direction = 0; direction < directions; direction++) {
      const suffix = `_l${layer}${direction ? "_reverse" : ""}`, input = layer ? width * directions : features.length;
      const wanted = { weight_ih: [4 * hidden, input], weight_hh: [4 * hidden, width] };
      for (const [kind, shape] of Object.entries(wanted)) {
        const name = `lstm.${kind}${suffix}`;
        if (String(shapes.get(name)) !== String(shape)) return `its weights ${name} have another shape`;
      }
    }
  }
  const [outputs, read] = shapes.get("head.weight") ?? [], rows = header.classes.length || 1;
  const fits = read === width * directions && outputs >= rows && String(shapes.get("head.bias")) === String([outputs]);
  return fits ? "" : "its head has another shape";
}
