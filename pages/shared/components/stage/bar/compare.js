// Two traces under one cursor: what can be compared, what each side is called, and the menu to choose from.

import { child, clamp } from "../../canvas.js";
import { dashIcon } from "./icons.js";
import { menuItem, menuPanel } from "./menu.js";
import { epochText } from "./transport.js";

const STUCK = [
  ["f", 1, "Forget gate stuck open", "f = 1: nothing is ever forgotten"],
  ["f", 0, "Forget gate stuck shut", "f = 0: nothing is kept for the next step"],
  ["i", 0, "Input gate stuck shut", "i = 0: nothing new gets in"],
  ["o", 0, "Output gate stuck shut", "o = 0: nothing is shown, h stays 0"],
];

// What each side shows: a snapshot of the training or another run, what is altered in it, a unit, and its name.
// state.compare: null, or { kind: "start" | "now" }, { kind: "run", label }, { kind: "unit", unit } or
// { kind: "edit", edit } with an edit as lstm.js takes it.
export function comparedSides(state) {
  const { compare, snapshot, scene } = state;
  const side = (snapshot, label, own) => ({ snapshot, label, get unit() { return state.unit; }, ...own });
  const at = (snapshot) => side(snapshot, epochText(scene, snapshot));
  switch (compare?.kind) {
    case "start": return [at(0), at(snapshot)];
    case "now": return [at(snapshot), at(scene.snapshots.length)];
    case "run": return [side(snapshot, "this run"), side(snapshot, compare.label, { other: runOf(scene, compare) })];
    case "unit": return [side(snapshot, ""), side(snapshot, "", { unit: compare.unit })];
    case "edit": {
      const { edit } = compare;
      return [side(snapshot, "as it is"), side(snapshot, editText(scene, edit), { edit })];
    }
    default: return [side(snapshot, "")];
  }
}

const runOf = (scene, { label }) => scene.others.findIndex((other) => other.label === label);

// The comparison as far as this scene has it.
export function clampComparison(scene, compare) {
  const { unit = 0, edit } = compare ?? {}, has = (unit) => unit === null || unit < scene.hidden;
  const possible = {
    start: () => scene.snapshots.length > 0,
    now: () => scene.snapshots.length > 0,
    unit: () => has(unit),
    run: () => runOf(scene, compare) >= 0,
    edit: () => edit.layer < scene.layers && edit.direction < scene.directions && has(edit.unit),
  }[compare?.kind]?.();
  return possible ? compare : null;
}

// For the address: a comparison as a short text, and back; a text that is none gives no comparison.
export function toText(compare) {
  const { kind, unit, edit } = compare ?? {};
  if (kind === "unit") return `unit-${unit}`;
  if (kind === "edit") return ["edit", edit.gate, edit.value, edit.layer, edit.direction, edit.unit ?? "all"].join("-");
  return kind ?? null;
}

export function fromText(text, scene) {
  const [kind, ...parts] = (text ?? "").split("-");
  const number = (part) => (/^\d{1,5}$/.test(part) ? Number(part) : Infinity);
  if (kind === "unit") return clampComparison(scene, { kind, unit: number(parts[0]) });
  if (kind === "run") return clampComparison(scene, { kind, label: scene.others[0]?.label });
  if (kind !== "edit") return clampComparison(scene, { kind });
  const stuck = STUCK.find(([gate, value]) => gate === parts[0] && String(value) === parts[1]);
  if (!stuck) return null;
  const [layer, direction] = parts.slice(2).map(number), unit = parts[4] === "all" ? null : number(parts[4]);
  const [gate, value] = stuck;
  return clampComparison(scene, { kind, edit: { kind: "clamp", gate, value, layer, direction, unit } });
}

function editText({ layers, directions }, { gate, value, layer, direction, unit }) {
  const where = [
    unit === null ? "in every unit" : `in unit ${unit}`,
    ...(layers > 1 ? [`of layer ${layer}`] : []),
    ...(directions > 1 ? [direction ? "reverse" : "forward"] : []),
  ];
  return `${gate} = ${value} ${where.join(" ")}`;
}

// The name over one side's cell; nothing is named while there is one side.
export function mountName(root, state, side) {
  const name = child(root, "div", { class: "stage-side-name" });
  const line = name.appendChild(dashIcon(state.predictionColors[side])); // its prediction is drawn so in the strip
  const label = child(name, "span", {});
  return {
    element: name,
    update() {
      const { sides, compare } = state, shown = sides[side];
      name.hidden = sides.length < 2;
      if (name.hidden) return;
      const units = compare?.kind === "unit", text = units ? `unit ${shown.unit ?? 0}` : shown.label;
      line.toggleAttribute("hidden", units);
      if (label.textContent !== text) label.textContent = text;
    },
  };
}

