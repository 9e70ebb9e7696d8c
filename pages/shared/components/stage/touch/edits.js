// A changed input: what may be changed, the scene with the change in it, and the change as a short text for the
// address. An edit is null, or { series: { place: (steps,) values in the table's own units }, symbols: (steps,) inputs
// or null }: place counts the scene's series. No drawing here.

import { deriveAhead, deriveStarted, recipeOf } from "../recipe/derive.js";

const FINE = 1000; // a value is told in steps of a thousandth of its feature's span, or finer

// The drawn features, of which the model reads something: [{ place, name, feature: the input that it is, or −1; recipe:
// how its inputs are made of it, where it is none; why: "", or the sentence why a hand cannot change it }]; none of symbols.
export function lines(scene) {
  if (scene.symbols || !scene.inputScale) return [];
  return scene.series.map(({ name }, place) => {
    const recipe = recipeOf(scene, name), feature = recipe ? -1 : scene.features.indexOf(name);
    return { place, name, feature, recipe, why: recipe?.why ?? "" };
  }).filter(({ feature, recipe }) => feature >= 0 || recipe);
}

// Those that a hand can change.
export const editable = (scene) => lines(scene).filter(({ why }) => !why);

export const originalOf = (scene) => scene.original ?? scene;

// The power of ten that this feature's values are rounded to, so that what is told is what the model reads.
export function grainOf(scene, place) {
  let low = Infinity, high = -Infinity;
  for (const value of originalOf(scene).series[place].values) {
    if (Number.isNaN(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return Math.floor(Math.log10((high - low || Math.abs(high) || 1) / FINE));
}

const rounded = (value, power) => Number(`${Math.round(Number(`${value}e${-power}`)) || 0}e${power}`);

// How a value of this feature is told: rounded, and over 0 where the model reads its logarithm; what is missing stays so.
export function telling(scene, place) {
  const power = grainOf(scene, place), least = isLog(scene, place) ? Number(`1e${power}`) : -Infinity;
  return (value) => (Number.isNaN(value) ? value : Math.max(least, rounded(value, power)));
}

const isLog = (scene, place) => Boolean(recipeOf(scene, scene.series[place].name)?.log);

// A feature's values as they will be drawn in the next frame.
export const valuesOf = ({ scene, edits }, place) =>
  edits?.series[place] ?? Array.from(originalOf(scene).series[place].values);

// The edit with other values of one feature; null where nothing is left of it.
export function withValues(scene, edits, place, values) {
  return pruned(originalOf(scene), { series: { ...edits?.series, [place]: values }, symbols: edits?.symbols ?? null });
}

export const withSymbols = (scene, edits, symbols) =>
  pruned(originalOf(scene), { series: edits?.series ?? {}, symbols });

function pruned(original, { series, symbols }) {
  const kept = Object.entries(series).filter(([place, values]) => changedSteps(original, place, values).length);
  const other = symbols && symbols.some((symbol, t) => symbol !== original.symbols[t]) ? symbols : null;
  return kept.length || other ? { series: Object.fromEntries(kept), symbols: other } : null;
}

function changedSteps(original, place, values) {
  const before = original.series[place].values;
  return values.flatMap((value, t) => (Object.is(Math.fround(value), before[t]) ? [] : [t]));
}

// The edit as far as this scene has its series and steps.
export function clampEdits(scene, edits) {
  if (!edits) return null;
  const places = new Set(editable(scene).map(({ place }) => place));
  const fits = (values) => values.length === scene.steps;
  const has = (place, values) => fits(values) && !(isLog(scene, place) && values.some((value) => value <= 0));
  const series = Object.entries(edits.series).filter(([place, values]) => places.has(Number(place)) && has(place, values));
  const symbols = edits.symbols && scene.symbols && fits(edits.symbols) ? edits.symbols : null;
  return pruned(scene, { series: Object.fromEntries(series), symbols });
}

// The scene as it would be with this input; without an edit the original itself.
export function edited(scene, edits) {
  const original = originalOf(scene);
  if (!edits) return original;
  const inputs = original.inputs.slice(), series = original.series.slice();
  const changed = { ...original, inputs, series, ...changedSymbols(original, edits.symbols, inputs), original };
  const put = putting(original, inputs);
  for (const { place, feature, name, recipe } of editable(original)) {
    const values = edits.series[place];
    if (!values) continue;
    series[place] = { name, values: Float32Array.from(values) };
    const steps = changedSteps(original, place, values);
    if (recipe?.start) Object.assign(changed, deriveStarted(changed, recipe, steps, values, put));
    else if (recipe) deriveAhead(recipe, steps, values, put);
    else for (const t of steps) put(feature, t, values[t]);
  }
  return changed;
}

// What writes a value into the inputs as the model reads it.
const putting = ({ features, inputCenter, inputScale }, inputs) => (column, t, value) => {
  inputs[t * features.length + column] = (value - inputCenter[column]) * (1 / inputScale[column]);
};

function changedSymbols(original, symbols, inputs) {
  if (!symbols) return {};
  const put = putting(original, inputs);
  symbols.forEach((symbol, t) => {
    if (symbol !== original.symbols[t]) for (const k of original.features.keys()) put(k, t, k === symbol ? 1 : 0);
  });
  return { symbols, truth: truthOf(original, symbols) };
}

// Where each class is the next symbol, the truth follows the symbols; elsewhere it stays the table's.
function truthOf(original, symbols) {
  const { truth, classes, features, steps } = original;
  const known = truth.map((k, t) => [k, original.symbols[t + 1]]).filter(([k, next]) => k !== null && next != null);
  if (!classes.length || !known.length || known.some(([k, next]) => classes[k] !== features[next])) return truth;
  const numbers = features.map((name) => classes.indexOf(name));
  return symbols.map((symbol, t) => {
    if (t === steps - 1) return symbol === original.symbols[t] ? truth[t] : null;
    const next = symbols[t + 1];
    return symbol === null || next === null || numbers[next] < 0 ? null : numbers[next];
  });
}

// ---- the address ----

// Runs of changed steps: "0.-2*12.a4.b0*20.3": of series 0, in steps of 10⁻², from step 12 on two values, at 20 one;
// numbers to the base 36. Symbols: "s*12.a.b", "-" where none is read.
export function toText(scene, edits) {
  if (!edits) return null;
  const original = originalOf(scene), parts = [];
  for (const [place, values] of Object.entries(edits.series)) {
    const power = grainOf(scene, place), whole = (t) => Math.round(Number(`${values[t]}e${-power}`)).toString(36);
    parts.push([`${place}.${power}`, ...runs(changedSteps(original, place, values), whole)].join("*"));
  }
  if (edits.symbols) {
    const steps = edits.symbols.flatMap((symbol, t) => (symbol === original.symbols[t] ? [] : [t]));
    parts.push(["s", ...runs(steps, (t) => edits.symbols[t]?.toString(36) ?? "-")].join("*"));
  }
  return parts.join("_");
}

function runs(steps, text) {
  const found = [];
  steps.forEach((t, k) => {
    if (k && steps[k - 1] === t - 1) found[found.length - 1] += `.${text(t)}`;
    else found.push(`${t.toString(36)}.${text(t)}`);
  });
  return found;
}

// A text that is none, or of another window, gives no edit.
export function fromText(text, scene) {
  const edits = { series: {}, symbols: null };
  for (const part of (text ?? "").split("_").filter(Boolean)) {
    const [head, ...pieces] = part.split("*"), [place, power] = head.split(".");
    if (head === "s") edits.symbols = readRuns(pieces, scene.symbols?.slice(), (word) => readSymbol(word, scene));
    else if (/^\d$/.test(place) && scene.series[place] && power === String(grainOf(scene, place))) {
      const before = Array.from(scene.series[place].values);
      edits.series[place] = readRuns(pieces, before, (word) => Number(`${readWhole(word)}e${power}`));
    }
    if (head === "s" ? !edits.symbols : !edits.series[place]) return null;
  }
  return clampEdits(scene, edits);
}

const readWhole = (word) => (/^-?[0-9a-z]{1,8}$/.test(word) ? parseInt(word, 36) : NaN);

function readSymbol(word, { features }) {
  const symbol = readWhole(word);
  return word === "-" ? null : symbol >= 0 && symbol < features.length ? symbol : NaN;
}

function readRuns(pieces, values, read) {
  if (!values || !pieces.length) return null;
  for (const piece of pieces) {
    const [start, ...words] = piece.split("."), first = readWhole(start);
    for (const [k, word] of words.entries()) {
      const value = read(word);
      if (Number.isNaN(value) || !(first >= 0) || first + k >= values.length) return null;
      values[first + k] = value;
    }
  }
  return values;
}
