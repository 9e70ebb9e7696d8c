// The speaker's window: the notes, the clock, and what comes next. A window of this page, filled and asked by it.

import { child } from "../../canvas.js";
import { after, first } from "./stops.js";
import { toldOf } from "./giving.js";

const STYLE = `
  body {
    display: grid; grid-template: auto auto 1fr auto / 1fr auto; gap: 10px 28px; box-sizing: border-box; height: 100vh;
    margin: 0; padding: 18px 22px; font: 22px/1.4 system-ui, sans-serif; color: #edebe8; background: #171614;
  }
  h1 { margin: 0; font-size: 1.25em; }
  time { font-size: 1.25em; font-variant-numeric: tabular-nums; text-align: right; }
  .asked { grid-area: 2 / 1 / 3 / 3; margin: 0; padding: 10px 14px; background: #2d2b27; border-radius: 10px; }
  .notes { grid-area: 3 / 1 / 4 / 3; overflow: auto; margin: 0; font-size: 1.15em; }
  .asked, .notes { white-space: pre-line; }
  .next { grid-row: 4; margin: 0; color: #b9b4ad; }
  button { grid-area: 4 / 2; padding: 4px 14px; font: inherit; color: inherit; background: #2d2b27; }
  button { border: 1px solid #6b665f; }
  [hidden] { display: none; }
`;

// talk: a talk.Talk; onKey: what a key does that is pressed in this window.
export class NotesWindow {
  constructor(talk, onKey) {
    Object.assign(this, { talk, onKey, view: null, timer: null });
  }

  // Returns whether it is open: a browser may refuse.
  open() {
    if (this.view && !this.view.window.closed) {
      this.view.window.focus();
      return true;
    }
    const opened = window.open("", "lstm-stage-notes", "popup,width=900,height=620");
    if (!opened) return false;
    this.view = this.build(opened);
    this.timer ??= setInterval(() => this.tick(), 500);
    this.update();
    return true;
  }

  close() {
    clearInterval(this.timer);
    this.timer = null;
    this.view?.window.close();
    this.view = null;
  }

  build(opened) {
    const { document } = opened, { body, head } = document;
    document.title = "Notes";
    head.replaceChildren();
    body.replaceChildren();
    child(head, "style", {}).textContent = STYLE;
    const view = {
      window: opened, title: child(body, "h1", {}), clock: child(body, "time", {}),
      asked: child(body, "p", { class: "asked" }), notes: child(body, "p", { class: "notes" }),
      next: child(body, "p", { class: "next" }), again: child(body, "button", { type: "button" }),
    };
    view.again.textContent = "Clock to zero";
    view.again.addEventListener("click", () => { this.talk.began = Date.now(); this.tick(); });
    opened.addEventListener("keydown", this.onKey, true); // the clicker's keys go to the window in front
    return view;
  }

  tick() {
    const { view, talk } = this;
    if (!view || view.window.closed) return this.close();
    const now = new Date(), time = now.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const seconds = talk.began === null ? 0 : Math.floor((now - talk.began) / 1000);
    put(view.clock, `${time} · ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`);
  }

  update() {
    const { view, talk } = this;
    if (!view || view.window.closed) return;
    const { giving } = talk.state, { moments } = talk;
    const moment = giving ? moments[giving.at] : null;
    const stop = giving ? after(moments, giving) : first(moments, talk.left);
    put(view.title, moment ? `${giving.at + 1} / ${moments.length} · ${moment.title}` : talk.state.talk.title);
    put(view.notes, moment ? moment.notes : "Page Down, here or on the stage, begins.");
    view.asked.hidden = !moment?.question;
    put(view.asked, moment?.question ? questionText(moment.question, giving) : "");
    put(view.next, stop ? `Next: ${nextText(moments[stop.at], stop, giving)}` : "This is the last moment.");
    this.tick();
  }
}

const put = (node, text) => { if (node.textContent !== text) node.textContent = text; };

// The speaker reads the answer before the audience does.
function questionText(question, { asks }) {
  const choices = question.choices.map((choice, k) => `${k + 1}  ${choice}`);
  const answer = toldOf(question, { asks: false, chosen: null });
  return [question.text, ...choices, `${asks ? "Page Down shows" : "Shown"}: ${answer}`].join("\n");
}

function nextText(moment, stop, giving) {
  if (giving?.at === stop.at) return "the answer";
  return moment.question ? `${moment.title} (a question)` : moment.title;
}
