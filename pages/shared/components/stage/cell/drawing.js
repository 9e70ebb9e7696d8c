// What the cell is drawn with: pipes with a flow in them, valves, plates with a value or a histogram.
// Each is built once and then set; nothing is written that has not changed.

const BINS = 20;

let valves = 0; // clip paths are found by ids, and a page has more than one cell

export function svgNode(tag, attributes = {}) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

export const svg = (parent, tag, attributes) => parent.appendChild(svgNode(tag, attributes));

const STYLES = new Set(["fill", "stroke", "strokeWidth", "transform"]); // so that they may move smoothly
const written = new WeakMap(); // node → what was last written to it

export function put(node, name, value) {
  if (!written.has(node)) written.set(node, {});
  const last = written.get(node);
  if (last[name] === value) return;
  last[name] = value;
  if (name === "text") node.textContent = value;
  else if (STYLES.has(name)) node.style[name] = value;
  else node.setAttribute(name, value);
}

// Letters with a subscript, as one <text>: ["c", "t−1"]. Returns what renames the subscript, and with a
// second argument the letter.
export function symbol(parent, [letter, below], attributes) {
  const text = svg(parent, "text", attributes);
  const first = svg(text, "tspan", { class: "cell-letter" }), sub = svg(text, "tspan", { dy: "0.28em", "font-size": "70%" });
  first.textContent = letter;
  sub.textContent = below;
  return (subscript, other = null) => {
    if (subscript !== null) put(sub, "text", subscript);
    if (other === null) return;
    put(first, "text", other);
    put(text, "font-size", attributes["font-size"] * (other.length > 1 ? 0.8 : 1)); // two letters in the room of one
  };
}

// A tube of constant bore; the flow in it is wider for larger magnitudes and has its value's colour.
export function pipe(parent, d, bore) {
  svg(parent, "path", { d, class: "cell-wall", "stroke-width": bore });
  for (const layer of ["lining", "bore"]) svg(parent, "path", { d, class: `cell-${layer}`, "stroke-width": bore - 3 });
  const flow = svg(parent, "path", { d, class: "cell-flow" });
  return ({ share, color }) => {
    put(flow, "stroke", color);
    put(flow, "strokeWidth", share > 0 ? `${(Math.min(1, share) ** 0.7 * (bore - 9) + 3).toFixed(2)}px` : "0px");
  };
}

export function arrow(parent, x, y, turn, size = 7) {
  const d = `M${-size} ${-size}L${size} 0L${-size} ${size}Z`;
  return svg(parent, "path", { d, class: "cell-arrow", transform: `translate(${x} ${y}) rotate(${turn})` });
}

// Two jaws in a ring. Fully open they leave the pipe's bore free; upright: the flow goes up or down.
export function valve(parent, [x, y], radius, bore, color, upright) {
  const id = `cell-valve-${valves++}`, half = bore / 2;
  const transform = `translate(${x} ${y}) rotate(${upright ? 90 : 0})`;
  const group = svg(parent, "g", { transform, class: "cell-valve" }); // touch/valve.js finds it by its class
  svg(svg(group, "clipPath", { id }), "circle", { r: radius });
  const jaws = svg(group, "g", { "clip-path": `url(#${id})`, fill: color });
  const size = { x: -radius, width: 2 * radius, height: radius };
  const upper = svg(jaws, "rect", { ...size, y: -radius, class: "cell-jaw" });
  const lower = svg(jaws, "rect", { ...size, y: 0, class: "cell-jaw" });
  svg(group, "circle", { r: radius, class: "cell-ring", stroke: color });
  const [signX, signY, small] = [x + radius * 0.86, y + radius * (upright ? -0.86 : 0.86), radius * 0.4];
  svg(parent, "circle", { cx: signX, cy: signY, r: small, class: "cell-node" });
  svg(parent, "path", { d: cross(signX, signY, small * 0.45), class: "cell-times" });
  return (opening) => {
    const gap = Math.max(0, Math.min(1, opening || 0)) * half;
    put(upper, "transform", `translateY(${(-gap).toFixed(1)}px)`);
    put(lower, "transform", `translateY(${gap.toFixed(1)}px)`);
  };
}

