// The whole network: inputs, LSTM layers with their directions, the head and its output, with the values of the step.

import { format } from "../../canvas.js";
import { arrow, put, svg } from "../cell/drawing.js";
import { number } from "../cell/equations.js";
import { short } from "../cell/cell_text.js";
import { percent, sign, symbolAt } from "../strip/strip_text.js";
import { fontOf, paintStrip } from "./unrolled.js";

const CELLS = 24, INPUTS = 3, CLASSES = 3; // units of a strip; features and classes that are listed
const ROW = 2.05, CLASS = 1.65; // their height in letters

// { inputs, head, output: boxes, layers: layer → direction → { box, screen } }; screen: where its unrolled drawing stands.
export function place(w, h, scene) {
  const { layers, directions } = scene, [rows, classes] = [inputRows(scene), Math.min(CLASSES, scene.classes.length)];
  const font = fontOf(w, h), gap = 0.035 * w, top = 1.9 * font, high = h - top - 0.6 * font, middle = top + high / 2;
  const box = (x, wide, tall) => ({ x, y: middle - tall / 2, w: wide, h: tall });
  const listed = (count, pitch) => (3 + count * pitch) * font; // as far above the middle, with a title, as below it
  const inputs = box(0.012 * w, 0.145 * w, listed(rows, ROW)), head = box(0.683 * w - gap, 0.145 * w, 6.4 * font);
  const output = box(0.828 * w, 0.16 * w, listed(classes || 1, classes ? CLASS : 2.4));
  const from = inputs.x + inputs.w + gap, room = head.x - gap - from, most = 0.3 * w;
  const wide = Math.min(most, (room - (layers - 1) * gap) / layers);
  const start = from + (room - layers * wide - (layers - 1) * gap) / 2;
  const tall = directions > 1 ? (high - 0.6 * font) / 2 : Math.min(high, 0.86 * h);
  const boxes = Array.from({ length: layers }, (_, layer) => Array.from({ length: directions }, (_, direction) => {
    const y = directions > 1 ? top + direction * (tall + 0.6 * font) : middle - tall / 2;
    const all = { x: start + layer * (wide + gap), y, w: wide, h: tall };
    const head = 2.9 * font, foot = 1.9 * font, scale = Math.min((wide - 16) / w, (tall - head - foot) / h);
    const screen = { w: w * scale, h: h * scale };
    const left = all.x + (wide - screen.w) / 2, up = y + head + (tall - head - foot - screen.h) / 2;
    return { box: all, screen: { ...screen, x: left, y: up } };
  }));
  return { w, h, font, gap, inputs, head, output, layers: boxes };
}

// press(layer, direction): of the box that was clicked. Returns what update sets.
export function build(parent, at, state, press) {
  const { scene } = state, root = svg(parent, "g", { class: "levels-network" }), { font } = at;
  const drawn = { root, at, wires: wires(root, at, scene), layers: [], inputs: [], classes: [] };
  at.layers.forEach((row, layer) => row.forEach(({ box }, direction) => {
    const group = svg(root, "g", { class: "levels-layer", role: "button", tabindex: 0, "aria-label": `Layer ${layer}` });
    group.addEventListener("click", () => press(layer, direction));
    group.addEventListener("keydown", (event) => event.key === "Enter" && press(layer, direction));
    frame(group, box);
    const lines = layerLines(scene, layer, direction, box.w / (0.52 * font));
    const center = box.x + box.w / 2;
    lines.forEach((line, k) => {
      text(group, center, box.y + (1.25 + 1.2 * k) * font, font * (k ? 0.88 : 1), line, k ? 400 : 700);
    });
    const y = box.y + box.h - 1.25 * font, x = box.x + 0.08 * box.w, w = 0.84 * box.w - 1.2 * font;
    text(group, x + 0.3 * font, y + 0.62 * font, font, "h", 700).setAttribute("font-style", "italic");
    const cells = Array.from({ length: CELLS }, () => svg(group, "rect", { y: y - 0.1 * font, height: 0.8 * font }));
    drawn.layers.push({ group, layer, direction, strip: { cells, x: x + 1.2 * font, w } });
  }));
  drawn.inputs = inputs(root, at, scene);
  headBox(root, at, scene);
  Object.assign(drawn, output(root, at, scene));
  return drawn;
}

