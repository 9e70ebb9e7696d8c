// Whether a scene's header tells in full how the model goes on past its window (stage_future.py), as scene_check.js asks
// of all that somebody else's file brings; and how many numbers that takes.

const MOST = 1000; // rows, and whatever is counted in rows
const KINDS = ["last", "season", "season_change", "smooth", "mean"], DERIVED = ["error", "change", "seasonError"];
const number = (value) => typeof value === "number" && Number.isFinite(value);
const below = (count) => (value) => Number.isInteger(value) && value >= 0 && value < count;
const list = (check, length = null) => (value) =>
  Array.isArray(value) && value.length <= 1e6 && (length === null || value.length === length) && value.every(check);
const each = (fields, value) => Object.entries(fields).every(([name, check]) => check(value[name]));
const isObject = (value) => value !== null && typeof value === "object";

export function isFuture({ future, features, targets, outputSteps, start, classes }) {
  if (!isObject(future) || typeof future.why !== "string" || future.why.length > 2000) return false;
  if (future.why) return true;
  const column = below(features.length), rows = below(MOST);
  if (future.map) {
    return each({
      rows, map: list(column, classes.length), on: list(number, features.length), off: list(number, features.length),
      truth: list(column, future.rows), carries: (value) => typeof value === "boolean",
    }, future);
  }
  const isFed = (one) => isObject(one) && fits(one, { column, start, targets, outputSteps });
  return each({ rows, known: list(column), fed: list(isFed) }, future) && future.fed.some(({ index }) => index === 0);
}

// One target that is fed back.
function fits(fed, { column, start, targets, outputSteps }) {
  const count = fed.columns?.length;
  const whole = { index: below(targets.length), columns: list(column), center: list(number, count), scale: list(number, count) };
  if (!each({ ...whole, yScale: list(number, outputSteps) }, fed)) return false;
  if (!start) return fed.start === null && number(fed.yCenter) && count === 1;
  const derived = list((name) => DERIVED.includes(name), count), log = (value) => typeof value === "boolean";
  return each({ series: list(number, 2), log, derived, start: isObject }, fed) && each({
    kind: (value) => KINDS.includes(value), season: below(1e6), mean: number, weights: list(number, 3), slope: number,
    second: Number.isInteger, rows: below(1e6), errors: below(1e6),
  }, fed.start);
}

// As recipe.decodeFuture takes them.
export function numbersOfFuture({ future, features, start }) {
  if (future.why || future.map) return 0;
  const memories = future.fed.map(({ start: one }) =>
    (one ? 2 * (one.rows * (one.kind === "smooth" ? 2 : 1) + 1 + one.errors) : 0));
  return future.rows * (features.length + 1 + (start ? 2 : 0)) + memories.reduce((a, b) => a + b, 0);
}
