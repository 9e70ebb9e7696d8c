"""ScoringJob: a whole split scored beside the page, with its progress."""

from __future__ import annotations

from lstm_core.data.windows import Windows
from lstm_core.forecasting.scores import Evaluation, evaluate
from lstm_core.model.recurrent import SequenceModel
from lstm_core.runs.background import BackgroundJob


class ScoringJob(BackgroundJob[Evaluation]):
    """progress: share of the windows that are scored; its result is called evaluation, too."""

    def __init__(self, model: SequenceModel, windows: Windows, split: str) -> None:
        super().__init__(
            lambda job: evaluate(model, windows, split, progress=lambda share: job.report(share, "Scoring"))
        )

    @property
    def evaluation(self) -> Evaluation | None:
        return self.result
