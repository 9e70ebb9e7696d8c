// Drawing on a canvas: a module of the stage, and what Python puts before the text of our other canvas components.

export const clamp = (index, count) => Math.max(0, Math.min(index, count - 1));

// The inverse of live_plot.pack: the JSON, and a function that takes the next so many numbers.
export function unpack(bytes) {
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const message = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
  const numbers = new Float32Array(bytes.slice(4 + size).buffer);
  let at = 0;
  return [message, (count) => numbers.subarray(at, (at += count))];
}

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

// Dots per pixel of what is painted from now on; null: the screen's own.
export const setDots = (dots) => { forced = dots; };

// Pixels of the type around a node: on stage it grows with the screen.
export const typeSize = (node) => parseFloat(getComputedStyle(node).fontSize);

export function context(canvas, width, height) {
  const dots = forced ?? (window.devicePixelRatio || 1);
  canvas.width = Math.round(width * dots);
  canvas.height = Math.round(height * dots);
  const pen = canvas.getContext("2d");
  pen.scale(dots, dots);
  return pen;
}

export function write(pen, { font, text }, words, x, y, style = {}) {
  const { size = 13, align = "left", weight = 400 } = style;
  pen.font = `${weight} ${size}px ${font}`;
  pen.textAlign = align;
  pen.textBaseline = "middle";
  pen.fillStyle = text;
  pen.fillText(words, x, y);
  return pen.measureText(words).width;
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

export function colorTable(scale) {
  const channels = (pixel) => [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255];
  const stops = scale.map((color) => channels(toPixel(color)));
  return Uint32Array.from({ length: 256 }, (_, k) => {
    const spot = (k / 255) * (stops.length - 1), low = Math.min(Math.floor(spot), stops.length - 2);
    const mix = (from, to) => Math.round(from + (spot - low) * (to - from));
    const [r, g, b] = stops[low].map((from, channel) => mix(from, stops[low + 1][channel]));
    return (0xff000000 | (b << 16) | (g << 8) | r) >>> 0;
  });
}

export function toPixel(color) { // any CSS colour, as the canvas itself would paint it
  const pen = new OffscreenCanvas(1, 1).getContext("2d");
  pen.fillStyle = color;
  pen.fillRect(0, 0, 1, 1);
  return new Uint32Array(pen.getImageData(0, 0, 1, 1).data.buffer)[0];
}

export const brief = (value) => String(Number(value.toPrecision(3))).replace("-", "−");
