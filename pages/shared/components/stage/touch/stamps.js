// Stamps: whole shapes that are put into the chosen line at the cursor. Numbers in, numbers out.

import { grainOf, rounded } from "./edits.js";

const SPIKE = 3, STEP = 1.5, NOISE = 0.5; // standard deviations of the line

// name → { title, make(values, step, center, seed) }: the new values; center: what the model reads as 0.
const SHAPES = {
  spike: {
    title: "Spike: one step, three standard deviations up",
    make: (values, step) => values.map((value, t) => (t === step ? value + SPIKE * deviation(values) : value)),
  },
  step: {
    title: "Step: from the cursor on, one and a half standard deviations up",
    make: (values, step) => values.map((value, t) => (t >= step ? value + STEP * deviation(values) : value)),
  },
  silence: {
    title: "Silence: from the cursor on, what the model reads as 0",
    make: (values, step, center) => values.map((value, t) => (t >= step ? center : value)),
  },
  noise: {
    title: "Noise: from the cursor on, half a standard deviation; each press another seed",
    make(values, step, center, seed) {
      const random = normals(seed), size = NOISE * deviation(values);
      return values.map((value, t) => (t >= step ? value + size * random() : value));
    },
  },
  repeat: {
    title: "Repeat: from the cursor on, what was before it again",
    make: (values, step) => values.map((value, t) => (step && t >= step ? values[t % step] : value)),
  },
};

// The same, rounded as a hand's values are: make(…) returns what takes the scene and the place.
export const STAMPS = Object.fromEntries(Object.entries(SHAPES).map(([name, { title, make }]) => [name, {
  title,
  make: (values, ...rest) => (scene, place) => {
    const power = grainOf(scene, place);
    return make(values, ...rest).map((value, t) => (value === values[t] ? value : rounded(value, power)));
  },
}]));

function deviation(values) {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) || 1;
}

// Normal random numbers, the same for the same seed: mulberry32 and Box-Muller.
function normals(seed) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}
