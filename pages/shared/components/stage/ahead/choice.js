// How far the model goes on, and how: what can be chosen, and what stands in the address.

const ROWS = { numbers: 50, symbols: 120 }; // at first
export const MOST = 200; // rows: as many true ones are sent at most (stage_future.py)
export const MOST_FUTURES = 4; // that the strip has lines for

// state.ahead: null, or { rows, all, others, temperature, seed, futures }. all: of several rows that are predicted at
// once all are read next, or the first alone; others: inputs that are no prediction are "held" at their last value or
// those of the "table"; of symbols: temperature, 0 for the likeliest, a seed, and how many futures are drawn.
export function defaultChoice({ future }) {
  const rows = future.map ? ROWS.symbols : ROWS.numbers;
  return { rows, all: true, others: "held", temperature: 0, seed: 1, futures: 1 };
}

// A choice as far as this scene allows it; null where the model cannot go on.
export function clampChoice(scene, choice) {
  if (!choice || scene.future.why) return null;
  return {
    ...choice, rows: Math.max(1, Math.min(MOST, choice.rows)),
    others: scene.future.rows && otherInputs(scene).length ? choice.others : "held",
  };
}

// The inputs that are neither predicted nor known ahead, by their places.
export function otherInputs({ features, future }) {
  const taken = new Set([...(future.known ?? []), ...(future.fed ?? []).flatMap(({ columns }) => columns)]);
  return future.map ? [] : Array.from(features.keys()).filter((column) => !taken.has(column));
}

// For the address: "50-all-held", or of symbols "120-0.8-1-3"; a text that is none gives no choice.
export function toText(scene, choice) {
  if (!choice) return null;
  const { rows, all, others, temperature, seed, futures } = choice;
  return (scene.future.map ? [rows, temperature, seed, futures] : [rows, all ? "all" : "first", others]).join("-");
}

export function fromText(text, scene) {
  const start = defaultChoice(scene);
  const symbols = /^(\d{1,3})-(\d(?:\.\d{1,2})?)-(\d{1,4})-(\d)$/.exec(text ?? "");
  const numbers = /^(\d{1,3})-(all|first)-(held|table)$/.exec(text ?? "");
  if (scene.future.map && symbols) {
    const [rows, temperature, seed, futures] = symbols.slice(1).map(Number);
    if (temperature > 2 || futures < 1 || futures > MOST_FUTURES) return null;
    return clampChoice(scene, { ...start, rows, temperature, seed, futures });
  }
  if (scene.future.map || !numbers) return null;
  return clampChoice(scene, { ...start, rows: Number(numbers[1]), all: numbers[2] === "all", others: numbers[3] });
}

// The handle: where it stands between 0 and 1, finer for few rows, and back.
export const placeOf = (rows) => Math.sqrt(rows / MOST);
export const rowsAt = (place) => Math.round(MOST * Math.max(0, Math.min(1, place)) ** 2);
