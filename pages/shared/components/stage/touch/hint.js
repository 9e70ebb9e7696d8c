// A hand that shows once what can be grabbed: it takes hold of the line, pulls it up and down, and lets it go.

import { child } from "../../canvas.js";
import { svg, svgNode } from "../cell/drawing.js";
import { recall, remember } from "../tab_memory.js";
import { editable } from "./edits.js";

const SEEN = "lstm-stage-grabbed"; // for as long as the browser's tab is open
const LASTS = 9000; // ms
const PULL = { takes: 2200, up: 24, down: 14, times: 3 }; // ms, px
const WIDE = 160; // px: what hand and words take; they stand on the side that has room
const LOW = 40; // px of a line's part of the strip, under which the words would lie on what is written below it
const HAND = "M8 11V4.5a1.5 1.5 0 0 1 3 0V10m0-1V8a1.5 1.5 0 0 1 3 0v2m0-.500a1.5 1.5 0 0 1 3 0V11m0 0a1.5 1.5 0 0 1 3 0"
  + "v3.5A6.5 6.5 0 0 1 13.5 21h-1.2a6 6 0 0 1-5-2.7L4.2 13.7a1.5 1.5 0 0 1 2.4-1.8L8 13.5";

export function mount(view, state) {
  const hint = child(view.holder, "div", { class: "touch-hint touch-apart", "aria-hidden": "true" });
  const pulled = hint.appendChild(svgNode("svg", { class: "touch-hint-line" })), ribbon = svg(pulled, "path", {});
  const mover = child(hint, "div", { class: "touch-hint-hand" });
  const picture = mover.appendChild(svgNode("svg", { viewBox: "0 0 24 24" }));
  svg(picture, "path", { d: HAND, "stroke-linecap": "round", "stroke-linejoin": "round" });
  const words = child(mover, "span", {});
  words.textContent = "Grab the line";
  hint.hidden = true;
  let timer = null, frame = null, began = null;
  const end = () => {
    if (hint.hidden) return;
    clearTimeout(timer);
    cancelAnimationFrame(frame);
    hint.hidden = true;
    if (hint.isConnected) remember(SEEN, "1"); // else another stage has taken this one's place
  };
  const pull = (now) => {
    if (hint.hidden || !hint.isConnected) return;
    began ??= now;
    draw(hint, ribbon, mover, view, state, heightAt((now - began) / PULL.takes));
    frame = requestAnimationFrame(pull);
  };
  return {
    update() {
      const isBusy = state.touring || state.giving || state.menu;
      if (state.edits || state.held || state.playing || isBusy) end();
      else if (timer === null && state.sides.length && view.main && editable(state.scene).length && !isSeen()) {
        hint.hidden = false;
        timer = setTimeout(end, LASTS);
        frame = requestAnimationFrame(pull);
      }
    },
    stop: end,
  };
}

// How far the line is pulled after so many pulls, in pixels, down is positive: up, down, and back where it was.
function heightAt(pulls) {
  if (pulls >= PULL.times || matchMedia("(prefers-reduced-motion: reduce)").matches) return 0;
  const at = pulls % 1, between = (from, to, share) => from + ((to - from) * (1 - Math.cos(Math.PI * share))) / 2;
  if (at < 0.35) return between(0, -PULL.up, at / 0.35);
  return at < 0.75 ? between(-PULL.up, PULL.down, (at - 0.35) / 0.4) : between(PULL.down, 0, (at - 0.75) / 0.25);
}

// The hand at a point of the line away from the cursor, so that both are seen, and the line as it would become.
function draw(hint, ribbon, mover, { main, others, x, page: { first, count }, plot }, { step }, by) {
  const line = [...main, ...others].find(({ hand }) => hand), last = first + count - 1;
  if (!line) return;
  const away = Math.max(1, Math.round(0.2 * count)), at = step + away <= last ? step + away : Math.max(first, step - away);
  const left = x(at), top = line.toY(line.values[at]), low = Math.min(by, line.box.y + line.box.h - top);
  const moved = Math.max(line.box.y - top, low);
  Object.assign(hint.style, { left: `${Math.round(left)}px`, top: `${Math.round(top)}px` });
  mover.style.translate = `0 ${moved.toFixed(1)}px`;
  mover.classList.toggle("touch-hint-low", line.box.h < LOW);
  mover.classList.toggle("touch-hint-turned", left + WIDE > plot.x + plot.w);
  const corner = (k) => (k < first || k > last ? "" : `L${(x(k) - left).toFixed(1)} ${(line.toY(line.values[k]) - top).toFixed(1)}`);
  ribbon.setAttribute("d", `M0 0${corner(at - 1)}L0 ${moved.toFixed(1)}${corner(at + 1)}Z`);
}

const isSeen = () => recall(SEEN, "1") !== null; // where nothing is kept it would come again and again
