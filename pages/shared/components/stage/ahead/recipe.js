// How a prediction becomes the next row's inputs: lstm_core/data/start.py and forecast_target.py, row by row.

const DAMPING = 0.9; // of a smoothed slope, as in start.py

// One target that the model reads. fed: of scene.future.fed, with its memory as decodeFuture has taken it.
export class FedTarget {
  constructor(fed) {
    Object.assign(this, fed);
    if (!fed.start) return;
    const { level, season, last, errors } = fed.memory;
    this.memory = { level: [...level], season: season && [...season], last: last[0], errors: [...errors] };
    this.memory.season ??= this.memory.level; // but for a smoothed start they are the same rows
    this.slope = fed.start.slope;
    this.row = 0; // so many rows have been taken in
  }

  // The model's output for the k-th row to come, from 0, in the target's own units.
  prediction(output, k) {
    const value = output * this.yScale[k];
    return this.start ? this.fromZ(value + this.startOf(k + 1)) : value + this.yCenter;
  }

  fromZ(z) {
    const [center, scale] = this.series, value = z * scale + center;
    return this.log ? Math.exp(value) : value;
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

  // Takes y for what has happened, and writes what the model reads of it into the row that begins at `at` in values.
  extend(y, values, at) {
    const read = this.start ? this.takeIn(y) : [y];
    this.columns.forEach((column, k) => { values[at + column] = (read[k] - this.center[k]) * (1 / this.scale[k]); });
  }

  takeIn(y) {
    const { memory, series: [center, scale], start } = this, z = ((this.log ? Math.log(y) : y) - center) / scale;
    const read = { error: z - this.startOf(1), change: z - memory.last };
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
    const before = rows ? season.at(-rows) : 0, expected = level.at(-1) + DAMPING * this.slope;
    const error = z - before - expected;
    level.push(expected + a * error);
    this.slope = DAMPING * this.slope + b * error;
    if (rows) season.push(before + Math.max(g, this.row < second ? (1 - a) / 2 : 0) * error);
  }
}

// Reads what stage_future.py sends after the weights.
export function decodeFuture({ future, features, start }, take) {
  if (future.why || future.map) return;
  const { rows } = future, exactly = (count) => {
    const near = take(count), rest = take(count);
    return Float64Array.from(near, (value, k) => value + rest[k]);
  };
  future.inputs = take(rows * features.length); // (rows, features), as the model reads them
  future.truth = take(rows); // of the first target
  future.base = start ? exactly(rows) : null; // of its start one row ahead, after each row
  for (const fed of future.fed) {
    if (!fed.start) continue;
    const { kind, rows: past, errors } = fed.start, level = exactly(past);
    const season = kind === "smooth" ? exactly(past) : null, last = exactly(1);
    fed.memory = { level, season, last, errors: errors ? exactly(errors) : [] };
  }
}
