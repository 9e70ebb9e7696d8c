"""Lessons without a browser: gallery, address, training one's own, what stays, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lstm_core.lessons import lessons
from tests.conftest import quick
from tests.pages.conftest import Visitor, open_lesson, wait_until


def finish(tab: Visitor) -> Visitor:
    wait_until(lambda: not tab.workspace.lesson.is_active, "all runs of the lesson ended")
    return tab.run()


def test_the_gallery_shows_every_lesson_and_changes_nothing(visit, subtests: pytest.Subtests):
    tab = visit()
    before = tab.id
    for page in ("start", "lessons"):
        with subtests.test(page):
            tab.go(page)
            assert tab.id == before and tab.workspace.lesson is None
            links = [link.proto for link in tab.at.get("page_link")]
            assert {f"lesson={name}" for name in lessons()} <= {link.query_string for link in links}
            words = tab.words()
            assert all(lesson.summary in words for lesson in lessons().values())


@pytest.mark.parametrize("name", quick(lessons(), "first_lstm", "shapes", "exploding", "temporal_order", "characters"))
def test_every_lesson_opens_in_its_trained_state(visit, name):
    tab, lesson = open_lesson(visit, name), lessons()[name]
    assert tab.at.title[0].value == lesson.title
    assert not tab.errors()
    if lesson.experiments:
        broken_off = [run.message for run in tab.workspace.lesson.runs.values() if run.status == "failed"]
        assert len(tab.at.warning) == len(broken_off) == (1 if name == "exploding" else 0)
        assert list(tab.workspace.lesson.runs) == list(lesson.experiments)
        assert any(f"Seed {lesson.seed}." in box.value for box in tab.at.success), "its result, and from which seed"
        for k in range(len(lesson.figures)):
            drawn = [c.proto.id for kind in ("bidi_component", "plotly_chart") for c in tab.at.get(kind)]
            assert any(id.endswith(f"-lesson_{name}_{k}") for id in drawn)


def test_a_lesson_leaves_ones_own_work_alone_and_leads_back_to_it(visit):
    tab = visit("model").set("hidden_size", 9).train(epochs=2)
    own, trained = tab.id, tab.training
    tab.at.query_params["lesson"] = "first_lstm"
    tab.go("lessons")
    assert tab.id != own and tab.training is not trained
    assert "First LSTM" in " ".join(c.value for c in tab.go("gates").at.sidebar.caption)
    tab.press("leave_lesson")
    assert tab.id == own and tab.training is trained and trained.status == "finished"
    tab.go("lessons")
    assert tab.at.title[0].value == "Lessons"


@pytest.mark.slow
def test_a_lesson_is_as_one_left_it(visit):
    tab = open_lesson(visit, "first_lstm").set("lesson_seed", 4).press("train")
    finish(tab)
    run = tab.training
    tab.press("all_lessons")
    assert tab.at.title[0].value == "Lessons"
    tab.at.query_params["lesson"] = "first_lstm"
    tab.run()
    assert tab.training is run
    assert tab.widget("lesson_seed").value == 4


def test_it_trains_from_the_seed_in_the_field_and_says_what_came_of_it(visit):
    tab = open_lesson(visit, "first_lstm")
    shipped = tab.training
    tab.set("lesson_seed", 3).press("train")
    assert tab.training is not shipped
    experiment = tab.training.experiment
    assert (experiment.data.seed, experiment.model.seed, experiment.train.seed) == (3, 3, 3)
    finish(tab)
    assert tab.training.finished
    assert any("Seed 3" in box.value for box in [*tab.at.success, *tab.at.warning])
    header, _ = tab.component("lesson_first_lstm_0")
    assert [line["points"] for line in header["lines"]][:2] == [100, 100]
    tab.press("lesson_shipped")
    assert tab.workspace.lesson.seed == 0 and tab.widget("lesson_seed").value == 0
    assert any("Seed 0" in box.value for box in tab.at.success)


def test_pause_and_resume_hold_all_runs(visit):
    tab = open_lesson(visit, "minibatches").press("train")
    wait_until(lambda: all(run.step for run in tab.workspace.lesson.runs.values()), "both have begun")
    tab.run().press("pause")
    steps = {label: run.step for label, run in tab.workspace.lesson.runs.items()}
    assert not tab.workspace.lesson.is_active
    tab.press("pause")  # Resume now
    wait_until(lambda: all(r.step > steps[k] for k, r in tab.workspace.lesson.runs.items()), "both go on")
    tab.run().press("lesson_shipped")
    assert not tab.workspace.lesson.is_active


def test_a_try_changes_the_experiment_and_trains_it(visit):
    tab = open_lesson(visit, "first_lstm").press("try_1")
    finish(tab)
    assert tab.training.experiment.model.hidden_size == 5
    assert any("With your change" in box.value for box in [*tab.at.success, *tab.at.warning])
    tab.press("train")  # the lesson itself again
    assert tab.training.experiment.model.hidden_size == 50


def test_the_lessons_model_is_the_one_on_the_other_pages(visit):
    tab = open_lesson(visit, "first_lstm").go("gates")
    assert tab.training.experiment.model.hidden_size == 50
    assert tab.component("gate_view")
    tab.go("train")
    assert tab.widget("epochs").value == 100
    tab.go("stage")
    assert not tab.errors()


def test_another_model_in_the_lessons_place_is_said_and_can_be_undone(visit):
    tab = open_lesson(visit, "first_lstm").go("data").set("sample", "sunspots").train(epochs=1).go("lessons")
    assert "no longer this lesson" in tab.words()
    assert not tab.components()
    tab.press("lesson_shipped")
    assert tab.component("lesson_first_lstm_0")


@pytest.mark.parametrize("name", ["nothing", "../first_lstm", "<b>", "__init__", ""])
def test_an_address_that_names_no_lesson_shows_the_gallery(visit, name):
    tab = open_lesson(visit, name)
    assert tab.at.title[0].value == "Lessons"
    assert bool(tab.errors()) == bool(name)
    assert all("no lesson of that name" in error for error in tab.errors())


def test_the_address_of_a_run_opens_its_lesson(visit):
    tab = open_lesson(visit, "first_lstm")
    other = visit(run=tab.id).go("lessons")
    assert other.at.title[0].value == lessons()["first_lstm"].title


def numbers(tab: Visitor) -> str:
    result = [latex.value for latex in tab.at.latex if "mathbf" in latex.value]
    assert len(result) == 1
    return result[0]


def test_the_equations_are_of_the_chosen_unit(visit):
    tab = open_lesson(visit, "minibatches")
    first, before = numbers(tab), tab.training
    tab.set("equations_unit", 7)
    then = numbers(tab)
    assert first != then and tab.training is before
    h = float(then.rsplit("mathbf{", 1)[1].split("}")[0])
    run = tab.training
    windows = run.windows
    x = torch.from_numpy(windows.inputs(windows.starts["test"][:1]))
    predictions = run.current_model().lstm(x)[0][0, -1, 7].item()
    assert h == pytest.approx(np.round(predictions, 2))


@pytest.mark.slow
def test_a_try_that_changes_the_data_is_still_the_lesson(visit):
    tab = open_lesson(visit, "state_life").press("try_0").press("pause")
    assert tab.training.experiment.data.seq_len == 3
    assert "no longer this lesson" not in tab.words()
    assert tab.at.title[0].value == lessons()["state_life"].title
