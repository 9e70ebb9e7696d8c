// Builds the drawing of the cell once for a size; cell.js then sets the numbers of each step.
// Every part that can be opened is one group: pressing it opens it.

import { ORDER } from "./cell_layout.js";
import { arrow, pipe, plate, put, svg, valve } from "./drawing.js";
import { ACTIVATIONS } from "./equations.js";

const ROWS = 5; // of an equation that is written line by line
export const LETTER = 0.49; // the width of a letter, about, as a share of its height

// parts: name → group; the others are what cell.js sets: plates, flows, jaws, notes, equations.
export function build(holder, place, state, press) {
  const root = svg(holder, "svg", {
    class: "cell", viewBox: `0 0 ${place.across} ${place.high}`, role: "group", "aria-label": "The LSTM cell",
  });
  const parts = {};
  for (const name of ["x", "c", "h", "g", ...["f", "i", "o"]]) {
    // An <a> and no <g>: keys.js leaves Space and Enter to links and buttons.
    parts[name] = svg(root, "a", { class: "cell-part", "data-part": name, role: "button", tabindex: 0 });
    parts[name].addEventListener("click", () => press(name));
    parts[name].addEventListener("keydown", (event) => {
      if (event.key !== " " && event.key !== "Enter") return;
      event.preventDefault();
      press(name);
    });
  }
  const drawn = { root, parts, plates: {}, flows: {}, jaws: {}, equations: {}, notes: {} };
  inputs(drawn, place, state);
  memory(drawn, place, state);
  output(drawn, place, state);
  for (const name of ORDER) gate(drawn, place, state, name);
  const [x, y] = place.caption;
  drawn.caption = svg(root, "text", { x, y, class: "cell-caption", "font-size": place.font.caption });
  return drawn;
}

const fonts = ({ font }) => ({ value: font.plate, symbol: font.symbol });

function inputs(drawn, place, { colors }) {
  const { hPrev, input, bus, gates, font } = place, part = drawn.parts.x;
  const from = hPrev[0] + hPrev[2], join = from + 14, last = gates.o[0] + gates.o[2] / 2;
  const above = hPrev[1] + hPrev[3] / 2, below = input[1] + input[3] / 2;
  const wire = (d) => svg(part, "path", { d, class: "cell-wire" });
  drawn.flows.hPrev = wire(`M${from} ${above}Q${join} ${above} ${join} ${bus}`);
  drawn.flows.input = wire(`M${from} ${below}Q${join} ${below} ${join} ${bus}`);
  put(wire(`M${join} ${bus}H${last}`), "strokeWidth", "4px");
  for (const name of ORDER) {
    const [x, y, w, h] = gates[name];
    put(wire(`M${x + w / 2} ${bus}V${y + h + 8}`), "strokeWidth", "4px");
    arrow(part, x + w / 2, y + h + 7, -90);
  }
  drawn.plates.hPrev = plate(part, hPrev, ["h", "t−1"], colors.h, fonts(place));
  drawn.plates.input = plate(part, input, ["x", "t"], "#7A7F87", fonts(place));
  const [x, y, w, h] = drawn.plates.input.body;
  drawn.cells = { group: svg(part, "g", {}), x: x + 3, y: y + 4, w: w - 6, h: h - 8, each: [] };
  drawn.features = (place.inputs ? [0, 1, 2] : []).map((k) => svg(part, "text", {
    x: place.inputs[0], y: place.inputs[1] + k * place.inputs[2], class: "cell-note", "font-size": font.title - 1,
  }));
}

function memory(drawn, place, { colors }) {
  const { cPrev, cNow, c, forgetValve, plus, pipe: bore, font } = place, part = drawn.parts.c;
  drawn.flows.cPrev = pipe(part, `M${cPrev[0] + cPrev[2]} ${c}H${forgetValve[0]}`, bore);
  drawn.flows.kept = pipe(part, `M${forgetValve[0]} ${c}H${plus[0]}`, bore);
  drawn.flows.cNow = pipe(part, `M${plus[0]} ${c}H${cNow[0] - 2}`, bore);
  drawn.plates.cPrev = plate(part, cPrev, ["c", "t−1"], colors.c, fonts(place));
  drawn.plates.cNow = plate(part, cNow, ["c", "t"], colors.c, fonts(place));
  svg(part, "circle", { cx: plus[0], cy: c, r: bore * 0.62, class: "cell-node" });
  svg(part, "text", { x: plus[0], y: c + bore * 0.33, class: "cell-plus", "font-size": bore }).textContent = "+";
  drawn.notes.kept = note(part, place, place.kept);
  drawn.equations.c = equation(part, place, "c", " = ", font.equation);
}

