// The stage as an image: every canvas, drawing and text that is on screen, as one SVG; and that SVG as a PNG.

import { setPixelRatio } from "../../canvas.js";
import { svgNode } from "../cell/drawing.js";

const RATIO = 2; // image pixels per pixel of the screen
const EXCLUDED = [
  ".stage-bar", ".stage-ahead", ".stage-help", ".stage-spoken", ".stage-tour", ".touch-apart", ".stage-pointer", ".levels-buttons",
].join();
// Style sheets do not travel with an SVG: what they say is written onto its elements.
const INHERITED = [
  "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-linecap", "stroke-linejoin",
  "stroke-dasharray", "font-family", "font-size", "font-weight", "font-style", "letter-spacing", "text-anchor",
  "dominant-baseline", "paint-order", "visibility",
];
const OWN = { opacity: "1", transform: "none", "clip-path": "none" };

export async function asSvg(element, state) {
  const font = await fontFace(element), { width, left, top } = element.getBoundingClientRect();
  const height = element.querySelector(".stage-bar").getBoundingClientRect().top - top;
  const root = svgNode("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
  if (font) root.append(Object.assign(svgNode("style"), { textContent: font }));
  atRatio(state, () => copy(element, root, { left, top }));
  return new XMLSerializer().serializeToString(root);
}

export async function asPng(element, state) {
  const text = await asSvg(element, state), image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), {
    width: RATIO * image.width, height: RATIO * image.height,
  });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

// The canvases are painted again for the image, finer than the screen may be, and then as they were.
function atRatio(state, act) {
  const { size } = state, repaint = (size) => { state.set({ size }); state.notify(); };
  setPixelRatio(RATIO);
  try {
    repaint(`${size}, sharp`);
    act();
  } finally {
    setPixelRatio(null);
    repaint(size);
  }
}

function copy(node, into, origin) {
  if (node.nodeType === Node.TEXT_NODE) return copyText(node, into, origin);
  if (node.nodeType !== Node.ELEMENT_NODE || node.matches(EXCLUDED)) return;
  const style = getComputedStyle(node);
  if (style.display === "none" || style.visibility === "hidden" || style.opacity === "0") return;
  const box = node.getBoundingClientRect();
  const place = { x: box.left - origin.left, y: box.top - origin.top, width: box.width, height: box.height };
  if (!place.width || !place.height) return;
  const painted = () => svgNode("image", { ...place, href: node.toDataURL(), preserveAspectRatio: "none" });
  if (node.localName === "canvas") into.append(painted());
  else if (node.localName === "svg") into.append(drawing(node, place));
  else {
    copyBox(style, into, place);
    for (const child of node.childNodes) copy(child, into, origin);
  }
}

function copyBox(style, into, place) {
  const visible = (color) => color !== "rgba(0, 0, 0, 0)", border = parseFloat(style.borderTopWidth);
  if (!visible(style.backgroundColor) && !border) return;
  const fill = visible(style.backgroundColor) ? style.backgroundColor : "none";
  const rx = parseFloat(style.borderTopLeftRadius) || 0;
  const stroke = border ? { stroke: style.borderTopColor, "stroke-width": border } : {};
  into.append(svgNode("rect", { ...place, rx, fill, ...stroke }));
}

// One text node, a line at a time, where the browser put them.
function copyText(node, into, origin) {
  const range = document.createRange(), style = getComputedStyle(node.parentElement), lines = [];
  for (const { 0: word, index } of node.data.matchAll(/\S+/g)) {
    range.setStart(node, index);
    range.setEnd(node, index + word.length);
    const { left, top, width } = range.getBoundingClientRect(), line = lines.at(-1);
    if (!width) continue;
    if (line?.top === top) line.text += ` ${word}`;
    else lines.push({ left, top, text: word });
  }
  const pen = new OffscreenCanvas(1, 1).getContext("2d");
  pen.font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  const { fontBoundingBoxAscent: ascent } = pen.measureText("x");
  for (const { left, top, text } of lines) {
    const line = svgNode("text", {
      x: left - origin.left, y: top - origin.top + ascent, fill: style.color, "font-family": style.fontFamily,
      "font-size": style.fontSize, "font-weight": style.fontWeight, "font-style": style.fontStyle,
    });
    line.textContent = text;
    into.append(line);
  }
}

function drawing(original, place) {
  const made = original.cloneNode(true);
  const from = [original, ...original.querySelectorAll("*")], to = [made, ...made.querySelectorAll("*")];
  from.forEach((node, k) => {
    const style = getComputedStyle(node), outer = k ? getComputedStyle(node.parentElement) : null, copied = to[k];
    if (k && style.display === "none") return copied.remove();
    for (const name of ["class", "style", "tabindex", "role"]) copied.removeAttribute(name);
    for (const name of INHERITED) {
      const value = style.getPropertyValue(name);
      if (value !== outer?.getPropertyValue(name)) copied.setAttribute(name, value);
    }
    for (const [name, usual] of Object.entries(OWN)) {
      const value = style.getPropertyValue(name);
      if (name === "transform" && !k) continue; // its place is already the one on the screen
      if (value !== usual && !node.hasAttribute(name)) copied.style.setProperty(name, value);
    }
    if (copied.style.transform) {
      copied.style.transformOrigin = style.transformOrigin;
      copied.style.transformBox = style.transformBox;
    }
  });
  for (const [name, value] of Object.entries(place)) made.setAttribute(name, value);
  return made;
}

// The page's own font as a rule with the font in it; empty where the page has none, or one that it may not hand on.
export async function fontFace(element) {
  const bare = (family) => family.replaceAll('"', "").trim();
  const family = bare(getComputedStyle(element).fontFamily.split(",")[0]);
  for (const { style, parentStyleSheet, type } of ownRules()) {
    if (type !== CSSRule.FONT_FACE_RULE || bare(style.getPropertyValue("font-family")) !== family) continue;
    const address = style.getPropertyValue("src").match(/url\("([^"]+)"\)/)?.[1];
    if (!address || style.getPropertyValue("font-style") === "italic") continue;
    const answer = await fetch(new URL(address, parentStyleSheet.href ?? document.baseURI)).catch(() => null);
    if (!answer?.ok) continue;
    const weight = style.getPropertyValue("font-weight") || "normal", source = await asDataUrl(await answer.blob());
    return `@font-face { font-family: "${family}"; font-weight: ${weight}; src: url("${source}"); }`;
  }
  return "";
}

// All style rules that the page may read: not those of another machine.
export const ownRules = () => Array.from(document.styleSheets)
  .filter(({ href }) => !href || new URL(href).origin === location.origin)
  .flatMap(({ cssRules }) => Array.from(cssRules));

export function asDataUrl(blob) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.onerror = () => failed(reader.error);
    reader.readAsDataURL(blob);
  });
}
