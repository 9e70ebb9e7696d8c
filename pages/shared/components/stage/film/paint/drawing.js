// Paints the SVG drawings of the page. What each of their elements looks like is read once, and again when it changes.

import { fontOf } from "./text.js";

const GROUPS = new Set(["svg", "g", "a"]), SHAPES = new Set(["path", "rect", "circle", "line"]);
const EDGE = 20; // px that lines may be wide beyond a group's own box
const UNSEEN = new Set(["aria-label"]); // attributes that change at each step and nothing on the screen

export class Drawings {
  constructor(root) {
    this.looks = new WeakMap(); // element → what it looks like; null: nothing
    this.layers = new WeakMap(); // group that is transparent as a whole → its own canvas
    this.observer = new MutationObserver((records) => this.heed(records));
    this.observer.observe(root, { subtree: true, attributes: true, childList: true, characterData: true });
  }

  stop() { this.observer.disconnect(); }

  // Forgets what may have changed since the last picture.
  refresh(moving) {
    this.heed(this.observer.takeRecords());
    for (const node of moving) this.forget(node, false);
  }

  heed(records) {
    for (const { target, type, attributeName } of records) {
      if (UNSEEN.has(attributeName)) continue;
      const whole = type === "attributes" && !SHAPES.has(target.localName);
      this.forget(type === "characterData" ? target.parentElement : target, whole);
    }
  }

  forget(node, whole) {
    if (!node) return;
    this.looks.delete(node);
    const text = node.closest("text"); // where its pieces stand depends on all of them
    if (text) this.looks.delete(text);
    if (whole) for (const inner of node.querySelectorAll("svg, svg *")) this.looks.delete(inner);
  }

  // box: that of the svg, in the window.
  paint(pen, svg, box) {
    this.origin = pen.getTransform(); // where the window's corner is on the canvas
    pen.beginPath();
    pen.rect(box.left, box.top, box.width, box.height);
    pen.clip();
    pen.transform(...asList(svg.getScreenCTM()));
    for (const child of svg.children) this.node(pen, child);
  }

  node(pen, node) {
    let look = this.looks.get(node);
    if (look === undefined) this.looks.set(node, (look = read(node)));
    if (!look) return;
    if (look.isPlain) return paintLeaf(pen, look);
    pen.save();
    if (look.matrix) pen.transform(...look.matrix);
    if (look.clip) pen.clip(look.clip);
    if (!look.isGroup) paintLeaf(pen, look);
    else if (look.opacity < 1) this.layered(pen, node, look.opacity);
    else for (const child of node.children) this.node(pen, child);
    pen.restore();
  }

  // A group that is transparent as a whole: its parts do not show through each other.
  layered(pen, node, opacity) {
    const { width, height } = pen.canvas, box = node.getBoundingClientRect(), { e, f } = this.origin;
    const x = Math.max(0, Math.floor(box.left + e - EDGE)), y = Math.max(0, Math.floor(box.top + f - EDGE));
    const wide = Math.min(width, Math.ceil(box.right + e + EDGE)) - x;
    const high = Math.min(height, Math.ceil(box.bottom + f + EDGE)) - y;
    if (!(wide > 0 && high > 0)) return;
    if (!this.layers.has(node)) this.layers.set(node, new OffscreenCanvas(wide, high));
    const layer = this.layers.get(node), own = layer.getContext("2d");
    if (layer.width !== wide || layer.height !== high) Object.assign(layer, { width: wide, height: high });
    else own.reset();
    own.translate(-x, -y);
    own.transform(...asList(pen.getTransform()));
    for (const child of node.children) this.node(own, child);
    pen.resetTransform();
    pen.globalAlpha *= opacity;
    pen.drawImage(layer, x, y);
  }
}

const asList = ({ a, b, c, d, e, f }) => [a, b, c, d, e, f];

