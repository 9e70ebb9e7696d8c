// The model's inputs, made anew of a changed table where the model does not read a column as it is. Numbers only.

import { StartedTarget, fromZ, toZ } from "./started.js";

const UNCHANGED = new WeakMap(); // recipe → its target's course through the window as it was

// The recipe of a drawn feature; undefined where the model reads it as it is.
export const recipeOf = (scene, name) => scene.recipes.find((recipe) => recipe.name === name);

// A target's course through the window with these z: read, (steps · its columns), what the model reads of it; next,
// (steps,), the start one row ahead after each row; ends, (output steps,), all of them after the last one.
function course(recipe, z, outputSteps) {
  const target = new StartedTarget(recipe), read = [], next = [];
  for (const value of z) {
    read.push(...target.takeIn(value));
    next.push(target.startOf(1));
  }
  return { read, next, ends: Array.from({ length: outputSteps }, (_, k) => target.startOf(k + 1)) };
}

// The scene's inputs and what goes with them, where the rows `changed` of a target behind a start are `values`, in the
// table's own units. What comes out as it was stays as it was sent. put(column, t, value): writes into inputs.
export function deriveStarted(scene, recipe, changed, values, put) {
  const { outputSteps, steps } = scene, count = recipe.columns.length;
  if (!UNCHANGED.has(recipe)) UNCHANGED.set(recipe, course(recipe, recipe.z, outputSteps));
  const before = UNCHANGED.get(recipe), z = recipe.z.slice();
  for (const t of changed) z[t] = toZ(recipe, values[t]);
  const now = course(recipe, z, outputSteps);
  now.read.forEach((value, at) => {
    if (!Object.is(value, before.read[at])) put(recipe.columns[at % count], Math.floor(at / count), value);
  });
  const recipes = scene.recipes.map((one) => (one === recipe ? { ...recipe, z } : one));
  if (recipe.index) return { recipes };
  const start = scene.start.slice();
  now.next.forEach((value, t) => { if (!Object.is(value, before.next[t])) start[t] = value; });
  now.ends.forEach((value, k) => { if (!Object.is(value, before.ends[k])) start[(k + 1) * steps - 1] = value; });
  return { recipes, start };
}

// A feature known ahead: each of its inputs reads it some rows after its own.
export function deriveAhead({ columns, offsets }, changed, values, put) {
  for (const t of changed) {
    offsets.forEach((offset, k) => { if (t >= offset) put(columns[k], t - offset, values[t]); });
  }
}

// What the start foresees from a step on, each row as if the one before had come so: no news to a model behind a start.
// values: the line as it is; told: as a value is rounded.
export function foreseen(recipe, values, step, told) {
  const target = new StartedTarget(recipe);
  return values.map((value, t) => {
    const own = t < step ? value : told(fromZ(recipe, target.startOf(1)));
    target.takeIn(t < step ? recipe.z[t] : toZ(recipe, own));
    return own;
  });
}
