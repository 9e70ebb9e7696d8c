// The handle at the end of what is drawn, the button beside it, and the choices: how far the model goes on, and how.

import { child } from "../../canvas.js";
import { menuPanel } from "../bar/menu.js";
import { MOST, clampChoice, defaultChoice, placeOf, rowsAt } from "./choice.js";
import { mountChoices } from "./choices.js";
import { driftText } from "./future.js";

const TRAVEL = 300, CLICK = 3; // px from no row to the most; px that a click may move

// On, as it was last, or off. Where the model cannot go on, the panel opens and says why.
export function toggle(state, off = state.ahead !== null) {
  const { scene, menu } = state;
  if (scene.future.why) return state.set({ menu: menu === "ahead" ? null : "ahead" });
  if (off) return state.set({ ahead: null, menu: menu === "ahead" ? null : menu });
  turnOn(state, clampChoice(scene, state.aheadBefore ?? defaultChoice(scene)));
}

function turnOn(state, ahead) {
  const last = state.scene.future.map ? { step: state.scene.steps - 1 } : {}; // the page of the text that it goes on from
  state.set({ ahead, aheadBefore: ahead, backward: false, ...last });
}

// strip: the part whose end it stands at.
export function mount(root, state, strip) {
  const own = child(root, "div", { class: "stage-ahead" });
  const grip = child(own, "div", {
    class: "stage-ahead-grip", role: "slider", tabindex: 0,
    "aria-label": "Rows ahead", "aria-valuemin": 0, "aria-valuemax": MOST,
  });
  const button = child(own, "button", { type: "button", class: "stage-ahead-button", "aria-haspopup": "dialog" });
  const [panel, open] = menuPanel(own, state, "ahead", "Going on past the window"), choices = mountChoices(panel, state);
  // menuPanel closes on a press beside its panel; the button opens and closes it itself.
  own.addEventListener("pointerdown", (event) => event.stopPropagation());
  button.addEventListener("mousedown", (event) => event.preventDefault());
  button.addEventListener("click", () => {
    if (!state.ahead) return toggle(state, false);
    state.set({ menu: state.menu === "ahead" ? null : "ahead", help: false });
  });
  onGrip(grip, state);
  return {
    element: own,
    update() {
      open();
      choices();
      const { scene, ahead } = state, { why } = scene.future, rows = ahead?.rows ?? 0, { view } = strip;
      const text = ahead ? `+${rows} ▾` : "Go on ›";
      if (button.textContent !== text) button.textContent = text;
      button.setAttribute("aria-disabled", Boolean(why));
      button.setAttribute("aria-expanded", state.menu === "ahead");
      button.title = why || (ahead ? "How it goes on (A: stop)" : "Let the model go on from its own predictions (A)");
      grip.hidden = Boolean(why) || !view.plot;
      if (grip.hidden) return;
      const { plot, top, aheadWide = 0 } = view;
      grip.setAttribute("aria-valuenow", rows);
      grip.setAttribute("aria-valuetext", `${rows} rows ahead${view.future ? `, ${driftText(scene, view.future)}` : ""}`);
      grip.title = "Drag to the right: so many rows ahead";
      grip.style.left = `${plot.x + plot.w + aheadWide}px`;
      grip.style.top = `${top}px`;
      grip.style.height = `${plot.h}px`;
    },
  };
}

function setRows(state, rows) {
  const { scene, ahead, aheadBefore } = state;
  if (rows < 1) return state.set({ ahead: null });
  const choice = ahead ?? aheadBefore ?? defaultChoice(scene);
  if (rows !== ahead?.rows) turnOn(state, clampChoice(scene, { ...choice, rows }));
}

function onGrip(grip, state) {
  let held = null;
  grip.addEventListener("pointerdown", (event) => {
    grip.setPointerCapture(event.pointerId);
    held = { x: event.clientX, place: placeOf(state.ahead?.rows ?? 0), moved: false };
  });
  grip.addEventListener("pointermove", ({ clientX }) => {
    if (!held) return;
    const by = clientX - held.x;
    held.moved ||= Math.abs(by) > CLICK;
    if (held.moved) setRows(state, rowsAt(held.place + by / TRAVEL));
  });
  const release = () => {
    if (held && !held.moved) toggle(state);
    held = null;
  };
  grip.addEventListener("pointerup", release);
  grip.addEventListener("pointercancel", () => { held = null; });
  grip.addEventListener("keydown", (event) => {
    const rows = state.ahead?.rows ?? 0, far = event.shiftKey ? 10 : 1;
    const more = { ArrowRight: far, ArrowUp: far, ArrowLeft: -far, ArrowDown: -far, Home: -MOST, End: MOST }[event.key];
    if (!more) return;
    event.preventDefault();
    setRows(state, Math.max(0, Math.min(MOST, rows + more)));
  });
}
