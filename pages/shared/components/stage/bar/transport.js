// The bar under the cell: time on the left, learning beside it, the menus on the right.

import { child, clamp, formatEpoch } from "../../canvas.js";
import { playedWay } from "../backward/backward.js";
import { iconButton, setIcon } from "./icons.js";
import { stepText } from "../strip/strip_text.js";

export const SPEEDS = [0.25, 0.5, 1, 2, 4, 8], PER_SECOND = 4; // steps at speed 1
export const SNAPSHOTS_PER_SECOND = 8;
const IDLE = 3000; // ms: on stage the buttons go when the pointer has rested so long

export function mount(root, state, { toggleStage, talk }) {
  const bar = child(root, "div", { class: "stage-bar", role: "group", "aria-label": "Playback" });
  // A button that was clicked must not keep the focus: the next press of Space is meant to play.
  bar.addEventListener("mousedown", (event) => event.target.closest("button") && event.preventDefault());
  const parts = [
    timeButtons(bar, state), timeScrubber(bar, state), learning(bar, state), menus(bar, state, toggleStage, talk),
  ];
  watchIdle(root, bar, state);
  return { update: () => parts.forEach((update) => update()), element: bar };
}

// Marks the stage as idle while the pointer rests; what that means is the style sheet's.
function watchIdle(root, bar, state) {
  let timer = null;
  const busy = () => state.touring || state.menu || bar.matches(":focus-within");
  const idle = (is) => root.classList.toggle("stage-idle", is && !busy());
  const wake = () => {
    clearTimeout(timer);
    idle(false);
    timer = setTimeout(() => idle(true), IDLE);
  };
  for (const name of ["pointermove", "pointerdown", "focusin"]) root.addEventListener(name, wake);
  wake();
}

const group = (parent, name) => child(parent, "div", { class: `stage-group stage-${name}` });

function timeButtons(bar, state) {
  const buttons = group(bar, "time-buttons");
  const go = (by) => () => state.set({ step: clamp(state.step + by, state.scene.steps), playing: false });
  iconButton(buttons, "first", "First step (Home)", () => state.set({ step: 0, playing: false }));
  iconButton(buttons, "back", "One step back (←)", go(-1));
  const play = iconButton(buttons, "play", "Play (Space)", () => state.set({ playing: !state.playing }));
  play.classList.add("stage-play");
  iconButton(buttons, "on", "One step on (→)", go(1));
  const loop = iconButton(buttons, "loop", "Start again at the end", () => state.set({ loop: !state.loop }));
  const speed = child(buttons, "select", { title: "Speed", "aria-label": "Speed" });
  for (const times of SPEEDS) child(speed, "option", { value: times }).textContent = `${times}×`;
  speed.addEventListener("change", () => {
    state.set({ speed: Number(speed.value) });
    speed.blur(); // the keys are the stage's again
  });
  return () => {
    setIcon(play, state.playing ? "pause" : "play", state.playing ? "Pause (Space)" : "Play (Space)");
    loop.setAttribute("aria-pressed", state.loop);
    speed.value = state.speed;
  };
}

function scrubber(bar, name, caption, title, act) {
  const label = child(bar, "label", { class: `stage-scrubber stage-${name}` });
  const heading = child(label, "span", { class: "stage-caption" });
  child(heading, "b", {}).textContent = caption;
  const output = child(heading, "output", {});
  const slider = child(label, "input", { type: "range", min: 0, step: 1, title, "aria-label": title });
  slider.addEventListener("input", () => act(Number(slider.value)));
  slider.addEventListener("pointerup", () => slider.blur()); // after the mouse, the arrows step through time again
  return (last, value, text) => {
    Object.assign(slider, { max: last, value, disabled: !last });
    slider.setAttribute("aria-valuetext", text);
    slider.style.setProperty("--done", last ? value / last : 0);
    if (output.textContent !== text) output.textContent = text;
  };
}

function timeScrubber(bar, state) {
  const show = scrubber(bar, "time", "Time", "Step (← and →)", (step) => state.set({ step, playing: false }));
  return () => {
    const last = state.scene.steps - 1;
    show(last, state.step, stepText(state.scene, state.step));
  };
}

