// A changed input: what may be changed, the scene with the change in it, and the change as a short text for the
// address. An edit is null, or { series: { place: (steps,) values in the table's own units }, symbols: (steps,) inputs
// or null }: place counts the scene's series. No drawing here.

const FINE = 1000; // a value is told in steps of a thousandth of its feature's span, or finer

// The drawn features that the model reads as they are: [{ place, feature, name }]; none of symbols.
export function editable(scene) {
  if (scene.symbols || !scene.inputScale) return [];
  return scene.series.map(({ name }, place) => ({ place, name, feature: scene.features.indexOf(name) }))
    .filter(({ feature }) => feature >= 0);
}

export const originalOf = (scene) => scene.original ?? scene;

// The power of ten that this feature's values are rounded to, so that what is told is what the model reads.
export function grainOf(scene, place) {
  let low = Infinity, high = -Infinity;
  for (const value of originalOf(scene).series[place].values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return Math.floor(Math.log10((high - low || Math.abs(high) || 1) / FINE));
}

export const rounded = (value, power) => Number(`${Math.round(Number(`${value}e${-power}`)) || 0}e${power}`);

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
  return values.flatMap((value, t) => (Math.fround(value) === before[t] ? [] : [t]));
}

// The edit as far as this scene has its series and steps.
export function clampEdits(scene, edits) {
  if (!edits) return null;
  const places = new Set(editable(scene).map(({ place }) => place));
  const fits = (values) => values.length === scene.steps;
  const series = Object.entries(edits.series).filter(([place, values]) => places.has(Number(place)) && fits(values));
  const symbols = edits.symbols && scene.symbols && fits(edits.symbols) ? edits.symbols : null;
  return pruned(scene, { series: Object.fromEntries(series), symbols });
}

// The scene as it would be with this input; without an edit the original itself.
export function edited(scene, edits) {
  const original = originalOf(scene);
  if (!edits) return original;
  const inputs = original.inputs.slice(), size = original.features.length;
  const put = (feature, t, value) => {
    inputs[t * size + feature] = (value - original.inputCenter[feature]) * (1 / original.inputScale[feature]);
  };
  const series = original.series.slice();
  for (const { place, feature, name } of editable(original)) {
    const values = edits.series[place];
    if (!values) continue;
    series[place] = { name, values: Float32Array.from(values) };
    for (const t of changedSteps(original, place, values)) put(feature, t, values[t]);
  }
  const { symbols } = edits;
  symbols?.forEach((symbol, t) => {
    if (symbol !== original.symbols[t]) for (let k = 0; k < size; k++) put(k, t, k === symbol ? 1 : 0);
  });
  const changed = { inputs, series, symbols: symbols ?? original.symbols, original };
  return { ...original, ...changed, truth: symbols ? truthOf(original, symbols) : original.truth };
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
