// Draws the pictures in the page's colours, and anew where those change: to dark, to light, or to paper.

const figures = JSON.parse(document.getElementById("figures").textContent);
const PAPER = 660; // pixels that A4 and Letter have beside their margins, and Plotly cannot ask for
const dark = window.matchMedia("(prefers-color-scheme: dark)");

function template(isDark) {
  const text = isDark ? "#EDEBE8" : "#2F2D2B", grid = isDark ? "rgba(237, 235, 232, 0.2)" : "rgba(47, 45, 43, 0.15)";
  const axis = { gridcolor: grid, zerolinecolor: grid, linecolor: grid, automargin: true };
  const back = isDark ? "#2D2B27" : "#FFFFFF";
  return { layout: {
    font: { color: text, family: getComputedStyle(document.body).fontFamily }, xaxis: axis, yaxis: axis,
    colorway: COLORS, annotationdefaults: { font: { color: text } },
    hoverlabel: { bgcolor: back, font: { color: text } },
  } };
}

function draw(isDark, width) {
  for (const [id, { data, layout }] of Object.entries(figures)) {
    const look = { ...layout, template: template(isDark), ...(width ? { width } : { autosize: true }) };
    Plotly.react(id, data, look, { responsive: true, displayModeBar: false });
  }
}

draw(dark.matches);
dark.addEventListener("change", () => draw(dark.matches));
window.addEventListener("beforeprint", () => draw(false, PAPER));
window.addEventListener("afterprint", () => draw(dark.matches));
