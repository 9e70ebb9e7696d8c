"""A talk, made from what its moments name: scenes of the lessons' trained models, and texts with their numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_core.experiment import PlaygroundError
from lstm_core.lessons import get_lesson
from lstm_core.lessons.lesson import StageMoment, run_name
from lstm_core.lessons.question import AskedQuestion
from lstm_core.lessons.runs import pretrained_runs
from lstm_core.lessons.talks.moment import LESSON, Talk, TalkMoment, View

if TYPE_CHECKING:
    from lstm_core.runs.run import Run

MAX_SNAPSHOTS = 8  # of a training, beside the weights of now: a talk has many scenes


@dataclass(frozen=True)
class BuiltTalk:
    """What the Stage's talk has: see stage/talk/talk_file.js. scenes: key → build_scene's (header, arrays)."""

    title: str
    scenes: dict[str, tuple[dict[str, Any], list[np.ndarray]]] = field(default_factory=dict)
    moments: list[dict[str, Any]] = field(default_factory=list)


def build_talk(talk: Talk, report: Callable[[int, int], None] = lambda done, of: None) -> BuiltTalk:
    """All of it: four seconds, a third of them for the lessons' data. report: told the moments done, and their number.

    Raises:
        PlaygroundError: a lesson or run does not exist, nobody has trained it, or a question has no right choice.
    """
    built, opened = BuiltTalk(talk.title), {}
    for at, moment in enumerate(talk.moments):
        report(at, len(talk.moments))
        if moment.lesson not in opened:
            opened[moment.lesson] = pretrained_runs(get_lesson(moment.lesson))
        view = view_of(moment, opened[moment.lesson])
        key = " ".join(map(str, (moment.lesson, view.run.about["label"], view.start, moment.steps or "", moment.other)))
        if key not in built.scenes:
            built.scenes[key] = _scene(moment, view)
        built.moments.append({"scene": key, **_fields(moment, view, len(built.scenes[key][0]["snapshots"]))})
    return built


def view_of(moment: TalkMoment, runs: dict[str, Run]) -> View:
    """What the moment shows, of its lesson's runs.

    Raises:
        PlaygroundError: the run, the window, the unit or the step does not exist.
    """
    lesson = get_lesson(moment.lesson)
    label = moment.run or next(label for label, run in runs.items() if run.experiment.model.cell == "lstm")
    run = runs.get(label)
    if run is None or run.experiment.model.cell != "lstm":
        raise PlaygroundError(f"{moment.title}: {lesson.title} has no LSTM called {label}.")
    own = lesson.stage_moment(run) if lesson.stage_moment is not None else None
    own = own or StageMoment(run.shown_splits[-1], 0, 0, 0)
    split, index = moment.split or own.split, own.window if moment.window is None else moment.window
    starts = run.windows.starts.get(split, ())
    unit = own.unit if moment.unit is None else moment.unit
    if not (0 <= index < len(starts) and 0 <= unit < run.experiment.model.hidden_size):
        raise PlaygroundError(f"{moment.title}: there is no window {index} of {split}, or no unit {unit}.")
    view = View(lesson, runs, run, int(starts[index]), unit, own.step)
    step = moment.step(view) if callable(moment.step) else moment.step
    steps = moment.steps or view.steps
    step = view.step if step is None else step + steps * (step < 0)
    if not 0 <= step < steps <= view.steps:
        raise PlaygroundError(f"{moment.title}: there is no step {step} of {steps}.")
    return dataclasses.replace(view, step=step)


def asked(moment: TalkMoment, view: View) -> AskedQuestion | None:
    """The moment's question, with its numbers and the choice that is right of this model; None if it asks nothing.

    Raises:
        PlaygroundError: no choice is right, or more than one.
    """
    if moment.question is None:
        return None
    of_lesson = moment.question == LESSON
    question = view.lesson.question.ask(view.runs) if of_lesson else moment.question.ask(view)
    if question is None:
        raise PlaygroundError(f"{moment.title}: not exactly one choice of its question is right.")
    return question


def _fields(moment: TalkMoment, view: View, snapshots: int) -> dict[str, Any]:
    question = asked(moment, view)
    return {
        "title": moment.title,
        "step": view.step,
        "unit": view.unit,
        "layer": 0,
        "direction": 0,
        "snapshot": 0 if moment.untrained else snapshots,
        "heatmap": moment.heatmap,
        "part": moment.part,
        "compare": moment.compare,
        "question": question and _question(question, moment.answer),
        "notes": plain(moment.notes(view) if callable(moment.notes) else moment.notes),
    }


def _question(question: AskedQuestion, answer: str) -> dict[str, Any]:
    return {
        "text": plain(question.text),
        "choices": [plain(choice.text) for choice in question.choices],
        "right": question.right,
        "answer": plain(answer or question.told),
    }


def plain(text: str) -> str:
    """Plain text, as the Stage shows it: without Markdown's stars, and with one line a paragraph."""
    paragraphs = text.replace("*", "").strip().split("\n\n")
    return "\n\n".join(" ".join(paragraph.split("\n")) for paragraph in paragraphs)


def _scene(moment: TalkMoment, view: View) -> tuple[dict[str, Any], list[np.ndarray]]:
    from lstm_core.figures.stage_scene import build_scene, earlier_snapshots
    from lstm_core.training.snapshots import thin_log_spaced

    run, snapshot = view.run, view.run.snapshot_at()
    earlier = thin_log_spaced(earlier_snapshots(run.snapshots, snapshot.step, False), MAX_SNAPSHOTS)
    others = {run_name(moment.other): view.runs[moment.other].snapshot_at().flat_weights} if moment.other else {}
    header, arrays = build_scene(run.windows, snapshot, earlier, view.trace, view.start, others, run.steps_per_epoch)
    label = run.about["label"]
    header["model"] = view.lesson.title if len(view.runs) == 1 else f"{view.lesson.title}: {run_name(label)}"
    return shorten(header, arrays, moment.steps) if moment.steps else (header, arrays)


def shorten(header: dict[str, Any], arrays: list[np.ndarray], steps: int) -> tuple[dict[str, Any], list[np.ndarray]]:
    """The first steps of a scene: what one direction computes of them does not depend on those that follow.

    Raises:
        PlaygroundError: it reads in both directions, or predicts at the window's end only.
    """
    if header["directions"] > 1 or header["head"] == "last":
        raise PlaygroundError("Only a window that is read forwards and predicted at every step can be shown in part.")
    weights = 1 + len(header["snapshots"]) + len(header["others"])
    inputs, *rows = arrays[:-weights]
    cut = {name: header[name] and header[name][:steps] for name in ("symbols", "when", "truth")}
    return {**header, **cut, "steps": steps}, [inputs[:steps], *(row[:, :steps] for row in rows), *arrays[-weights:]]
