"""The instrument "Memory": the page's curves are the core's, and the smaller model is one to be taken along."""

from __future__ import annotations

import json

import pytest
import safetensors.torch

from lstm_core.analysis.memory_span import rows_to_try, score_with_idle_rows, score_with_last_rows, span_sentence
from lstm_core.analysis.unit_removal import removal_sentence, remove_greedily, smaller_model
from lstm_core.model.import_weights import read_lstms
from pages.shared.understand import memory_span as view
from tests.pages.conftest import Visitor, trained


@pytest.fixture
def tab(visit) -> Visitor:
    return visit("understand", run=trained(2, hidden_size=5)).set("instrument", "Memory")


def figure(tab: Visitor, key: str) -> dict:
    (found,) = (json.loads(chart.proto.spec) for chart in tab.at.get("plotly_chart") if chart.key == key)
    return found


def plain(text: str) -> str:
    return text.replace("**", "").replace("\u202f", " ")


def test_shorter_windows_are_scored_as_the_core_does(tab):
    run = tab.training
    span = score_with_last_rows(run.current_model(), run.windows, run.windows.starts["valid"])
    assert span_sentence(span).replace("\u202f", " ") in plain(tab.words())
    curve = figure(tab, "memory_cut_figure")["data"][0]
    assert len(curve["x"]) == len(span.rows) == len(rows_to_try(run.windows.spec.seq_len))
    assert "validation windows" in tab.words()


def test_idle_rows_are_put_in_where_the_person_says(tab):
    run = tab.set("memory_kind", view.IDLE).training
    tab.set(f"memory_idle_{run.id}", 7).set(f"memory_before_{run.id}", 2)
    rows = (0, *rows_to_try(7, view.IDLE_POINTS))
    span = score_with_idle_rows(run.current_model(), run.windows, run.windows.starts["valid"], rows, 1)
    assert span_sentence(span).replace("\u202f", " ") in plain(tab.words())
    assert "which is a choice" in tab.words()


def test_units_are_taken_out_and_the_smaller_model_can_be_saved(tab, monkeypatch):
    run = tab.set("memory_kind", view.UNITS).training
    model = run.current_model()
    removal = remove_greedily(model, run.windows, run.windows.starts["valid"])
    assert removal_sentence(removal).replace("\u202f", " ") in plain(tab.words())
    saved = []
    monkeypatch.setattr(view, "download", lambda place, label, data, name, **more: saved.append((data, name)))
    (slider,) = (one for one in tab.at.select_slider if one.key.startswith("memory_units_left_"))
    slider.set_value(2)
    tab.run()
    data, name = saved[-1]
    assert name == "lstm_2_units.safetensors"
    expected = smaller_model(model, removal, 2).state_dict()
    weights = safetensors.torch.load(data)
    assert weights.keys() == expected.keys()
    assert all((weights[key] - expected[key]).abs().max() < 1e-6 for key in expected)
    assert read_lstms(data, name)["lstm"].hidden_size == 2


def test_what_takes_long_waits_for_a_click(tab, monkeypatch):
    monkeypatch.setattr(view, "BY_ITSELF", 0)
    tab.set("memory_kind", view.UNITS)
    assert "lead over" not in tab.words() and "no better than" not in tab.words()
    tab.press("memory_units_begin").run()
    assert "lead over" in tab.words() or "no better than" in tab.words() or "are needed" in tab.words()


def test_a_projected_model_is_told_why_no_unit_can_leave(visit):
    tab = visit("understand", run=trained(1, hidden_size=4, proj_size=2)).set("instrument", "Memory")
    tab.set("memory_kind", view.UNITS)
    assert "projects its h to 2 numbers" in tab.words()
