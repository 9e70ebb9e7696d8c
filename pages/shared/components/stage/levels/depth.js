// Which of the three depths is shown, and what a session remembers of it.

import { recall, remember } from "../tab_memory.js";

export const NETWORK = 0, UNROLLED = 1, CELL = 2;
export const NAMES = ["network", "unrolled layer", "cell"];
const IN_ADDRESS = ["network", "unrolled", null]; // the cell is what an address without a depth opens
const STORED = "lstm-stage-depth"; // chosen in this tab of the browser

// The change that goes so many depths in (1) or out (−1), which somebody wished.
export function go({ level }, by) {
  const to = Math.max(NETWORK, Math.min(CELL, level + by));
  remember(STORED, IN_ADDRESS[to] ?? "cell");
  return { level: to };
}

export const toText = (level) => IN_ADDRESS[level];

// The depth that the stage opens with: the address's; a newcomer's is the network, unless the address or a lesson is
// about one step or unit.
export function opened(given, scene) {
  const named = IN_ADDRESS.indexOf(given.get("depth"));
  if (given.has("depth") && named >= 0) return named;
  const pointed = given.has("t") || given.has("unit") || Object.keys(scene.opening ?? {}).length > 0;
  return pointed || recall(STORED) !== null ? CELL : NETWORK;
}
