// Over the strip, on a log scale: how much of the gradient at the last step is left so many steps back, beside what the
// product of the forget gates alone would leave; and a sentence about the step of the cursor.

import { child, context, fontSize, line, powerOfTen, readTheme, write } from "../../canvas.js";
import { paintRing } from "../../heatmap.js";
import { brief, gradientAt, lastRead, stepsBack } from "./backward.js";

const DEEPEST = 12; // powers of ten

// strip: what input_series.mount returned, for where its steps stand.
export function mount(root, state, strip) {
  const holder = child(strip.element, "div", { class: "stage-decay" });
  const picture = child(holder, "canvas", {}), sentence = child(holder, "p", { class: "stage-decay-text" });
  const view = { holder, picture, sentence, state, strip, decay: null, source: [] };
  holder.hidden = true;
  return {
    element: holder,
    update() {
      const found = gradientAt(state, 0), trace = state.sides[0]?.trace[state.layer]?.[state.direction];
      holder.hidden = !found || !trace || !strip.place();
      root.classList.toggle("stage-backward", !holder.hidden);
      if (holder.hidden) return;
      const source = [found.c, trace.f, state.unit];
      if (!source.every((one, k) => one === view.source[k])) {
        Object.assign(view, { source, decay: decayOf(state, found, trace) });
      }
      tell(view, found.asked);
      paint(view);
    },
    readout: () => view.decay,
  };
}

// { gradient, gates: (steps,) as shares of the gradient's size at the step that was read last; end: that size }.
// Of one unit, or the norm over all of a layer; gates: what each unit's c would hand back through its f alone.
export function decayOf(state, found, trace) {
  const { scene: { steps, hidden }, unit } = state;
  const units = unit === null ? Array.from({ length: hidden }, (_, k) => k) : [unit];
  const way = state.direction ? 1 : -1, from = lastRead(state);
  const gradient = new Float64Array(steps), gates = new Float64Array(steps);
  const left = units.map((one) => found.c[one * steps + from]), norm = (values) => Math.hypot(...values);
  const end = norm(left);
  for (let t = from; t >= 0 && t < steps; t += way) {
    gradient[t] = norm(units.map((one) => found.c[one * steps + t])) / end;
    gates[t] = norm(left) / end;
    units.forEach((one, k) => { left[k] *= trace.f[one * steps + t]; });
  }
  return { gradient, gates, end };
}

const percent = (share) =>
  `${100 * share >= 0.1 && share < 99 ? Number((100 * share).toPrecision(2)) : brief(100 * share)} %`;

// The sentence's pieces: words, and numbers with the sign of their line.
export function pieces(state, { gradient, gates, end }, asked) {
  const { step, unit, sides } = state, back = stepsBack(state, step);
  const side = sides[0].label ? `${sides[0].label}: ` : "";
  const who = unit === null ? "this layer" : `unit ${unit}`;
  if (!end) {
    return [`${side}No gradient of ${asked.name} reaches ${who} at its last step, so none is handed back from there.`];
  }
  if (!back) return [`${side}The gradient of ${asked.name} enters ${who} at its last step; play to send it back.`];
  return [
    `${side}Of what ${who} feels at the last step, `, ["gradient", percent(gradient[step])],
    ` ${gradient[step] > 1 ? "arrives" : "is left"} ${back} step${back > 1 ? "s" : ""} back; `
      + "the forget gates alone would leave ",
    ["gates", percent(gates[step])], ".",
  ];
}

function tell({ sentence, state, decay }, asked) {
  const all = pieces(state, decay, asked), text = JSON.stringify(all);
  if (sentence.dataset.told === text) return;
  sentence.dataset.told = text;
  sentence.replaceChildren();
  for (const piece of all) {
    if (typeof piece === "string") sentence.append(piece);
    else {
      const mark = child(sentence, "i", { class: `stage-decay-${piece[0]}` });
      mark.style.borderColor = state.colors[piece[0] === "gates" ? "f" : "c"];
      child(sentence, "b", {}).textContent = piece[1];
    }
  }
}

function paint({ holder, picture, state, strip, decay, sentence }) {
  const width = holder.clientWidth, height = holder.clientHeight, { plot, x, page: { first, count } } = strip.place();
  if (!width || !height) return;
  const theme = readTheme(holder), pen = context(picture, width, height), size = Math.max(12.5, 0.88 * fontSize(holder));
  const top = sentence.offsetHeight + 0.6 * size, bottom = plot.y + plot.h - 3, shown = [decay.gradient, decay.gates];
  const inView = shown.flatMap((values) => Array.from(values.subarray(first, first + count))).filter(Number.isFinite);
  const least = Math.min(...inView.filter((value) => value > 0), 0.1), most = Math.max(...inView, 1);
  const low = Math.max(-DEEPEST, Math.log10(least) - 0.1), high = Math.log10(most) + 0.1;
  const down = (value) => ((high - Math.log10(value)) / (high - low)) * (bottom - top);
  const toY = (value) => (value > 0 ? Math.min(bottom, top + down(value)) : NaN);
  pen.fillStyle = theme.back;
  pen.fillRect(0, 0, width, plot.y + plot.h);
  pen.fillRect(plot.x + plot.w + 4, 0, width, height);
  pen.font = `${size}px ${theme.font}`;
  const every = Math.ceil(((high - low) * 1.7 * size) / (bottom - top));
  for (let power = Math.floor(high / every) * every; power >= low; power -= every) {
    const y = toY(10 ** power), plain = power <= 2 && power >= -4;
    const label = `${plain ? Number((100 * 10 ** power).toPrecision(1)) : powerOfTen(power + 2)} %`;
    const left = Math.max(2, plot.x - 8 - pen.measureText(label).width);
    const from = left + write(pen, theme, label, left, y, { size }) + 8;
    line(pen, theme.grid, 1, [[Math.max(plot.x, from), y], [plot.x + plot.w, y]]);
  }
  line(pen, theme.text, 2, [[x(state.step), top], [x(state.step), bottom]]);
  for (const [values, color, dash] of [[decay.gates, state.colors.f, [7, 5]], [decay.gradient, state.colors.c, []]]) {
    pen.setLineDash(dash);
    const points = Array.from(values.subarray(first, first + count), (value, k) => [x(first + k), toY(value)]);
    line(pen, color, state.stage ? 4 : 3, points);
    pen.setLineDash([]);
    const y = toY(values[state.step]);
    const ring = { radius: state.stage ? 7 : 5, width: 1.5 };
    if (Number.isFinite(y)) paintRing(pen, theme.back, color, x(state.step), y, ring);
  }
}
