// The gradient in the drawing of the cell: it comes in on the right and leaves on the left, through the same pipes.

import { fitted } from "../cell/cell_drawing.js";
import { short } from "../cell/cell_text.js";
import { arrow, put, svg } from "../cell/drawing.js";
import { mean, size } from "../numbers.js";
import { GATES } from "../scene.js";
import { brief, gradientAt, logShare, stepsBack } from "./backward.js";

const ROWS = 3; // of a gate's factors

const factor = (value) => (value < 0 ? `(${brief(value)})` : brief(value));
const added = (value) => `${value < 0 ? "−" : "+"} ${brief(Math.abs(value))}`;
const times = (a, b) => (typeof a === "number" ? a * b : a.map((value, k) => value * b[k]));
const less = (a, b) => (typeof a === "number" ? a - b : a.map((value, k) => value - b[k]));

// view: of cell.js; now: its numbers of this step; tint(share): the colour for −1 to 1. True if it drew.
export function draw(view, now, tint) {
  const { state, drawn, side } = view, found = gradientAt(state, side);
  if (drawn.root.classList.contains("cell-backward") !== Boolean(found)) {
    drawn.root.classList.toggle("cell-backward", Boolean(found));
    for (const [name, letter] of Object.entries({ cPrev: "c", cNow: "c", hPrev: "h", hNow: "h" })) {
      drawn.plates[name].reletter(found ? `∂${letter}` : letter);
    }
  }
  if (!found) return false;
  drawn.backward ??= build(drawn, view.place);
  const flow = flows(view, now, found);
  plates(drawn, flow, found.max, tint);
  pipes(drawn, flow, found.max, tint);
  writeFactors(view, now, flow);
  writeNotes(view, now, flow, found.asked);
  return true;
}

// All gradients of this step by where they flow; arrays where a whole layer is shown.
function flows({ state, reader: from }, now, found) {
  const { scene, layer } = state, { steps, hidden, width } = scene, { unit, step } = now;
  const single = unit !== null && unit < width;
  const column = (values, count, t) => Float64Array.from({ length: count }, (_, k) => values[k * steps + t]);
  const read = (name) => (unit === null ? column(found[name], hidden, step) : found[name][unit * steps + step]);
  const ofH = (name, t) => (single ? found[name][unit * steps + t] : column(found[name], width, t));
  const first = from.first(step), past = from.previous(step), c = read("c"), m = read("m"), fromC = read("fromC");
  const start = single ? found.start.h[unit] : found.start.h;
  const h = ofH("h", step), fromH = ofH("fromH", step);
  return {
    c, m, fromC, h, fromH, fromAbove: less(h, fromH), fromM: less(c, fromC), cPrev: times(c, now.f),
    proposed: times(c, now.i), hPrev: first ? start : ofH("fromH", past), top: layer === scene.layers - 1,
    last: stepsBack(state, step) === 0,
    ...Object.fromEntries(GATES.map((name) => [name, read(name)])),
  };
}

function plates(drawn, flow, max, tint) {
  for (const [plate, value] of [["cPrev", flow.cPrev], ["cNow", flow.c], ["hPrev", flow.hPrev], ["hNow", flow.h]]) {
    const one = typeof value === "number", middle = mean(value);
    const values = one ? null : { all: value.map((each) => logShare(each, max)), low: -1, high: 1 };
    drawn.plates[plate].set({ ...tint(logShare(middle, max)), text: brief(middle, 1), values });
  }
}

function pipes(drawn, flow, max, tint) {
  for (const [pipe, value] of [
    ["cNow", flow.fromC], ["kept", flow.c], ["added", flow.c], ["cPrev", flow.cPrev], ["proposed", flow.proposed],
    ["tanhC", flow.fromM], ["output", flow.m],
  ]) drawn.flows[pipe]({ share: logShare(size(value), max), color: tint(logShare(mean(value), max)).color });
  for (const name of ["f", "i", "o", "hPrev"]) {
    put(drawn.flows[name], "strokeWidth", `${(1.5 + 6 * logShare(size(flow[name]), max)).toFixed(1)}px`);
  }
}

const FACTORS = {
  f: (past) => [`∂c · c${past} · f(1 − f)`, "cPrev"], i: () => ["∂c · g · i(1 − i)", "g"],
  g: () => ["∂c · i · (1 − g²)", "i"], o: (_, out) => [`∂${out} · tanh(c) · o(1 − o)`, "tanhC"],
};

