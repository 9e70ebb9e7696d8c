// The icons of the stage's buttons, drawn on 20 × 20: another machine's fonts may lack ⏮ and ⛶.

import { svg, svgNode } from "../cell/drawing.js";

// name → what is filled, what is drawn with a line
export const SHAPES = {
  play: ["M6 3.6v12.8L16.4 10Z", ""],
  pause: ["M5.4 4h3.2v12H5.4ZM11.4 4h3.2v12h-3.2Z", ""],
  first: ["M15.4 4v12L7 10Z", "M5 4.4v11.2"],
  back: ["", "M12.6 4.4 7 10l5.6 5.6"],
  on: ["", "M7.4 4.4 13 10l-5.6 5.6"],
  loop: ["M12.4 1.4v5.2L16 4ZM7.6 13.4v5.2L4 16Z", "M3.6 10.4V8a4 4 0 0 1 4-4h5.2M16.4 9.6V12a4 4 0 0 1-4 4H7.2"],
  compare: ["M3.4 5h5v10h-5Z", "M3.4 5h5v10h-5ZM11.6 5h5v10h-5Z"],
  export: ["", "M10 3v9.4M6 8.8l4 4 4-4M3.6 13v3.6h12.8V13"],
  tour: ["", "M9 18V2.6M9 4h6.4L18 6.3l-2.6 2.3H9M9 9.6H4.4L2 11.8 4.4 14H9"],
  help: ["M9.1 14h1.9v1.9H9.1Z", "M6.8 7.2a3.2 3.2 0 1 1 4.6 2.9c-.9.5-1.4 1-1.4 2"],
  full: ["", "M3.6 7.4V3.6h3.8M12.6 3.6h3.8v3.8M16.4 12.6v3.8h-3.8M7.4 16.4H3.6v-3.8"],
  leave: ["", "M7.4 3.6v3.8H3.6M16.4 7.4h-3.8V3.6M12.6 16.4v-3.8h3.8M3.6 12.6h3.8v3.8"],
  backward: ["", "M8.4 3.4 3 8.8l5.4 5.4M3.4 8.8h8.2a5 5 0 0 1 5 5v2.6"],
  pointer: [
    "M10 7.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6Z",
    "M10 1.6v2.2M10 16.2v2.2M1.6 10h2.2M16.2 10h2.2M4 4l1.6 1.6M14.4 14.4 16 16M16 4l-1.6 1.6M5.6 14.4 4 16",
  ],
  add: ["", "M4.6 17.4V3h8M4.6 17.4 10 13.6l5.4 3.8V10.6M15.4 2v6M12.4 5h6"],
  talk: ["", "M2.4 3h15.2M4 3v8.6h12V3M10 11.6v3M6 18l4-3.4 4 3.4M7.4 8.6l2-2.2 1.6 1.4 2-2.4"],
  edit: ["", "M4 16l.8-3.6L13 4.2l2.8 2.8-8.2 8.2ZM11.2 6l2.8 2.8"],
  up: ["", "M5 12.4 10 7.4l5 5"],
  down: ["", "M5 7.6l5 5 5-5"],
  close: ["", "M5 5l10 10M15 5 5 15"],
};

// The icon as an element; its colour is the text's and its size the style sheet's.
function icon(name) {
  const [filled, drawn] = SHAPES[name];
  const picture = svgNode("svg", { class: "stage-icon", viewBox: "0 0 20 20", "aria-hidden": "true" });
  if (filled) svg(picture, "path", { d: filled, fill: "currentColor" });
  if (drawn) svg(picture, "path", { d: drawn, fill: "none", stroke: "currentColor" });
  return picture;
}

// A short dashed line, as the strip draws one side's prediction.
export function dashIcon(color) {
  const picture = svgNode("svg", { class: "stage-dash", viewBox: "0 0 28 8", "aria-hidden": "true" });
  svg(picture, "path", { d: "M0 4h28", fill: "none", stroke: color, "stroke-width": 4, "stroke-dasharray": "8 2" });
  return picture;
}

// A button with an icon alone, so it has a title for the eye and a name for a screen reader.
export function iconButton(parent, name, title, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.addEventListener("click", act);
  parent.append(made);
  return setIcon(made, name, title);
}

// Another icon and another title on a button that has two states.
export function setIcon(button, name, title) {
  if (button.dataset.icon === name) return button;
  button.dataset.icon = name;
  button.title = button.ariaLabel = title;
  button.replaceChildren(icon(name));
  return button;
}
