// The stage in the film's size, whatever the window's is, and back again: exactly as it was.

import { setPixelRatio } from "../../canvas.js";
import { giveTime } from "../clock.js";

const KEPT = ["step", "unit", "snapshot", "stage", "playing", "learning", "menu", "help", "touring", "pointing"];
const QUIET = {
  playing: false, learning: false, menu: null, help: false, touring: false, pointing: false, held: null, hold: null,
};
const SETTLES = 40; // times three frames of the screen, at most
const WAIT = 300; // ms for a frame of the screen: a page in the background gets none

export const pause = () => new Promise((done) => {
  const { port1, port2 } = new MessageChannel(); // a page in the background may set a timer once a second alone
  port1.onmessage = done;
  port2.postMessage(null);
});

const frame = () => new Promise((done) => {
  requestAnimationFrame(done);
  setTimeout(done, WAIT);
});

// Three frames: what is resized hears of it in the first, and draws in the second.
const drawn = async () => { for (let k = 0; k < 3; k++) await frame(); };

export class Studio {
  // stage: a main.Stage.
  constructor(stage) {
    this.stage = stage;
    this.begins = new WeakMap(); // transition → ms at which it began, in the film's time
  }

  // filming: what state.filming is meanwhile, { cancel, plays }; prepare(): puts into the stage what belongs to the
  // film alone.
  async enter({ width, height }, filming, prepare) {
    const { element, state } = this.stage;
    this.before = Object.fromEntries(KEPT.map((name) => [name, state[name]]));
    this.bytes = this.stage.own;
    this.filled = document.fullscreenElement === element; // whose size no style sheet can change
    state.set({ ...QUIET, filming });
    state.notify();
    if (this.filled) {
      await document.exitFullscreen().catch(() => {});
      await drawn();
    }
    element.style.setProperty("--film-width", `${width}px`);
    element.style.setProperty("--film-height", `${height}px`);
    element.classList.add("stage-film");
    prepare();
    state.set({ stage: true });
    setPixelRatio(1);
    await drawn();
    for (let k = 0; k < SETTLES && state.settled !== state.level; k++) await drawn(); // the camera was under way
    await this.repaint(`${width} ${height}, filmed`);
  }

  async leave() {
    const { stage } = this, { element, state } = stage;
    giveTime(null);
    setPixelRatio(null);
    element.classList.remove("stage-film");
    for (const name of ["--film-width", "--film-height"]) element.style.removeProperty(name);
    // Where it is refused, stage mode fills the window.
    if (this.filled) await element.requestFullscreen?.().catch(() => {});
    state.set({ ...this.before, filming: null });
    await drawn();
    await this.repaint(`${element.clientWidth} ${element.clientHeight}`);
    // What the page has sent meanwhile.
    if (stage.own !== this.bytes && !stage.talk.target) stage.show(stage.own);
  }

  // Paints all anew; computations that were under way come first.
  async repaint(size) {
    const { state, element } = this.stage;
    state.set({ size });
    state.notify();
    while (state.working || !state.sides.length) await pause();
    if (state.frame !== null) state.notify();
    for (const one of transitions(element)) one.finish();
  }

  // Shows the changes, as of the step, at a time of the film (ms), with what moves between two steps as far as it is by
  // then. Gives the elements that move.
  async show(changes, time) {
    const { state, element } = this.stage;
    giveTime(time);
    state.set(changes);
    if (state.frame !== null) state.notify();
    while (state.working) await pause(); // the traces of another snapshot
    if (state.frame !== null) state.notify();
    return transitions(element).map((transition) => {
      if (!this.begins.has(transition)) {
        transition.pause();
        this.begins.set(transition, time);
      }
      const passed = time - this.begins.get(transition), { delay, duration } = transition.effect.getTiming();
      if (passed >= delay + duration) transition.finish();
      else transition.currentTime = passed;
      return transition.effect.target;
    });
  }
}

// The style sheet's own easing between two steps: exactly what the screen shows, only by another clock.
const transitions = (element) => element.getAnimations({ subtree: true })
  .filter((animation) => animation instanceof CSSTransition && !animation.effect.target.closest(".film-cover"));
