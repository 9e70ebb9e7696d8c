"""The palette: no two things share a colour, and whoever sees how many colours tells apart what stands in one picture.

Colour-blind sight is simulated as Machado, Oliveira and Fernandes (2009) model it, at its full severity; differences
are CIE 1976's ΔE of CIELAB, in which about 2 is the least that anybody sees.
"""

from __future__ import annotations

import tomllib
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from lstm_core.figures import automaton, network_diagram, resting_states, theme
from pages.shared.components.wire import color_stops

LEAST_DIFFERENCE = 20.0
OF_GATES = 16.0  # six known hues, kept: each line also stands under its letter
LEAST_CONTRAST = 3.0  # of graphics, WCAG 1.4.11
PAGES = {"light": "#FFFFFF", "dark": "#171614"}
SIGHT = {  # linear RGB → linear RGB
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.119192, 0.9503041]]
)
WHITE = TO_XYZ.sum(1)

SPLITS, CELLS, GATES = (tuple(d.values()) for d in (theme.SPLIT_COLORS, theme.CELL_COLORS, theme.GATE_COLORS))
ROLES = (GATES, SPLITS, CELLS, theme.FEATURE_COLORS, theme.SIDE_COLORS, theme.COMPARED_COLORS, (theme.ACTUAL_COLOR,))
EVERY = [color for role in ROLES for color in role]
PICTURES = {  # what is drawn over the same axes
    "splits and a window": (*SPLITS, theme.ACTUAL_COLOR, theme.PREDICTION_COLOR),
    "inputs and target": (*theme.FEATURE_COLORS, theme.PREDICTION_COLOR),
    "cells": (*CELLS, theme.ACTUAL_COLOR),
    "strip of the Stage": (*theme.SIDE_COLORS, theme.ACTUAL_COLOR, *theme.FEATURE_COLORS[:4]),
    "runs": (*theme.COMPARED_COLORS, theme.ACTUAL_COLOR),
    "automaton": (automaton.STATE_COLOR, automaton.ARROW_COLOR, automaton.CURRENT_COLOR, automaton.DIFFERENCE_COLOR),
    "resting states": (
        *(color for _, color, *_ in resting_states.KINDS.values()),
        resting_states.PATH_COLOR,
        resting_states.CURRENT_COLOR,
        theme.GREY,
    ),
    "network": (network_diagram.FORWARD, network_diagram.REVERSE, network_diagram.HEAD, network_diagram.WIRE),
}


def linear(color: str) -> np.ndarray:
    """Linear RGB of #rrggbb."""
    c = np.array([int(color[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB of linear RGB."""
    ratio = TO_XYZ @ np.clip(rgb, 0, 1) / WHITE
    x, y, z = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def difference(a: str, b: str, sight: str = "normal") -> float:
    return float(np.linalg.norm(lab(SIGHT[sight] @ linear(a)) - lab(SIGHT[sight] @ linear(b))))


def contrast(a: str, b: str) -> float:
    low, high = sorted(float(TO_XYZ[1] @ linear(color)) for color in (a, b))
    return (high + 0.05) / (low + 0.05)


def test_the_measures_are_the_standard_ones():
    assert contrast("#FFFFFF", "#000000") == pytest.approx(21)
    assert difference("#FFFFFF", "#000000") == pytest.approx(100, abs=0.1)
    assert contrast("#FFFFFF", "#4DA3DB") == pytest.approx(2.77, abs=0.01)
    assert difference("#FF0000", "#00FF00") > 3 * difference("#FF0000", "#00FF00", "deuteranopia")


def test_no_two_things_share_a_colour_or_have_nearly_the_same():
    assert len({color.upper() for color in EVERY}) == len(EVERY)
    close = [(a, b) for a, b in combinations(EVERY, 2) if difference(a, b) < 12]
    assert not close


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("picture", PICTURES)
def test_what_stands_in_one_picture_is_told_apart(picture, sight):
    pairs = {pair: difference(*pair, sight) for pair in combinations(PICTURES[picture], 2)}
    worst = min(pairs, key=pairs.get)
    assert pairs[worst] >= LEAST_DIFFERENCE, f"{worst}: ΔE {pairs[worst]:.1f}"


@pytest.mark.parametrize("sight", SIGHT)
def test_gates_are_told_apart(sight):
    assert min(difference(*pair, sight) for pair in combinations(GATES, 2)) >= OF_GATES


@pytest.mark.parametrize("page", PAGES)
def test_lines_stand_out_from_the_page(page):
    faint = [color for role in ROLES[1:] for color in role if contrast(color, PAGES[page]) < LEAST_CONTRAST]
    assert not faint


def test_features_have_the_same_colours_in_both_themes_and_on_every_canvas():
    config = tomllib.loads((Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text())["theme"]
    assert tuple(config["chartCategoricalColors"]) == theme.FEATURE_COLORS
    assert not any("chartCategoricalColors" in config[page] for page in PAGES)


def test_a_signed_scale_is_the_page_itself_at_0_and_stands_out_at_its_ends():
    stops = color_stops(signed=True)
    assert len(stops) % 2 == 1
    assert stops[len(stops) // 2].endswith("00")  # transparent: white or dark as the page
    assert [place for place, _ in theme.SIGNED_SCALE] == pytest.approx(np.linspace(0, 1, len(stops)))
    for end in (stops[0], stops[-1]):
        assert end.endswith("FF")
        assert min(contrast(end, page) for page in PAGES.values()) >= LEAST_CONTRAST
    assert min(difference(stops[0], stops[-1], sight) for sight in SIGHT) >= LEAST_DIFFERENCE


def test_no_lesson_draws_what_is_no_gate_in_a_gates_colour():
    folder = Path(theme.__file__).parents[1] / "lessons"
    for path in (*folder.rglob("*.py"), *folder.rglob("*.svg")):
        text = path.read_text(encoding="utf-8").upper()
        assert not [color for color in GATES if color in text], path.name
