// The browser half of by_hand.py: twelve sliders and the four days' sums as Python words them. What is moved is told
// only once the page has drawn the last move, so that dragging never builds a queue.

const PATIENCE = 3000; // ms after which an answer is no longer waited for
const DAY = 1600; // ms on each day while they unroll
const REACH = 6; // the sliders go from −6 to 6; a number beyond can be typed
const NAMES = ["w_ih", "w_hh", "bias"];
const MEANING = ["weight of the day's price x", "weight of the last output h", "bias"];

const units = new WeakMap(); // element -> what must outlive one message

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const element = parentElement.querySelector(".by-hand");
  if (!units.has(element)) units.set(element, mount(element, data));
  const unit = units.get(element);
  Object.assign(unit, { setStateValue, setTriggerValue });
  if (data.told === unit.told) answered(unit);
  show(unit, data);
  // Streamlit also runs the cleanup of an overtaken call while the element is still on the page.
  return () => { if (!element.isConnected) clearTimeout(unit.playing); };
}

function make(tag, parent, className, words) {
  const made = parent.appendChild(document.createElement(tag));
  if (className) made.className = className;
  if (words !== undefined) made.textContent = words;
  return made;
}

function mount(element, { gates, tables, told }) {
  const unit = { element, told, pending: {}, sent: {}, held: null, sliders: [], boxes: [], tables: [] };
  const panel = make("div", element, "panel");
  for (const gate of gates) knobs(unit, panel, gate);
  for (const table of tables) unit.tables.push(grid(unit, element, gates, table));
  window.addEventListener("pointerup", () => { unit.held = null; settle(unit); });
  return unit;
}

function knobs(unit, panel, { name, title, color, squash }) {
  const box = make("div", panel, "gate");
  box.style.setProperty("--gate", color);
  make("div", box, "title", `${name}  ${title}`).title = `${name} = ${squash}(w_ih·x + w_hh·h + bias)`;
  NAMES.forEach((label, k) => {
    const row = make("label", box), place = unit.sliders.length;
    make("span", row, "", label).title = MEANING[k];
    const range = make("input", row), field = make("input", row);
    Object.assign(range, { type: "range", min: -REACH, max: REACH, step: 0.01, ariaLabel: `${label} of ${name}` });
    Object.assign(field, { type: "number", step: 0.01, ariaLabel: `${label} of ${name}, exactly` });
    range.addEventListener("pointerdown", () => { unit.held = place; });
    range.addEventListener("input", () => { write(field, range.value); move(unit, place, range.value); });
    field.addEventListener("change", () => move(unit, place, field.value));
    unit.sliders.push(range);
    unit.boxes.push(field);
  });
}

function grid(unit, element, gates, { days }) {
  const box = make("section", element), head = make("div", box, "head");
  const table = { name: make("b", head), asks: make("span", head), says: make("span", head, "says"), cells: [] };
  if (!unit.tables.length) { // it unrolls both
    const play = make("button", head, "", "▶ Day by day");
    play.type = "button";
    play.addEventListener("click", () => unroll(unit, 0));
  }
  const sheet = make("table", box), top = make("tr", make("thead", sheet)), body = make("tbody", sheet);
  make("th", top);
  table.days = days.map((_, day) => {
    const cell = make("th", top);
    cell.title = `Show up to day ${day + 1}`;
    cell.addEventListener("click", () => { clearTimeout(unit.playing); upTo(unit, day); });
    return cell;
  });
  for (const { name, title, color } of [...gates, { name: "c", title: "long-term" }, { name: "h", title: "short-term" }]) {
    const row = make("tr", body), first = make("th", row, "", name);
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
function say(node, words) {
  if (node.textContent !== words) node.textContent = words;
}

function write(field, value) {
  const words = Number(value).toFixed(2);
  if (field.value !== words) field.value = words;
}

function show(unit, { numbers, tables }) {
  numbers.forEach((value, place) => {
    if (place in unit.pending || place in unit.sent || unit.held === place) return;
    if (Number(unit.sliders[place].value) !== value) unit.sliders[place].value = value;
    if (document.activeElement !== unit.boxes[place]) write(unit.boxes[place], value);
  });
  tables.forEach((data, k) => fill(unit.tables[k], data));
}

function fill(table, { name, sequence, target, said, right, days }) {
  say(table.name, name);
  say(table.asks, `${sequence} → ${target}`);
  say(table.says, `it says ${said} ${right ? "✓" : "✗"}`);
  table.says.classList.toggle("right", right);
  days.forEach((day, d) => {
    say(table.days[d], `Day ${d + 1}:  x = ${day.x},  h = ${day.h}`);
    [...day.gates, day.c, day.h_next].forEach(([sum, whole, result], row) => {
      const cell = table.cells[row][d];
      say(cell.sum, sum);
      say(cell.whole, `${whole} = `);
      say(cell.result, result);
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

function move(unit, place, words) {
  const value = Number(words);
  if (words === "" || !Number.isFinite(value)) return;
  if (unit.sliders[place].value !== words) unit.sliders[place].value = value;
  unit.pending[place] = value;
  tell(unit);
}

function tell(unit) {
  if (unit.waiting || !Object.keys(unit.pending).length) return;
  unit.told += 1;
  unit.moved = true;
  [unit.sent, unit.pending] = [unit.pending, {}];
  unit.waiting = setTimeout(() => answered(unit), PATIENCE);
  unit.setStateValue("moved", { told: unit.told, numbers: unit.sent });
}

function answered(unit) {
  clearTimeout(unit.waiting);
  unit.waiting = null;
  unit.sent = {};
  tell(unit);
  settle(unit);
}

// The rest of the page follows once the hand is off: to draw all of it at every move would be slow.
function settle(unit) {
  if (!unit.moved || unit.waiting || unit.held !== null) return;
  unit.moved = false;
  unit.setTriggerValue("settled", true);
}
