// The guided tour: one small card at a time beside the real thing, gone on with by doing what it says.

import { child } from "../../canvas.js";
import { CELL, NETWORK } from "../levels/depth.js";
import { recall, remember } from "../tab_memory.js";
import { CARDS, END, READING } from "./tour_cards.js";

const GAP = 18, RING = 6; // px from the ring to the card; px from the thing to its ring
const STORED = "lstm-stage-tour"; // where the tour was left, for as long as the browser's tab is open

// boxOf(name): where a heatmap stands within its row, or undefined.
export function mount(root, state, boxOf) {
  // place: which card, and whether an opened part is being read; start: the state as the card came up; found and
  // resumed: of which card something was found out, and at which the tour was taken up again.
  const tour = { root, state, boxOf, ...build(root, state), place: null, start: null, found: {}, resumed: null };
  return { element: tour.layer, update: () => update(tour) };
}

function build(root, state) {
  const layer = child(root, "div", { class: "stage-tour" }), ring = child(layer, "div", { class: "stage-tour-ring" });
  const spoken = { role: "dialog", "aria-label": "Guided tour", "aria-live": "polite" };
  const card = child(layer, "div", { class: "stage-tour-card", ...spoken });
  const found = child(card, "p", { class: "stage-tour-found" });
  const head = child(card, "div", { class: "stage-tour-head" });
  const title = child(head, "h4", {}), count = child(head, "span", {}), text = child(card, "p", {});
  card.addEventListener("mousedown", (event) => event.target.closest("button") && event.preventDefault());
  const button = (label, act) => {
    const made = child(head, "button", { type: "button" });
    made.textContent = label;
    made.addEventListener("click", act);
    return made;
  };
  const again = button("Start over", () => state.set({ card: 0 }));
  const skip = button("Skip", () => state.set({ card: state.card + 1 }));
  const end = button("End tour", () => state.set({ touring: false }));
  layer.hidden = true;
  return { layer, ring, card, nodes: { found, title, text, count }, buttons: { again, skip, end } };
}

function update(tour) {
  const { state, layer } = tour;
  layer.hidden = !state.touring || !state.sides.length;
  if (layer.hidden) {
    tour.place = null;
    return;
  }
  const cards = CARDS.filter(({ needs }) => needs?.(state) ?? true);
  if (tour.place === null) {
    state.set({ card: (tour.resumed = Number(recall(STORED)) || 0) });
    if (!state.card) state.set({ level: NETWORK }); // who begins sees all of it first
  }
  const reading = state.part !== null && !cards[state.card]?.parts?.includes(state.part);
  const place = `${state.card} ${reading}`, entered = place !== tour.place;
  if (entered) enter(tour, place, cards);
  const card = reading ? READING : cards[state.card] ?? END;
  const isDone = !reading && done(card, state, tour.start); // it may also learn what the card's text depends on
  show(tour, card, cards);
  const fresh = entered || tour.late;
  tour.late = point(tour, card, fresh) === false && fresh;
  if (isDone) {
    tour.found = { card: state.card + 1, text: card.found?.(state) };
    state.set({ card: state.card + 1 });
  }
}

const done = (card, state, start) => (card.parts ? card.parts.includes(state.part) : card.done?.(state, start));

function enter(tour, place, cards) {
  const { state } = tour;
  tour.place = place;
  tour.start = { step: state.step, unit: state.unit };
  cards[state.card]?.enter?.(state);
  if (state.card > 1) state.set({ level: CELL }); // what is told from there on is inside
  if (cards[state.card]?.parts?.includes(state.part)) state.set({ part: null }); // to be opened, not to be found open
  remember(STORED, state.card < cards.length ? state.card : 0);
}

function show({ nodes, buttons, state, start, found, resumed }, card, cards) {
  const last = card === END, result = found.card === state.card ? found.text : "";
  const put = (node, text) => { if (node.textContent !== text) node.textContent = text; };
  put(nodes.found, `✓ ${result}`);
  nodes.found.hidden = !result;
  put(nodes.title, card.title);
  put(nodes.text, card.text(state, start));
  put(nodes.count, last ? "" : `${state.card + 1} of ${cards.length}`);
  put(buttons.end, last ? "Close" : "End tour");
  buttons.skip.hidden = last;
  buttons.again.hidden = !state.card || state.card !== resumed;
}

