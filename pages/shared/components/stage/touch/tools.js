// The row of tools over the strip, at its right end: what a drag does, the stamps, and the way back.

import { child } from "../../canvas.js";
import { iconButton, SHAPES } from "../bar/icons.js";
import { editable, lines, valuesOf, withValues } from "./edits.js";
import { STAMPS, stamped } from "./stamps.js";
import { mountField } from "./symbols.js";
import { shorten } from "../strip/strip_text.js";

Object.assign(SHAPES, {
  "touch-point": [
    "M10 7.6a2.4 2.4 0 1 1 0 4.8 2.4 2.4 0 0 1 0-4.8Z",
    "M10 1.6v3.6M10 14.8v3.6M7.8 3.6 10 1.4l2.2 2.2M7.8 16.4l2.2 2.2 2.2-2.2",
  ],
  "touch-brush": ["", "M1.6 15c4.6 0 4.6-10 8.4-10s3.8 10 8.4 10"],
  "touch-shift": ["", "M2 6.4h16M2 14.4h16M10 8.4v4M8.4 10.8l1.6 1.8 1.6-1.8"],
  "touch-scale": ["", "M2 10c3-8 5-8 8 0s5 8 8 0M2 10c3-3.4 5-3.4 8 0s5 3.4 8 0"],
  "touch-draw": ["", "M3.4 16.6l1-4L13.6 3.4l3 3L7.4 15.6zM11.6 5.4l3 3"],
  "touch-spike": ["", "M1.6 15.6h6L10 3.6l2.4 12h6"],
  "touch-step": ["", "M1.6 15.6h8.4V5h8.4"],
  "touch-silence": ["", "M1.6 5.6l2.4 8 2.4-8 1.6 4.4h10.4"],
  "touch-noise": ["", "M1.6 10l2-5 2 9 2-7 2 4 2-8 2 11 2-7 1 3h1.8"],
  "touch-repeat": ["", "M1.6 14c1.4-9 3-9 4.2 0 1.2 2 2.4-9 4.2-9s3 11 4.2 9c1.2-9 3-9 4.2-9"],
  "touch-difference": ["", "M10 3.4 17 16H3Z"],
  "touch-back": ["", "M7.4 3.6 3 8l4.4 4.4M3.4 8H12a4.6 4.6 0 0 1 0 9.2H8"],
});

const TOOLS = [
  ["point", "Grab a point: drag it up or down"],
  ["brush", "Grab a stretch: drag up or down, and sideways for a wider one"],
  ["shift", "Shift the whole line: drag it up or down (Shift and drag)"],
  ["scale", "Stretch the whole line about its mean"],
  ["draw", "Draw a line of your own (D)"],
];

export function mount(view, state) {
  const spoken = { role: "group", "aria-label": "Change the input" };
  const row = child(view.holder, "div", { class: "touch-tools touch-apart", ...spoken });
  // The strip must not take it for a press of its own, and Space is meant to play after a click.
  for (const name of ["pointerdown", "pointermove"]) row.addEventListener(name, (event) => event.stopPropagation());
  row.addEventListener("mousedown", (event) => event.target.closest("button") && event.preventDefault());
  const stamps = child(row, "span", { class: "touch-stamps" });
  const stampButtons = STAMPS.map(([name, title]) =>
    iconButton(stamps, `touch-${name}`, title, () => stamp(state, name)));
  const choice = chooser(row, state), text = mountField(row, state);
  const buttons = TOOLS.map(([tool, title]) =>
    [tool, iconButton(row, `touch-${tool}`, title, () => state.set({ tool: state.tool === tool ? "point" : tool }))]);
  const apart = iconButton(row, "touch-difference", "While you hold: maps of now − before", () => {
    state.set({ difference: !state.difference });
  });
  const back = iconButton(row, "touch-back", "Put the input back (Backspace)", () => state.set({ edits: null }));
  const why = child(row, "span", { class: "touch-why" });
  why.textContent = "These lines cannot be grabbed";
  view.tools = row;
  return {
    update() {
      const { scene, tool, difference, edits } = state, hand = editable(scene).length > 0;
      for (const [name, button] of buttons) {
        button.hidden = !hand;
        button.setAttribute("aria-pressed", tool === name);
      }
      why.hidden = hand || Boolean(scene.symbols);
      why.title = lines(scene).map((line) => line.why).join(" ");
      stamps.hidden = !hand || tool !== "draw";
      choice();
      text();
      apart.hidden = !hand;
      apart.setAttribute("aria-pressed", difference);
      back.hidden = !hand && !scene.symbols;
      back.disabled = !edits;
      for (const button of stampButtons) button.disabled = !hand;
    },
  };
}

const placeOf = (state) => {
  const places = editable(state.scene).map(({ place }) => place);
  return places.includes(state.feature) ? state.feature : places[0];
};

// Which of several features is drawn and stamped; a grab chooses the line that it holds.
function chooser(row, state) {
  const list = child(row, "select", { title: "The feature to change", "aria-label": "The feature to change" });
  let listed = null;
  list.addEventListener("change", () => {
    state.set({ feature: Number(list.value) });
    list.blur(); // the keys are the stage's again
  });
  return () => {
    const all = lines(state.scene), named = JSON.stringify(all.map(({ name, place }) => [name, place]));
    list.hidden = all.length < 2 || all.every(({ why }) => why);
    if (listed !== named) {
      list.replaceChildren();
      for (const { name, place, why } of all) {
        const option = child(list, "option", { value: place, title: why });
        option.textContent = shorten(name, 18);
        option.disabled = Boolean(why);
      }
      listed = named;
    }
    list.value = placeOf(state);
  };
}

let seed = 0; // of the next noise: another one with each press

function stamp(state, name) {
  const { scene, edits, step } = state, place = placeOf(state);
  const values = stamped(scene, place, name, { values: valuesOf(state, place), step, seed: seed++ });
  state.set({ edits: withValues(scene, edits, place, values), feature: place });
}