function writeFactors({ drawn, place, state: { direction }, reader: { projected } }, now, flow) {
  const past = direction ? "ₜ₊₁" : "ₜ₋₁", whole = now.unit === null;
  for (const gate of GATES) {
    const [formula, other] = FACTORS[gate](past, projected ? "m" : "h");
    const arriving = gate === "o" ? flow.m : flow.c, result = flow[gate];
    if (whole) {
      drawn.backward[gate]([`∂${gate} = ${formula}`, `mean ${brief(mean(result))}`]);
      continue;
    }
    const product = arriving * now[other], value = now[gate];
    const slope = product ? result / product : gate === "g" ? 1 - value ** 2 : value * (1 - value);
    const numbers = `= ${brief(arriving)}·${factor(now[other])}·${brief(slope)}`;
    const end = `= ${brief(result)}`;
    drawn.backward[gate](place.stacked ? [formula, numbers, end] : [`∂${gate} = ${formula}`, `${numbers} ${end}`]);
  }
  const later = flow.last ? "" : ` ${added(mean(flow.fromC))}`;
  drawn.backward.c([`∂cₜ = ${brief(mean(flow.fromM))}${later}`, flow.last ? "" : `= ${brief(mean(flow.c))}`]);
}

function writeNotes(view, now, flow, asked) {
  const { drawn, place, state } = view, { notes } = drawn, { layer, direction, step } = state;
  const n = (value) => brief(mean(value));
  const before = direction ? step : step + 2, next = flow.top ? "the head" : `layer ${layer + 1}`;
  const later = added(mean(flow.fromH)), above = `∂hₜ = ${n(flow.fromAbove)}`;
  if (flow.last) drawn.backward.h([`${above} from ${next}`, ""]);
  else if (place.stacked) drawn.backward.h([`${above} from ${next}`, `${later} from step ${before}`, `= ${n(flow.h)}`]);
  else drawn.backward.h([`${above} ${later}`, `= ${n(flow.h)}`]);
  put(notes.kept, "text", now.unit === null || !place.stacked ? `∂c·f = ${n(flow.cPrev)}`
    : `∂c·f = ${brief(flow.c)}·${factor(now.f)} = ${brief(flow.cPrev)}`);
  put(notes.added, "text", `∂c·i = ${n(flow.proposed)}`);
  put(notes.tanhC, "text", n(flow.fromM));
  if (notes.reader) put(notes.reader, "text", `from ${next}`);
  const lines = ["∂: gradient of", ...asked.lines].map((line) => short(line, 19));
  drawn.features.forEach((text, row) => put(text, "text", lines[row] ?? ""));
  if (!place.inputs) put(drawn.caption, "text", `${now.unit === null ? "the layer" : `unit ${now.unit}`} · ∂: gradient`);
}

// The factors' lines under each gate, and arrows against the time. Returns name → what writes its lines.
function build(drawn, place) {
  const write = {};
  for (const name of [...GATES, "c", "h"]) {
    const [x, y, width] = place.equations[name], part = drawn.parts[name];
    const rows = place.stacked && name !== "c" ? ROWS : 1;
    const line = (row) => svg(part, "text", { x, y: y + row * place.lineHeight, class: "cell-equation cell-factors" });
    const lines = Array.from({ length: rows }, (_, row) => line(row));
    const spans = lines.map((text) => [svg(text, "tspan", {}), svg(text, "tspan", { class: "cell-result" })]);
    write[name] = (texts) => {
      const split = rows > 1 ? texts.map((text, k) => (k === texts.length - 1 ? ["", text] : [text, ""]))
        : [[`${texts.slice(0, -1).join(" ")} `, texts.at(-1)]];
      spans.forEach(([plain, bold], row) => {
        const [first = "", last = ""] = split[row] ?? [];
        put(plain, "text", first);
        put(bold, "text", last);
        put(lines[row], "font-size", fitted(Math.max(8, first.length + last.length), place.font.equation, width));
      });
    };
  }
  arrows(drawn.parts, place);
  return write;
}

function arrows(parts, place) {
  const { cPrev, cNow, c, forgetValve, plus, turn, exit, outputValve, gates, bus, hNow, valve } = place;
  const put = (part, x, y, turned) => arrow(parts[part], x, y, turned, 7).setAttribute("class", "cell-reverse");
  const between = (a, b, share) => a + (b - a) * share, left = cPrev[0] + cPrev[2];
  put("c", between(left, forgetValve[0], 0.45), c, 180);
  for (const share of [0.22, 0.5, 0.78]) put("c", between(forgetValve[0], plus[0], share), c, 180);
  for (const share of [0.25, 0.5, 0.75]) put("c", between(plus[0], cNow[0], share), c, 180);
  put("h", (turn + hNow[0]) / 2, exit, 180);
  put("h", turn, between(outputValve[1] + valve, exit, 0.4), -90);
  for (const [x, y, w, h] of Object.values(gates)) put("x", x + w / 2, y + h + 12, 90);
  for (const one of ["f", "i", "g"]) put("x", gates[one][0] + gates[one][2] + 4, bus, 180);
  if (place.titles) put("h", hNow[0] + hNow[2] - 24, hNow[1] - 14, 90);
}