// Puts the ring around the thing and the card beside it, never over it. False while the thing is on its way.
function point({ root, ring, card, state, boxOf }, { at, map }, entered) {
  const opened = state.part !== null && root.querySelector(".cell-panel:not([hidden])");
  const targets = at ? root.querySelectorAll(at) : opened ? opened.querySelectorAll("button") : [];
  const inside = root.getBoundingClientRect();
  if (state.settled === null && targets[0]?.closest(".cell")) { // on its way: the card waits where it is
    ring.hidden = true;
    return false;
  }
  const boxes = Array.from(targets, (target) => target.getBoundingClientRect()).filter(({ width }) => width);
  if (map && boxOf(map) && boxes.length) boxes.splice(0, boxes.length, partOf(boxes[0], boxOf(map)));
  ring.hidden = !boxes.length;
  const aim = ring.hidden ? null : around(boxes.slice(0, targets.length), inside);
  if (aim) Object.assign(ring.style, { left: px(aim.x), top: px(aim.y), width: px(aim.w), height: px(aim.h) });
  const kept = !at && opened ? around([opened.getBoundingClientRect()], inside) : aim;
  // The bar stays free, to play and to pause.
  const bar = root.querySelector(".stage-bar").getBoundingClientRect().top - inside.top;
  const spot = beside(kept, { w: card.offsetWidth, h: card.offsetHeight }, { w: inside.width, h: bar });
  card.dataset.side = kept === aim ? spot.side : "";
  Object.assign(card.style, { left: px(spot.x), top: px(spot.y) });
  card.style.setProperty("--arrow", px(spot.arrow));
  if (!entered || state.stage) return true;
  for (const node of [ring.hidden ? card : ring, card]) node.scrollIntoView({ block: "nearest" });
  return true;
}

const px = (value) => `${Math.round(value)}px`;
const partOf = ({ left, top }, { x, y, w, h }) =>
  ({ left: left + x, top: top + y, right: left + x + w, bottom: top + y + h });

function around(boxes, inside) {
  const left = Math.min(...boxes.map((box) => box.left)), right = Math.max(...boxes.map((box) => box.right));
  const top = Math.min(...boxes.map((box) => box.top)), bottom = Math.max(...boxes.map((box) => box.bottom));
  const x = left - inside.left - RING, y = top - inside.top - RING;
  return { x, y, w: right - left + 2 * RING, h: bottom - top + 2 * RING };
}

// The side of the thing with room for the card: where it stands, and how far along its edge the arrow does.
function beside(aim, card, all) {
  if (!aim) return { side: "", x: (all.w - card.w) / 2, y: (all.h - card.h) / 3, arrow: 0 };
  const slide = (from, size, own, most) => Math.max(8, Math.min(most - own - 8, from + (size - own) / 2));
  const across = slide(aim.x, aim.w, card.w, all.w), down = slide(aim.y, aim.h, card.h, all.h);
  const sides = [
    { side: "above", x: across, y: aim.y - GAP - card.h, room: aim.y - GAP - card.h },
    { side: "below", x: across, y: aim.y + aim.h + GAP, room: all.h - aim.y - aim.h - GAP - card.h },
    { side: "right", x: aim.x + aim.w + GAP, y: down, room: all.w - aim.x - aim.w - GAP - card.w },
    { side: "left", x: aim.x - GAP - card.w, y: down, room: aim.x - GAP - card.w },
  ];
  const best = sides.find(({ room }) => room >= 0) ?? sides.reduce((a, b) => (b.room > a.room ? b : a));
  const upright = best.side === "above" || best.side === "below";
  const middle = upright ? aim.x + aim.w / 2 - best.x : aim.y + aim.h / 2 - best.y;
  return { ...best, arrow: Math.max(20, Math.min((upright ? card.w : card.h) - 20, middle)) };
}
