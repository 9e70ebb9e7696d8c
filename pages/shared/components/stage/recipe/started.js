// A target behind a start: what the model reads of it, and what its predictions are, row after row, as
// lstm_core/data/start.py and forecast_target.py have it. Numbers only.

const DAMPING = 0.9; // of a smoothed slope, as in start.py

// z of a value in the table's own units, and back.
export const toZ = ({ log, series: [center, scale] }, y) => ((log ? Math.log(y) : y) - center) / scale;

export function fromZ({ log, series: [center, scale] }, z) {
  const value = z * scale + center;
  return log ? Math.exp(value) : value;
}

// recipe: of scene.recipes, with its memory as decodeRecipes has taken it. It stands before the window's first row.
export class StartedTarget {
  constructor(recipe) {
    Object.assign(this, recipe);
    const { level, season, last, errors } = recipe.memory;
    this.memory = { level: [...level], season: season && [...season], last: last[0], errors: [...errors] };
    this.memory.season ??= this.memory.level; // but for a smoothed start they are the same rows
    this.slope = recipe.start.slope;
    this.row = 0; // so many rows have been taken in
  }

  // The start of the row so many rows ahead of the last one.
  startOf(offset) {
    const { kind, season: rows, mean } = this.start, { level, season } = this.memory;
    if (kind === "mean") return mean;
    let value = level.at(-1);
    if (kind === "smooth") for (let k = 1; k <= offset; k++) value += this.slope * DAMPING ** k;
    if (kind === "last" || !rows) return value;
    const back = rows * Math.ceil(offset / rows), sameTime = season.at(offset - back - 1);
    if (kind === "season") return sameTime;
    return value + sameTime - (kind === "smooth" ? 0 : season.at(-back - 1));
  }

  // The model's output for the k-th row to come, from 0, in the target's own units.
  prediction(output, k) { return fromZ(this, output * this.scale[k] + this.startOf(k + 1)); }

  // Takes z for what has happened, and returns what the model reads of it.
  takeIn(z) {
    const { memory, start } = this, read = { error: z - this.startOf(1), change: z - memory.last };
    if (start.errors) {
      read.seasonError = memory.errors.at(-start.errors);
      memory.errors.push(read.error);
    }
    memory.last = z;
    if (start.kind === "smooth") this.smooth(z);
    else memory.level.push(z);
    this.row += 1;
    return this.derived.map((name) => read[name]);
  }

  smooth(z) {
    const { memory: { level, season }, start: { season: rows, weights: [a, g, b], second } } = this;
    this.value = Number.isFinite(z) ? z : this.value; // a missing one repeats the one before
    const before = rows ? season.at(-rows) : 0, expected = level.at(-1) + DAMPING * this.slope;
    const error = this.value - before - expected;
    level.push(expected + a * error);
    this.slope = DAMPING * this.slope + b * error;
    if (rows) season.push(before + Math.max(g, this.row < second ? (1 - a) / 2 : 0) * error);
  }
}

// Reads what stage_recipe.py sends after the weights. z: (steps,), of the window's rows.
export function decodeRecipes({ recipes, steps }, take) {
  for (const recipe of recipes) {
    if (!recipe.start) continue;
    const { kind, rows, errors } = recipe.start, level = exactly(take, rows);
    const season = kind === "smooth" ? exactly(take, rows) : null, last = exactly(take, 1);
    recipe.memory = { level, season, last, errors: errors ? exactly(take, errors) : [] };
    recipe.z = exactly(take, steps);
  }
}

// Numbers that are sent as a float32 each, and what is lost of them by that.
export function exactly(take, count) {
  const near = take(count), rest = take(count);
  return Float64Array.from(near, (value, k) => value + rest[k]);
}
