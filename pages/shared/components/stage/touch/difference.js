// The maps of now − before, while something is held: what the hand has changed, step by step.

const LEAST = 0.004; // of a map's own range that the colours span
const STEPS = [1, 2, 5]; // times a power of ten: so the span is a round number, and seldom another

export const isShown = ({ held, hold, difference }, { before }) => Boolean((held || hold) && difference && before);

const scratch = new Map(); // name → the values of one map: painted at once, and then free again

// { values, reach } of one map. reaches: name → what its colours span, which only grows as long as the hand holds.
export function differenceOf(reaches, name, now, before, range) {
  if (scratch.get(name)?.length !== now.length) scratch.set(name, new Float32Array(now.length));
  const values = scratch.get(name);
  let most = LEAST * range;
  for (let k = 0; k < now.length; k++) {
    const value = (values[k] = now[k] - before[k]);
    if (value > most) most = value;
    else if (-value > most) most = -value;
  }
  if (!(most <= reaches[name])) reaches[name] = roundUp(most);
  return { values, reach: reaches[name] };
}

function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * (STEPS.find((step) => step * power >= value) ?? 10);
}
