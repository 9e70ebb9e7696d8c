// Records what plays, frame by frame and not in real time: each is shown, painted and encoded before the next one.

import * as captions from "./captions.js";
import * as cover from "./cover.js";
import { Film } from "./encoder.js";
import { Painter } from "./paint/page.js";
import { planOf } from "./plan.js";
import { Studio, pause } from "./studio.js";

// stage: a main.Stage. choices: { width, height, fps, plays, from, to, rate, format, captions, line }; plays: what goes
// on from frame to frame, the state's "step" or its "snapshot". The file, or null if it was cancelled.
export async function record(stage, choices) {
  const { element, state } = stage, { width, height, fps, plays } = choices, plan = planOf(choices);
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const pen = canvas.getContext("2d"), studio = new Studio(stage);
  let cancelled = false, painter = null, film = null;
  const cancel = () => { cancelled = true; }, goesOn = () => !cancelled && element.isConnected;
  const front = cover.mount(element, canvas, cancel);
  const band = choices.captions ? captions.mount(element, state, choices.line) : null;
  try {
    await studio.enter({ width, height }, { cancel, plays }, () => band?.update());
    await studio.show({ [plays]: plan.at(0) }, performance.now());
    await studio.repaint(`${width} ${height}, first frame`);
    painter = new Painter(element);
    film = new Film(choices.format, fps);
    const begin = performance.now();
    for (let frame = 0; frame < plan.frames && goesOn(); frame++) {
      const before = state[plays], now = plan.at(frame);
      const moving = await studio.show({ [plays]: now }, begin + (frame * 1000) / fps);
      if (!frame || now !== before || moving.length) { // else it is the frame before once more
        band?.update();
        painter.paint(pen, moving);
      }
      await film.add(canvas);
      front.tell(frame + 1, plan.frames);
      await pause(); // the page stays awake
    }
    return goesOn() ? await film.finish() : null;
  } finally {
    film?.stop();
    painter?.stop();
    band?.element.remove();
    front.remove();
    await studio.leave();
  }
}