function paintLeaf(pen, { runs, path, opacity, strokeFirst, ...look }) {
  const all = pen.globalAlpha;
  const fill = () => {
    if (!look.fill) return;
    pen.globalAlpha = all * opacity * look.fillOpacity;
    pen.fillStyle = look.fill;
    pen.fill(path);
  };
  const stroke = () => {
    if (!look.stroke) return;
    pen.globalAlpha = all * opacity * look.strokeOpacity;
    Object.assign(pen, look.line);
    pen.setLineDash(look.dash);
    pen.stroke(path);
  };
  if (runs) {
    pen.globalAlpha = all * opacity;
    Object.assign(pen, { textAlign: "left", textBaseline: "alphabetic", letterSpacing: "0px" });
    for (const { font, color, text, x, y } of runs) {
      Object.assign(pen, { font, fillStyle: color });
      pen.fillText(text, x, y);
    }
  } else for (const act of strokeFirst ? [stroke, fill] : [fill, stroke]) act();
  pen.globalAlpha = all;
}

function read(node) {
  const kind = node.localName, isGroup = GROUPS.has(kind), style = getComputedStyle(node);
  if (!isGroup && !SHAPES.has(kind) && kind !== "text") return null;
  if (style.display === "none" || style.opacity === "0") return null;
  if (!isGroup && style.visibility === "hidden") return null;
  const look = { isGroup, opacity: Number(style.opacity), matrix: matrixOf(style), clip: clipOf(node, style) };
  if (!isGroup) Object.assign(look, kind === "text" ? { runs: runsOf(node) } : shapeOf(node, style));
  if (!isGroup && !(look.runs?.length || look.fill || look.stroke)) return null;
  look.isPlain = !isGroup && !look.matrix && !look.clip;
  return look;
}

function matrixOf({ transform, transformOrigin }) {
  if (transform === "none") return null;
  const [x, y] = transformOrigin.split(" ").map(parseFloat), [a, b, c, d, e, f] = asList(new DOMMatrix(transform));
  return [a, b, c, d, e + x - (a * x + c * y), f + y - (b * x + d * y)];
}

function clipOf(node, { clipPath }) {
  const [, id] = clipPath.match(/url\("#(.+)"\)/) ?? [];
  const shape = id && node.ownerSVGElement.getElementById(id)?.firstElementChild;
  return shape ? pathOf(shape, getComputedStyle(shape)) : null;
}

function shapeOf(node, style) {
  const { fill, stroke, paintOrder } = style, wide = parseFloat(style.strokeWidth), has = (color) => color !== "none";
  const dash = style.strokeDasharray === "none" ? [] : style.strokeDasharray.split(/[ ,]+/).map(parseFloat);
  return {
    path: pathOf(node, style), fill: has(fill) ? fill : null, fillOpacity: Number(style.fillOpacity),
    stroke: has(stroke) && wide > 0 ? stroke : null, strokeOpacity: Number(style.strokeOpacity), dash,
    line: {
      strokeStyle: stroke, lineWidth: wide, lineJoin: style.strokeLinejoin, lineCap: style.strokeLinecap,
      miterLimit: Number(style.strokeMiterlimit),
    },
    strokeFirst: paintOrder.startsWith("stroke"),
  };
}

function pathOf(node, style) {
  const number = (name) => parseFloat(style[name]) || 0, path = new Path2D();
  if (node.localName === "path") return new Path2D(node.getAttribute("d") ?? "");
  if (node.localName === "circle") path.arc(number("cx"), number("cy"), number("r"), 0, 2 * Math.PI);
  else if (node.localName === "rect") {
    path.roundRect(number("x"), number("y"), number("width"), number("height"), number("rx") || number("ry"));
  } else {
    path.moveTo(node.x1.baseVal.value, node.y1.baseVal.value);
    path.lineTo(node.x2.baseVal.value, node.y2.baseVal.value);
  }
  return path;
}

// The pieces of a text, each where the browser begins it: anchors, baselines and shifts are in that already.
function runsOf(text) {
  const runs = [], walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { data, parentElement: owner } = walker.currentNode, style = getComputedStyle(owner);
    if (style.display === "none" || style.visibility === "hidden" || !owner.getNumberOfChars()) continue;
    const { x, y } = owner.getStartPositionOfChar(0), shown = owner.getNumberOfChars();
    const written = data.length > shown ? data.trimStart().replace(/\s+/g, " ") : data;
    runs.push({ font: fontOf(style), color: style.fill, text: written, x, y });
  }
  return runs;
}