function learning(bar, state) {
  const buttons = group(bar, "learning-button");
  const replay = () => state.set({ learning: !state.learning });
  const begin = "Replay training, from untrained to now", play = iconButton(buttons, "play", begin, replay);
  play.classList.add("stage-replay");
  const title = "Snapshot of the training ([ and ])";
  const show = scrubber(bar, "learning", "Learning", title, (snapshot) => state.set({ snapshot, learning: false }));
  return () => {
    const { scene, snapshot } = state;
    setIcon(play, state.learning ? "pause" : "play", state.learning ? "Pause the replay" : begin);
    play.disabled = !scene.snapshots.length;
    show(scene.snapshots.length, snapshot, `${epochText(scene, snapshot)}${state.working ? " …" : ""}`);
  };
}

function menus(bar, state, toggleStage, talk) {
  const buttons = group(bar, "menus");
  const open = (menu) => () => state.set({ menu: state.menu === menu ? null : menu, help: false });
  const compare = iconButton(buttons, "compare", "Compare two cells", open("compare"));
  const exporting = iconButton(buttons, "export", "Export: image or page", open("export"));
  const send = () => state.set({ backward: !state.backward });
  const back = iconButton(buttons, "backward", "Gradient, backward (B)", send);
  iconButton(buttons, "add", "Add this moment to the talk (M)", () => talk.add());
  const talking = iconButton(buttons, "talk", "Talk", open("talk"));
  const guide = () => state.set({ touring: !state.touring, menu: null, help: false });
  const tour = iconButton(buttons, "tour", "Guided tour", guide);
  const help = iconButton(buttons, "help", "Keys (?)", () => state.set({ help: !state.help, menu: null }));
  const large = iconButton(buttons, "full", "Stage mode (P)", toggleStage);
  return () => {
    compare.setAttribute("aria-pressed", Boolean(state.compare));
    compare.setAttribute("aria-expanded", state.menu === "compare");
    exporting.setAttribute("aria-expanded", state.menu === "export");
    back.setAttribute("aria-pressed", state.backward);
    talking.setAttribute("aria-expanded", state.menu === "talk");
    tour.setAttribute("aria-pressed", state.touring);
    help.setAttribute("aria-expanded", state.help);
    large.setAttribute("aria-pressed", state.stage);
    setIcon(large, state.stage ? "leave" : "full", state.stage ? "Leave stage mode (P)" : "Stage mode (P)");
  };
}

export function epochText(scene, snapshot) {
  const step = snapshot < scene.snapshots.length ? scene.snapshots[snapshot].step : scene.now;
  if (step === 0) return "untrained";
  const epoch = formatEpoch(step / scene.perEpoch);
  if (snapshot < scene.snapshots.length) return `epoch ${epoch}`;
  if (scene.best === "refit") return "refit";
  return scene.best ? `best, epoch ${scene.best}` : `now, epoch ${epoch}`;
}

// Plays time and learning. Returns what must be called when `playing` or `learning` may have changed.
export function player(state) {
  const time = metronome(() => state.playing, () => PER_SECOND * state.speed, (by) => {
    const { from, to } = playedWay(state), way = to < from ? -1 : 1, step = state.step + way * by;
    if ((to - step) * way >= 0) state.set({ step });
    else if (state.loop && from !== to) state.set({ step: from });
    else state.set({ step: to, playing: false });
  });
  const epochs = metronome(() => state.learning, () => SNAPSHOTS_PER_SECOND, () => {
    if (state.working) return; // the snapshot before is not on the stage yet
    const now = state.scene.snapshots.length, snapshot = Math.min(state.snapshot + 1, now);
    state.set({ snapshot, learning: snapshot < now });
  });
  return (changed) => {
    if (changed.has("playing") && time() && state.step === playedWay(state).to) state.set({ step: playedWay(state).from });
    if (changed.has("learning") && epochs() && state.snapshot >= state.scene.snapshots.length) {
      state.set({ snapshot: 0 });
    }
  };
}

// Calls act(beats) with the beats that are due, as long as running() holds. Returns what starts it: true if it began.
function metronome(running, perSecond, act) {
  let timer = null, due = 0;
  const beat = () => {
    timer = null;
    if (!running()) return;
    const wait = 1000 / perSecond(), now = performance.now();
    if (now >= due) {
      const beats = Math.min(8, 1 + Math.floor((now - due) / wait)); // a slow machine skips steps and keeps the pace
      due = Math.max(due + beats * wait, now);
      act(beats);
    }
    timer = requestAnimationFrame(beat);
  };
  return () => {
    if (!running() || timer !== null) return false;
    due = performance.now() + Math.min(250, 1000 / perSecond());
    timer = requestAnimationFrame(beat);
    return true;
  };
}
