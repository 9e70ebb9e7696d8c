"""Scores of a model beside naive baselines on the same windows, and one sentence about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstm_core.data.windows import Windows


@dataclass(frozen=True)
class Score:
    """One row of the table under the forecast. Errors in the target's own units; accuracy in 0…1."""

    name: str
    rmse: float | None = None
    mae: float | None = None
    accuracy: float | None = None


def window_errors(windows: Windows, starts: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """(windows,) how wrong each prediction is: mean absolute error, or 1 − the true class's probability."""
    targets = windows.targets(starts)
    if windows.classes:
        return 1 - predictions[np.arange(len(predictions)), targets]
    return np.abs(predictions - targets).mean((1, 2))


def score_with_baselines(windows: Windows, starts: np.ndarray, predictions: np.ndarray) -> list[Score]:
    """The model's score and, beside it, that of repeating the last known value (or the commonest class).

    A forecast is worth having only if it beats the naive row.
    """
    if not len(starts):
        return []
    targets = windows.targets(starts)
    if windows.classes:
        train_targets = windows.targets(windows.starts["train"])
        commonest = np.bincount(train_targets[train_targets >= 0], minlength=len(windows.classes)).argmax()
        return [
            Score("this model", accuracy=float((predictions.argmax(1) == targets).mean())),
            Score(f"always {windows.classes[commonest]!r}", accuracy=float((targets == commonest).mean())),
        ]
    rows = [_errors("this model", predictions, targets)]
    if windows.spec.horizon:
        last = windows.y[windows.target_rows(starts)[:, :1] - 1]  # (windows, 1, targets)
        has_last = ~np.isnan(last).any((1, 2))
        if has_last.any():
            rows.append(_errors("repeat the last value", (last + 0 * targets)[has_last], targets[has_last]))
    mean = np.broadcast_to(np.nanmean(windows.y[windows.split_of_row == 0], axis=0), targets.shape)
    return [*rows, _errors("the training mean", mean, targets)]


def _errors(name: str, predictions: np.ndarray, targets: np.ndarray) -> Score:
    error = predictions.astype(np.float64) - targets
    return Score(name, rmse=float(np.sqrt((error**2).mean())), mae=float(np.abs(error).mean()))


def summarize(rows: list[Score]) -> str:
    """One plain sentence: does the model beat the best naive answer?"""
    if not rows:
        return "This part has no windows."
    model, *naive = rows
    if model.accuracy is not None:
        better = model.accuracy > naive[0].accuracy
        return f"{model.accuracy:.1%} right; {naive[0].name} would be right {naive[0].accuracy:.1%} of the time" + (
            "." if better else ", so it has not learned anything yet."
        )
    best = min(naive, key=lambda score: score.rmse)
    gain = 1 - model.rmse / best.rmse if best.rmse else 0.0
    if gain >= 0.005:
        return f"Its error (RMSE {model.rmse:.4g}) is {gain:.0%} lower than “{best.name}” ({best.rmse:.4g})."
    return f"Its error (RMSE {model.rmse:.4g}) is no better than “{best.name}” ({best.rmse:.4g}) so far."
