// Hands on the stage: the input is grabbed and drawn, valves are held. This file puts the parts together, and says
// which fields of the state are theirs.

import * as grab from "./grab.js";
import * as hint from "./hint.js";
import * as refusal from "./refusal.js";
import * as symbols from "./symbols.js";
import * as tools from "./tools.js";

// edits: see edits.js; held: null, or the point of the strip that is held: { place, step }; hold: null, or a valve that
// is held: lstm.js's, and on which side; tool: what a drag of the strip does; feature: the place of the chosen series;
// difference: while something is held the maps show now − before.
export const FIELDS = { edits: null, held: null, hold: null, tool: "point", feature: null, difference: true };

// The row of tools, before the strip is painted, whose legend leaves it its room; and the others, after it.
export function mount(strip, state) {
  const row = tools.mount(strip, state), parts = [grab.mount(strip, state), hint.mount(strip, state)];
  parts.push(symbols.mountChooser(strip, state), refusal.mount(strip));
  return [row, { update: (changed) => parts.forEach((part) => part.update?.(changed)) }];
}

// Whether both scenes are of the same rows, so that what was changed in one means the same in the other.
export function sameWindow(scene, other) {
  if (!other || other.steps !== scene.steps || String(other.features) !== String(scene.features)) return false;
  const { series, symbols } = other.original ?? other;
  return String(symbols) === String(scene.symbols) && scene.series.length === series.length
    && scene.series.every(({ values }, k) => values.every((value, t) => Object.is(value, series[k].values[t])));
}

// The valve that is held in this side's cell; two units have one cell.
export const holdOf = (hold, side, compare) => (hold && (compare?.kind === "unit" || hold.side === side) ? hold : null);

export const whenIdle = (act) => (window.requestIdleCallback ?? ((run) => setTimeout(run, 300)))(act);
