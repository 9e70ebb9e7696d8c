// Arithmetic that several parts of the stage take. Numbers only.

export const sigmoid = (a) => 1 / (1 + Math.exp(-a));

// What an intervention makes of a gate, by its kind.
export const ALTER = { clamp: (_, set) => set, scale: (value, by) => value * by, add: (value, by) => value + by };

// A row of a matrix times a vector that begins at `at`.
export function dot(matrix, row, vector, at, size) {
  let sum = 0;
  for (let k = 0, a = row * size; k < size; k++) sum += matrix[a + k] * vector[at + k];
  return sum;
}

// Adds matrix · vector, which begins at `at`; four rows at a time, a gate each, so that no sum waits for the one before.
export function addProduct(sums, matrix, vector, at, size) {
  const quarter = sums.length / 4, far = quarter * size;
  for (let unit = 0; unit < quarter; unit++) {
    let i = 0, f = 0, g = 0, o = 0;
    for (let k = 0, a = unit * size; k < size; k++, a++) {
      const value = vector[at + k];
      i += matrix[a] * value;
      f += matrix[a + far] * value;
      g += matrix[a + 2 * far] * value;
      o += matrix[a + 3 * far] * value;
    }
    sums[unit] += i;
    sums[unit + quarter] += f;
    sums[unit + 2 * quarter] += g;
    sums[unit + 3 * quarter] += o;
  }
}

// What a map, units over steps, has at a step: of one unit, or the mean of all where none is chosen, or it has not so many.
export function readAt(values, unit, t, steps) {
  const count = values.length / steps;
  if (unit !== null && unit < count) return values[unit * steps + t];
  let sum = 0;
  for (let at = t; at < values.length; at += steps) sum += values[at];
  return sum / count;
}

// Of a number, or of all units' numbers: the mean, and the mean size.
export const mean = (value) => (typeof value === "number" ? value : value.reduce((a, b) => a + b, 0) / value.length);
export const size = (value) => (typeof value === "number" ? Math.abs(value) : mean(value.map(Math.abs)));

// Draws of numbers between 0 and 1, the same for the same seed: mulberry32.
export function uniform(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
}
