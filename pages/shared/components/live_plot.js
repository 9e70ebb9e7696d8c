// The browser half of live_plot.py: decodes one message and hands it to Plotly.react.

import { addressOf, component, isDrawn, unpack } from "./wire.js";

const MAX_LOG_TICKS = 6; // between the ends
const SUPERSCRIPTS = { "-": "⁻", ..."⁰¹²³⁴⁵⁶⁷⁸⁹" };
const DOUBLE_CLICK = 600; // ms; Plotly's own 300 are too few where a redraw comes between the two clicks

export default component(".live-plot", {
  mount: watch,
  show(plot, { data }) {
    if (isDrawn(plot, data) && plot.drawn) return;
    plot.message = decode(data);
    plot.element.style.height = `${plot.message.height}px`;
    draw(plot);
  },
  stop: (plot) => plot.stop(),
});

function decode(bytes) {
  const [message, take] = unpack(bytes);
  for (const line of message.lines) {
    line.x = take(line.points);
    line.y = take(line.points);
  }
  return message;
}

function watch(element) {
  const plot = { element, pressed: false, mouse: null, visible: true };
  // Once Plotly has ended the zoom box, and no second click can follow that a redraw would hold up.
  const release = () => {
    if (plot.pressed) plot.releasing = setTimeout(() => { plot.pressed = false; draw(plot); }, DOUBLE_CLICK);
  };
  element.addEventListener("pointerdown", () => { plot.pressed = true; clearTimeout(plot.releasing); });
  window.addEventListener("pointerup", release);
  window.addEventListener("pointercancel", release);
  element.addEventListener("mousemove", (event) => { if (event.isTrusted) plot.mouse = event; });
  element.addEventListener("mouseleave", () => { plot.mouse = null; });
  const resized = new ResizeObserver(() => {
    if (plot.drawn && element.clientWidth) window.Plotly.Plots.resize(element);
  });
  resized.observe(element);
  // Below the fold nothing is drawn: on two cores the browser's work is taken from the training.
  const scrolled = new IntersectionObserver(([entry]) => {
    const appeared = entry.isIntersecting && !plot.visible;
    plot.visible = entry.isIntersecting;
    if (appeared) draw(plot);
  });
  scrolled.observe(element);
  plot.stop = () => {
    resized.disconnect();
    scrolled.disconnect();
    window.removeEventListener("pointerup", release);
    window.removeEventListener("pointercancel", release);
    if (plot.drawn) window.Plotly.purge(element);
  };
  return plot;
}

async function draw(plot) {
  if (!plot.visible || plot.pressed) return; // a redraw would break the zoom box or pan under the mouse
  if (!window.Plotly) {
    sketch(plot);
    // A module is fetched once per page, however many plots ask for it at once.
    try {
      await import(addressOf(plot.message.plotly));
    } catch (error) {
      plot.element.textContent = `The plotting library did not load: ${error.message}`;
      return;
    }
  }
  if (!plot.element.isConnected || plot.pressed) return;
  if (!plot.drawn) plot.element.textContent = "";
  plot.drawn = true;
  const { traces, layout } = figure(plot.message, getComputedStyle(plot.element));
  await window.Plotly.react(plot.element, traces, layout, {
    displaylogo: false,
    doubleClickDelay: DOUBLE_CLICK,
    modeBarButtons: [["resetScale2d", "toImage"]],
    toImageButtonOptions: { scale: 2 },
  });
  if (!plot.mouse) return; // a redraw wipes the hover label: move the mouse again, on its spot
  plot.element.querySelector(".nsewdrag")?.dispatchEvent(new MouseEvent("mousemove", plot.mouse));
}

// Plotly needs most of a second to load; until then the bare curves, so that nobody waits for them.
function sketch({ element, message: { lines, height } }) {
  const NS = "http://www.w3.org/2000/svg";
  const scale = (axis, size) => {
    const values = lines.flatMap((line) => Array.from(line[axis])).filter(Number.isFinite);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return (value) => (high > low ? (value - low) / (high - low) : 0.5) * size;
  };
  const x = scale("x", element.clientWidth - 80), y = scale("y", height - 100);
  const svg = document.createElementNS(NS, "svg");
  for (const line of lines) {
    let d = "";
    line.y.forEach((value, i) => {
      if (!Number.isFinite(value)) return;
      const pen = Number.isFinite(line.y[i - 1]) ? "L" : "M";
      d += `${pen}${60 + x(line.x[i])} ${height - 55 - y(value)}h0`;
    });
    const path = svg.appendChild(document.createElementNS(NS, "path"));
    path.setAttribute("d", d);
    const { color, width, opacity } = line;
    Object.assign(path.style, { stroke: color, strokeWidth: width, opacity });
  }
  element.replaceChildren(svg);
}