export function mountMenu(bar, state) {
  const [panel, open] = menuPanel(bar, state, "compare", "Compare two cells");
  const choose = (changes) => () => state.set({ menu: null, ...changes() });
  const off = menuItem(panel, "Only one", "no comparison", choose(() => ({ compare: null })));
  const epochs = [
    ["start", "Before training, and after", "left untrained, right the Learning slider", 0],
    ["now", "An earlier epoch, and now", "left the Learning slider, right what it has learned", 1],
  ].map(([kind, title, meaning, other]) => [kind, menuItem(panel, title, meaning, choose(() => {
    const { snapshot, scene } = state, now = scene.snapshots.length;
    const same = snapshot === (other ? now : 0); // two equal sides show nothing
    return { compare: { kind }, snapshot: same ? (other ? Math.floor(now / 2) : now) : snapshot };
  }))]);
  const unit = unitChooser(panel, state, choose);
  const runs = runChooser(panel, state, choose);
  const stuck = stuckChooser(panel, state, choose);
  return {
    element: panel,
    update() {
      open();
      if (panel.hidden) return;
      const press = (button, pressed) => button.setAttribute("aria-pressed", pressed);
      press(off, !state.compare);
      for (const [kind, button] of epochs) {
        press(button, state.compare?.kind === kind);
        button.disabled = !state.scene.snapshots.length;
      }
      unit(press);
      runs(press);
      stuck(press);
    },
  };
}

function unitChooser(panel, state, choose) {
  const row = child(panel, "div", { class: "stage-menu-row" });
  const go = menuItem(row, "Two units", "", choose(() => ({ compare: unitComparison(), unit: state.unit ?? 0 })));
  const description = child(go, "span", {});
  const number = child(row, "input", { type: "number", min: 0, step: 1, value: 1, "aria-label": "The other unit" });
  const unitComparison = () => ({ kind: "unit", unit: clamp(Math.floor(Number(number.value)), state.scene.hidden) });
  number.addEventListener("change", () => {
    number.value = unitComparison().unit;
    if (state.compare?.kind === "unit") state.set({ compare: unitComparison() });
  });
  return (press) => {
    const { scene, compare } = state, chosen = state.unit ?? 0;
    number.max = scene.hidden - 1;
    if (!compare && Number(number.value) === chosen) number.value = (chosen + 1) % scene.hidden;
    description.textContent = `unit ${chosen}, and unit`;
    go.disabled = scene.hidden < 2;
    press(go, compare?.kind === "unit");
  };
}

function runChooser(panel, state, choose) {
  const list = child(panel, "div", { class: "stage-menu-list" });
  let named = null, buttons = [];
  return (press) => {
    const { others } = state.scene;
    if (named !== others) { // another message may bring other runs
      list.replaceChildren();
      buttons = others.map(({ label }) => {
        const go = choose(() => ({ compare: { kind: "run", label } }));
        return [label, menuItem(list, "Another run", label, go)];
      });
      named = others;
    }
    const { kind, label: chosen } = state.compare ?? {};
    for (const [label, button] of buttons) press(button, kind === "run" && chosen === label);
  };
}

function stuckChooser(panel, state, choose) {
  const head = child(panel, "label", { class: "stage-menu-row" });
  child(head, "h5", {}).textContent = "With a gate that is stuck";
  const alone = child(head, "input", { type: "checkbox" });
  const description = child(head, "span", {});
  const edit = (gate, value) => ({
    gate, kind: "clamp", value, layer: state.layer, direction: state.direction,
    unit: alone.checked ? state.unit : null,
  });
  const buttons = STUCK.map(([gate, value, title, meaning]) => [
    gate, value,
    menuItem(panel, title, meaning, choose(() => ({ compare: { kind: "edit", edit: edit(gate, value) } }))),
  ]);
  alone.addEventListener("change", () => {
    const chosen = state.compare?.edit;
    if (chosen) state.set({ compare: { kind: "edit", edit: edit(chosen.gate, chosen.value) } });
    alone.blur(); // the keys are the stage's again
  });
  return (press) => {
    alone.disabled = state.unit === null;
    description.textContent = state.unit === null ? "only one unit" : `only unit ${state.unit}`;
    const chosen = state.compare?.edit;
    for (const [gate, value, button] of buttons) press(button, chosen?.gate === gate && chosen.value === value);
  };
}
