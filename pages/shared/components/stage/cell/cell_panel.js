// The opened part: what it does, what it does at this step, and its equation with the terms by size.
// Names come from files: they are only ever text.

import { child } from "../../canvas.js";
import { PARTS, inputName, previous, sentence, short, termName } from "./cell_text.js";
import { put } from "./drawing.js";
import { ACTIVATIONS, factor, number, rest } from "./equations.js";
import { GATES } from "../scene.js";

const LISTED = 8, ROWS = LISTED + 2; // terms, the bias and the rest
const FEW = 3; // terms that leave room for larger letters
const NAME = 30; // letters of a name

export function mount(holder, state, close) {
  const box = child(holder, "div", { class: "cell-panel", role: "region" });
  const head = child(box, "div", { class: "cell-panel-head" });
  const title = child(head, "strong", {}), formula = child(head, "span", {});
  const leave = child(head, "button", { type: "button", "aria-label": "Close (Esc)", title: "Close (Esc)" });
  leave.textContent = "×";
  leave.addEventListener("click", () => close(state.part));
  const does = child(box, "p", {}), sentenceNow = child(box, "p", { class: "cell-panel-now" });
  const list = child(box, "div", { class: "cell-terms" });
  const rows = Array.from({ length: ROWS }, () => row(list));
  const total = child(box, "div", { class: "cell-total" });
  box.hidden = true;
  return {
    update(now, from) {
      const { part } = state, texts = PARTS[part];
      box.hidden = !texts;
      if (!texts) return;
      const { lines, sum } = terms(part, now, from, state);
      const where = "fix".includes(part) ? "right" : part === "c" ? "low" : "left";
      put(box, "class", `cell-panel cell-panel-${where}${lines.length > FEW ? "" : " cell-panel-large"}`);
      box.style.borderColor = state.colors[part] ?? "";
      put(box, "aria-label", texts.title);
      put(title, "text", texts.title);
      put(formula, "text", part === "h" && from.projected ? "h = W_hr (o · tanh(c))" : texts.formula(previous(state)));
      put(does, "text", texts.does);
      put(sentenceNow, "text", sentence(part, now, from, state));
      put(list, "class", lines.some(({ how }) => how) ? "cell-terms" : "cell-terms cell-terms-bare");
      const most = Math.max(...lines.map(({ value }) => Math.abs(value) || 0), 1e-9);
      rows.forEach((one, k) => one(lines[k], most));
      put(total, "text", sum);
    },
  };
}

function row(list) {
  const line = child(list, "div", { class: "cell-term" });
  const [name, how, track, value] = ["span", "span", "i", "b"].map((tag) => child(line, tag, {}));
  const bar = child(track, "i", {});
  return (term, most) => {
    line.hidden = !term;
    if (!term) return;
    const share = term.value / most;
    put(name, "text", short(term.name, NAME));
    put(how, "text", term.how ?? "");
    put(value, "text", number(term.value));
    put(bar, "transform", `scaleX(${Number.isFinite(share) ? share.toFixed(3) : 0})`);
    put(bar, "class", share < 0 ? "cell-less" : "cell-more");
  };
}

// { lines: [{ name, how, value }], sum: their sum, as an equation }
function terms(part, now, from, state) {
  if (part === "x") return { lines: inputLines(now, from, state), sum: "" };
  if (now.unit === null) return { lines: largest(now[part].length, (k) => now[part][k], (k) => `unit ${k}`), sum: "" };
  const n = number, { f, i, g, o, c, cPrev, kept, added, tanhC, output } = now;
  if (GATES.includes(part)) {
    const parts = from.gate(part, now.unit, now.step, LISTED), { edited, computed, value } = parts;
    const result = edited ? `${n(computed)}, set to ${n(value)}` : n(value);
    return { lines: sumLines(parts, state), sum: `${part} = ${ACTIVATIONS[part]}(${n(parts.sum)}) = ${result}` };
  }
  if (part === "c") {
    const lines = [
      { name: `kept: f · c${previous(state)}`, how: `${n(f)} · ${factor(cPrev)}`, value: kept },
      { name: "new: i · g", how: `${n(i)} · ${factor(g)}`, value: added },
    ];
    return { lines, sum: `c = ${n(kept)} + ${n(added)} = ${n(c)}`.replace("+ −", "− ") };
  }
  if (!from.projected) {
    const lines = [
      { name: "cell state c", value: c }, { name: "tanh(c)", value: tanhC }, { name: "output gate o", value: o },
    ];
    return { lines, sum: `h = ${n(o)} · ${factor(tanhC)} = ${n(output)}` };
  }
  if (typeof now.h !== "number") return { lines: largest(now.h.length, (k) => now.h[k], (k) => `h${k}`), sum: "" };
  const parts = from.projection(now.unit, now.step, LISTED);
  return { lines: sumLines(parts, state), sum: `h${now.unit} = ${n(parts.value)}` };
}

function sumLines(parts, state) {
  const lines = parts.terms.map((term) => ({
    name: termName(state, term), how: `${number(term.weight)} · ${factor(term.value)}`, value: term.product,
  }));
  if (parts.bias !== null) lines.unshift({ name: "bias b", value: parts.bias });
  if (parts.others) lines.push({ name: `rest: ${parts.others} more`, value: rest(parts) });
  return lines;
}

function inputLines({ step }, from, state) {
  const inputs = largest(from.size, (k) => from.input(k, step), (k) => inputName(state, k), LISTED / 2);
  const past = (k) => from.at("h", k, from.previous(step)), count = from.first(step) ? 0 : state.scene.width;
  return [...inputs, ...largest(count, past, (k) => termName(state, { kind: "h", index: k }), LISTED - inputs.length)];
}

function largest(count, value, name, most = LISTED) {
  const magnitude = (k) => Math.abs(value(k)) || 0;
  const order = Array.from({ length: count }, (_, k) => k).sort((a, b) => magnitude(b) - magnitude(a));
  return order.slice(0, most).map((k) => ({ name: name(k), value: value(k) }));
}
