"""Every text can be read: WCAG 2.1 AA's contrast, computed for what is on the screen, and no letter too small."""

from __future__ import annotations

from tests.browser.tab import Tab, wait_until

SMALLEST = 12  # pixels

# Each visible text with its colour over what lies below it, both as painted. Left out is what WCAG leaves out: what
# cannot be used at the moment. Icons are graphics: 3 : 1, as for large letters.
TEXTS = """() => {
  const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 })
    .getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = color;
    pen.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a)];
  const luminance = (color) => color.map((c) => c / 255)
    .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, k) => sum + c * [0.2126, 0.7152, 0.0722][k], 0);
  const lineage = (node) => (node ? [node, ...lineage(node.parentElement)] : []);
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), element = walker.currentNode.parentElement;
    if (!text || ["STYLE", "SCRIPT", "NOSCRIPT", "TITLE", "TEXTAREA"].includes(element.tagName)) continue;
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    const box = element.getBoundingClientRect(), nodes = lineage(element);
    if (box.width < 2 || box.height < 2) continue;
    if (nodes.some((node) => node.matches(":disabled, [aria-disabled=true], [inert], .heatmap-spoken"))) continue;
    const widget = element.closest("[data-testid=stElementContainer]");
    if (widget?.querySelector("input:disabled, [data-disabled=true]")) continue;
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const covers = (node) => { // what is small need not lie below its text: a slider's knob, a diagram's plate
      const { left, right, top, bottom, width, height } = node.getBoundingClientRect();
      if (node instanceof HTMLElement && (width > 40 || height > 40)) return true;
      return left <= x && x <= right && top <= y && y <= bottom;
    };
    let below = [255, 255, 255];
    for (const node of [...nodes].reverse().filter(covers)) {
      if (!(node instanceof SVGElement)) below = over(rgba(getComputedStyle(node).backgroundColor), below);
      else if (node !== element) { // the shapes that are painted before the text
        for (const shape of node.querySelectorAll(":scope > :is(rect, circle, ellipse, path)")) {
          const { fill, fillOpacity, opacity } = getComputedStyle(shape);
          if (fill === "none" || !covers(shape)) continue;
          const [r, g, b, a] = rgba(fill);
          below = over([r, g, b, a * fillOpacity * opacity], below);
        }
      }
    }
    const style = getComputedStyle(element), size = parseFloat(style.fontSize);
    const paint = rgba(element instanceof SVGElement ? style.fill : style.color);
    paint[3] *= nodes.reduce((all, node) => all * parseFloat(getComputedStyle(node).opacity), 1);
    const icon = element.matches("[data-testid=stIconMaterial]");
    const large = icon || size >= 24 || (size >= 18.66 && parseInt(style.fontWeight) >= 700);
    const [low, high] = [luminance(over(paint, below)), luminance(below)].sort((a, b) => a - b);
    found.push({
      text: text.slice(0, 40), size, large, contrast: (high + 0.05) / (low + 0.05),
      where: nodes.slice(0, 3).map((node) => node.className.baseVal ?? node.className).join(" < ").slice(0, 90),
    });
  }
  return found;
}"""


# Whether all plots of the page are drawn.
DRAWN = """() => [...document.querySelectorAll("[data-testid=stPlotlyChart], .live-plot")]
  .every((plot) => !plot.checkVisibility() || plot.querySelector(".main-svg") || plot.plot?.redraws > 0)"""


def check_every_text(tab: Tab) -> None:
    """None of the texts that the tab shows is too pale or too small."""
    wait_until(tab.page, DRAWN)
    texts = tab.page.evaluate(TEXTS)
    assert len(texts) > 10
    assert [
        f"{one['text']!r} {one['contrast']:.2f} ({one['where']})"
        for one in texts
        if one["contrast"] < (3 if one["large"] else 4.5)
    ] == []
    assert [f"{one['text']!r} {one['size']:.1f} px ({one['where']})" for one in texts if one["size"] < SMALLEST] == []
