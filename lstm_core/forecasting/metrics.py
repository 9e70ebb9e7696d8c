"""Scores of a model beside naive baselines on the same windows, and one sentence about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstm_core.data.windows import Windows


@dataclass(frozen=True)
class Score:
    """One row of the table under the forecast. Errors in the target's own units; accuracy in 0…1."""

    who: str
    rmse: float | None = None
    mae: float | None = None
    accuracy: float | None = None



def window_errors(windows: Windows, starts: np.ndarray, said: np.ndarray) -> np.ndarray:
    """(windows,) how wrong each prediction is: mean absolute error, or 1 − the true class's probability."""
    truth = windows.truth(starts)
    if windows.classes:
        return 1 - said[np.arange(len(said)), truth]
    return np.abs(said - truth).mean((1, 2))



def scores(windows: Windows, starts: np.ndarray, said: np.ndarray) -> list[Score]:
    """The model's score and, beside it, that of repeating the last known value (or the commonest class).

    A forecast is worth having only if it beats the naive row.
    """
    if not len(starts):
        return []
    truth = windows.truth(starts)
    if windows.classes:
        seen = windows.truth(windows.starts["train"])
        commonest = np.bincount(seen[seen >= 0], minlength=len(windows.classes)).argmax()
        return [
            Score("this model", accuracy=float((said.argmax(1) == truth).mean())),
            Score(f"always {windows.classes[commonest]!r}", accuracy=float((truth == commonest).mean())),
        ]
    found = [_errors("this model", said, truth)]
    if windows.spec.horizon:
        last = windows.y[windows.target_rows(starts)[:, :1] - 1]  # (windows, 1, targets)
        known = ~np.isnan(last).any((1, 2))
        if known.any():
            found.append(_errors("repeat the last value", (last + 0 * truth)[known], truth[known]))
    mean = np.broadcast_to(np.nanmean(windows.y[windows.part_of_row == 0], axis=0), truth.shape)
    return [*found, _errors("the training mean", mean, truth)]



def _errors(who: str, said: np.ndarray, truth: np.ndarray) -> Score:
    error = said.astype(np.float64) - truth
    return Score(who, rmse=float(np.sqrt((error**2).mean())), mae=float(np.abs(error).mean()))



def verdict(found: list[Score]) -> str:
    """One plain sentence: does the model beat the best naive answer?"""
    if not found:
        return "This part has no windows."
    model, *naive = found
    if model.accuracy is not None:
        better = model.accuracy > naive[0].accuracy
        return (
            f"{model.accuracy:.1%} right; {naive[0].who} would be right {naive[0].accuracy:.1%} of the time"
            + ("." if better else ", so it has not learned anything yet.")
        )
    best = min(naive, key=lambda score: score.rmse)
    gain = 1 - model.rmse / best.rmse if best.rmse else 0.0
    if gain >= 0.005:
        return f"Its error (RMSE {model.rmse:.4g}) is {gain:.0%} lower than “{best.who}” ({best.rmse:.4g})."
    return f"Its error (RMSE {model.rmse:.4g}) is no better than “{best.who}” ({best.rmse:.4g}) so far."
