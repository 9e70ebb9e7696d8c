"""The talks that ship: each moment exists, each question has one right answer, and no number is written down."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from lstm_core.experiment import PlaygroundError
from lstm_core.lessons import lessons
from lstm_core.lessons.question import between
from lstm_core.lessons.runs import pretrained_runs
from lstm_core.lessons.talks import TALKS
from lstm_core.lessons.talks.build import BuiltTalk, build_talk, plain, view_of
from lstm_core.lessons.talks.forty_minutes.memory import CARRIER
from lstm_core.lessons.talks.moment import LESSON, Talk, TalkMoment
from lstm_core.lessons.talks.numbers import ask

MOMENTS = [pytest.param(moment, id=moment.title) for talk in TALKS.values() for moment in talk.moments]
# What a text may count without a model at hand: years, sizes of the tasks' own definitions.
WRITTEN = {"1997", "2000", "0", "1"}
LINE = 160  # letters of an answer, of which the Stage shows two lines
BY_HAND = TalkMoment("t", "by_hand", "", split="train", window=1, unit=0, step=-1)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_moment_names_a_run_of_a_lesson(moment: TalkMoment):
    lesson = lessons()[moment.lesson]
    for label in filter(None, (moment.run, moment.other)):
        assert lesson.experiments[label].model.cell == "lstm"
    assert moment.question != LESSON or lesson.question is not None
    assert (moment.compare == "run") == bool(moment.other)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_literal_text_has_no_number(moment: TalkMoment):
    literal = [moment.title, moment.answer, moment.notes if isinstance(moment.notes, str) else ""]
    assert set(re.findall(r"\d[\d.,]*\d|\d", " ".join(literal))) <= WRITTEN


def test_titles_tell_the_moments_apart():
    for talk in TALKS.values():
        titles = [moment.title for moment in talk.moments]
        assert len(set(titles)) == len(titles) and max(map(len, titles)) <= 40


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"run": "no_such"}, "has no LSTM called"),
        ({"window": 2}, "there is no window 2"),
        ({"split": "nowhere"}, "there is no window 1 of nowhere"),
        ({"unit": 1}, "no unit 1"),
        ({"step": 4}, "there is no step 4 of 4"),
        ({"step": -5}, "there is no step -1 of 4"),
        ({"steps": 5}, "there is no step 4 of 5"),
    ],
)
def test_a_moment_that_does_not_exist_is_refused(wrong: dict, sentence: str):
    runs = pretrained_runs(lessons()["by_hand"])
    view_of(BY_HAND, runs)
    with pytest.raises(PlaygroundError, match=re.escape(sentence)):
        view_of(dataclasses.replace(BY_HAND, **wrong), runs)


def test_a_question_without_a_right_choice_is_refused():
    question = ask(lambda view: ("?", view.at("f"), "f"), ("low", between(0, 0.1)), ("lower", between(0, 0.01)))
    with pytest.raises(PlaygroundError, match="not exactly one choice"):
        build_talk(Talk("t", (dataclasses.replace(BY_HAND, question=question),)))


def test_a_window_that_is_predicted_at_its_end_cannot_be_cut():
    with pytest.raises(PlaygroundError, match="shown in part"):
        build_talk(Talk("t", (dataclasses.replace(BY_HAND, steps=2),)))


def test_plain_text_has_a_line_a_paragraph():
    assert plain("\nOne **bold**\nline.\n\nTwo.\n") == "One bold line.\n\nTwo."


@pytest.fixture(scope="module")
def built() -> BuiltTalk:
    return build_talk(TALKS["forty_minutes"])


@pytest.mark.slow
def test_the_talk_has_about_25_moments_and_many_questions(built: BuiltTalk):
    asking = [moment for moment in built.moments if moment["question"]]
    assert 23 <= len(built.moments) <= 30 and len(asking) >= 12
    assert {moment["scene"] for moment in built.moments} == set(built.scenes)
    rights = [moment["question"]["right"] for moment in asking]
    assert max(rights.count(k) for k in range(3)) <= 0.65 * len(rights)  # nobody learns to say the last one


@pytest.mark.slow
def test_every_moment_fits_its_scene(built: BuiltTalk):
    for moment in built.moments:
        header, arrays = built.scenes[moment["scene"]]
        assert 0 <= moment["step"] < header["steps"] and 0 <= moment["unit"] < header["hidden"]
        assert 0 <= moment["snapshot"] <= len(header["snapshots"])
        assert all(np.isfinite(array).all() for array in arrays)
        assert moment["notes"] and "\n" not in moment["notes"].replace("\n\n", "")
        if moment["question"]:
            assert len(moment["question"]["answer"]) <= LINE
            assert len(moment["question"]["choices"]) == 3
        if moment["compare"] in ("start", "now"):
            assert header["snapshots"][0] == 0
        if moment["snapshot"] == 0:
            assert header["snapshots"][0] == 0, "untrained"


@pytest.mark.slow
def test_what_is_cut_is_what_the_whole_window_has(built: BuiltTalk):
    """The stream's first steps: its arrays are the trace's, and as many as its header announces."""
    (key,) = (key for key in built.scenes if key.startswith("continual_reber lstm"))
    header, arrays = built.scenes[key]
    (moment,) = (one for one in TALKS["forty_minutes"].moments if one.steps == header["steps"])
    view = view_of(moment, pretrained_runs(lessons()["continual_reber"]))
    assert len(header["truth"]) == len(header["symbols"]) == header["steps"] == moment.steps
    weights = 1 + len(header["snapshots"])
    cells = arrays[:-weights][-6:]  # i, f, g, o, c, h
    for name, values in zip("ifgoch", cells, strict=True):
        np.testing.assert_array_equal(values[view.unit], view.series(name)[: moment.steps].astype(np.float32))


@pytest.mark.slow
def test_the_texts_numbers_are_those_of_the_trace(built: BuiltTalk):
    """A second way to the numbers that the speaker reads out."""
    by_title = {moment["title"]: moment for moment in built.moments}

    def value(title: str, name: str, step: int | None = None) -> float:
        moment = by_title[title]
        header, arrays = built.scenes[moment["scene"]]
        weights = 1 + len(header["snapshots"]) + len(header["others"])
        row = arrays[:-weights][-6:]["ifgoch".index(name)][moment["unit"]]
        return float(row[moment["step"] if step is None else step])

    title = "The forget gate: what is kept"
    f, before = value(title, "f"), value(title, "c", 0)
    assert f"f is {f:.2f}: of c = {before:.2f}, {f * before:.2f} is kept" in by_title[title]["question"]["answer"]
    title = "How long is long?"
    kept = np.prod([value(title, "f", step) for step in range(1, 50)])
    assert f"is {kept:.2f}." in by_title[title]["question"]["answer"] and kept > 0.75
    title = "A gate that follows the marker"
    opened = [step + 1 for step in range(100) if value(title, "i", step) > 0.5]
    assert f"steps {opened[0]} and {opened[1]}" in by_title[title]["question"]["answer"] and len(opened) == 2
    title = "It counts"
    step = by_title[title]["step"]
    climb = value(title, "c", step - 1) - value(title, "c", step - 2)
    assert f"up by {climb:.2f} at an a" in by_title[title]["notes"]


@pytest.mark.slow
def test_the_unit_that_carries_the_first_step_is_the_one_that_tells_it_best():
    from lstm_core.analysis.unit_search import rank_by_correlation

    run = pretrained_runs(lessons()["forget_bias"])["chrono"]
    windows, starts = run.windows, run.windows.starts["test"]
    signal = np.full((len(starts), windows.spec.seq_len), np.nan)
    signal[:, -1] = windows.inputs(starts)[:, 0, 0]
    assert rank_by_correlation(run.current_model(), windows, starts, signal, ("c",))[0].unit == CARRIER