function figure({ lines, xTitle, xStart, yTitle, yRange, logY, revision }, style) {
  const css = (name) => style.getPropertyValue(`--st-${name}`).trim();
  const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const axis = (title) => ({
    title: { text: escaped(title), standoff: 8, font: { size: 15 } },
    automargin: true, zeroline: false, nticks: 8, exponentformat: "power",
    gridwidth: 1, gridcolor: css("border-color-light"), linecolor: css("border-color"),
  });
  const traces = lines.map((line) => {
    const points = line.y.reduce((n, y) => n + Number.isFinite(y), 0);
    return {
      x: xStart === null ? line.x : Array.from(line.x, (s) => xStart + 1000 * s), // Plotly's dates: ms since 1970
      y: line.y, name: escaped(line.name), opacity: line.opacity,
      mode: points > 1 ? "lines" : "markers", // a line of one point is invisible
      marker: { size: line.width + 5, color: line.color },
      line: { color: line.color, width: line.width, dash: line.dash ?? "solid" },
    };
  });
  const background = css("background-color");
  const layout = {
    uirevision: revision,
    font: { family: css("font"), size: 15, color: css("text-color") },
    paper_bgcolor: background, plot_bgcolor: background,
    colorway: css("chart-categorical-colors").split(","),
    margin: { l: 8, r: 12, t: 34, b: 8 }, showlegend: true,
    legend: { orientation: "h", x: 0, xanchor: "left", y: 1.02, yanchor: "bottom" },
    hovermode: "x unified",
    hoverlabel: {
      bgcolor: css("secondary-background-color"), bordercolor: css("border-color"),
      font: { size: 14 }, namelength: -1,
    },
    xaxis: {
      ...axis(xTitle), exponentformat: "none",
      ...(xStart === null ? { hoverformat: ",.6~g" } : { type: "date" }),
    },
    yaxis: {
      ...axis(yTitle), type: logY ? "log" : "linear", hoverformat: ".4~g",
      uirevision: `${revision} ${logY}`, // a zoom into one scale means nothing on the other
      ...(logY ? logTicks(lines) : {}), ...(yRange ? { range: yRange } : {}),
    },
  };
  return { traces, layout };
}

// Plotly prints the digits between powers of ten in a tiny font, and each power of a loss that diverges over the next.
function logTicks(lines) {
  const values = lines.flatMap((line) => Array.from(line.y)).filter((y) => y > 0 && y < Infinity);
  if (!values.length) return {};
  const ends = [Math.min(...values), Math.max(...values)], [low, high] = ends.map(Math.log10);
  const candidates = [[1, 1.5, 2, 3, 4, 5, 6, 8], [1, 2, 5], [1, 3], [1]].map((digits) => ticksOf(low, high, digits, 1));
  const steps = [2, 3, 5, 10, 20, 50, 100, 200].map((step) => ticksOf(low, high, [1], step));
  const ticks = [...candidates, ...steps].find((all) =>
    all.filter(({ value }) => value >= ends[0] && value <= ends[1]).length <= MAX_LOG_TICKS);
  const large = ticks.some(({ power }) => Math.abs(power) > 4);
  return {
    tickvals: ticks.map(({ value }) => value),
    ticktext: ticks.map(({ digit, power, value }) => {
      if (!large) return String(Number(value.toPrecision(2)));
      return `${digit === 1 ? "" : `${digit}·`}10${superscript(power)}`;
    }),
  };
}

// Around the two ends too: a plot has margins, and may be zoomed out.
function ticksOf(low, high, digits, step) {
  const ticks = [];
  for (let power = step * Math.floor(low / step); power <= high + step; power += step) {
    ticks.push(...digits.map((digit) => ({ digit, power, value: digit * 10 ** power })));
  }
  return ticks.filter(({ value }) => value > 0 && value < Infinity);
}

const superscript = (power) => [...String(power)].map((sign) => SUPERSCRIPTS[sign]).join("");
