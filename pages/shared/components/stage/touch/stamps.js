// Stamps: whole shapes that are put into the chosen line at the cursor. Numbers in, numbers out.

import { uniform } from "../numbers.js";
import { foreseen } from "../recipe/derive.js";
import { lines, telling } from "./edits.js";

const SPIKE = 3, STEP = 1.5, NOISE = 0.5; // standard deviations of the line

// name → { title, make(values, step, { seed, silent }) }: the new values; silent: the line if the model read 0 from there.
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
    make: (_, step, { silent }) => silent(step),
  },
  noise: {
    title: "Noise: from the cursor on, half a standard deviation; each press another seed",
    make(values, step, { seed }) {
      const random = normals(seed), size = NOISE * deviation(values);
      return values.map((value, t) => (t >= step ? value + size * random() : value));
    },
  },
  repeat: {
    title: "Repeat: from the cursor on, what was before it again",
    make: (values, step) => values.map((value, t) => (step && t >= step ? values[t % step] : value)),
  },
};

export const STAMPS = Object.entries(SHAPES).map(([name, { title }]) => [name, title]);

// The values of a place of the scene's series with a stamp in them, rounded as a hand's values are.
export function stamped(scene, place, name, { values, step, seed }) {
  const told = telling(scene, place), silent = (from) => silence(scene, place, values, from, told);
  return SHAPES[name].make(values, step, { seed, silent }).map((value, t) => (value === values[t] ? value : told(value)));
}

// What the model reads as 0; behind a start that is no error: what the start foresees.
function silence(scene, place, values, step, told) {
  const { feature, recipe } = lines(scene).find((line) => line.place === place);
  if (recipe?.start) return foreseen(recipe, values, step, told);
  const center = scene.inputCenter[recipe ? recipe.columns[0] : feature];
  return values.map((value, t) => (t >= step && !Number.isNaN(value) ? center : value));
}

function deviation(all) {
  const values = all.filter(Number.isFinite);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) || 1;
}

// Normal random numbers, the same for the same seed: Box-Muller.
function normals(seed) {
  const draw = uniform(seed);
  return () => Math.sqrt(-2 * Math.log(draw())) * Math.cos(2 * Math.PI * draw());
}
