"""What a lesson is: values, and functions from runs to pictures; it knows no page.

Nothing here or at the top of a lesson's file imports torch or plotly: the gallery must open at once. `pretrained/`
holds what every lesson opens on, made by train.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_core.experiment import CELLS, DataSpec, Experiment
from lstm_core.figures.lines import LinePlot
from lstm_core.lessons.paper_card import PaperCard
from lstm_core.lessons.question import Question

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from lstm_core.runs.run import Run

CHAPTERS = ("Tutorials", "Memory", "Papers", "Letters")
EVENINGS = {  # of the course
    1: ("First evening", "What well-known tutorials build, one click each, and common mistakes in them"),
    2: ("Second evening", "Memory over many steps: the problem that LSTM was made for"),
    3: ("Third evening", "What the papers promise, reproduced, and an LSTM that writes"),
}
RUN_NAMES = {  # of labels whose name on screen is another
    "nn_lstm": "nn.LSTM",
    "hand": "by hand",
    "clip": "clipped",
    "no_clip": "not clipped",
    "bias_0": "bias = 0",
    "bias_1": "bias = 1",
    "no_forget": "no forget gate",
    "every_step": "at every step",
    "at_end": "at the end only",
    "one_step": "one step ahead",
    "direct": "84 steps at once",
    "adding_i": "adding, i = 1",
    "adding_f": "adding, f = 1",
    "adding_o": "adding, o = 1",
    "flip": "flip-flop",
    "flip_i": "flip-flop, i = 1",
    "flip_f": "flip-flop, f = 1",
    "flip_o": "flip-flop, o = 1",
}
WORDS_PER_MINUTE = 150  # of a text to think about
WIDGET_MINUTES = 5  # to try one out; a picture takes one
PRETRAINED = resources.files(__package__).joinpath("pretrained")


def run_name(label: str) -> str:
    """A run's label as it is shown: LSTM, GRU, not clipped."""
    return label.upper() if label in CELLS else RUN_NAMES.get(label, label)


def generated_data(name: str, **fields: Any) -> DataSpec:
    """Generated sequences with a target at their own end, without noise and unscaled; fields: the spec's others."""
    return DataSpec(source="generator", name=name, noise=0.0, horizon=0, scaling="none", **fields)


def generated_splits(name: str, seq_len: int, train: int, valid: int, test: int) -> DataSpec:
    """Generated data with so many sequences in each split."""
    length = train + valid + test
    return generated_data(name, length=length, seq_len=seq_len, train_share=train / length, valid_share=valid / length)


@dataclass(frozen=True)
class Outcome:
    """What a lesson's runs have come to."""

    reached: bool
    summary: str  # plain text: the measured number, and beside it what a naive prediction scores
    metrics: Mapping[str, float]  # the same as numbers, for tables


@dataclass(frozen=True)
class StageMoment:
    """A window, a unit and a step at which the Stage shows what a lesson is about."""

    split: str
    window: int  # its index in the split
    unit: int
    step: int  # from 0
    layer: int = 0
    direction: int = 0


@dataclass(frozen=True)
class LessonFigure:
    """One picture of the runs as they are now: a LinePlot moves while they train, a figure is drawn now and then."""

    title: str  # Markdown
    caption: str  # one sentence: what to look at
    draw: Callable[[dict[str, Run]], LinePlot | go.Figure]


@dataclass(frozen=True)
class SeedDots:
    """Which figures of the outcome are drawn for many seeds, on one axis."""

    title: str  # of the axis
    rows: Mapping[str, str]  # what it is called on screen → its name in Outcome.metrics
    levels: Mapping[str, float] = field(default_factory=dict)  # name → a goal, or what a naive prediction scores
    log: bool = False
    percent: bool = False
    colors: tuple[str, ...] = ()  # of the rows, where the runs have colours of their own in other pictures


@dataclass(frozen=True)
class Exercise:
    """Something to try: in words, or as a change that a button makes to every experiment of the lesson.

    change: part of the Experiment → field → value, such as {"train": {"lr": 0.1}}.
    """

    text: str
    change: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Lesson:
    """Experiments, and a page about them in the order picture, words, formula."""

    title: str
    summary: str  # one sentence under the thumbnail
    chapter: str  # of CHAPTERS
    experiments: Mapping[str, Experiment]  # by label; the first is the one that the other pages show
    text: str  # Markdown
    formula: str = ""  # LaTeX
    seed: int = 0  # from which what ships was trained
    evening: int = max(EVENINGS)  # of EVENINGS
    after: tuple[str, ...] = ()  # names of the lessons that it builds on
    train_seconds: float = 0.0  # all runs of one seed, the median that tests/benchmarks/lessons.py measured
    question: Question | None = None  # what the page asks before it tells
    symbols: str = ""  # Markdown: what the letters of the formula are
    common_mistakes: str = ""  # Markdown: where tutorials err, and what is right
    exercises: tuple[Exercise, ...] = ()
    sources: tuple[str, ...] = ()  # plain text
    figures: tuple[LessonFigure, ...] = ()
    loss_figure: bool = True  # the loss curves of all runs after the lesson's own pictures
    outcome: Callable[[dict[str, Run]], Outcome] | None = None
    seed_dots: SeedDots | None = None  # of seeds.py, which counts how often the outcome is reached
    success_rate: str = ""  # what else there is to tell of that
    card: PaperCard | None = None  # of the paper that it reproduces or goes back to
    stage_moment: Callable[[Run], StageMoment | None] | None = None  # what the Stage opens with, of an LSTM
    # lines, or one picture (rows, columns); None: the loss curves
    thumbnail_plot: Callable[[dict[str, Run]], list[np.ndarray] | np.ndarray] | None = None
    extra_files: Callable[[dict[str, Run]], Mapping[str, bytes]] | None = None  # what else ships of them: name → bytes
    widget: str = ""  # a module of pages/shared/lessons/widgets with show(workspace, runs)
    widget_below: bool = False  # the pictures come first
    program: str = ""  # the tutorial's steps as a script: a file of programs/
    name: str = ""  # in addresses and saved files: its key in catalog.MODULES

    @property
    def minutes(self) -> int:
        """About how long it takes: reading, looking at each picture, its widget, training it once, each change."""
        words = " ".join((self.text, self.common_mistakes, self.success_rate, *(one.text for one in self.exercises)))
        trainings = 1 + sum(1 for one in self.exercises if one.change)
        looking = len(self.figures) + WIDGET_MINUTES * bool(self.widget)
        return round(len(words.split()) / WORDS_PER_MINUTE + looking + trainings * self.train_seconds / 60)

    @property
    def thumbnail(self) -> str:
        """The shipped SVG, our own drawing; empty as long as nobody has trained the lesson."""
        file = PRETRAINED.joinpath(self.name, "thumbnail.svg")
        return file.read_text(encoding="utf-8") if file.is_file() else ""
