// The export menu: an image of the stage, a film of it, or the stage itself.

import { child } from "../../canvas.js";
import { menuItem, menuPanel } from "../bar/menu.js";
import { asPage, possible } from "./html_export.js";
import { asPng, asSvg } from "./image_export.js";

const NAME = "lstm-stage";

// stage: a main.Stage.
export function mountMenu(bar, state, stage) {
  const [panel, open] = menuPanel(bar, state, "export", "Export");
  const formats = [
    ["png", "image/png", "Image, PNG", "for a slide, at twice the screen's resolution",
      () => asPng(stage.element, state)],
    ["svg", "image/svg+xml", "Image, SVG", "for print: drawing and text stay vectors",
      () => asSvg(stage.element, state)],
  ];
  if (possible) {
    formats.push(["html", "text/html", "Interactive page, one HTML file",
      "plays in any browser, without Python or a network", () => asPage(stage)]);
  }
  const buttons = formats.map(([ending, type, title, meaning, make]) => menuItem(panel, title, meaning, async () => {
    for (const button of buttons) button.disabled = true;
    note.textContent = "Exporting …";
    try {
      save(new Blob([await make()], { type }), `${NAME}.${ending}`);
      note.textContent = `Saved as ${NAME}.${ending}`;
    } catch (error) {
      note.textContent = `Export failed: ${error.message}`;
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  }));
  let film = null; // its panel: what records is fetched when somebody wants to
  const openFilm = async () => {
    film ??= (await import("../film/panel.js")).mount(bar, state, stage, save);
    film.open();
  };
  if (possible) buttons.push(menuItem(panel, "Film …", "what plays, as a video with captions", openFilm));
  const note = child(panel, "div", { class: "stage-menu-note", role: "status" });
  return {
    element: panel,
    update() {
      if (state.menu !== "export" && note.textContent) note.textContent = "";
      open();
      film?.update();
    },
  };
}

export function save(blob, name) {
  const link = document.createElement("a"), address = URL.createObjectURL(blob);
  Object.assign(link, { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // a browser may still be asking where to
}
