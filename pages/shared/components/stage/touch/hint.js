// A hand that shows once what can be grabbed: it takes hold of the line, and goes up and down with it.

import { child } from "../../canvas.js";
import { svg, svgNode } from "../cell/drawing.js";
import { editable } from "./edits.js";

const SEEN = "lstm-stage-grabbed"; // for as long as the browser's tab is open
const LASTS = 9000; // ms
const HAND = "M8 11V4.5a1.5 1.5 0 0 1 3 0V10m0-1V8a1.5 1.5 0 0 1 3 0v2m0-.500a1.5 1.5 0 0 1 3 0V11m0 0a1.5 1.5 0 0 1 3 0"
  + "v3.5A6.5 6.5 0 0 1 13.5 21h-1.2a6 6 0 0 1-5-2.7L4.2 13.7a1.5 1.5 0 0 1 2.4-1.8L8 13.5";

export function mount(view, state) {
  const hint = child(view.holder, "div", { class: "touch-hint touch-apart", "aria-hidden": "true" });
  const mover = child(hint, "div", { class: "touch-hint-hand" });
  const picture = mover.appendChild(svgNode("svg", { viewBox: "0 0 24 24" }));
  svg(picture, "path", { d: HAND, "stroke-linecap": "round", "stroke-linejoin": "round" });
  const words = child(mover, "span", {});
  words.textContent = "Grab the line";
  hint.hidden = true;
  let timer = null;
  const end = () => {
    if (hint.hidden) return;
    clearTimeout(timer);
    hint.hidden = true;
    if (hint.isConnected) remember(); // else another stage has taken this one's place
  };
  window.addEventListener("keydown", end, { once: true }); // whoever has the keys in hand needs no hand
  return {
    update() {
      if (state.edits || state.held || state.playing || state.touring) end();
      else if (timer === null && state.sides.length && view.main && editable(state.scene).length && !seen()) {
        hint.hidden = false;
        timer = setTimeout(end, LASTS);
      }
      if (!hint.hidden) place(hint, view, state);
    },
  };
}

// On the line, away from the cursor, so that both are seen.
function place(hint, { main, others, x, page }, { step }) {
  const line = [...main, ...others].find(({ hand }) => hand);
  if (!line) return;
  const away = Math.round(0.2 * page.count), at = step + away < page.first + page.count ? step + away : step - away;
  hint.style.left = `${Math.round(x(at))}px`;
  hint.style.top = `${Math.round(line.toY(line.values[at]))}px`;
}

function seen() {
  try {
    return sessionStorage.getItem(SEEN) !== null;
  } catch {
    return true; // where nothing is kept it would come again and again
  }
}

function remember() {
  try {
    sessionStorage.setItem(SEEN, "1");
  } catch {
    // see above
  }
}
