"""A lesson as a notebook: where LSTM Playground cannot be imported, it ends with the lesson's own figures."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys

import pytest

from lstm_core.experiment import PlaygroundError
from lstm_core.lessons import get_lesson, lessons
from lstm_core.lessons.runs import new_runs, pretrained_runs, train_to_end
from lstm_core.lessons.take_along import NOTEBOOKS, has_notebook, notebook_refusal, outcomes
from lstm_core.lessons.take_along.notebook import lesson_notebook
from lstm_core.lessons.take_along.source import source_of
from tests.conftest import quick

RUN = """\
import json, sys
scope = {"__name__": "__main__"}
for cell in json.load(open(sys.argv[1], encoding="utf-8"))["cells"]:
    if cell["cell_type"] == "code":
        exec("".join(cell["source"]), scope)
assert not any(name.startswith("lstm_core") for name in sys.modules)
print("outcome:", json.dumps(scope["outcome"]))
"""
SHORT = {"train": {"epochs": 2}}


def figures_here(text: str, folder) -> tuple[dict[str, float], str]:
    """The same within this process, which has torch already."""
    scope = {"__name__": "notebook"}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        for cell in json.loads(text)["cells"]:
            if cell["cell_type"] == "code":
                exec("".join(cell["source"]), scope)
    return scope["outcome"], printed.getvalue()


def figures_alone(text: str, folder) -> tuple[dict[str, float], str]:
    """The outcome that the notebook's code comes to, alone in a folder, and all that it prints."""
    (folder / "lesson.ipynb").write_text(text, encoding="utf-8")
    command = [sys.executable, "-I", "-c", RUN, "lesson.ipynb"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    printed, _, outcome = done.stdout.rpartition("outcome: ")
    return json.loads(outcome), printed


def same_figures(name: str, seed: int, change: dict, folder, run=figures_alone) -> None:
    lesson = get_lesson(name)
    runs = new_runs(lesson, seed, change)
    train_to_end(runs)
    outcome = lesson.outcome(runs)
    text = lesson_notebook(lesson, runs, seed)
    found, printed = run(text, folder)
    assert found == pytest.approx(dict(outcome.metrics), rel=1e-5, abs=1e-9)
    for key, value in found.items():
        assert f"{key}: {value:.6g}" in printed
    assert outcome.summary in "".join(json.loads(text)["cells"][-3]["source"])


@pytest.mark.parametrize("name", quick(NOTEBOOKS, "first_lstm", "exploding"))
def test_a_short_training_ends_with_the_same_figures(name, tmp_path):
    same_figures(name, 5, SHORT, tmp_path, figures_here)


@pytest.mark.slow  # the others take minutes
@pytest.mark.parametrize("name", ["first_lstm", "nn_lstm_1_1", "state_life", "flip_flop", "temporal_order"])
def test_the_whole_training_ends_with_the_same_figures(name, tmp_path):
    same_figures(name, 2001, {}, tmp_path)


@pytest.mark.slow
def test_an_exercises_change_is_trained(tmp_path):
    same_figures("first_lstm", 5, {"train": {"epochs": 3, "lr": 0.01}, "model": {"hidden_size": 7}}, tmp_path)


def test_the_menus_list_is_that_of_the_outcomes():
    computed = {name.removesuffix("_outcome") for name in vars(outcomes) if name.endswith("_outcome")}
    assert set(NOTEBOOKS) == computed <= set(lessons())
    assert has_notebook("first_lstm") and not has_notebook("claims")


@pytest.mark.parametrize("name", ["first_lstm", "forget_bias"])
def test_the_file_is_a_notebook_of_format_4(name):
    lesson = get_lesson(name)
    text = lesson_notebook(lesson, pretrained_runs(lesson), 0)
    notebook = json.loads(text)
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(ids) == len(set(ids))
    for cell in notebook["cells"]:
        assert set(cell) == {"cell_type", "id", "metadata", "source"} | (
            {"execution_count", "outputs"} if cell["cell_type"] == "code" else set()
        )
        if cell["cell_type"] == "code":
            assert "lstm_core" not in "".join(cell["source"])
    first = "".join(notebook["cells"][0]["source"])
    assert first.startswith(f"# {lesson.title}\n") and "seed 0" in first


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"train": {"initial_state": "random"}}, "initial_state zero"),
        ({"train": {"refit": True}}, "no refit"),
        ({"model": {"frozen": ("forget_gate",)}, "train": {"weight_decay": 0.1}}, "weight_decay"),
    ],
)
def test_settings_that_it_cannot_train_are_refused(change, why):
    lesson = get_lesson("first_lstm")
    runs = new_runs(lesson, 0, change)
    assert why in notebook_refusal(lesson, runs)
    with pytest.raises(PlaygroundError, match=why):
        lesson_notebook(lesson, runs, 0)


@pytest.mark.parametrize(
    ("name", "change", "why"),
    [
        ("flip_flop", {"proj_size": 4}, "without proj_size"),
        ("flip_flop", {"num_layers": 2}, "one layer"),
        ("rollout", {"batch_first": False}, "batch_first"),
    ],
)
def test_models_that_an_outcome_cannot_step_through_are_refused(name, change, why):
    lesson = get_lesson(name)
    assert why in notebook_refusal(lesson, new_runs(lesson, 0, {"model": change}))


def test_two_data_sets_are_two_sections_and_each_run_stands_below_its_own():
    lesson = get_lesson("held_gates")
    cells = ["".join(cell["source"]) for cell in json.loads(lesson_notebook(lesson, new_runs(lesson, 0), 0))["cells"]]
    titles = [text.removeprefix("## ") for text in cells if text.startswith("## ")]
    kept = [title for title in titles if title.startswith(("Data", "Windows", "Training"))]
    names = ["adding", "adding, i = 1", "adding, f = 1", "adding, o = 1"]
    trainings = [f"Training: {name}" for name in names]
    flips = [one.replace("adding", "flip-flop") for one in trainings]
    assert kept == ["Data", "Windows", *trainings, "Data: flip-flop", "Windows", *flips]
    second = cells[cells.index("## Data: flip-flop") :]
    assert second[1].startswith("FEATURES = ['pulse1', 'pulse2']") and "import" not in second[1]
    assert sum("def sequence_table" in text for text in cells) == 1


def test_a_lesson_without_an_outcome_to_compute_is_refused():
    lesson = get_lesson("claims")
    with pytest.raises(PlaygroundError, match="no notebook"):
        lesson_notebook(lesson, {}, 0)


def test_a_functions_source_comes_with_all_that_it_uses_and_nothing_twice():
    text, names = source_of([outcomes.embedded_reber_outcome], known={"decode_one_hot"})
    assert {"all_right", "legal_ranked_first", "states_after", "NEXT", "_embedded"} <= names
    assert "decode_one_hot" not in names and "def decode_one_hot" not in text
    assert text.count("def states_after") == 1
    assert text.index("SYMBOLS =") < text.index("NEXT =") < text.index("def all_right")
