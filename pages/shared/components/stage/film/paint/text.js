// Text of the page: a text node line by line, where the browser put it, in the page's own font.

export const fontOf = ({ fontStyle, fontWeight, fontSize, fontFamily }) =>
  `${fontStyle} ${fontWeight} ${fontSize} ${fontFamily}`;

const range = document.createRange();

// style: that of the node's parent.
export function paintText(pen, node, style) {
  const lines = linesOf(node, style);
  if (!lines.length) return;
  Object.assign(pen, { font: fontOf(style), fillStyle: style.color, textAlign: "left", textBaseline: "alphabetic" });
  pen.letterSpacing = style.letterSpacing === "normal" ? "0px" : style.letterSpacing;
  const { fontBoundingBoxAscent: ascent, fontBoundingBoxDescent: descent } = pen.measureText("x");
  const marker = markerOf(node.parentElement, style);
  for (const { left, top, height, text } of lines) {
    const base = top + (height - ascent - descent) / 2 + ascent, { parentElement: parent } = node;
    const isCut = style.textOverflow === "ellipsis" && parent.scrollWidth > parent.clientWidth + 1;
    const room = isCut ? parent.getBoundingClientRect().right - parseFloat(style.paddingRight) - left : Infinity;
    pen.fillText(isCut ? cut(pen, text, room) : text, left, Math.round(base));
    if (marker) pen.fillText(marker, left - pen.measureText(marker).width, Math.round(base));
  }
}

// The lines, { left, top, height, text }; as good as all nodes have but one.
function linesOf(node, style) {
  const keeps = style.whiteSpace.startsWith("pre"), text = keeps ? node.data : node.data.replace(/\s+/g, " ");
  if (!text.trim()) return [];
  range.selectNodeContents(node);
  const rects = range.getClientRects();
  if (rects.length === 1) return [{ ...placeOf(rects[0]), text: keeps ? text : text.trimEnd() }];
  const lines = [];
  for (const { 0: word, index } of node.data.matchAll(/\S+/g)) {
    range.setStart(node, index);
    range.setEnd(node, index + word.length);
    const place = placeOf(range.getBoundingClientRect()), line = lines.at(-1);
    if (!place.width) continue;
    if (line?.top === place.top) line.text += ` ${word}`;
    else lines.push({ ...place, text: word });
  }
  return lines;
}

const placeOf = ({ left, top, width, height }) => ({ left, top, width, height });

function cut(pen, text, room) {
  let end = text.length;
  while (end && pen.measureText(`${text.slice(0, end)}…`).width > room) end--;
  return `${text.slice(0, end)}…`;
}

// A list's number is no text of the page.
function markerOf(parent, { display, listStyleType }) {
  if (display !== "list-item" || listStyleType !== "decimal") return "";
  return `${[...parent.parentElement.children].indexOf(parent) + 1}. `;
}