const frame = (group, { x, y, w, h }) => svg(group, "rect", { x, y, width: w, height: h, rx: 12, class: "levels-box" });

function text(parent, x, y, size, words, weight = 400) {
  const look = { "text-anchor": "middle", "font-size": Math.max(12.5, size), "font-weight": weight };
  const made = svg(parent, "text", { x, y, ...look });
  made.textContent = words;
  return made;
}

// How many letters of this size fit in so many pixels.
const lettersIn = (wide, size) => Math.floor(wide / (0.49 * Math.max(12.5, size)));

// What a layer is, in two lines of so many letters.
function layerLines({ layers, hidden, width, directions }, layer, direction, letters) {
  const reading = directions > 1 ? (direction ? ", backward" : ", forward") : "";
  const name = layers > 1 ? `LSTM layer ${layer}` : "LSTM layer", fits = (line) => line.length <= letters;
  const size = `hidden_size ${hidden}${width < hidden ? `, proj_size ${width}` : ""}`;
  const first = [`${name}${reading}`, `Layer ${layer}${reading}`, `Layer ${layer}${direction ? " ←" : ""}`].find(fits);
  const second = [size, `${hidden} units${width < hidden ? ` → ${width}` : ""}`, String(hidden)].find(fits);
  return [first ?? `${layer}`, second ?? ""];
}

// From each box of one column to each of the next, over a bar between them.
function wires(root, { inputs, layers, head, output, gap }, { directions }) {
  const columns = [[inputs], ...layers.map((row) => row.map(({ box }) => box)), [head], [output]], found = [];
  for (let k = 1; k < columns.length; k++) {
    const bar = Math.min(...columns[k].map(({ x }) => x)) - gap / 2, middle = ({ y, h }) => y + h / 2;
    const all = [...columns[k - 1], ...columns[k]].map(middle);
    const d = [
      ...columns[k - 1].map((box) => `M${box.x + box.w} ${middle(box)}H${bar}`),
      `M${bar} ${Math.min(...all)}V${Math.max(...all)}`,
      ...columns[k].map((box) => `M${bar} ${middle(box)}H${box.x - 6}`),
    ].join("");
    found.push(svg(root, "path", { d, class: "levels-wire" }));
    for (const box of columns[k]) arrow(root, box.x - 6, middle(box), 0, 6);
  }
  return found;
}

const inputRows = ({ symbols, features }) => (symbols ? 1 : Math.min(INPUTS, features.length));

// The features one under the other, each with its value; what does not fit is counted.
function inputs(root, { inputs: box, font }, scene) {
  const count = inputRows(scene), several = `${scene.features.length} inputs`;
  const title = scene.symbols ? "Input" : scene.features.length > 1 ? several : short(String(scene.features[0]), 16);
  text(root, box.x + box.w / 2, box.y + 0.9 * font, font, title, 700);
  return Array.from({ length: count }, (_, k) => {
    const y = box.y + (1.65 + k * ROW) * font;
    const plate = svg(root, "rect", { x: box.x, y, width: box.w, height: 1.7 * font, rx: 7, class: "levels-plate" });
    const words = text(root, box.x + box.w / 2, y + 1.18 * font, 0.92 * font, "", 600);
    return { plate, text: words, letters: box.w / (0.5 * font), k };
  });
}

function headBox(root, { head, font }, { head: kind, classes, outputSteps, targets, width, directions }) {
  const outputs = classes.length || outputSteps * targets.length;
  frame(root, head);
  const read = kind === "last" ? "the last step" : "every step", center = head.x + head.w / 2;
  const lines = [["Head"], [`Linear ${width * directions} → ${outputs}`, `${width * directions} → ${outputs}`],
    ["reads h of"], [read, read.replace("the ", "")]];
  const letters = lettersIn(head.w - 8, 0.82 * font);
  lines.forEach((ways, k) => {
    const line = ways.find((way) => way.length <= letters) ?? ways.at(-1);
    text(root, center, head.y + (1.5 + 1.3 * k) * font, font * (k ? 0.82 : 1), line, k ? 400 : 700);
  });
}