const cross = (x, y, arm) => `M${x - arm} ${y - arm}L${x + arm} ${y + arm}M${x - arm} ${y + arm}L${x + arm} ${y - arm}`;

// A name on its own colour, and beside it the value on the colour that every heatmap gives it; or a distribution.
export function plate(parent, [x, y, w, h], names, color, fonts) {
  const block = Math.round(h * (names[1].length > 1 ? 0.98 : 0.84)), body = w - block, middle = x + block + body / 2;
  const group = svg(parent, "g", { class: "cell-plate" });
  svg(group, "rect", { x, y, width: w, height: h, rx: 8, class: "cell-paper" });
  const right = `M${x + block} ${y}h${body - 8}a8 8 0 0 1 8 8v${h - 16}a8 8 0 0 1 -8 8h${8 - body}Z`;
  const left = `M${x + block} ${y}h${8 - block}a8 8 0 0 0 -8 8v${h - 16}a8 8 0 0 0 8 8h${block - 8}Z`;
  const fill = svg(group, "path", { d: right, class: "cell-fill" });
  const transform = `translate(${x + block} ${y + h - 2})`;
  const bars = svg(group, "path", { class: "cell-bars", fill: color, transform });
  svg(group, "path", { d: left, fill: color });
  svg(group, "rect", { x, y, width: w, height: h, rx: 8, class: "cell-frame", stroke: color });
  const rename = symbol(group, names, {
    x: x + block / 2, y: y + h / 2 + fonts.symbol * 0.28, "font-size": fonts.symbol,
    class: "cell-symbol", style: `fill: ${ink(color)}`,
  });
  const value = svg(group, "text", {
    x: middle, y: y + h / 2 + fonts.value * 0.35, "font-size": fonts.value, class: "cell-value",
  });
  const mean = svg(group, "text", { x: middle, y: y + 0.36 * h, "font-size": h * 0.36, class: "cell-mean" });
  return {
    rename, reletter: (letter) => rename(null, letter), group, body: [x + block, y, body, h],
    set({ color: paint, ink: letters, text, values }) {
      put(fill, "fill", values ? "none" : paint);
      put(value, "fill", letters);
      put(value, "text", values ? "" : text);
      put(value, "font-size", Math.min(fonts.value, (body - 6) / (0.5 * Math.max(1, text.length))));
      put(bars, "d", values ? histogram(values, body - 4, h * 0.52) : "");
      put(mean, "text", values ? `${body > 110 ? "mean " : ""}${text}` : "");
    },
  };
}

// Bars for how many units lie where between low and high; those beyond count at the ends, NaN nowhere.
function histogram({ all, low, high }, width, height) {
  const counts = new Uint32Array(BINS), bar = width / BINS;
  for (const value of all) {
    const place = Math.floor(((value - low) / (high - low)) * BINS);
    if (place === place) counts[Math.max(0, Math.min(BINS - 1, place))]++;
  }
  const max = Math.max(1, ...counts);
  let d = "";
  counts.forEach((count, k) => {
    const at = (2 + k * bar).toFixed(1), up = (-(count / max) * height).toFixed(1);
    if (count) d += `M${at} 0v${up}h${(bar - 0.6).toFixed(1)}V0Z`;
  });
  return d;
}

// Black or white, whichever is read better on a colour given as #rrggbb or rgb(…).
export function ink(color) {
  const [r, g, b] = color.startsWith("#")
    ? [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16)) : color.match(/[\d.]+/g).map(Number);
  const linear = (part) => (part / 255) ** 2.2;
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b) > 0.19 ? "#111" : "#fff";
}
