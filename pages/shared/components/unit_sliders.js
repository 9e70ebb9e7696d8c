// The browser half of unit_sliders.py: twelve sliders, and the arithmetic of four days as Python formats it.

import { component, sender } from "./wire.js";

const DAY = 1600; // ms on each day while they unroll
const LIMIT = 6; // the sliders go from −6 to 6; a number beyond can be typed
const NAMES = ["w_ih", "w_hh", "bias"];
const MEANING = ["weight of the day's price x", "weight of the last output h", "bias"];

export default component(".unit-sliders", {
  mount: (element, { data }) => mount(element, data),
  show(unit, { data, setStateValue, setTriggerValue }) {
    Object.assign(unit, { setStateValue, setTriggerValue });
    if (data.received === unit.count) unit.sender.receive();
    show(unit, data);
  },
  stop: (unit) => clearTimeout(unit.playing),
});

function make(tag, parent, className, text) {
  const node = parent.appendChild(document.createElement(tag));
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

// count: of the messages sent; pending and sent: index → value, of the numbers that Python does not have yet.
function mount(element, { gates, tables, received }) {
  const unit = { element, count: received, pending: {}, sent: {}, pressed: null, sliders: [], fields: [], tables: [] };
  unit.sender = sender(() => send(unit), () => settle(unit));
  const panel = make("div", element, "panel");
  for (const gate of gates) mountSliders(unit, panel, gate);
  for (const table of tables) unit.tables.push(mountTable(unit, element, gates, table));
  window.addEventListener("pointerup", () => { unit.pressed = null; settle(unit); });
  return unit;
}

function mountSliders(unit, panel, { name, title, color, activation }) {
  const box = make("div", panel, "gate");
  box.style.setProperty("--gate", color);
  make("div", box, "title", `${name}  ${title}`).title = `${name} = ${activation}(w_ih·x + w_hh·h + bias)`;
  NAMES.forEach((label, k) => {
    const row = make("label", box), index = unit.sliders.length;
    make("span", row, "", label).title = MEANING[k];
    const range = make("input", row), field = make("input", row);
    Object.assign(range, { type: "range", min: -LIMIT, max: LIMIT, step: 0.01, ariaLabel: `${label} of ${name}` });
    Object.assign(field, { type: "number", step: 0.01, ariaLabel: `${label} of ${name}, exactly` });
    range.addEventListener("pointerdown", () => { unit.pressed = index; });
    range.addEventListener("input", () => { write(field, range.value); move(unit, index, range.value); });
    field.addEventListener("change", () => move(unit, index, field.value));
    unit.sliders.push(range);
    unit.fields.push(field);
  });
}

function mountTable(unit, element, gates, { days }) {
  const box = make("section", element), head = make("div", box, "head");
  const [name, sequence, prediction] = [make("b", head), make("span", head), make("span", head, "prediction")];
  const table = { name, sequence, prediction, cells: [] };
  if (!unit.tables.length) { // one button unrolls both
    const play = make("button", head, "", "▶ Day by day");
    play.type = "button";
    play.addEventListener("click", () => unroll(unit, 0));
  }
  const grid = make("table", box), top = make("tr", make("thead", grid)), body = make("tbody", grid);
  make("th", top);
  table.days = days.map((_, day) => {
    const cell = make("th", top);
    cell.title = `Show up to day ${day + 1}`;
    cell.addEventListener("click", () => { clearTimeout(unit.playing); upTo(unit, day); });
    return cell;
  });
  const rows = [...gates, { name: "c", title: "long-term" }, { name: "h", title: "short-term" }];
  for (const { name: letter, title, color } of rows) {
    const row = make("tr", body), first = make("th", row, "", letter);
    row.style.setProperty("--gate", color ?? "currentColor");
    first.title = title;
    table.cells.push(days.map(() => {
      const cell = make("td", row, color ? "" : "short"), sum = make("div", cell), after = make("div", cell);
      return { cell, sum, whole: make("span", after), result: make("b", after) };
    }));
  }
  return table;
}

// Only what changed is written, so that nothing flickers and a selection stays.
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function write(field, value) {
  const text = Number(value).toFixed(2);
  if (field.value !== text) field.value = text;
}

function show(unit, { numbers, tables }) {
  numbers.forEach((value, index) => {
    if (index in unit.pending || index in unit.sent || unit.pressed === index) return;
    if (Number(unit.sliders[index].value) !== value) unit.sliders[index].value = value;
    if (document.activeElement !== unit.fields[index]) write(unit.fields[index], value);
  });
  tables.forEach((data, k) => fill(unit.tables[k], data));
}

function fill(table, { name, sequence, target, prediction, right, days }) {
  setText(table.name, name);
  setText(table.sequence, `${sequence} → ${target}`);
  setText(table.prediction, `prediction ${prediction} ${right ? "✓" : "✗"}`);
  days.forEach((day, d) => {
    setText(table.days[d], `Day ${d + 1}:  x = ${day.x},  h = ${day.h}`);
    [...day.gates, day.c, day.h_next].forEach(([sum, whole, result], row) => {
      const cell = table.cells[row][d];
      setText(cell.sum, sum);
      setText(cell.whole, `${whole} = `);
      setText(cell.result, result);
    });
  });
}

function upTo(unit, last) {
  for (const { cells } of unit.tables) {
    for (const row of cells) row.forEach(({ cell }, day) => cell.classList.toggle("later", day > last));
  }
}

function unroll(unit, day) {
  clearTimeout(unit.playing);
  upTo(unit, day);
  const days = unit.tables[0].days.length;
  if (day < days - 1) unit.playing = setTimeout(() => unroll(unit, day + 1), DAY);
}

function move(unit, index, text) {
  const value = Number(text);
  if (text === "" || !Number.isFinite(value)) return;
  if (unit.sliders[index].value !== text) unit.sliders[index].value = value;
  unit.pending[index] = value;
  unit.sender.offer();
}

function send(unit) {
  [unit.sent, unit.pending] = [unit.pending, {}];
  if (!Object.keys(unit.sent).length) return false;
  unit.count += 1;
  unit.moved = true;
  unit.setStateValue("moved", { count: unit.count, numbers: unit.sent });
  return true;
}

// The rest of the page follows once the mouse is released: to draw all of it at every move would be slow.
function settle(unit) {
  if (!unit.moved || unit.sender.waiting || unit.pressed !== null) return;
  unit.moved = false;
  unit.setTriggerValue("settled", true);
}
