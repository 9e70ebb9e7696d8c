"""Plain sentences about a score: is the model better than a simple answer, does it lag, what does it start from?"""

from __future__ import annotations

import numpy as np

from lstm_core.data.number_format import format_number, format_percent, format_significant
from lstm_core.data.windows import Windows
from lstm_core.forecasting.scores import BASELINE_NAMES, MAJORITY, PERSISTENCE, SEASONAL_NAIVE, SKIP, START, Evaluation


def verdict(evaluation: Evaluation) -> str:
    """One plain sentence: is the model better than the best simple answer?"""
    model = evaluation.model
    if model.accuracy is not None:
        return _class_verdict(evaluation)
    if model.rmse is None:
        return "Nothing is scored in these windows."
    if not np.isfinite(model.rmse):
        return "Its predictions are not finite numbers: train it anew with a smaller learning rate."
    name, best = min(evaluation.baselines.items(), key=lambda pair: pair[1].rmse)
    ratio = model.rmse / best.rmse if best.rmse else (1.0 if model.rmse == best.rmse else np.inf)
    beside = f"{BASELINE_NAMES[name]} ({format_significant(best.rmse, 4)})"
    head = f"Its error (RMSE {format_significant(model.rmse, 4)}) is "
    if abs(ratio - 1) < 0.005:
        return f"{head}the same as that of {beside}, within half a percent."
    if ratio < 1:
        return f"{head}{format_percent(1 - ratio, 0)} lower than that of {beside}."
    if ratio < 2:
        return f"{head}{format_percent(ratio - 1, 0)} higher than that of {beside}: the simple answer is better."
    times = f"{format_significant(ratio, 2)} times" if np.isfinite(ratio) else "higher than"
    return f"{head}{times} that of {beside}: the simple answer is better."


def _class_verdict(evaluation: Evaluation) -> str:
    accuracy, simple = evaluation.model.accuracy, evaluation.baselines[MAJORITY].accuracy
    answer = f"always answering {evaluation.majority!r}, the commonest class of the training set"
    if abs(accuracy - simple) < 5e-4:
        return f"{format_percent(accuracy)} are right, as many as by {answer}."
    than = "more" if accuracy > simple else "fewer"
    end = "" if accuracy > simple else ": the simple answer is better"
    return f"{format_percent(accuracy)} are right, {than} than the {format_percent(simple)} of {answer}{end}."


def lag_sentence(evaluation: Evaluation) -> str:
    """Whether the predictions follow the series one row late; empty if they do not, or it is not known."""
    if evaluation.lag is None or not evaluation.lag[1] > evaluation.lag[0]:
        return ""
    now, before = (format_number(r, 3) for r in evaluation.lag)
    return (
        f"Its predictions lag by one row: they correlate more with the row before (r = {before}) than with the row "
        f"they are for (r = {now}), as persistence does."
    )


def start_sentence(windows: Windows, evaluation: Evaluation, adds_nothing: bool, linear_skip: bool = False) -> str:
    """What the model starts from and what the LSTM makes of it; empty without a start.

    adds_nothing: the untrained model, which is the start itself, was the best; linear_skip: ModelSpec's, which may
    have been left out.
    """
    if windows.target is None or evaluation.model.rmse is None:
        return ""
    name = {"last": PERSISTENCE, "season": SEASONAL_NAIVE}.get(windows.spec.start, START)
    text = windows.target.starts[0].describe() + " of the logarithm" * windows.target.log
    skip, left_out = evaluation.baselines.get(SKIP), ""
    if linear_skip and skip is None:
        left_out = " Its linear skip is left out: no penalty made it better than that on the validation windows."
    if adds_nothing:
        both = f"{text}, from which it starts" if skip is None else f"{text} and the linear skip together"
        return f"Here the LSTM adds nothing to {both}: its gates show weights that the forecast does not use.{left_out}"
    start, rmse = (format_significant(value, 4) for value in (evaluation.baselines[name].rmse, evaluation.model.rmse))
    makes = "The LSTM makes that"
    if skip is not None:
        makes = f"The linear skip makes that {format_significant(skip.rmse, 4)}, the LSTM"
    return f"It starts from {text}: RMSE {start}. {makes} {rmse}.{left_out}"
