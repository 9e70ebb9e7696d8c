// Whether a scene's header tells in full how the model's inputs are made of the table's columns (stage_recipe.py), as
// scene_check.js asks of all that somebody else's file brings; and how many numbers that takes.

import { MOST, among, below, each, isObject, list, number, text, truth } from "./checks.js";

const KINDS = ["last", "season", "season_change", "smooth", "mean"], DERIVED = ["error", "change", "seasonError"];

export function areRecipes({ recipes, features, targets, outputSteps, start }) {
  const columns = list(below(features.length));
  const fits = (one) => isObject(one) && each({ name: text(), why: text(), columns }, one)
    && (one.start ? start && isStarted(one, targets, outputSteps) : list(below(MOST), one.columns.length)(one.offsets));
  const first = (one) => one.start && one.index === 0;
  return list(fits)(recipes) && recipes.filter(first).length <= 1;
}

function isStarted(recipe, targets, outputSteps) {
  return each({
    index: below(targets.length), derived: list(among(DERIVED), recipe.columns.length),
    log: truth, series: list(number, 2), scale: list(number, outputSteps), start: isObject,
  }, recipe) && each({
    kind: among(KINDS), season: below(MOST), mean: number, weights: list(number, 3), slope: number,
    second: Number.isInteger, rows: below(MOST), errors: below(MOST),
  }, recipe.start);
}

// As decodeRecipes takes them.
export function numbersOfRecipes({ recipes, steps }) {
  const started = recipes.filter(({ start }) => start);
  const each = ({ start: { kind, rows, errors } }) => 2 * (rows * (kind === "smooth" ? 2 : 1) + 1 + errors + steps);
  return started.map(each).reduce((a, b) => a + b, 0);
}
