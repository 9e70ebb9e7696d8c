"""Understand, Patching: the twin, the map, the chosen cell and its sentence are those of the room analysis."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest

from lstm_core.analysis.patching.study import exact_map, patch_study
from lstm_core.analysis.patching.unit_sets import best_units, set_effect
from lstm_core.data.number_format import format_percent
from pages.shared.understand import patching
from tests.pages import conftest
from tests.pages.conftest import Visitor, open_lesson, unescaped


def understand(visit, **model: object) -> Visitor:
    tab = visit("understand", run=conftest.trained(hidden_size=5, **model)).set("instrument", "Patching")
    assert not tab.errors()
    return tab


def heat(tab: Visitor, key: str = "patch_map") -> np.ndarray:
    """(units, seq_len), as drawn."""
    (chart,) = (chart for chart in tab.at.get("plotly_chart") if chart.proto.id.endswith(f"-{key}"))
    (data,) = (one for one in json.loads(chart.proto.spec)["data"] if one["type"] == "heatmap")
    z = data["z"]
    if isinstance(z, dict):  # as plotly sends many numbers
        shape = [int(size) for size in z["shape"].split(",")]
        return np.frombuffer(base64.b64decode(z["bdata"]), z["dtype"]).reshape(shape)
    return np.array([[np.nan if value is None else value for value in row] for row in z], float)


def study_of(tab: Visitor, **arguments: object):
    run = tab.training
    start = int(run.windows.starts[run.windows.last_split][-1])
    return patch_study(run.current_model(), run.windows, start, **arguments)


def percent(share: float) -> str:
    return format_percent(round(share, 2) + 0.0, 0).replace("\u202f", " ")


def test_the_map_is_exact_and_the_best_cell_is_chosen(visit):
    tab = understand(visit)
    study, words = study_of(tab), tab.words()
    exact = exact_map(study)
    np.testing.assert_allclose(heat(tab).T, exact, atol=1e-4)
    assert unescaped(study.twin.difference) in words and "this window with" in words
    step, unit = np.unravel_index(np.abs(exact - 1).argmin(), exact.shape)
    assert (tab.widget("patch_cell_step").value, tab.widget("patch_cell_unit").value) == (step + 1, unit)
    assert f"the answer goes **{percent(exact[step, unit])}** of the way" in words
    assert f"All of c and h of this layer there: **{percent(set_effect(study.pair, (int(step),)))}**" in words


def test_the_step_that_is_changed_can_be_chosen(visit):
    tab = understand(visit).set("patch_at", 24)
    study = study_of(tab, at=23)
    assert study.twin.steps == (23,)
    assert unescaped(study.twin.difference) in tab.words()
    np.testing.assert_allclose(heat(tab).T, exact_map(study), atol=1e-4)


def test_a_change_that_hardly_matters_is_told_in_one_sentence(visit):
    tab = visit("understand", run=conftest.trained(hidden_size=5)).set("instrument", "Patching").set("patch_at", 1)
    (error,) = tab.errors() or [one.value for one in tab.at.warning]
    assert "differ by less than" in unescaped(error) and "read the prediction after another step" in unescaped(error)


def test_another_cell_and_another_tensor(visit):
    tab = understand(visit).set("patch_tensor", "f").set("patch_cell_step", 4).set("patch_cell_unit", 2)
    exact = exact_map(study_of(tab, tensor="f"))
    np.testing.assert_allclose(heat(tab).T, exact, atol=1e-4)
    assert "forget gate of unit **2**" in tab.words()
    assert f"the answer goes **{percent(exact[3, 2])}** of the way" in tab.words()
    tab.set("patch_tensor", "o")  # another map: its own best cell
    assert tab.widget("patch_cell_step").value != 4 or tab.widget("patch_cell_unit").value != 2


@pytest.mark.parametrize("model", [{"bidirectional": True, "num_layers": 2}, {"head": "per_step", "proj_size": 2}])
@pytest.mark.filterwarnings("ignore:LSTM with projections")
def test_other_models_have_their_own_choices(visit, model):
    tab, arguments = understand(visit, **model), {}
    if "bidirectional" in model:
        tab.set("patch_direction", 1)
        arguments = {"direction": 1}
        assert "Only the top layer is patched" in tab.words()
    else:
        tab.set("patch_step", 5)
        arguments = {"step": 4}
    np.testing.assert_allclose(heat(tab).T, exact_map(study_of(tab, **arguments)), atol=1e-4)


def test_of_embedded_reber_the_page_finds_the_symbol_and_the_unit(visit):
    tab = open_lesson(visit, "embedded_reber").go("understand").set("instrument", "Patching")
    study, words = study_of(tab), tab.words()
    assert f"**{study.twin.difference}**" in words
    assert {study.twin.difference[0], study.twin.difference[-len("P at step 26")]} <= {"T", "P"}
    step = tab.widget("patch_cell_step").value - 1
    best = best_units(study.pair, step)
    assert f"Unit **{best.units[0]}** alone carries **{percent(best.effects[0])}** there" in words
    tab.set("patch_kind_symbol", "window")
    assert "The twin is **the window that begins at" in tab.words()


def test_a_map_that_takes_long_is_estimated_first_and_made_exactly_on_request(visit, monkeypatch):
    monkeypatch.setattr(patching, "EXACT_SECONDS", 0.0)
    tab = understand(visit)
    study = study_of(tab)
    np.testing.assert_allclose(heat(tab).T, study.first_order, atol=1e-4)
    assert "a linear estimate" in tab.words()
    tab.press("patching_exact_begin")
    np.testing.assert_allclose(heat(tab, "patch_map_exact").T, exact_map(study), atol=1e-4)
