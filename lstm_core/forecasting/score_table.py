"""The scores of a model and its baselines as JSON: what `score --json` prints and a run's score.json holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lstm_core.data.windows import Windows
from lstm_core.forecasting.scores import MAJORITY, Evaluation, Score, evaluate
from lstm_core.model.recurrent import SequenceModel


def score_table(
    models: dict[str, SequenceModel], windows: Windows, progress: Callable[[float], None] = lambda share: None
) -> dict[str, Any]:
    """What `score --json` prints: all scored values of the test and validation splits pooled, None where undefined.

    models: split → the model to score on it, as TrainedModel.scored_models has them.
    """
    parts = {split: evaluate(models[split], windows, split, progress=progress) for split in ("test", "valid")}
    fields = ("accuracy", "balanced_accuracy") if windows.classes else ("rmse", "mae", "mase")

    def row(evaluation: Evaluation | None, score: Score | None) -> dict[str, Any]:
        values = {name: None if score is None else getattr(score, name) for name in fields}
        return {"windows": evaluation.windows if evaluation else 0} | values

    result = {split: row(part, part and part.model) for split, part in parts.items()}
    if windows.classes:
        for split, part in parts.items():
            result[split]["majority_class"] = part and part.baselines[MAJORITY].accuracy
    test = parts["test"]
    return result | {"baselines": {name: row(test, score) for name, score in (test.baselines if test else {}).items()}}