function output(root, { output: box, font }, scene) {
  const middle = box.x + box.w / 2, title = text(root, middle, box.y + 0.9 * font, font, "", 700);
  if (!scene.classes.length) {
    const plate = { x: box.x, y: box.y + 1.5 * font, width: box.w, height: 2.4 * font, rx: 9 };
    svg(root, "rect", { ...plate, class: "levels-box levels-output" });
    const value = text(root, middle, box.y + 3.15 * font, 1.35 * font, "", 700);
    return { title, value, note: text(root, middle, box.y + 5.1 * font, 0.85 * font, "") };
  }
  const classes = Array.from({ length: Math.min(CLASSES, scene.classes.length) }, (_, k) => {
    const y = box.y + (1.5 + CLASS * k) * font;
    svg(root, "rect", { x: box.x, y, width: box.w, height: 1.4 * font, rx: 6, class: "levels-plate" });
    const bar = svg(root, "rect", { x: box.x, y, width: 0, height: 1.4 * font, rx: 6, class: "levels-bar" });
    const words = text(root, middle, y + 1.02 * font, 0.9 * font, "", 600);
    return { bar, w: box.w, text: words, letters: box.w / (0.5 * font) };
  });
  return { title, classes };
}

export function update(drawn, state, side, paint) {
  const { scene, step } = state, { trace } = state.sides[side];
  for (const { group, layer, direction, strip } of drawn.layers) {
    put(group, "data-chosen", String(layer === state.layer && direction === state.direction));
    paintStrip(strip, trace[layer][direction].h, step, scene.steps, true, (value) => paint("h", value));
  }
  drawn.inputs.forEach(({ plate, text: words, letters, k }) => {
    const count = scene.features.length, value = scene.inputs[step * count + k], alone = count === 1;
    const { color, ink } = scene.symbols ? { color: "none", ink: "currentColor" } : paint("x", value);
    const more = k === INPUTS - 1 && count > INPUTS ? ` +${count - INPUTS}` : "";
    put(plate, "fill", color);
    put(words, "fill", ink);
    put(words, "text", scene.symbols ? symbolText(scene, step, letters) : alone ? number(value)
      : `${short(String(scene.features[k]), Math.max(3, Math.floor(letters) - 7 - more.length))} `
        + `${number(value)}${more}`);
  });
  writeOutput(drawn, state, side);
}

const symbolText = (scene, step, letters) =>
  (scene.symbols[step] === null ? "no symbol yet" : short(symbolAt(scene, step), letters));

function writeOutput({ title, value, note, classes, at }, state, side) {
  const brief = at.output.w > 8.8 * at.font ? "Prediction so far" : "So far";
  const { scene, step } = state, { prediction } = state.sides[side];
  const soFar = scene.head === "last" && step < scene.steps - 1;
  put(title, "text", soFar ? brief : "Prediction");
  if (!scene.classes.length) {
    put(value, "text", format(prediction.values[step]));
    put(note, "text", short(String(scene.targets[0]), Math.min(24, lettersIn(at.output.w, 0.85 * at.font))));
    return;
  }
  const count = scene.classes.length, shares = Array.from(prediction.shares.subarray(step * count, (step + 1) * count));
  const order = shares.map((_, k) => k).sort((a, b) => shares[b] - shares[a]);
  classes.forEach(({ bar, w, text: words, letters }, k) => {
    put(bar, "width", w * (shares[order[k]] || 0));
    const name = short(sign(scene, scene.classes[order[k]]), Math.max(2, Math.floor(letters) - 6));
    put(words, "text", `${name} ${percent(shares[order[k]])}`);
  });
}
