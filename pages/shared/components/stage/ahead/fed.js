// A target that the model reads: how its predictions become the next rows' inputs.

import { StartedTarget, exactly, toZ } from "../recipe/started.js";

// fed: of scene.future.fed; it stands after the window's last row.
export class FedTarget {
  constructor({ index, columns, center, scale }, { recipes, inputCenter, inputScale }) {
    Object.assign(this, { index, columns, center, scale, inputCenter, inputScale });
    const recipe = recipes.find((one) => one.start && one.index === index);
    this.started = recipe ? new StartedTarget(recipe) : null;
    for (const z of recipe?.z ?? []) this.started.takeIn(z);
  }

  // The model's output for the k-th row to come, from 0, in the target's own units.
  prediction(output, k) {
    return this.started ? this.started.prediction(output, k) : output * this.scale[k] + this.center;
  }

  // Takes y for what has happened, and writes what the model reads of it into the row that begins at `at` in values.
  extend(y, values, at) {
    this.write(this.started ? this.started.takeIn(toZ(this.started, y)) : [y], values, at);
  }

  write(read, values, at) {
    const { inputCenter, inputScale } = this;
    this.columns.forEach((column, k) => {
      values[at + column] = (read[k] - inputCenter[column]) * (1 / inputScale[column]);
    });
  }
}

// Reads what stage_future.py sends at the end.
export function decodeFuture({ future, features, start }, take) {
  if (future.why || future.map) return;
  const { rows } = future;
  future.inputs = take(rows * features.length); // (rows, features), as the model reads them
  future.truth = take(rows); // of the first target
  for (const fed of future.fed) fed.z = start ? exactly(take, rows) : null; // (rows,)
}
