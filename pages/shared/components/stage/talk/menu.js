// The menu of the talk: its moments, and what can be done with all of them.

import { child } from "../../canvas.js";
import { menuPanel } from "../bar/menu.js";
import { asPage, possible } from "../export/html_export.js";
import { save } from "../export/export.js";
import * as list from "./moment_list.js";
import { EMPTY } from "./talk.js";
import { SHIPPED, fetchShipped, makeShipped, served } from "./shipped.js";
import { TalkError, read, write } from "./talk_file.js";

const MAKING = "Building the talk from the lessons’ models, once"; // then it is kept

// talk: a talk.Talk; notes: its notes_window.NotesWindow.
export function mount(bar, talk, notes) {
  const { state } = talk, [panel, open] = menuPanel(bar, state, "talk", "Talk");
  const title = child(panel, "input", { class: "stage-talk-title", "aria-label": "Title of the talk", maxlength: 200 });
  title.addEventListener("change", () => talk.change({ title: title.value.trim() || EMPTY.title }));
  const above = child(panel, "div", { class: "stage-talk-buttons" });
  const begin = button(above, "", () => (talk.target ? state.set({ menu: null }) : talk.begin(talk.left)));
  begin.classList.add("stage-talk-begin");
  button(above, "Notes window", () => {
    if (!notes.open()) tell("The browser blocked the notes window: allow pop-ups for this page, then press it again.");
  });
  button(above, "Add this moment (M)", () => talk.add());
  const moments = list.mount(panel, talk), below = child(panel, "div", { class: "stage-talk-buttons" });
  const note = child(panel, "div", { class: "stage-menu-note", role: "status" });
  const tell = (text) => { note.textContent = text; };
  const work = (act, done) => async () => {
    tell("");
    try {
      await act();
      tell(done());
    } catch (error) {
      tell(error instanceof TalkError ? error.message : `That failed: ${error.message}`);
    }
  };
  const replace = sure(talk, tell);
  const saving = button(below, "Save", work(() => saveTalk(talk), () => "Saved."));
  const put = (made) => work(async () => {
    const { revision } = state.talk, taking = await made();
    if (state.talk.revision !== revision && isUnsaved(state.talk)) throw new TalkError(lost(state.talk)); // meanwhile
    talk.put(taking);
  }, () => counted(talk))();
  const load = (file) => put(async () => read(await file.text()));
  fileButton(below, replace(load));
  const saved = () => "Saved: it plays in any browser, offline.";
  const asHtml = button(below, "HTML page", work(() => savePage(talk), saved));
  asHtml.hidden = !possible;
  const clear = button(below, "New", replace(() => { talk.put(EMPTY); }));
  const ship = (name) => {
    const progress = (done, of) => tell(`${MAKING}${of ? `: ${done} of ${of} moments` : " …"}`);
    return put(() => fetchShipped(name, progress));
  };
  for (const { name, title: text, meaning } of SHIPPED) {
    const line = button(below, text, replace(() => ship(name)));
    line.hidden = !served();
    line.title = meaning;
    line.classList.add("stage-talk-shipped");
  }
  return {
    element: panel,
    tell,
    update(changed) {
      open();
      if (state.wanted) {
        const name = state.wanted;
        state.set({ wanted: null });
        if (!SHIPPED.some((one) => one.name === name)) tell("There is no talk of that name.");
        else talk.restored.then(() => replace(() => ship(name))());
      }
      if (state.menu === "talk") makeShipped();
      if (state.menu !== "talk" || !(changed.has("menu") || changed.has("talk") || changed.has("giving"))) return;
      const count = state.talk.moments.length;
      if (document.activeElement !== title) title.value = state.talk.title;
      begin.textContent = state.giving ? "Back to the stage" : talk.left ? "Go on (Page Down)" : "Begin (Page Down)";
      for (const one of [begin, saving, asHtml, clear]) one.disabled = !count;
      moments.update();
    },
  };
}

const counted = ({ moments }) => `${moments.length} moments. Page Down begins.`;

function button(parent, text, act) {
  const made = child(parent, "button", { type: "button" });
  made.textContent = text;
  made.addEventListener("click", () => act());
  return made;
}

const isUnsaved = ({ changed, moments }) => changed && moments.length > 0;
const lost = ({ moments }) => `Your ${moments.length} unsaved moments would be lost: save them, or press it again.`;

// Wraps what takes the talk's place: unsaved moments go only if it is asked for twice.
function sure(talk, tell) {
  let warned = null;
  return (act) => (given) => {
    const now = talk.state.talk;
    if (isUnsaved(now) && warned !== now.revision) {
      warned = now.revision;
      return tell(lost(now));
    }
    return act(given);
  };
}

function fileButton(parent, act) {
  const accepted = { type: "file", accept: ".json,application/json" };
  const input = child(parent, "input", { ...accepted, "aria-label": "A talk’s file" });
  input.hidden = true;
  input.addEventListener("change", () => {
    const [file] = input.files;
    if (file) act(file);
    input.value = ""; // the same file may be chosen again
  });
  button(parent, "Open …", () => input.click());
}

function saveTalk(talk) {
  save(new Blob([write(talk.state.talk)], { type: "application/json" }), `${fileName(talk)}.json`);
  talk.change({ changed: false });
}

async function savePage(talk) {
  const page = await asPage(talk.stage, write(talk.state.talk));
  save(new Blob([page], { type: "text/html" }), `${fileName(talk)}.html`);
}

const fileName = ({ state: { talk } }) =>
  talk.title.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, "-").slice(0, 60) || "talk";
