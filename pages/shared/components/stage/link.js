// The state of the stage in the page's address, so that a bookmark opens it again.

import * as choice from "./ahead/choice.js";
import { fromText, toText } from "./bar/compare.js";
import * as depth from "./levels/depth.js";
import * as edits from "./touch/edits.js";

const LATER = 250; // ms: browsers refuse more than a hundred changes of the address in ten seconds

let timer = null;

// The choices that the address names, as far as this scene has them. where: a Location, or null for none.
export function read(where, scene) {
  if (!where) return {};
  const given = new URLSearchParams(where.search), found = {};
  const whole = (name, count) => {
    const text = given.get(name) ?? "";
    return /^\d{1,9}$/.test(text) && Number(text) < count ? Number(text) : undefined;
  };
  const put = (name, value) => { if (value !== undefined) found[name] = value; };
  put("step", whole("t", scene.steps));
  put("unit", given.get("unit") === "all" ? null : whole("unit", scene.hidden));
  put("layer", whole("layer", scene.layers));
  put("direction", whole("direction", scene.directions));
  const snapshot = scene.snapshots.findIndex(({ step }) => String(step) === given.get("at"));
  if (snapshot >= 0) found.snapshot = snapshot;
  put("compare", fromText(given.get("compare"), scene) ?? undefined);
  put("ahead", choice.fromText(given.get("ahead"), scene) ?? undefined);
  put("edits", edits.fromText(given.get("touch"), scene) ?? undefined);
  found.level = depth.opened(given, scene);
  if (given.get("stage") === "1") found.stage = true;
  if (given.get("backward") === "1") found.backward = true;
  return found;
}

export function write(where, state) {
  if (!where) return;
  timer ??= setTimeout(() => {
    timer = null;
    if (state.held || state.hold) return; // it is written when the hand lets go
    const url = new URL(where.href), { scene, snapshot } = state;
    const put = (name, value) => (value === null ? url.searchParams.delete(name) : url.searchParams.set(name, value));
    for (const [name, value] of Object.entries(scene.link ?? {})) put(name, value);
    put("t", state.step);
    put("unit", state.unit ?? "all");
    put("layer", scene.layers > 1 ? state.layer : null);
    put("direction", scene.directions > 1 ? state.direction : null);
    put("at", snapshot < scene.snapshots.length ? scene.snapshots[snapshot].step : null);
    put("compare", toText(state.compare));
    put("ahead", choice.toText(scene, state.ahead));
    put("touch", edits.toText(scene, state.edits));
    put("stage", state.stage ? 1 : null);
    put("depth", depth.toText(state.level));
    put("backward", state.backward ? 1 : null);
    if (url.href !== where.href) history.replaceState(history.state, "", url);
  }, LATER);
}

// The page is left: its address is another page's.
export function stop() {
  clearTimeout(timer);
  timer = null;
}
