// Why a line cannot be grabbed: told where the pointer rests on it, and where a drag tries to.

import { child } from "../../canvas.js";
import { pointIn } from "../../heatmap.js";
import { NEAR, lineNear } from "./grab.js";

const PULLED = 6; // px up or down that are meant for the line, and not for the time

export function mount(view) {
  const { holder } = view, note = child(holder, "div", { class: "touch-refusal touch-apart", role: "status" });
  let press = null;
  note.hidden = true;
  const whyAt = (event) => {
    const at = pointIn(holder, event), near = NEAR[event.pointerType] ?? NEAR.mouse;
    return view.plot && !lineNear(view, at, near) ? lineNear(view, at, near, ({ why }) => why)?.why ?? "" : "";
  };
  holder.addEventListener("pointerdown", (event) => { press = { y: event.clientY, why: whyAt(event) }; });
  holder.addEventListener("pointermove", (event) => {
    if (!press) {
      const why = whyAt(event);
      if (holder.title !== why) holder.title = why;
    } else if (press.why && note.hidden && Math.abs(event.clientY - press.y) > PULLED) {
      note.textContent = press.why;
      note.hidden = false;
    }
  });
  const end = () => {
    press = null;
    note.hidden = true;
  };
  for (const name of ["pointerup", "pointercancel"]) holder.addEventListener(name, end);
  return {};
}
