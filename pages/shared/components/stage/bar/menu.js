// A small panel that a button of the bar opens; one at a time, and a click beside it closes it.

import { child } from "../../canvas.js";

// name: what state.menu is while the panel is open. Returns the panel, and what shows or hides it.
export function menuPanel(bar, state, name, title) {
  const panel = child(bar, "div", { class: `stage-menu stage-menu-${name}`, role: "dialog", "aria-label": title });
  panel.hidden = true;
  child(panel, "h4", {}).textContent = title;
  bar.parentElement.addEventListener("pointerdown", ({ target }) => {
    if (state.menu === name && !panel.contains(target) && !target.closest(".stage-menus")) state.set({ menu: null });
  });
  return [panel, () => { panel.hidden = state.menu !== name; }];
}

// One line of a menu: what it is called, and smaller what that means.
export function menuItem(parent, title, meaning, act) {
  const button = child(parent, "button", { type: "button" });
  child(button, "b", {}).textContent = title;
  if (meaning) child(button, "span", {}).textContent = meaning;
  button.addEventListener("click", act);
  return button;
}
