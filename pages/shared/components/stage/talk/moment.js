// A moment: what the stage shows of one scene, and what the speaker has to tell and to ask about it.

import * as ahead from "../ahead/choice.js";
import { fromText, toText } from "../bar/compare.js";
import { PARTS } from "../cell/cell_text.js";
import * as edits from "../touch/edits.js";
import { stepText } from "../strip/strip_text.js";
import { NAMES } from "../scene.js";
import { among, below, isObject, orNull, text, truth } from "./checks.js";

const FIELDS = [ // of a moment, beside its question
  "title", "scene", "step", "unit", "layer", "direction", "snapshot", "heatmap", "part", "compare", "notes",
  "touch", "ahead", "backward", "level",
];
const DEFAULTS = { touch: null, ahead: null, backward: false, level: 2 }; // of those that a file may leave out
const SAID = { touch: "changed input", ahead: "continuation", backward: "gradient", level: "depth" }; // where words differ
const OWN = ["id", "link", "modules", "style", "opening", "talk"]; // fields of a scene
export const CHOICES = 3; // to a question, answered by the keys 1 to 3

// What is on the stage now; scene: the key of its scene among the talk's.
export function take(state, key) {
  const { scene, step, unit, layer, direction, snapshot, heatmap, part, compare } = state;
  const read = unit === null ? "all units" : `unit ${unit}`;
  const where = [scene.model, scene.when?.[step], stepText(scene, step), read];
  return {
    title: where.filter(Boolean).join(", "), scene: key, step, unit, layer, direction, snapshot, heatmap, part,
    compare: toText(compare), question: null, notes: "",
    touch: edits.toText(scene, state.edits), ahead: ahead.toText(scene, state.ahead),
    backward: state.backward, level: state.level,
  };
}

// The scene's message without what is this server's alone: its addresses, and the run's id, with which a reader could
// watch it.
export function portable(bytes) {
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
  for (const name of OWN) delete header[name];
  const text = new TextEncoder().encode(JSON.stringify(header)), padded = Math.ceil(text.length / 4) * 4;
  const made = new Uint8Array(4 + padded + bytes.length - 4 - size).fill(32); // spaces, as wire.pack pads
  new DataView(made.buffer).setUint32(0, padded, true);
  made.set(text, 4);
  made.set(bytes.subarray(4 + size), 4 + padded);
  return made;
}

// With the defaults of what it leaves out; a talk that a browser has kept may hold such a field as undefined.
const filled = (moment) => ({ ...moment, ...Object.fromEntries(
  Object.entries(DEFAULTS).map(([name, value]) => [name, moment[name] === undefined ? value : moment[name]]),
) });

// The state that shows it.
export function choicesOf(moment, scene) {
  const { step, unit, layer, direction, snapshot, heatmap, part, backward, level, ...rest } = filled(moment);
  return {
    step, unit, layer, direction, snapshot, heatmap, part, backward, level, compare: fromText(rest.compare, scene),
    edits: edits.fromText(rest.touch, scene) ?? null, ahead: ahead.fromText(rest.ahead, scene) ?? null,
  };
}

// What keeps it from being shown on this scene, as the end of a sentence; "" if nothing does.
export function faultOf(moment, scene) {
  if (!isObject(moment)) return "is none";
  const told = (most, read) => orNull((value) => text(most)(value) && read(value) !== null);
  const fields = {
    title: text(300), notes: text(20_000), step: below(scene.steps), layer: below(scene.layers),
    direction: below(scene.directions), snapshot: below(scene.snapshots.length + 1), heatmap: orNull(among(NAMES)),
    part: orNull(among(Object.keys(PARTS))), unit: orNull(below(scene.hidden)),
    compare: told(100, (value) => fromText(value, scene)),
    question: orNull(isQuestion),
    touch: told(20_000, (value) => edits.fromText(value, scene)),
    ahead: told(100, (value) => ahead.fromText(value, scene)),
    backward: truth, level: below(3),
  };
  const given = filled(moment), wrong = Object.keys(fields).find((name) => !fields[name](given[name]));
  return wrong ? `has a ${SAID[wrong] ?? wrong} that its scene cannot show` : "";
}

function isQuestion(question) {
  if (!isObject(question)) return false;
  const { text: asked, choices, right, answer } = question;
  const number = Array.isArray(choices) && choices.length <= CHOICES && choices.every(text(500)) ? choices.length : -1;
  const known = right === null || below(number)(right);
  return number >= 0 && known && text(1000)(asked) && asked.trim() !== "" && text(2000)(answer);
}

// Only the fields that a moment has, whatever else a file put beside them, and all of those.
export function plain({ question, ...moment }) {
  const { text: asked, choices, right, answer } = question ?? {};
  const given = filled(moment), kept = Object.fromEntries(FIELDS.map((name) => [name, given[name]]));
  return { ...kept, question: question && { text: asked, choices: [...choices], right, answer } };
}
