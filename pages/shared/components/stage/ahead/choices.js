// The panel of choices: what there is to choose depends on the scene, so it is built anew with one.

import { child } from "../../canvas.js";
import { shorten } from "../strip/strip_text.js";
import { MOST, MOST_FUTURES, clampChoice, otherInputs } from "./choice.js";

const NAMES = 40; // letters of the other inputs' names
const DRAWN = 0.8; // the temperature, where futures are asked for without one

// Returns what brings the panel up to date.
export function mountChoices(panel, state) {
  const body = child(panel, "div", { class: "stage-ahead-choices" });
  let built = null, fields = [];
  return () => {
    const { scene } = state;
    if (built !== scene.future) {
      built = scene.future;
      body.replaceChildren();
      fields = scene.future.why ? reason(body, scene) : [about(body, scene), ...choicesOf(body, state)];
    }
    for (const update of fields) update?.();
  };
}

function reason(body, { future }) {
  child(body, "p", {}).textContent = future.why;
  return [];
}

function about(body, { future, steps }) {
  const how = future.map && future.carries ? "Its memory is carried on from one to the next."
    : `Each time it reads the last ${steps} rows from an empty memory, as it was trained.`;
  child(body, "p", {}).textContent = `The model reads its own predictions as if they had happened. ${how}`;
  if (!future.rows) return;
  child(body, "p", {}).textContent = future.map ? "Marked: the first symbol that is not the actual one."
    : "Marked: where its error first exceeds the one-step error by a tenth of the series' range.";
}

function choicesOf(body, state) {
  const { scene } = state, { future, outputSteps } = scene;
  const what = future.map ? "Symbols ahead" : "Rows ahead";
  const fields = [numberField(body, state, "rows", what, { min: 1, max: MOST, step: 1 })];
  if (future.map) {
    return [
      ...fields, numberField(body, state, "temperature", "Temperature (0: the likeliest)", { min: 0, max: 2, step: 0.1 }),
      numberField(body, state, "futures", "Futures (drawn, with a temperature)", { min: 1, max: MOST_FUTURES, step: 1 }),
      numberField(body, state, "seed", "Seed", { min: 0, max: 9999, step: 1 }), stop(body, state),
    ];
  }
  if (outputSteps > 1) {
    fields.push(choiceField(body, state, "all", `Of the ${outputSteps} rows that it predicts at once, it reads`,
      [[true, "all"], [false, "the first"]]));
  }
  const others = otherInputs(scene);
  if (others.length) {
    const names = shorten(others.map((column) => scene.features[column]).join(", "), NAMES);
    const options = [["held", "held at the last value"]];
    if (future.rows) options.push(["table", `true ones, ${future.rows} rows`]);
    fields.push(choiceField(body, state, "others", `Other inputs (${names})`, options));
  }
  if (future.known.length) child(body, "p", {}).textContent = "Inputs that are known ahead are read as they come.";
  return [...fields, stop(body, state)];
}

const change = (state, changes) => {
  const drawn = changes.futures > 1 && !state.ahead.temperature ? { temperature: DRAWN } : {}; // else all are the same
  const ahead = clampChoice(state.scene, { ...state.ahead, ...changes, ...drawn });
  state.set({ ahead, aheadBefore: ahead });
};

function numberField(body, state, name, text, { min, max, step }) {
  const label = child(body, "label", { class: "stage-menu-row" });
  child(label, "span", {}).textContent = text;
  const input = child(label, "input", { type: "number", min, max, step, "aria-label": text });
  input.addEventListener("change", () => {
    const value = Math.max(min, Math.min(max, Number(input.value)));
    if (Number.isFinite(value)) change(state, { [name]: Math.round(value / step) * step });
    update();
  });
  const update = () => {
    const value = state.ahead?.[name];
    if (value !== undefined && document.activeElement !== input) input.value = Number(value.toFixed(2));
  };
  return update;
}

function choiceField(body, state, name, text, options) {
  const group = child(body, "div", { role: "radiogroup", "aria-label": text });
  child(group, "h5", {}).textContent = text;
  const row = child(group, "div", { class: "stage-menu-row" });
  const buttons = options.map(([value, title]) => {
    const button = child(row, "button", { type: "button", role: "radio" });
    button.textContent = title;
    button.addEventListener("click", () => change(state, { [name]: value }));
    return button;
  });
  return () => buttons.forEach((button, k) => {
    const chosen = state.ahead?.[name] === options[k][0];
    button.setAttribute("aria-checked", chosen);
    button.setAttribute("aria-pressed", chosen);
  });
}

function stop(body, state) {
  const button = child(body, "button", { type: "button" });
  button.textContent = "Stop going on (A)";
  button.addEventListener("click", () => state.set({ ahead: null, menu: null }));
}
