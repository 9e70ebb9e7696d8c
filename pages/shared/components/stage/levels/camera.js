// The camera of the three depths: which part of the world is in view at each zoom, 0: the network, 1: a layer unrolled,
// 2: one cell. Rectangles are { x, y, w, h } of the window's proportions, each depth's in the units of the one around it.

const TAKES = 650; // ms from one depth to the next

// The rectangle that fills the window at this zoom. screens: where the layer stands in the network, and the cell in it.
export function inView(zoom, { w, h }, { layer, cell }) {
  const deepest = within(layer, cell, w);
  return zoom <= 1 ? between({ x: 0, y: 0, w, h }, layer, zoom) : between(layer, deepest, zoom - 1);
}

// A rectangle that is given in the units of one drawn into another, in the units around that.
export function within(outer, inner, width) {
  const scale = outer.w / width;
  return { x: outer.x + inner.x * scale, y: outer.y + inner.y * scale, w: inner.w * scale, h: inner.h * scale };
}

// As a zoom lens goes, by equal factors in equal times, towards what stays where it is.
function between(from, to, share) {
  const w = from.w * (to.w / from.w) ** share, way = (from.w - w) / (from.w - to.w);
  return { x: from.x + way * (to.x - from.x), y: from.y + way * (to.y - from.y), w, h: from.h * (w / from.w) };
}

// Where a rectangle of the world is seen, in pixels of the window.
export function seen({ x, y, w, h }, view, width) {
  const scale = width / view.w;
  return { x: (x - view.x) * scale, y: (y - view.y) * scale, w: w * scale, h: h * scale };
}

const smooth = (share) => share * share * (3 - 2 * share);
const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// Calls draw(zoom) from where it is to where it shall be; at once where nothing may move. Returns go(to, at once).
export function zoomer(start, draw) {
  let zoom = start, frame = null;
  return (to, instant = false) => {
    cancelAnimationFrame(frame);
    const from = zoom, begin = performance.now(), takes = TAKES * Math.abs(to - from);
    const move = () => {
      const share = instant || still() || !takes ? 1 : Math.min(1, (performance.now() - begin) / takes);
      zoom = from + (to - from) * smooth(share);
      draw(zoom);
      if (share < 1) frame = requestAnimationFrame(move);
    };
    move();
  };
}
