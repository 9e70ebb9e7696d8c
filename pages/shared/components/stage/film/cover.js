// In front of the stage while a film is recorded: the picture, how far it is, and the way out.

import { child } from "../../canvas.js";
import { duration } from "./plan.js";

const OFTEN = 100; // ms between two texts

// canvas: what is painted. Returns { tell(done, all), remove() }.
export function mount(root, canvas, cancel) {
  const cover = child(root, "div", { class: "film-cover", role: "dialog", "aria-label": "Recording a film" });
  cover.append(canvas);
  const row = child(cover, "div", { class: "film-progress" }), bar = child(row, "progress", { max: 1, value: 0 });
  const text = child(row, "span", { role: "status" });
  const button = child(row, "button", { type: "button", title: "Cancel (Esc)" });
  button.textContent = "Cancel";
  button.addEventListener("click", cancel);
  text.textContent = "Preparing …";
  const begun = performance.now();
  let last = 0;
  return {
    tell(done, all) {
      const now = performance.now();
      if (now - last < OFTEN && done < all) return;
      last = now;
      bar.value = done / all;
      const left = ((now - begun) / 1000 / done) * (all - done);
      text.textContent = done < all ? `Frame ${done} of ${all}, about ${duration(left)} left` : "Writing the file …";
    },
    remove: () => cover.remove(),
  };
}
