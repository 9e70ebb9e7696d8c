// The talk's moments in their order: a click shows one; each can be moved, edited and taken out.

import { child } from "../../canvas.js";
import { iconButton } from "../bar/icons.js";
import * as form from "./moment_form.js";

// talk: a talk.Talk.
export function mount(panel, talk) {
  const list = child(panel, "ol", { class: "stage-talk-list" });
  let shown = null, edited = null; // the moments that are drawn; the one whose form is open
  const toggle = (moment) => {
    edited = edited === moment ? null : moment;
    draw();
  };
  const save = (at, changes) => {
    const open = edited === talk.moments[at];
    talk.edit(at, changes);
    if (open) edited = talk.moments[at];
    shown = talk.moments; // the form stays as it is while it is written in
    list.children[at].querySelector(".stage-talk-name").textContent = talk.moments[at].title;
  };
  const draw = () => {
    shown = talk.moments;
    const { scrollTop } = list;
    list.replaceChildren(...talk.moments.map((moment, at) => row(moment, at)));
    list.scrollTop = scrollTop;
    mark();
  };
  const row = (moment, at) => {
    const item = document.createElement("li"), line = child(item, "div", { class: "stage-talk-row" });
    const name = child(line, "button", { type: "button", class: "stage-talk-name", title: "Show this moment" });
    name.textContent = moment.title;
    name.addEventListener("click", () => talk.begin(at));
    const asks = { class: "stage-talk-asks", title: "It asks a question" };
    if (moment.question) child(line, "span", asks).textContent = "?";
    iconButton(line, "edit", "Title, question, notes", () => toggle(moment));
    iconButton(line, "up", "Earlier", () => talk.move(at, -1)).disabled = at === 0;
    iconButton(line, "down", "Later", () => talk.move(at, 1)).disabled = at === talk.moments.length - 1;
    iconButton(line, "close", "Delete", () => talk.remove(at));
    if (moment === edited) form.mount(item, moment, (changes) => save(at, changes));
    return item;
  };
  const mark = () => {
    const at = talk.state.giving?.at ?? -1;
    Array.from(list.children).forEach((item, k) => item.toggleAttribute("aria-current", k === at));
  };
  return {
    update() {
      if (shown !== talk.moments) draw();
      else mark();
    },
  };
}
