// The talk's parts on the stage, put together: what main.js mounts.

import { child } from "../../canvas.js";
import * as giving from "./giving.js";
import * as menu from "./menu.js";
import { NotesWindow } from "./notes_window.js";
import { makeShipped, openShipped } from "./shipped.js";

const SHOWN = 3000; // ms that a note stays
const STAYED = 4000; // ms after which somebody may well open a talk

// talk: a talk.Talk; bar: the stage's bar. Returns what is drawn of it.
export function mount(root, bar, talk) {
  const { state } = talk, note = child(root, "div", { class: "stage-talk-note", role: "status" });
  let timer = null;
  talk.note = (text) => {
    if (state.menu === "talk") return list.tell(text); // the note would lie on it
    note.textContent = text;
    note.hidden = false;
    clearTimeout(timer);
    timer = setTimeout(() => { note.hidden = true; }, SHOWN);
  };
  note.hidden = true;
  const notes = new NotesWindow(talk, (event) => {
    if (command(talk, event.key)) event.preventDefault();
  });
  const list = menu.mount(bar, talk, notes), parts = [giving.mount(root, state), list];
  const seen = () => { if (document.visibilityState === "visible" && talk.keeps) talk.restore(); };
  document.addEventListener("visibilitychange", seen);
  const staying = setTimeout(makeShipped, STAYED);
  let asked = null; // the page's wish for a talk, which it makes once
  return {
    element: note,
    update(changed) {
      for (const part of parts) part.update(changed);
      notes.update();
      if (changed.has("giving") || changed.has("menu")) note.hidden = true;
      const wish = state.scene.talk;
      if (wish && wish.at !== asked) {
        asked = wish.at;
        openShipped(talk, wish);
      }
    },
    stop() {
      document.removeEventListener("visibilitychange", seen);
      clearTimeout(timer);
      clearTimeout(staying);
      notes.close();
    },
  };
}

// What a key of a clicker does. Returns false for all others.
export function command(talk, key) {
  if (talk.state.filming) return false; // a film has one scene
  const act = { PageDown: () => talk.forward(), PageUp: () => talk.back() }[key];
  act?.();
  return Boolean(act);
}
