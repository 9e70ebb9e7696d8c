// A talk: moments one after the other, each with a scene of its own. This file goes through them; its neighbours draw.

import { first, after, before } from "./stops.js";
import { choicesOf, portable, take } from "./moment.js";
import { digest, gzip } from "./packing.js";
import { Scenes } from "./scenes.js";
import * as keep from "./keep.js";

const KEPT = [ // of the page
  "step", "unit", "layer", "direction", "snapshot", "heatmap", "part", "compare", "edits", "ahead", "backward", "level", "stage",
];
const PLAIN = { compare: null, heatmap: null, part: null, edits: null, ahead: null, backward: false };

export const EMPTY = { title: "My talk", moments: [], scenes: new Map(), changed: false, revision: 0 };

// state.talk: { title, moments, scenes: key → packed, changed: since it was saved, revision: when, in ms }, a new one at
// each change;
// state.giving: null, or the stop that is on the stage (stops.js) with `chosen`, the choice that was answered.
export class Talk {
  // stage: a main.Stage; actions.toggleStage: in and out of the full screen.
  constructor(stage, actions) {
    this.stage = stage;
    this.state = stage.state;
    this.actions = actions;
    this.target = null; // the stop that is wanted: the one on the stage, or on its way there
    this.left = 0; // the moment at which the talk was left
    this.began = null; // ms, when the talk was begun
    this.page = null; // what the page showed when the talk was begun
    this.scenes = new Scenes(new Map());
    this.note = () => {}; // shows one sentence; set by mount.js
    this.keeps = stage.where !== null; // an exported page is a file, and files share one store
    this.state.set({ talk: { ...EMPTY, scenes: this.scenes.packed } });
    this.restored = this.keeps ? this.restore() : Promise.resolve(); // by then the kept talk is here
  }

  get moments() { return this.state.talk.moments; }

  // The moment that is on the stage; null outside a talk.
  get shown() { return this.state.giving && this.moments[this.state.giving.at]; }

  async forward() {
    await this.restored; // a page that has just opened may still be reading the kept talk
    if (!this.moments.length) return this.note("The talk is empty: M adds what is on the stage.");
    if (!this.target) return this.begin(this.left);
    const next = after(this.moments, this.target);
    if (next) this.go(next);
    else this.note("This was the last moment: Esc leaves the talk.");
  }

  back() {
    const previous = this.target && before(this.moments, this.target);
    if (previous) this.go(previous);
  }

  // Opens the talk at a moment, on the full screen.
  begin(at = 0) {
    const { state } = this;
    if (!this.target) {
      this.page = { id: state.scene.id, ...Object.fromEntries(KEPT.map((name) => [name, state[name]])) };
      this.began ??= Date.now();
    }
    if (!state.stage) this.actions.toggleStage();
    this.go(first(this.moments, at));
  }

  async go(stop) {
    const { state } = this, moment = this.moments[stop.at];
    this.target = stop;
    const { scene, bytes } = await this.scenes.get(moment.scene);
    if (this.target !== stop) return; // the speaker is further by now
    const shown = state.giving, stays = shown?.at === stop.at;
    const giving = { ...stop, chosen: stays ? shown.chosen : null };
    state.set({ giving, playing: false, learning: false, menu: null, help: false, touring: false });
    if (!stays) this.stage.open(scene, bytes, choicesOf(moment, scene));
    this.prepare(stop.at + 1);
  }

  // Unpacks what comes next while the speaker talks.
  prepare(at) {
    const next = this.moments[at], { scenes } = this; // another talk may be opened meanwhile
    if (next) setTimeout(() => scenes.get(next.scene), 50);
  }

  // One of the choices of the question that waits, from 0. Returns whether there is such a one.
  answer(chosen) {
    const { giving } = this.state, question = giving?.asks ? this.moments[giving.at].question : null;
    if (!question?.choices[chosen]) return false;
    this.state.set({ giving: { ...giving, chosen } });
    return true;
  }

  // Back to the page's own scene: as it was, or the newest if there has been another one.
  leave() {
    const { state, page } = this;
    if (!this.target) return;
    this.left = this.target.at;
    this.target = null;
    state.set({ giving: null });
    const { id, stage, ...choices } = page;
    this.stage.openOwn((scene) => (scene.id === id ? choices : PLAIN));
    if (state.stage && !stage) this.actions.toggleStage();
  }

  // Adds what is on the stage: after the moment that is shown, else at the end.
  async add() {
    await this.restored; // else the moment would take the kept talk's place
    const { state } = this, { giving } = state;
    const bytes = giving ? null : portable(this.stage.given.bytes);
    const key = giving ? this.moments[giving.at].scene : digest(bytes);
    const moment = take(state, key);
    if (!this.scenes.packed.has(key)) this.scenes.packed.set(key, await gzip(bytes));
    const at = giving ? giving.at + 1 : this.moments.length;
    this.change({ moments: this.moments.toSpliced(at, 0, moment) });
    this.note(`Moment ${at + 1} added: ${moment.title}`);
  }

  // Changes the talk, and keeps it. While it is given, the moment on the stage stays on it.
  change(changes) {
    const { state } = this, { giving } = state, shown = giving && this.moments[giving.at];
    const revision = Math.max(Date.now(), state.talk.revision + 1);
    state.set({ talk: { ...state.talk, changed: true, revision, ...changes } });
    if (this.keeps) {
      keep.store(state.talk).then((kept) => kept || this.note("This browser keeps no data: save the talk as a file."));
    }
    if (!giving) return;
    const at = this.moments.indexOf(shown);
    if (at < 0) this.leave();
    else if (at !== giving.at) this.follow({ ...giving, at });
  }

  follow(giving) {
    this.target = { at: giving.at, asks: giving.asks };
    this.state.set({ giving });
  }

  // Another text, question or title for one moment.
  edit(at, changes) {
    const { giving } = this.state, moment = { ...this.moments[at], ...changes };
    const shown = giving?.at === at;
    if (shown) this.state.set({ giving: null });
    this.change({ moments: this.moments.with(at, moment) });
    if (shown) this.follow({ ...giving, asks: giving.asks && moment.question !== null });
  }

  move(at, by) {
    const moment = this.moments[at], to = at + by;
    if (to < 0 || to >= this.moments.length) return;
    this.change({ moments: this.moments.toSpliced(at, 1).toSpliced(to, 0, moment) });
  }

  remove(at) { this.change({ moments: this.moments.toSpliced(at, 1) }); }

  // Puts a talk in the place of this one; changed: whether it is saved nowhere else.
  put({ title, moments, scenes }, changed = false) {
    this.leave();
    Object.assign(this, { left: 0, began: null, scenes: new Scenes(new Map(scenes)) });
    this.change({ title, moments, scenes: this.scenes.packed, changed });
    this.prepare(0);
  }

  // The kept talk, if another tab or an earlier visit has made one.
  async restore() {
    const kept = await keep.load();
    if (!(kept?.revision > this.state.talk.revision) || this.target) return;
    this.scenes = new Scenes(kept.scenes);
    this.state.set({ talk: kept });
    this.prepare(0);
  }
}
