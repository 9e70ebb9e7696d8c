// Keeps the continuation abreast of what it is computed from: another input, other weights, another choice.

import { goOn } from "./going.js";

const SHOWN = 50; // ms between two pictures of a long computation

// Returns what must be called whenever something may have changed.
export function follower(state) {
  let from = [], work = null, timer = null;
  const advance = (begin) => {
    const { value, done } = work.next(), now = performance.now(), due = begin === null || now - begin > SHOWN;
    if (done || due) state.set({ continued: value });
    if (!done) timer = setTimeout(() => advance(due ? now : begin));
  };
  return () => {
    const { scene, sides, ahead } = state, now = [scene.inputs, scene.future, sides, ahead];
    if (now.every((value, k) => value === from[k])) return;
    from = now;
    clearTimeout(timer);
    if (ahead && sides.length) {
      work = ofSides(state);
      advance(null);
    } else if (state.continued.length) state.set({ continued: [] });
  };
}

// What goOn gives, of each side that is shown: of two units of one model it is the same.
function* ofSides({ scene, sides, ahead, compare }) {
  const results = [];
  for (const { weights, edit = null } of compare?.kind === "unit" ? sides.slice(0, 1) : sides) {
    const work = goOn(scene, weights, scene.inputs, ahead, edit);
    let slice = work.next();
    for (; !slice.done; slice = work.next()) yield [...results, copyOf(slice.value)];
    results.push(slice.value);
  }
  return results;
}

// What is still growing, as it is now.
const copyOf = ({ values, oneStep, futures }) =>
  (futures ? { futures: futures.map((one) => [...one]) } : { values: [...values], oneStep: [...oneStep] });
