// Numbers and words of the strip: short, in the table's own units, and told by name.

import { format, ticks } from "../../canvas.js";
import { truthAt } from "../scene.js";

const DIGITS = 4; // significant ones on screen

export const percent = (share) => (Number.isFinite(share) ? `${Math.round(100 * share)}\u202f%` : "–");

// Round places on an axis, two at least, with their labels; more digits only where two would read the same.
export function axisTicks(low, high, count) {
  let places = ticks(low, high, count);
  for (let more = count + 1; places.length < 2 && more < 4 * count + 8; more++) places = ticks(low, high, more);
  for (let digits = DIGITS; ; digits++) {
    const labels = places.map((place) => format(place, digits));
    if (new Set(labels).size === labels.length || digits > 8) return places.map((place, k) => [place, labels[k]]);
  }
}

export const shorten = (name, max) => (name.length > max ? `${name.slice(0, max - 1)}…` : name);

// A symbol as one sign or a few letters.
export const sign = (scene, name) => scene.glyphs?.[name] ?? name;

export const stepText = ({ steps }, t) => `step ${t + 1} of ${steps}`;

// The classes at a step by their probability: [[name, share], …].
export function likeliest({ classes }, { shares }, t, count) {
  const own = Array.from(classes, (name, k) => [name, shares[t * classes.length + k]]);
  return own.sort((a, b) => b[1] - a[1]).slice(0, count);
}

// What can be said of one step, piece by piece, the most important first.
export function piecesAt(state, lines, t) {
  const { scene, sides } = state, pieces = [...(scene.when ? [scene.when[t]] : []), stepText(scene, t)];
  if (scene.symbols) pieces.push(scene.symbols[t] === null ? "reads nothing yet" : `reads ${nameAt(scene, t)}`);
  if (scene.classes.length) return [...pieces, ...classPieces(scene, sides, t)];
  for (const { told, values } of lines) pieces.push(`${told} ${format(values[t])}`);
  if (scene.head !== "last" && !lines.some(({ actual }) => actual) && scene.truth[t] !== null) {
    pieces.push(`actual ${format(scene.truth[t])}`);
  }
  return pieces;
}

const nameAt = (scene, t) => scene.features[scene.symbols[t]];
export const symbolAt = (scene, t) => sign(scene, nameAt(scene, t));

function classPieces(scene, sides, t) {
  const truth = truthAt(scene, t), [side] = sides, pieces = [];
  if (!side) return pieces;
  const best = likeliest(scene, side.prediction, t, 2).filter(([, share], k) => !k || share >= 0.05);
  const said = best.map(([name, share]) => `${shorten(name, 18)} ${percent(share)}`).join(", ");
  pieces.push(`predicts ${said}`);
  if (truth !== null && (scene.head !== "last" || t === scene.steps - 1)) {
    pieces.push(`actual ${shorten(scene.classes[truth], 18)} ${percent(side.prediction.values[t])}`);
  }
  return pieces;
}
