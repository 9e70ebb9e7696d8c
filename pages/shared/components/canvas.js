// Drawing on a canvas: what every canvas of ours is drawn with.

export const clamp = (index, count) => Math.max(0, Math.min(index, count - 1));

export function child(parent, tag, attributes) {
  const node = parent.appendChild(document.createElement(tag));
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

export function readTheme(element) {
  const style = getComputedStyle(element);
  const css = (name) => style.getPropertyValue(`--st-${name}`).trim();
  return {
    font: css("font"), text: css("text-color"), back: css("background-color"),
    grid: css("border-color"),
    empty: css("secondary-background-color"), accent: css("primary-color"),
    palette: css("chart-categorical-colors").split(","),
  };
}

let forced = null;

// Device pixels per CSS pixel of what is painted from now on; null: the screen's own.
export const setPixelRatio = (ratio) => { forced = ratio; };

// Font size around a node in pixels: in presentation mode it grows with the screen.
export const fontSize = (node) => parseFloat(getComputedStyle(node).fontSize);

export function context(canvas, width, height) {
  const ratio = forced ?? (window.devicePixelRatio || 1);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  return pen;
}

// Writes a label with its middle at y, and returns its width.
export function write(pen, { font, text }, label, x, y, style = {}) {
  const { size = 13, align = "left", weight = 400 } = style;
  pen.font = `${weight} ${size}px ${font}`;
  pen.textAlign = align;
  pen.textBaseline = "middle";
  pen.fillStyle = text;
  pen.fillText(label, x, y);
  return pen.measureText(label).width;
}

export function line(pen, color, width, points) {
  Object.assign(pen, { strokeStyle: color, lineWidth: width, lineJoin: "round", lineCap: "round" });
  pen.beginPath();
  points.forEach(([x, y], k) => {
    if (!Number.isFinite(y)) return;
    if (!k || !Number.isFinite(points[k - 1][1])) pen.moveTo(x, y);
    pen.lineTo(x, y); // to itself too: a lone point becomes a dot
  });
  pen.stroke();
}

// A function of one string, which remembers its results: a theme and a few colour scales have few different ones.
function cached(make) {
  const results = new Map();
  return (key) => {
    if (!results.has(key)) results.set(key, make(key));
    return results.get(key);
  };
}

// CSS colours, painted over each other, as a pixel, 0xAABBGGRR, as the canvas itself would paint it.
export const toPixel = cached((colors) => {
  const pen = new OffscreenCanvas(1, 1).getContext("2d");
  for (const color of colors.split(";")) {
    pen.fillStyle = color;
    pen.fillRect(0, 0, 1, 1);
  }
  return new Uint32Array(pen.getImageData(0, 0, 1, 1).data.buffer)[0];
});

// The 256 pixels of a colour scale that is given by the colours of even steps; a signed scale's are transparent
// towards its middle, and lie on the colour `back`.
export const colorTable = (scale, back = "white") => interpolated([back, ...scale].join(";"));

const interpolated = cached((scale) => {
  const channels = (pixel) => [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255];
  const [back, ...colors] = scale.split(";"), stops = colors.map((color) => channels(toPixel(`${back};${color}`)));
  return Uint32Array.from({ length: 256 }, (_, k) => {
    const position = (k / 255) * (stops.length - 1), low = Math.min(Math.floor(position), stops.length - 2);
    const mix = (from, to) => Math.round(from + (position - low) * (to - from));
    const [r, g, b] = stops[low].map((from, channel) => mix(from, stops[low + 1][channel]));
    return (0xff000000 | (b << 16) | (g << 8) | r) >>> 0;
  });
});

export const withMinus = (digits) => digits.replace("-", "−");

// Whole epochs that are done, as Train counts them; parts of one only while there are few.
export const formatEpoch = (epoch) => (epoch < 100 ? Number(epoch.toPrecision(3)) : Math.floor(epoch)).toLocaleString("en");
export const formatBrief = (value) => withMinus(String(Number(value.toPrecision(3))));

// About `count` round numbers from low to high: steps of 1, 2 or 5 times a power of ten.
export function ticks(low, high, count) {
  if (!(high > low)) return [low];
  const raw = (high - low) / count, power = 10 ** Math.floor(Math.log10(raw));
  const size = power * [1, 2, 5, 10].find((step) => step * power >= raw * 0.8);
  const first = Math.ceil(low / size - 1e-9), last = Math.floor(high / size + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, k) => (first + k) * size);
}

const RAISED = { "-": "⁻", ..."⁰¹²³⁴⁵⁶⁷⁸⁹" }, LONG = 1e6, SMALL = 1e-4; // beyond which powers of ten are shorter

export const powerOfTen = (power) => `10${Array.from(String(power), (sign) => RAISED[sign]).join("")}`;

// A number in so many significant digits.
export function format(value, digits = 4) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "–" : withMinus(`${value < 0 ? "-" : ""}∞`);
  const size = Math.abs(value);
  if (value === 0 || (size < LONG && size >= SMALL)) return withMinus(String(Number(value.toPrecision(digits))));
  const [factor, power] = value.toExponential(digits - 1).split("e").map(Number);
  return `${withMinus(String(factor))}·${powerOfTen(power)}`;
}
