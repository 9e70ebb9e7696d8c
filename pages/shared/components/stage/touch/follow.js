// The traces of a changed input and of a valve that is held: each side has an engine that goes on from what changed.

import { Engine, predictionAt } from "../lstm.js";

const MOST = 3; // engines that are kept: both sides', and the one before
const REST = 5; // ms between two slices of preparing

export class Follower {
  constructor() { this.clear(); }

  clear() {
    this.engines = new Map(); // key → engine
  }

  // Yields unless it is live: then the page waits for it, so that hand and cell move in the same frame.
  *frame(scene, key, weights, { edit, hold, live }) {
    const trace = yield* this.engine(scene, key, weights, edit).run(scene.inputs, hold, live);
    return { trace, prediction: predictionAt(scene, trace, weights), weights };
  }

  // Works out what the first grab would otherwise have to wait for, in slices while the page is idle.
  prepare(scene, key, weights, edit) {
    if (this.engines.has(key)) return;
    const engine = this.engine(scene, key, weights, edit), work = engine.run(scene.inputs);
    const go = () => {
      if (!this.engines.has(key)) return;
      if (!work.next().done) setTimeout(go, REST);
      else engine.warm();
    };
    go();
  }

  engine(scene, key, weights, edit) {
    const engine = this.engines.get(key) ?? new Engine(scene, weights, edit);
    this.engines.delete(key); // and put it at the end, as the one used last
    this.engines.set(key, engine);
    for (const old of [...this.engines.keys()].slice(0, -MOST)) this.engines.delete(old);
    return engine;
  }
}
