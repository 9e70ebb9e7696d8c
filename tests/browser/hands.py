"""Hands on the stage for its browser tests: a line of the strip, a valve of the cell, and all that is then shown."""

from __future__ import annotations

import numpy as np
from playwright.sync_api import Page

from lstm_core.data.windows import Windows, make_windows
from tests.browser.on_stage import draw
from tests.factories import spec_of, table_of

AT = """([step, place]) => {
  const { view } = stage.strip, { left, top } = view.holder.getBoundingClientRect();
  const line = [...view.main, ...view.others].find((one) => one.hand && one.place === place);
  return [left + view.x(step), top + line.toY(line.values[step]), line.box.h];
}"""
SHOWN = """() => ({
  inputs: [...stage.state.scene.inputs],
  series: stage.state.scene.series.map(({ values }) => [...values]),
  span: stage.strip.view.span,
  sides: stage.state.sides.map(({ trace, prediction }) => [
    trace.map((row) => row.map((maps) =>
      Object.fromEntries(Object.entries(maps).map(([name, values]) => [name, [...values]])))),
    [...prediction.values],
  ]),
})"""


def two_features(**fields) -> Windows:
    """A temperature about −10, to be predicted, beside a pressure about 1000."""
    rows = np.arange(90)
    temperature, pressure = 6 * np.sin(rows / 5) - 10, 1000 + 30 * np.cos(rows / 4)
    table = table_of(pressure=pressure, temperature=temperature)
    fields = {"features": ("pressure", "temperature"), "targets": ("temperature",), "seq_len": 12} | fields
    return make_windows(table, spec_of(**fields))


def point(page: Page, step: int, place: int = 0) -> tuple[float, float, float]:
    """Where a line's value at a step is on the page, and how high the line's part of the strip is."""
    return page.evaluate(AT, [step, place])


def shown(page: Page) -> dict:
    return page.evaluate(SHOWN)


def drag(page: Page, step: int, by: float, place: int = 0, across: float = 0, let_go: bool = True) -> None:
    """Take a line's point and pull it up by so many pixels (down: negative) and sideways."""
    x, y, _ = point(page, step, place)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - np.sign(by) * 4)
    page.mouse.move(x + across, y - by)
    draw(page)
    if let_go:
        page.mouse.up()
        draw(page)


def hold(page: Page, gate: str, by: float) -> tuple[float, float]:
    """Take hold of a gate's valve in the first cell and pull it up by so many pixels; where the hand is then."""
    box = page.locator(f"[data-part={gate}] .cell-valve .cell-ring").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - np.sign(by) * 4)
    page.mouse.move(x, y - by)
    draw(page)
    return x, y - by