function output(drawn, place, { colors }) {
  const { turn, c, outputValve, exit, hNow: box, tanhNode, pipe: bore, font } = place, part = drawn.parts.h;
  drawn.flows.tanhC = pipe(part, `M${turn} ${c + bore / 2}V${outputValve[1]}`, bore);
  drawn.flows.output = pipe(part, `M${turn} ${outputValve[1]}V${exit}H${box[0] - 2}`, bore);
  const half = bore * 1.35, tall = bore * 0.55;
  const pill = { x: turn - half, y: tanhNode[1] - tall, width: 2 * half, height: 2 * tall, rx: tall };
  svg(part, "rect", { ...pill, class: "cell-node" });
  const text = { x: turn, y: tanhNode[1] + bore * 0.23, "font-size": bore * 0.68 };
  svg(part, "text", { ...text, class: "cell-plus" }).textContent = "tanh";
  drawn.notes.tanhC = note(part, place, place.tanhC);
  drawn.plates.hNow = plate(part, box, ["h", "t"], colors.h, fonts(place));
  if (place.titles) {
    const up = box[0] + box[2] - 24;
    svg(part, "path", { d: `M${up} ${box[1]}V${box[1] - 22}`, class: "cell-wire", "stroke-width": 4 });
    arrow(part, up, box[1] - 24, -90);
    drawn.notes.reader = note(part, place, [place.across - 4, box[1] - 36, "end"]);
  }
  drawn.equations.h = equation(part, place, "h", " = ", font.equation);
}

function gate(drawn, place, { colors, titles }, name) {
  const part = drawn.parts[name], color = colors[name], [x, y, w, h] = place.gates[name], middle = x + w / 2;
  const { c, forgetValve, inputValve, outputValve, plus, valve: radius, pipe: bore, font } = place;
  const ring = radius + 2;
  const lines = {
    f: `M${middle} ${y}V${c + ring}`, i: `M${middle} ${y}V${inputValve[1]}H${inputValve[0] - ring}`,
    o: `M${x + w} ${y + h / 2}H${outputValve[0] - ring}`,
  };
  if (name === "g") {
    drawn.flows.proposed = pipe(part, `M${middle} ${y}V${inputValve[1]}`, bore);
    drawn.flows.added = pipe(part, `M${inputValve[0]} ${inputValve[1]}V${plus[1] + bore * 0.62}`, bore);
  } else {
    drawn.flows[name] = svg(part, "path", { d: lines[name], class: "cell-line", stroke: color });
    const at = { f: forgetValve, i: inputValve, o: outputValve }[name];
    drawn.jaws[name] = valve(part, at, radius, bore, color, name !== "f");
  }
  if (name === "i") drawn.notes.added = note(part, place, place.added);
  drawn.plates[name] = plate(part, place.gates[name], [name, "t"], color, { ...fonts(place), value: font.value });
  if (place.titles) {
    // The candidate's stands beside the valve over it, where there is room for its last word.
    const [left, title] = name === "g" ? [middle + radius + 4, titles.g.split(" ").at(-1)] : [x, titles[name]];
    svg(part, "text", { x: left, y: y - 8, class: "cell-note", "font-size": font.title }).textContent = title;
  }
  drawn.equations[name] = equation(part, place, name, ` = ${ACTIVATIONS[name]}(`, font.equation);
}

function note(part, { font }, [x, y, anchor]) {
  return svg(part, "text", { x, y, class: "cell-note", "text-anchor": anchor, "font-size": font.note });
}

// f_t = σ( and then the pieces, one line each or all in one. Too long a line is set smaller, never cut.
function equation(part, { equations, stacked, lineHeight }, name, open, size) {
  const [x, y, width] = equations[name], written = stacked && name !== "c";
  const lines = Array.from({ length: written ? ROWS : 1 }, (_, row) =>
    svg(part, "text", { x, y: y + row * lineHeight, class: "cell-equation", "font-size": size }));
  symbolIn(lines[0], name, open);
  const spans = lines.map((line) => svg(line, "tspan", {})), result = svg(lines[0], "tspan", { class: "cell-result" });
  const head = 2.2 + open.length;
  return (pieces, last) => {
    const all = written ? [...pieces, last] : [`${pieces.join(" ")} `];
    spans.forEach((span, row) => {
      put(span, "text", all[row] ?? "");
      put(span, "class", written && row === all.length - 1 ? "cell-result" : "");
      const long = (all[row]?.length ?? 0) + (row ? 0 : head) + (written ? 0 : last.length);
      put(lines[row], "font-size", fitted(long, size, width));
    });
    put(result, "text", written ? "" : last);
  };
}

// The size at which so many letters fit; as good as measured, and without the reflow that measuring costs.
export const fitted = (letters, size, width) => Math.min(size, Math.floor((2 * width) / (letters * LETTER)) / 2);

function symbolIn(text, name, open) {
  svg(text, "tspan", { class: "cell-letter" }).textContent = name;
  svg(text, "tspan", { dy: "0.28em", "font-size": "76%" }).textContent = "t";
  svg(text, "tspan", { dy: "-0.18em" }).textContent = open;
}
