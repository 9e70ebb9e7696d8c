// Keeps the continuation abreast of what it is computed from: another input, other weights, another choice.

import { goOn } from "./going.js";

const SHOWN = 50; // ms between two pictures of a long computation
const PATIENCE = 250; // ms that a computation goes on after its input has changed: a drag changes it at every frame
const SLICE = 10, SLICE_HELD = 4; // ms of work before the page may do something else, and while a hand drags

// Returns what must be called whenever something may have changed. Of each side state.continued then has what goOn
// gives; the rows from `fresh` on are of the computation before, until this one has come so far.
export function follower(state) {
  let from = {}, work = null, timer = null, begun = 0, shown = 0, before = [];
  const start = () => {
    const { scene, sides, ahead } = state, isOther = scene.future !== from.future;
    clearTimeout(timer);
    before = isOther ? [] : state.continued;
    from = sourceOf(state);
    work = ahead && sides.length ? ofSides(state) : null;
    begun = performance.now();
    shown = 0;
    if (work) advance();
    else if (state.continued.length) state.set({ continued: [] });
  };
  const advance = () => {
    const { value, done } = work.next(), now = performance.now();
    if (done || now - shown > SHOWN) {
      state.set({ continued: done ? value : value.map((one, k) => merged(one, before[k], from.ahead.rows)) });
      shown = now;
    }
    if (done) work = null;
    const isStale = differs(from, sourceOf(state));
    if (isStale && (done || now - begun > PATIENCE)) timer = setTimeout(start);
    else if (!done) timer = setTimeout(advance);
  };
  return () => {
    const now = sourceOf(state);
    if (!differs(from, now)) return;
    if (!work || now.future !== from.future || now.ahead !== from.ahead || !now.sides.length) start();
  };
}

const sourceOf = ({ scene: { inputs, future }, sides, ahead }) => ({ inputs, future, sides, ahead });

const differs = (one, other) => Object.keys(other).some((name) => one[name] !== other[name]);

// What goOn gives, of each side that is shown: of two units of one model it is the same.
function* ofSides(state) {
  const { scene, sides, ahead, compare } = state, results = [];
  const slice = () => (state.held || state.hold ? SLICE_HELD : SLICE);
  for (const { weights, edit = null, hold = null } of compare?.kind === "unit" ? sides.slice(0, 1) : sides) {
    const work = goOn(scene, weights, scene.inputs, ahead, { edit, hold, slice });
    let part = work.next();
    for (; !part.done; part = work.next()) yield [...results, part.value];
    results.push(part.value);
  }
  return results;
}

// What is still growing, as it is now, and after it what there was before.
function merged({ values, oneStep, futures }, before, rows) {
  if (futures) return { futures: futures.map((one) => [...one]) };
  const grown = (now, old = []) => [...now, ...old.slice(now.length, rows)];
  return { values: grown(values, before?.values), oneStep: grown(oneStep, before?.oneStep), fresh: values.length };
}
