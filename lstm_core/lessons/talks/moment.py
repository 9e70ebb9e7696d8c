"""What a talk is: moments over the lessons' trained models, and what a moment's texts may ask of what it shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from lstm_core.lessons.question import Question

if TYPE_CHECKING:
    from lstm_core.lessons.lesson import Lesson
    from lstm_core.runs.run import Run
    from lstm_core.trace.gate_trace import GateTrace

LESSON = "lesson"  # the question is the one that the lesson opens with


@dataclass(frozen=True)
class TalkMoment:
    """One moment: a window of a lesson's run, a step and a unit of it, a question, and notes for the speaker.

    Where split, window, unit or step is None it is that of the lesson's own StageMoment.
    """

    title: str
    lesson: str  # its name
    notes: str | Callable[[View], str]  # a text with numbers is a function of what the moment shows
    run: str = ""  # its label; "": the lesson's first LSTM
    split: str | None = None
    window: int | None = None  # its index in the split
    unit: int | None = None
    step: int | Callable[[View], int] | None = None  # from 0; negative: from the end
    steps: int | None = None  # of the window, from its start; None: all
    untrained: bool = False  # the weights of before the training, instead of those of now
    heatmap: str | None = None  # i, f, g, o, c or h, large
    part: str | None = None  # of the cell, opened
    compare: str | None = None  # as the Stage's address has it: start, now, run, unit-3, edit-f-0-0-0-all
    other: str = ""  # with compare="run": the label of that run
    question: Question | str | None = None  # a Question whose measure takes the View, or LESSON
    answer: str = ""  # shown instead of the question's own, if that is too long for the back row


@dataclass(frozen=True)
class Talk:
    title: str
    moments: tuple[TalkMoment, ...]


@dataclass(frozen=True, eq=False)
class View:
    """What a moment shows: a window through a run's model as it is now."""

    lesson: Lesson
    runs: dict[str, Run]
    run: Run
    start: int  # first row of the window
    unit: int
    step: int

    @property
    def steps(self) -> int:
        return self.run.windows.spec.seq_len

    @cached_property
    def inputs(self) -> np.ndarray:
        """(seq_len, input_size), as the model reads them."""
        return self.run.windows.inputs(np.array([self.start]))[0]

    @cached_property
    def trace(self) -> GateTrace:
        import torch

        from lstm_core.trace.gate_trace import trace_lstm

        model = self.run.current_model()
        return trace_lstm(model.lstm, model.to_module_layout(torch.from_numpy(self.inputs[None])))

    def series(self, name: str, unit: int | None = None) -> np.ndarray:
        """One of i, f, g, o, c, h of a unit of the first layer, by default the moment's own; (seq_len,)."""
        return self.trace.gate(name)[0, 0, 0, :, self.unit if unit is None else unit].double().numpy()

    def at(self, name: str, step: int | None = None) -> float:
        """The same at one step, by default the moment's own."""
        return float(self.series(name)[self.step if step is None else step])

    def kept(self, first: int, last: int) -> float:
        """The product of the unit's forget gates from step `first` to step `last`, both from 0 and both included."""
        return float(self.series("f")[first : last + 1].prod())

    @cached_property
    def outputs(self) -> np.ndarray:
        """What the head makes of the state after each step: (seq_len, outputs), probabilities of classes."""
        import torch

        model = self.run.current_model()
        with torch.no_grad():
            found = model.head(self.trace.gate("h")[-1, 0, 0].float())
        return (found.softmax(-1) if self.run.windows.classes else found).double().numpy()

    @property
    def predicted(self) -> float:
        """The prediction of the first target after the window's last step, in the table's own units."""
        from lstm_core.forecasting.predict import predict

        return float(predict(self.run.current_model(), self.run.windows, np.array([self.start]))[0, 0, 0])

    @property
    def actual(self) -> float:
        return float(self.run.windows.targets(np.array([self.start]))[0, 0, 0])
