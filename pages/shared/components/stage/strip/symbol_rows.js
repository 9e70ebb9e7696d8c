// Symbols along the strip: what is read, what comes next, and what is predicted with which probability.

import { write } from "../../canvas.js";
import { pageOf as pageOfSymbols, writeSymbol } from "../../symbols.js";
import { likeliest, shorten, sign, symbolAt } from "./strip_text.js";
import { truthAt } from "../scene.js";

const WRONG = "#c43b3c";

// [{ label, tall, cell(t): { text, share, wrong } or null }, …]; none where the inputs are no symbols.
export function rowsOf({ scene, sides, compare }) {
  if (!scene.symbols) return [];
  const text = (name) => shorten(sign(scene, name), 3);
  const rows = [{
    label: "reads",
    cell: (t) => (scene.symbols[t] === null ? null : { text: shorten(symbolAt(scene, t), 3) }),
  }];
  if (!scene.classes.length || scene.head === "last") return rows;
  rows.push({
    label: "actual next",
    cell: (t) => (scene.truth[t] === null ? null : { text: text(scene.classes[scene.truth[t]]) }),
  });
  for (const { prediction, label } of sides.slice(0, compare?.kind === "unit" ? 1 : 2)) {
    rows.push({
      label: label ? shorten(label, 14) : "predicted", tall: true,
      cell(t) {
        if (scene.symbols[t] === null) return null;
        const [[name, share]] = likeliest(scene, prediction, t, 1), truth = truthAt(scene, t);
        return { text: text(name), share, wrong: truth !== null && name !== scene.classes[truth] };
      },
    });
  }
  return rows;
}

// As many steps as can be read side by side: { first, count }; the strip turns over like a page.
export function pageOf(scene, step, width, size) {
  if (!scene.symbols) return { first: 0, count: scene.steps };
  const letters = scene.symbols.map((symbol, t) => (symbol === null ? 0 : Math.min(3, [...symbolAt(scene, t)].length)));
  return pageOfSymbols(scene.steps, step, width, size, Math.max(1, ...letters));
}

// box: where all rows are; low: the height of those that are not tall.
export function paintRows(pen, theme, box, rows, { first, count }, { size, colors, low }) {
  const tall = rows.filter((row) => row.tall).length, rest = box.h - low * (rows.length - tall);
  const wide = box.w / count, letters = Math.min(size * 1.05, wide * 0.95);
  let y = box.y, side = 0;
  for (const row of rows) {
    const h = row.tall ? rest / tall : low, color = row.tall ? colors[side++] : null;
    write(pen, theme, row.label, box.x - 8, y + h / 2, { size: 0.9 * size, align: "right" });
    for (let k = 0; k < count; k++) {
      const cell = row.cell(first + k), x = box.x + k * wide;
      if (cell) paintCell(pen, theme, { x, y, w: wide, h }, cell, { color, letters });
    }
    y += h;
  }
}

function paintCell(pen, theme, { x, y, w, h }, { text, share, wrong }, { color, letters }) {
  if (share !== undefined) {
    const high = (h - 3) * share;
    paintBar(pen, { x: x + 1, y: y + h - high, w: Math.max(2, w - 2), h: high }, color, wrong);
  }
  writeSymbol(pen, theme, text, { x, y, w, h }, letters);
}

// Full where the prediction is right, hollow where it is wrong: not by colour alone.
export function paintBar(pen, { x, y, w, h }, color, wrong) {
  pen.globalAlpha = wrong ? 0.9 : 0.45;
  Object.assign(pen, { fillStyle: color, strokeStyle: WRONG, lineWidth: 1.5 });
  if (wrong) pen.strokeRect(x + 0.75, y + 0.75, Math.max(0.5, w - 1.5), Math.max(0.5, h - 1.5));
  else pen.fillRect(x, y, w, h);
  pen.globalAlpha = 1;
}
