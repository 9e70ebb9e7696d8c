// Paints what is on the screen onto a canvas: boxes, text, canvases and drawings, where the browser put them.
// Handing the browser an SVG with the page in it (export/image_export.js) is exact too, but it has to be written, parsed
// and decoded with the font in it for each picture: 370 to 560 ms. Here nothing is written: the canvases are copied,
// shapes and letters are painted with the styles that the page has computed, and of drawings only what has changed is
// read again: 2 to 15 ms (tests/benchmarks/film.py).

import { Drawings } from "./drawing.js";
import { paintText } from "./text.js";

const NOTHING = "rgba(0, 0, 0, 0)";
const ABSENT = "film-cover"; // the class of what is in front of the film

export class Painter {
  // root: the element to be painted, at one image pixel per CSS pixel.
  constructor(root) {
    this.root = root;
    this.drawings = new Drawings(root);
    this.styles = new WeakMap(); // node → its computed style, which is live
  }

  // pen: of a canvas with the size of the root. moving: the elements whose style changes without their attributes.
  paint(pen, moving = []) {
    const { left, top } = this.root.getBoundingClientRect();
    this.drawings.refresh(moving);
    pen.reset();
    pen.translate(-left, -top); // from here on all is in the window's coordinates
    this.element(pen, this.root);
  }

  stop() { this.drawings.stop(); }

  style(node) {
    let style = this.styles.get(node);
    if (!style) this.styles.set(node, (style = getComputedStyle(node)));
    return style;
  }

  element(pen, node) {
    const style = this.style(node), opacity = Number(style.opacity);
    if (!opacity || style.display === "none" || style.visibility === "hidden") return;
    if (node.classList.contains(ABSENT)) return;
    const exact = node.getBoundingClientRect(), box = onPixels(exact);
    pen.save();
    pen.globalAlpha *= opacity;
    if (node.localName === "svg") {
      if (style.transform === "none") pen.translate(box.left - exact.left, box.top - exact.top);
      this.drawings.paint(pen, node, exact);
    } else if (node.localName === "canvas") pen.drawImage(node, box.left, box.top, box.width, box.height);
    else {
      paintBox(pen, style, box);
      if (style.overflowX !== "visible") clip(pen, style, box);
      for (const child of this.ordered(node)) {
        if (child.nodeType === Node.TEXT_NODE) paintText(pen, child, style);
        else this.element(pen, child);
      }
    }
    pen.restore();
  }

  // The children that are painted, from back to front.
  ordered(node) {
    const children = [...node.childNodes].filter(({ nodeType }) => nodeType !== Node.COMMENT_NODE);
    const height = (child) => {
      if (child.nodeType === Node.TEXT_NODE) return 0;
      const { position, zIndex } = this.style(child);
      return position === "static" ? 0 : Number(zIndex) || 0.5;
    };
    const heights = new Map(children.map((child) => [child, height(child)]));
    return children.sort((one, other) => heights.get(one) - heights.get(other));
  }
}

// As browsers have it: boxes begin and end between two pixels.
function onPixels({ left, top, right, bottom }) {
  const [x, y] = [Math.round(left), Math.round(top)];
  return { left: x, top: y, width: Math.round(right) - x, height: Math.round(bottom) - y };
}

const sides = ["Top", "Right", "Bottom", "Left"];

function paintBox(pen, style, box) {
  const { backgroundColor, backgroundImage, boxShadow } = style, widths = sides.map((side) => borderOf(style, side));
  const radius = parseFloat(style.borderTopLeftRadius) || 0;
  if (backgroundColor !== NOTHING) {
    if (boxShadow !== "none") castShadow(pen, boxShadow);
    pen.fillStyle = backgroundColor;
    pen.beginPath();
    pen.roundRect(box.left, box.top, box.width, box.height, radius);
    pen.fill();
    pen.shadowColor = "transparent";
  }
  if (backgroundImage !== "none") paintTrack(pen, style, box);
  if (widths.some(Boolean)) paintBorder(pen, style, box, widths, radius);
}

const borderOf = (style, side) =>
  (style[`border${side}Style`] === "none" ? 0 : parseFloat(style[`border${side}Width`]));

// "rgba(0, 0, 0, 0.22) 0px 8px 30px 0px"
function castShadow(pen, shadow) {
  const [, color, x, y, blur] = shadow.match(/^(.+\)) (\S+)px (\S+)px (\S+)px/) ?? [];
  if (!color) return;
  Object.assign(pen, { shadowColor: color, shadowOffsetX: x, shadowOffsetY: y, shadowBlur: blur });
}

// The only picture that is a background here: a line of one colour, 1 px wide, in the middle.
function paintTrack(pen, { backgroundImage, backgroundSize }, box) {
  const wide = parseFloat(backgroundSize) || 1;
  pen.fillStyle = backgroundImage.match(/rgba?\([^)]*\)/)?.[0] ?? NOTHING;
  pen.fillRect(Math.round(box.left + (box.width - wide) / 2), box.top, wide, box.height);
}

function paintBorder(pen, style, box, widths, radius) {
  const [wide] = widths, { left, top, width, height } = box;
  if (widths.every((one) => one === wide)) {
    Object.assign(pen, { strokeStyle: style.borderTopColor, lineWidth: wide });
    pen.beginPath();
    pen.roundRect(left + wide / 2, top + wide / 2, width - wide, height - wide, Math.max(0, radius - wide / 2));
    return pen.stroke();
  }
  const half = widths.map((one) => one / 2), [up, down] = [top + half[0], top + height - half[2]];
  const [from, to] = [left + half[3], left + width - half[1]], [right, bottom] = [left + width, top + height];
  const ends = [[left, up, right, up], [to, top, to, bottom], [left, down, right, down], [from, top, from, bottom]];
  ends.forEach(([x, y, toX, toY], k) => {
    if (!widths[k]) return;
    Object.assign(pen, { strokeStyle: style[`border${sides[k]}Color`], lineWidth: widths[k], lineCap: "butt" });
    pen.setLineDash(style[`border${sides[k]}Style`] === "dashed" ? [2 * widths[k], widths[k]] : []);
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(toX, toY);
    pen.stroke();
    pen.setLineDash([]);
  });
}

// What overflows a box is cut off inside its border.
function clip(pen, style, { left, top, width, height }) {
  const [up, right, down, from] = sides.map((side) => borderOf(style, side));
  const radius = Math.max(0, (parseFloat(style.borderTopLeftRadius) || 0) - up);
  pen.beginPath();
  pen.roundRect(left + from, top + up, Math.max(0, width - from - right), Math.max(0, height - up - down), radius);
  pen.clip();
}
