"""Plots as SVG files: well formed, with every line, its gaps and its axes' texts."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np

from lstm_core.figures.lines import Line, LinePlot
from lstm_core.figures.plot_svg import HEIGHT, WIDTH, plot_svg

SVG = "{http://www.w3.org/2000/svg}"


def drawn(plot: LinePlot) -> tuple[list[np.ndarray], list[str]]:
    """The points of each stretch of a line, and all texts."""
    root = ET.fromstring(plot_svg(plot))
    lines = [one.get("points").split() for one in root.iter(f"{SVG}polyline")]
    points = [np.array([[float(n) for n in point.split(",")] for point in line]) for line in lines]
    return points, [one.text for one in root.iter(f"{SVG}text")]


def test_lines_fill_the_picture_and_break_at_gaps():
    y = np.array([0.0, 2.0, np.nan, 1.0, 4.0])
    points, texts = drawn(LinePlot([Line("one", np.arange(5.0), y)], "epoch", "loss"))
    assert [len(part) for part in points] == [2, 2]
    every = np.concatenate(points)
    assert every.min() > 0 and every[:, 0].max() < WIDTH and every[:, 1].max() < HEIGHT
    assert every[:, 1].argmin() == 3  # the highest value is at the top
    assert {"one", "epoch", "loss", "0", "2", "4"} <= set(texts)


def test_a_logarithmic_axis_leaves_out_what_is_not_positive():
    y = np.array([1.0, 10.0, 0.0, 100.0])
    points, texts = drawn(LinePlot([Line("one", np.arange(4.0), y)], "x", "y", log_y=True))
    heights = np.concatenate(points)[:, 1]
    np.testing.assert_allclose(np.diff(heights), heights[1] - heights[0], atol=0.11)  # equal factors, equal distances
    assert {"1", "10", "100"} <= set(texts)


def test_times_are_named_and_a_constant_is_drawn():
    times = np.datetime64("2024-01-01", "ns") + np.arange(9) * np.timedelta64(1, "D")
    points, texts = drawn(LinePlot([Line("one", times, np.full(9, 7.0))], "day", "y"))
    assert len(points[0]) == 9
    assert "2024-01-05" in texts


def test_names_from_a_file_are_only_text():
    hostile = '</text><script>alert("x")</script>\x00 & more'
    _, texts = drawn(LinePlot([Line("one", np.arange(3.0), np.arange(3.0))], "x", hostile))
    assert hostile.replace("\x00", " ")[:60] in texts


def test_a_short_logarithmic_axis_has_round_numbers_too():
    _, texts = drawn(LinePlot([Line("one", np.arange(2.0), np.array([0.4, 3.0]))], "x", "y", log_y=True))
    assert {"0.5", "1", "2"} <= set(texts)
