// Which points a live plot's lines have: those that they came with, or those of the run's records.

const SMOOTHED_SHARE = 50, MIN_SMOOTHED = 40; // as in loss_curves.py

// The message's lines with their points: their own, or those of the run's records.
export function resolve({ message: { lines, records }, records: reader, theme }) {
  const read = new Map(); // field → its points
  const fieldOf = (name) => {
    if (!read.has(name)) read.set(name, reader.history.points(name, records.stepsPerEpoch));
    return read.get(name);
  };
  return lines.flatMap((one, k) => {
    const color = one.color ?? theme.palette[k % theme.palette.length];
    if (!one.field) return { ...one, color, low: one.y, high: one.y, points: count(one.y) };
    if (!reader.history) return [];
    const { x, low, high, mean } = fieldOf(one.field);
    if (!x.length || (one.kind === "smoothed" && x.length < MIN_SMOOTHED)) return [];
    const y = one.kind === "smoothed" ? smoothed(mean) : mean;
    const ends = one.kind === "extremes" && reader.history.size > 1 ? { low, high } : { low: y, high: y };
    return { ...one, color, x, y, ...ends, points: x.length };
  });
}

const count = (values) => values.reduce((sum, value) => sum + Number.isFinite(value), 0);

// As loss_curves.smoothed does it.
function smoothed(values) {
  const keep = Math.exp(-SMOOTHED_SHARE / values.length);
  let mean = 0, weight = 0;
  return values.map((value) => {
    mean = keep * mean + (1 - keep) * value;
    weight = keep * weight + (1 - keep);
    return mean / weight;
  });
}
