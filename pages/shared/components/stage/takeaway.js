// The menu of what can be taken away: the picture on the stage, or the stage itself.

import { child } from "./canvas.js";
import { menuItem, menuPanel } from "./menu.js";
import { asPage, possible } from "./offline.js";
import { asPng, asSvg } from "./picture.js";

const NAME = "lstm-stage";

// stage: a main.Stage.
export function mountMenu(bar, state, stage) {
  const [panel, open] = menuPanel(bar, state, "take", "Take it away");
  const offers = [
    ["png", "image/png", "Picture, PNG", "for a slide, twice as fine as the screen", () => asPng(stage.element, state)],
    ["svg", "image/svg+xml", "Picture, SVG", "for print: its drawing and words stay lines", () => asSvg(stage.element, state)],
  ];
  const page = ["html", "text/html", "The stage, one HTML file", "plays in any browser, without Python or a network"];
  if (possible) offers.push([...page, () => asPage(stage)]);
  const buttons = offers.map(([ending, type, title, meaning, make]) => menuItem(panel, title, meaning, async () => {
    for (const button of buttons) button.disabled = true;
    note.textContent = "One moment …";
    try {
      save(new Blob([await make()], { type }), `${NAME}.${ending}`);
      note.textContent = `Saved as ${NAME}.${ending}`;
    } catch (error) {
      note.textContent = `It could not be saved: ${error.message}`;
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  }));
  const note = child(panel, "div", { class: "stage-menu-note", role: "status" });
  return {
    element: panel,
    update() {
      if (state.menu !== "take" && note.textContent) note.textContent = "";
      open();
    },
  };
}

function save(blob, name) {
  const link = document.createElement("a"), address = URL.createObjectURL(blob);
  Object.assign(link, { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // a browser may still be asking where to
}
