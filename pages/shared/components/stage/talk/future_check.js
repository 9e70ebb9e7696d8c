// Whether a scene's header tells in full how the model goes on past its window (stage_future.py), as scene_check.js asks
// of all that somebody else's file brings; and how many numbers that takes.

import { below, each, isObject, list, number, text, truth } from "./checks.js";

const MOST_ROWS = 1000;

export function isFuture({ future, features, targets, outputSteps, start, classes, recipes }) {
  if (!isObject(future) || !text()(future.why)) return false;
  if (future.why) return true;
  const column = below(features.length), rows = below(MOST_ROWS);
  if (future.map) {
    return each({
      rows, map: list(column, classes.length), on: list(number, features.length), off: list(number, features.length),
      truth: list(column, future.rows), carries: truth,
    }, future);
  }
  const isFed = (one) => isObject(one) && each({ index: below(targets.length), columns: list(column) }, one)
    && (start ? recipes.some((recipe) => recipe.start && recipe.index === one.index)
      : one.columns.length === 1 && each({ center: number, scale: list(number, outputSteps) }, one));
  return each({ rows, known: list(column), fed: list(isFed) }, future) && future.fed.some(({ index }) => index === 0);
}

// As decodeFuture takes them.
export function numbersOfFuture({ future, features, start }) {
  if (future.why || future.map) return 0;
  return future.rows * (features.length + 1 + (start ? 2 * future.fed.length : 0));
}
