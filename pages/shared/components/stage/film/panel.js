// The panel of a film: what is recorded, how large, and with which captions.

import { child } from "../../canvas.js";
import { playedWay } from "../backward/backward.js";
import { menuPanel } from "../bar/menu.js";
import { PER_SECOND, SNAPSHOTS_PER_SECOND, SPEEDS } from "../bar/transport.js";
import { LINE, headline } from "./captions.js";
import { MISSING, formatsFor } from "./encoder.js";
import { record } from "./film.js";
import { duration, planOf } from "./plan.js";

const SIZES = [[1280, 720], [1920, 1080]], RATES = [30, 60];
const PACE = new Map([[720, 35], [1080, 70]]); // ms a frame, until this machine's own is known
const PROBED = { width: 1920, height: 1080, fps: 60 }; // what encodes the most encodes all
const FILES = { webm: "WebM", mp4: "MP4" };
const UNITS = ["kB", "MB", "GB"];

// save(blob, name): hands the file over. Returns { open(), update(), element }.
export function mount(bar, state, stage, save) {
  const [panel, show] = menuPanel(bar, state, "film", "Film");
  const box = child(panel, "div", { class: "film-panel" });
  const view = { state, stage, save, formats: null, fields: fieldsOf(box), note: null, opened: false };
  view.length = child(box, "p", {});
  view.button = child(box, "button", { type: "button", class: "film-record" });
  view.button.textContent = "Record";
  view.note = child(panel, "div", { class: "stage-menu-note", role: "status" });
  box.addEventListener("input", () => tell(view));
  view.button.addEventListener("click", () => start(view));
  formatsFor(PROBED).then((formats) => {
    view.formats = formats;
    for (const { name, ending } of formats) option(view.fields.format, name, `${FILES[ending]} (${name})`);
    if (!formats.length) view.note.textContent = MISSING;
    tell(view);
  });
  return {
    element: panel,
    open() {
      begin(view);
      state.set({ menu: "film", help: false });
    },
    update() {
      show();
      if (panel.hidden && !state.filming && view.formats?.length) view.note.textContent = "";
    },
  };
}

const option = (select, value, text) => { child(select, "option", { value }).textContent = text; };

function fieldsOf(box) {
  const field = (parent, title, tag, attributes = {}) => {
    const label = child(parent, "label", {});
    child(label, "span", {}).textContent = title;
    return child(label, tag, { "aria-label": title, ...attributes });
  };
  const plays = field(box, "What plays", "select"), steps = child(box, "div", { class: "film-steps" });
  const number = { type: "number", min: 1, step: 1 };
  const fields = {
    plays, steps, from: field(steps, "From step", "input", number), to: field(steps, "to step", "input", number),
    size: field(box, "Size", "select"), format: field(box, "File", "select"),
    fps: field(box, "Frames a second", "select"), speed: field(box, "Speed", "select"),
    captions: field(box, "Captions", "input", { type: "checkbox" }),
    line: field(box, "First line", "input", { type: "text", maxlength: LINE, placeholder: "optional" }),
  };
  option(plays, "step", "time, step by step");
  option(plays, "snapshot", "learning, epoch by epoch");
  SIZES.forEach(([width, height], k) => option(fields.size, k, `${width} × ${height}`));
  for (const rate of RATES) option(fields.fps, rate, rate);
  for (const times of SPEEDS) option(fields.speed, times, `${times}×, ${times * PER_SECOND} steps a second`);
  fields.captions.checked = true;
  return fields;
}

// As it plays now: the whole window, at the stage's own speed.
function begin({ state, fields, ...view }) {
  const { from, to } = playedWay(state), last = state.scene.steps;
  Object.assign(fields.from, { value: from + 1, max: last });
  Object.assign(fields.to, { value: to + 1, max: last });
  fields.speed.value = state.speed;
  fields.plays.value = "step";
  // A gradient and a continuation are worked out after the picture: at another snapshot they would come too late.
  fields.plays.options[1].disabled = !state.scene.snapshots.length || state.backward || Boolean(state.ahead);
  fields.line.value = headline(state).slice(0, LINE);
  tell({ state, fields, ...view });
}

// What is chosen; null where a step is none of the window's.
function chosen({ state, fields, formats }) {
  const last = state.scene.steps, [from, to] = [fields.from, fields.to].map(({ value }) => Number(value));
  const fits = (step) => Number.isInteger(step) && step >= 1 && step <= last;
  const plays = fields.plays.value, times = Number(fields.speed.value);
  if (plays === "step" && (!fits(from) || !fits(to))) return null;
  const way = plays === "step" ? { from: from - 1, to: to - 1, rate: PER_SECOND * times }
    : { from: 0, to: state.scene.snapshots.length, rate: SNAPSHOTS_PER_SECOND };
  const [width, height] = SIZES[Number(fields.size.value)];
  return {
    width, height, plays, ...way, fps: Number(fields.fps.value),
    format: formats?.find(({ name }) => name === fields.format.value), captions: fields.captions.checked,
    line: fields.captions.checked ? fields.line.value.trim() : "",
  };
}

function tell(view) {
  const choices = chosen(view), { fields, button, length, state } = view;
  button.disabled = !choices?.format;
  fields.line.disabled = !fields.captions.checked;
  const isTime = fields.plays.value === "step";
  for (const one of [fields.steps, fields.speed.parentElement]) one.hidden = !isTime;
  if (!choices) {
    length.textContent = `Steps are whole numbers from 1 to ${state.scene.steps}.`;
    return;
  }
  const { frames, seconds } = planOf(choices);
  const takes = duration(Math.max(1, (frames * PACE.get(choices.height)) / 1000));
  length.textContent = `${seconds.toFixed(1)} s, ${frames} frames; recording takes about ${takes}.`;
}

async function start(view) {
  const choices = chosen(view), { note, stage, save } = view;
  const { frames, seconds } = planOf(choices), begun = performance.now();
  note.textContent = "";
  try {
    const format = (await formatsFor(choices)).find(({ name }) => name === choices.format.name);
    const file = await record(stage, { ...choices, format });
    if (file === null) {
      note.textContent = "Cancelled: nothing was saved.";
      return;
    }
    PACE.set(choices.height, (performance.now() - begun) / frames);
    const name = `lstm-stage-${choices.height}p.${format.ending}`;
    save(file, name);
    note.textContent = `Saved as ${name}: ${seconds.toFixed(1)} s, ${sizeText(file.size)}`;
  } catch (error) {
    note.textContent = `The film could not be recorded: ${error.message}`;
  }
  tell(view);
}

function sizeText(size) {
  let value = size / 1000, unit = 0;
  for (; value >= 1000 && unit < UNITS.length - 1; unit++) value /= 1000;
  return `${value.toPrecision(value >= 100 ? 3 : 2)} ${UNITS[unit]}`;
}
