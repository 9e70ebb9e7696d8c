// The values under the pointer, beside it and as words.

import { child, format } from "./canvas.js";
import { placeText } from "./plot_axis.js";
import { across, down } from "./plot_painting.js";

const NEAR = 24; // pixels beside the pointer within which a line's value is read

// Each shown line's value nearest to the pointer, if it is near.
export function readValues({ lines, hidden, pointer, axes, layout: { box } }) {
  const marks = [];
  for (const one of lines) {
    if (hidden.has(one.name)) continue;
    let best = null, distance = NEAR;
    one.x.forEach((value, k) => {
      const away = Math.abs(across(box, axes.x, value) - pointer.x);
      if (away > distance || !Number.isFinite(axes.y.place(one.y[k]))) return;
      distance = away;
      best = k;
    });
    if (best === null) continue;
    const px = across(box, axes.x, one.x[best]), py = down(box, axes.y, one.y[best]);
    marks.push({ px, py, away: distance, name: one.name, color: one.color, x: one.x[best], y: one.y[best] });
  }
  if (!marks.length) return null;
  const nearest = marks.reduce((a, b) => (b.away < a.away ? b : a));
  return { at: nearest.px, x: nearest.x, marks };
}

export function drawReadout(view, read) {
  const { readout, message, layout: { box } } = view;
  readout.hidden = !read;
  view.readoutText = null;
  if (!read) return;
  const title = placeText(read.x, message.xStart), heading = message.xStart === null ? `${message.xTitle} ${title}` : title;
  readout.replaceChildren();
  child(readout, "div", {}).textContent = heading;
  for (const { name, color, y } of read.marks) {
    const row = child(readout, "div", {});
    child(row, "i", {}).style.background = color;
    child(row, "span", {}).textContent = name;
    child(row, "b", {}).textContent = format(y);
  }
  for (const text of eventsNear(view, read.at)) child(readout, "div", {}).textContent = text;
  const left = read.at > box.x + box.w / 2 ? read.at - readout.offsetWidth - 12 : read.at + 12;
  Object.assign(readout.style, { left: `${Math.max(0, left)}px`, top: `${box.y + 4}px` });
  view.readoutText = `${heading}: ${read.marks.map(({ name, y }) => `${name} ${format(y)}`).join(", ")}`;
}

function eventsNear({ message: { marks }, axes, layout: { box } }, at) {
  return marks.filter(({ x }) => Math.abs(across(box, axes.x, x) - at) < NEAR / 3).map(({ text }) => text);
}

export function eventTexts({ message: { marks, xTitle } }) {
  return marks.map(({ x, text }) => ` ${text} from ${xTitle} ${format(x)} on.`).join("");
}

// For the plot's label: each line and its last value.
export function lastValues({ message }, shown) {
  const texts = shown.map(({ name, y }) => {
    const last = y.findLast(Number.isFinite);
    return `${name}${last === undefined ? "" : `: ${format(last)}`}`;
  });
  return `${texts.join("; ")}${message.records?.active ? ", growing" : ""}.`;
}
