// A talk as one file: JSON, with each scene in it once, packed. Read as what it is: a text that anybody may have made.

import { decode } from "../scene.js";
import { faultOf as faultOfMoment, plain } from "./moment.js";
import { fromBase64, gunzip, toBase64 } from "./packing.js";
import { faultOf as faultOfScene } from "./scene_check.js";

const FORMAT = "lstm-stage-talk", VERSION = 1;
const MOST_MOMENTS = 500, MOST_TEXT = 300e6; // letters

export class TalkError extends Error {}

// talk: { title, moments, scenes: Map of key → packed bytes }. The file's text.
export function write({ title, moments, scenes }) {
  const used = new Set(moments.map(({ scene }) => scene));
  const packed = [...scenes].filter(([key]) => used.has(key)).map(([key, bytes]) => [key, toBase64(bytes)]);
  return JSON.stringify({ format: FORMAT, version: VERSION, title, moments, scenes: Object.fromEntries(packed) });
}

// The talk of a file's text. Throws a TalkError with one sentence on the first thing that is wrong.
export async function read(text) {
  const file = parse(text), { title, moments } = file;
  if (typeof title !== "string" || title.length > 300) throw new TalkError("The talk has no title that can be shown.");
  if (!Array.isArray(moments) || !moments.length) throw new TalkError("The talk has no moments.");
  if (moments.length > MOST_MOMENTS) throw new TalkError(`The talk has more than ${MOST_MOMENTS} moments.`);
  if (file.scenes === null || typeof file.scenes !== "object") throw new TalkError("The talk has no scenes.");
  const scenes = new Map(), sizes = new Map();
  for (const [at, moment] of moments.entries()) {
    const key = moment?.scene;
    if (typeof key !== "string" || !Object.hasOwn(file.scenes, key)) {
      throw new TalkError(`Moment ${at + 1} has no scene in this file.`);
    }
    if (!scenes.has(key)) {
      const { packed, scene } = await unpackScene(file.scenes[key], at);
      scenes.set(key, packed);
      sizes.set(key, scene);
    }
    const fault = faultOfMoment(moment, sizes.get(key));
    if (fault) throw new TalkError(`Moment ${at + 1} ${fault}.`);
  }
  return { title, moments: moments.map(plain), scenes };
}

function parse(text) {
  if (text.length > MOST_TEXT) throw new TalkError("The file is larger than a talk can be.");
  let file = null;
  try {
    file = JSON.parse(text);
  } catch {
    throw new TalkError("This file is no talk: it is not JSON, or it is cut off.");
  }
  if (file?.format !== FORMAT) throw new TalkError("This file is no talk of the Stage.");
  if (file.version !== VERSION) throw new TalkError("This talk was saved by another version of the Stage.");
  return file;
}

async function unpackScene(text, at) {
  let packed, bytes;
  try {
    packed = fromBase64(text);
    bytes = await gunzip(packed);
  } catch (error) {
    const why = error.message === "too large" ? "is too large" : "is damaged";
    throw new TalkError(`The scene of moment ${at + 1} ${why}.`);
  }
  const fault = faultOfScene(bytes);
  if (fault) throw new TalkError(`The scene of moment ${at + 1} is damaged: ${fault}.`);
  return { packed, scene: decode(bytes) };
}
