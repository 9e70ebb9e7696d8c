// Where the parts of the cell stand, in the units of the drawing's viewBox. Boxes are [x, y, width, height].

export const ORDER = ["f", "i", "g", "o"]; // from left to right, as textbooks have it

const MIN_WIDE = 760; // px under which its letters would be too small

// Alone the cell has the page's width: each equation stands under its gate. Two cells side by side have half of it.
export const layout = (width, height) => (width > 2.1 * height && width > MIN_WIDE ? wide : narrow)(width / height);

function wide(aspect) {
  const high = 352, across = Math.round(Math.min(1400, Math.max(1180, high * aspect)));
  const pitch = (across - 340) / 4, box = pitch - 30, middle = (k) => 144 + pitch * (k + 0.5);
  const gates = Object.fromEntries(ORDER.map((name, k) => [name, [middle(k) - box / 2, 130, box, 52]]));
  const turn = across - 156, c = 48, edge = across - 126;
  return {
    across, high, gates, turn, c, bus: 206, pipe: 26, valve: 25, stacked: true, lineHeight: 25.5, titles: true,
    font: { value: 30, plate: 26, symbol: 25, equation: 20.5, title: 17, note: 19, caption: 17 },
    cPrev: [4, 23, 128, 50], cNow: [edge, 23, 122, 50], hPrev: [4, 156, 128, 48], input: [4, 222, 128, 48],
    hNow: [edge, 206, 122, 50], forgetValve: [middle(0), c], plus: [middle(2), c], inputValve: [middle(2), 99],
    tanhNode: [turn, 100], outputValve: [turn, 156], exit: 231, caption: [5, 18, middle(1) - 110], inputs: [5, 291, 20],
    kept: [middle(1), 27, "middle"], added: [middle(2) + 44, 100, "start"], tanhC: [turn + 40, 107, "start"],
    equations: {
      ...Object.fromEntries(ORDER.map((name, k) => [name, [middle(k) - box / 2, 235, pitch - 10]])),
      c: [middle(2) + 30, 27, edge - middle(2) - 40], h: [turn - 50, 286, 204],
    },
  };
}

function narrow(aspect) {
  const high = 324, across = Math.round(Math.min(900, Math.max(620, high * aspect)));
  const edge = across - 92, turn = edge - 20, pitch = (turn - 135) / 4, box = pitch - 8;
  const middle = (k) => 107 + pitch * (k + 0.5);
  const gates = Object.fromEntries(ORDER.map((name, k) => [name, [middle(k) - box / 2, 108, box, 40]]));
  const c = 40, line = (k) => [4, 223 + 23.3 * k, across - 8];
  return {
    across, high, gates, turn, c, bus: 165, pipe: 18, valve: 17, stacked: false, lineHeight: 24, titles: false,
    font: { value: 20, plate: 18, symbol: 19, equation: 18.5, title: 14, note: 18, caption: 17 },
    cPrev: [2, 20, 96, 40], cNow: [edge, 20, 90, 40], hPrev: [2, 112, 96, 38], input: [2, 158, 96, 38],
    hNow: [edge, 160, 90, 40], forgetValve: [middle(0), c], plus: [middle(2), c], inputValve: [middle(2), 83],
    tanhNode: [turn, 82], outputValve: [turn, 128], exit: 180, caption: [4, 15, middle(1) - 60], inputs: null,
    kept: [middle(1), 24, "middle"], added: [middle(2) + 32, 88, "start"], tanhC: [turn + 29, 87, "start"],
    equations: {
      f: line(0), i: line(1), g: line(2), o: line(3),
      // The depths' buttons stand in the corner.
      c: [4, line(4)[1], across * 0.53 - 8], h: [across * 0.53, line(4)[1], across * 0.47 - 44],
    },
  };
}
