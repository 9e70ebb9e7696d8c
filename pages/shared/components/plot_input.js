// What the mouse and the keys do to a live plot: a box zooms, a double click shows all, arrows read the values.

const SLIP = 8; // pixels: a shorter drag means nothing, and a flatter box zooms one axis only

// draw() paints all that has changed, drawOverlay() only what follows the pointer.
export function listen(view, draw, drawOverlay) {
  const { stage } = view;
  const at = ({ clientX, clientY }) => {
    const { left, top } = stage.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  };
  stage.addEventListener("pointerdown", (event) => {
    if (event.button || !view.layout) return;
    stage.setPointerCapture(event.pointerId);
    view.press = at(event);
  });
  stage.addEventListener("pointermove", (event) => {
    view.pointer = at(event);
    drawOverlay();
  });
  stage.addEventListener("pointerup", (event) => {
    if (view.press) zoomTo(view, boxBetween(view, view.press, at(event)));
    view.press = null;
    draw(); // which waited, lest the picture moved under the box
  });
  stage.addEventListener("pointercancel", () => { view.press = null; draw(); });
  stage.addEventListener("pointerleave", () => { view.pointer = null; drawOverlay(); });
  stage.addEventListener("dblclick", () => { view.zoom = {}; draw(); });
  stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !view.layout || !act(view, event, draw, drawOverlay)) return;
    event.preventDefault(); // the page would scroll
  });
  stage.addEventListener("blur", () => { view.pointer = null; drawOverlay(); });
}

// The part of the box between two points: flat ones mean all of the other axis. Null: hardly any.
export function boxBetween({ layout: { box } }, from, to) {
  const within = (value, low, size) => Math.max(low, Math.min(low + size, value));
  const xs = [from.x, to.x].map((x) => within(x, box.x, box.w)).sort((a, b) => a - b);
  const ys = [from.y, to.y].map((y) => within(y, box.y, box.h)).sort((a, b) => a - b);
  const wide = xs[1] - xs[0] >= SLIP, high = ys[1] - ys[0] >= SLIP;
  if (!wide && !high) return null;
  const [x, right] = wide ? xs : [box.x, box.x + box.w], [y, bottom] = high ? ys : [box.y, box.y + box.h];
  return { x, y, w: right - x, h: bottom - y, wide, high };
}

function zoomTo({ zoom, axes, layout: { box } }, part) {
  if (!part) return;
  const x = (px) => axes.x.at((px - box.x) / box.w), y = (py) => axes.y.at(1 - (py - box.y) / box.h);
  if (part.wide) zoom.x = [x(part.x), x(part.x + part.w)];
  if (part.high) zoom.y = [y(part.y + part.h), y(part.y)];
}

function act(view, { key, shiftKey }, draw, drawOverlay) {
  const { box } = view.layout, pointer = view.pointer ?? { x: box.x + box.w, y: box.y };
  const move = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[key];
  if (move) {
    const x = pointer.x + move * (shiftKey ? 50 : 5);
    view.pointer = { ...pointer, x: Math.max(box.x, Math.min(box.x + box.w, x)) };
    drawOverlay();
    view.spoken.textContent = view.readoutText ?? "";
  } else if (key === "+" || key === "=" || key === "-") {
    const { axes: { x: axis } } = view, middle = (pointer.x - box.x) / box.w, half = key === "-" ? 1 : 0.25;
    const ends = [middle - half, middle + half].map((place) => axis.at(Math.max(0, Math.min(1, place))));
    view.zoom.x = key === "-" ? undefined : ends;
    draw();
  } else if (key === "0" || key === "Escape") {
    view.zoom = {};
    draw();
  } else return false;
  return true;
}
