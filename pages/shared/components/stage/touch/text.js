// Typed text as symbols: which of a scene's inputs each letter is. No drawing here.

import { sign } from "../strip/strip_text.js";
import { originalOf } from "./edits.js";

const WRITTEN = { "␣": " ", "↵": "\n", "·": " " }; // how a sign is typed

// The symbols of a text, the longest names first; { symbols, unknown: the letters that no input is }.
export function symbolsOf(scene, text) {
  const words = wordsOf(scene), symbols = [], unknown = [];
  for (let at = 0; at < text.length;) {
    const rest = text.slice(at), found = words.find(([word]) => rest.startsWith(word))
      ?? words.find(([word]) => rest.toLowerCase().startsWith(word.toLowerCase()));
    if (found) symbols.push(found[1]);
    else unknown.push([...rest][0]);
    at += (found?.[0] ?? [...rest][0]).length;
  }
  return { symbols, unknown };
}

// [[what is typed, its input], …]
function wordsOf(scene) {
  const words = scene.features.flatMap((name, k) => {
    const own = sign(scene, name);
    return [...new Set([String(name), own, WRITTEN[own] ?? own])].map((word) => [word, k]);
  });
  return words.sort(([a], [b]) => b.length - a.length);
}

// What the strip then reads: the text behind the window's own symbols, or alone, behind nothing.
export function followedBy(scene, symbols, isAlone) {
  const { steps } = scene, own = originalOf(scene).symbols;
  if (!symbols.length) return own.slice();
  const before = isAlone ? Array(steps).fill(null) : own;
  return [...before, ...symbols].slice(-steps);
}
