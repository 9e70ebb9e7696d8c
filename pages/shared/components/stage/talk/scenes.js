// The scenes of a talk, unpacked one ahead of the speaker: a moment must be there at once.

import { decode } from "../scene.js";
import { gunzip } from "./packing.js";

const KEPT = 4; // unpacked scenes: the one on stage, its neighbours, and one more

// packed: Map of key → packed bytes.
export class Scenes {
  constructor(packed) {
    this.packed = packed;
    this.ready = new Map(); // key → promise of { scene, bytes }, the oldest first
  }

  get(key) {
    const found = this.ready.get(key) ?? this.unpack(key);
    this.ready.delete(key);
    this.ready.set(key, found);
    for (const old of [...this.ready.keys()].slice(0, -KEPT)) this.ready.delete(old);
    return found;
  }

  async unpack(key) {
    const bytes = await gunzip(this.packed.get(key)), scene = decode(bytes);
    scene.id = `talk ${key}`; // another one than any page's
    return { scene, bytes };
  }
}
