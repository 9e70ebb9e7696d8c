// The band under the picture, in the bar's place: a line that somebody typed, or the talk's; the step, what is
// predicted there, and what happens in the cell, each in a place of its own, so that nothing moves but the numbers.

import { child, format } from "../../canvas.js";
import { gradientAt, stepsBack } from "../backward/backward.js";
import { epochText } from "../bar/transport.js";
import { number } from "../cell/equations.js";
import { readAt } from "../numbers.js";
import { GATES, truthAt } from "../scene.js";
import { likeliest, percent, shorten, sign, stepText, symbolAt } from "../strip/strip_text.js";
import { toldOf } from "../talk/giving.js";

const CALM = 0.05; // change of a gate from one step to the next that is not worth telling
export const LINE = 105; // letters that the first line has room for
const SIDES = ["left", "right"]; // of a comparison, as they stand

const capital = (text) => text[0].toUpperCase() + text.slice(1);

// What the first line is where nobody types one: the moment of the talk that is being given.
export function headline({ giving, talk }) {
  const moment = giving && talk.moments[giving.at];
  if (!moment) return "";
  const told = moment.question ? toldOf(moment.question, giving) : "";
  const all = `${moment.title} · ${told}`;
  return told && all.length <= LINE ? all : moment.title;
}

// line: the first line, or "". Returns { element, update }.
export function mount(root, state, line) {
  const element = child(root, "div", { class: "film-captions" });
  if (line) child(element, "b", {}).textContent = line;
  const row = child(element, "div", { class: "film-row" });
  const places = [stepOf, predictionOf, eventOf].map((tell) => [child(row, "span", {}), tell]);
  return {
    element,
    update() {
      for (const [place, tell] of places) {
        const text = tell(state);
        if (place.textContent !== text) place.textContent = text;
      }
    },
  };
}

export function stepOf({ scene, step, snapshot, filming }) {
  const told = filming?.plays === "snapshot" || snapshot < scene.snapshots.length; // else it is the model of now
  const text = stepText(scene, step), when = told ? epochText(scene, snapshot) : scene.when?.[step];
  const symbol = scene.symbols && (scene.symbols[step] === null ? "nothing yet" : symbolAt(scene, step));
  const all = [when, text, symbol && `reads ${symbol}`].filter(Boolean).join(" · ");
  return capital(all);
}

export function predictionOf({ scene, sides, step }) {
  const isEnd = step === scene.steps - 1, soFar = scene.head === "last" && !isEnd, truth = truthAt(scene, step);
  const isClass = scene.classes.length > 0, word = (name) => shorten(sign(scene, name), 16);
  const all = sides.map(({ prediction }, k) => {
    const [[best, share]] = isClass ? likeliest(scene, prediction, step, 1) : [[]];
    const value = isClass ? `${word(best)} ${percent(share)}` : format(prediction.values[step]);
    return sides.length > 1 ? `${SIDES[k]} ${value}` : value;
  });
  const told = `Prediction${soFar ? " so far" : ""}: ${all.join(", ")}`;
  if (soFar || truth === null || truth === undefined) return told;
  return `${told}, actual ${isClass ? word(scene.classes[truth]) : format(truth)}`;
}

// The gate that changes most from the step before; backward, what becomes of the gradient.
export function eventOf(state) {
  const { scene, sides, layer, direction, step, titles } = state, { trace, unit } = sides[0];
  const values = trace[layer][direction], read = (name, t) => readAt(values[name], unit, t, scene.steps);
  const whose = sides.length > 1 ? "Left: " : "";
  if (gradientAt(state, 0)) {
    const f = read("f", step), back = stepsBack(state, step);
    return `${whose}${back} step${back === 1 ? "" : "s"} back: f = ${number(f)} hands on ${percent(f)} of ∂c`;
  }
  const past = step + (direction ? 1 : -1);
  if (past < 0 || past >= scene.steps) return `${whose}Nothing is remembered yet: c = h = 0`;
  const changes = GATES.map((name) => ({ name, from: read(name, past), to: read(name, step) }));
  const size = ({ from, to }) => Math.abs(to - from);
  const most = changes.reduce((best, change) => (size(change) > size(best) ? change : best));
  if (!(size(most) >= CALM)) return `${whose}The gates hardly move: ${number(size(most))} at most`;
  const [up, down] = most.name === "g" ? ["rises", "falls"] : ["opens", "closes"], title = titles[most.name];
  return capital(`${whose}${title} ${most.to > most.from ? up : down}: ${number(most.from)} → ${number(most.to)}`);
}
