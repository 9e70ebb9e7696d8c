"""A lesson that somebody has open: its runs, of which the workspace holds the first, as shipped or trained afresh."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lstm_core.experiment import PlaygroundError
from lstm_core.lessons.lesson import Lesson, StageMoment
from lstm_core.lessons.question import Answer
from lstm_core.lessons.runs import new_runs, pretrained_runs
from lstm_core.runs.run import Run
from lstm_core.workspace import Workspace

Change = Mapping[str, Mapping[str, Any]]


class OpenLesson:
    """One lesson on one workspace. The other pages show, train and change the workspace's run as any other."""

    def __init__(self, lesson: Lesson, workspace: Workspace, return_to: str) -> None:
        """return_to: the id of the workspace that the person came from."""
        self.lesson, self.return_to = lesson, return_to
        self.seed, self.change = lesson.seed, {}
        self.answer: Answer | None = None  # to the lesson's question
        self._workspace = workspace
        self._others: dict[str, Run] = {}
        self.restore_pretrained()

    @property
    def runs(self) -> dict[str, Run]:
        """By the experiments' labels, in their order."""
        return {next(iter(self.lesson.experiments)): self._workspace.run, **self._others}

    @property
    def is_active(self) -> bool:
        return any(run.is_active for run in self.runs.values())

    @property
    def is_own_run(self) -> bool:
        """Whether the workspace's run still is the lesson's: the same data and the same kind of model."""
        planned, run = self._planned, self._workspace.run.experiment
        fields = ("source", "name", "n_features", "seq_len", "horizon")
        same_data = all(getattr(planned.data, name) == getattr(run.data, name) for name in fields)
        return same_data and (planned.model.cell, planned.model.head) == (run.model.cell, run.model.head)

    @property
    def own_runs(self) -> dict[str, Run]:
        """The runs that Gates and the Stage can show; only the workspace's if that is not the lesson's any more."""
        return self.runs if self.is_own_run else {"": self._workspace.run}

    @property
    def lstm_run(self) -> Run | None:
        """The run on which the Stage opens, which draws nothing but an LSTM: the first one, None without any."""
        return next((run for run in self.own_runs.values() if run.experiment.model.cell == "lstm"), None)

    def stage_moment(self, run: Run | None = None) -> StageMoment | None:
        """Where the Stage opens: at the unit that the lesson found in this LSTM; None where it found none."""
        run, find = run or self.lstm_run, self.lesson.stage_moment
        if run is None or find is None or not self.is_own_run or run.is_active:
            return None
        try:
            moment = run.cached("stage moment", run.weights_key, lambda: find(run))
        except PlaygroundError:  # a Try's change may leave nothing to be found
            return None
        return moment

    def restore_pretrained(self) -> None:
        """The trained state that the lesson opens on."""
        self._put(pretrained_runs(self.lesson))
        self.seed, self.change = self.lesson.seed, {}

    def train(self, seed: int, change: Change | None = None) -> None:
        """Train all of it afresh, with an exercise's change or as it is.

        Raises:
            PlaygroundError: the change is refused, or a model would not fit in memory; the old runs are left alone.
        """
        self._put(new_runs(self.lesson, seed, change))
        self.seed, self.change = seed, dict(change or {})
        self.start()

    def start(self) -> None:
        for run in self.runs.values():
            run.start()

    def pause(self) -> None:
        for run in self.runs.values():
            run.pause()

    def heartbeat(self) -> None:
        """Somebody is looking."""
        for run in self.runs.values():
            run.heartbeat()

    def _put(self, runs: dict[str, Run]) -> None:
        for old in self._others.values():
            old.stop()
        first, *_ = runs.values()
        self._workspace.set_run(first)
        self._planned = first.experiment
        self._others = {label: run for label, run in list(runs.items())[1:]}
        for run in self._others.values():
            run.about.setdefault("owner", self._workspace.owner)
