"""The contest: an LSTM and the baselines on exactly the same test windows, and which of them is best.

What is compared is the first target, in its own units. Each series has baselines of its own; the errors are pooled.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from lstm_core.data.number_format import format_significant
from lstm_core.data.season import find_season
from lstm_core.data.table import Table
from lstm_core.data.transforms import forward_fill
from lstm_core.data.windows import Windows, make_windows
from lstm_core.experiment import MAX_SEED, DataSpec, Experiment, PlaygroundError
from lstm_core.forecasting.baselines import BASELINES
from lstm_core.forecasting.predict import predict
from lstm_core.forecasting.recipe import recommended_experiment
from lstm_core.model.recurrent import SequenceModel
from lstm_core.training.loss import NonFiniteLossError
from lstm_core.training.trainer import Trainer

LSTM = "lstm"
FITTED = ("ets", "arima")  # seconds a series, and a package of their own
QUICK = tuple(name for name in BASELINES if name not in FITTED)
MAX_FITTED_SERIES = 10
NAMES = {  # in a sentence
    LSTM: "the LSTM",
    "persistence": "persistence (the last value)",
    "seasonal_naive": "the seasonal naive forecast",
    "drift": "drift (a straight line)",
    "mean": "the training mean",
    "ridge": "ridge regression",
    "ets": "AutoETS",
    "arima": "AutoARIMA",
}
SAME = 5e-4  # a smaller share of an RMSE is no difference

Progress = Callable[[float, str], None]  # the share done and what is under way; what it raises ends the contest


def _silent(share: float, what: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Contest:
    """What each method's errors on the test windows are, in units of the target.

    baselines: name → RMSE of each step (horizon,), None where the method does not apply to all windows; lstm: the same
    of each seed.
    """

    target: str
    others: int  # further targets, which are not compared
    horizon: int
    windows: int
    series: int
    start: str
    season: int  # rows, 0 for none
    baselines: dict[str, tuple[float, ...] | None]
    lstm: tuple[tuple[float, ...], ...]
    cell: str = "LSTM"  # or what else the model is

    @property
    def seeds(self) -> tuple[float, ...]:
        """The LSTM's RMSE of each seed, all steps pooled."""
        return tuple(_pooled(steps) for steps in self.lstm)

    @property
    def rmse(self) -> dict[str, float | None]:
        """Method → RMSE, all steps pooled; of the LSTM the mean over the seeds; None where it does not apply."""
        lstm = {LSTM: float(np.mean(self.seeds))} if self.lstm else {}
        return lstm | {name: None if steps is None else _pooled(steps) for name, steps in self.baselines.items()}

    @property
    def first_step(self) -> dict[str, float | None]:
        """The same of the first step alone."""
        lstm = {LSTM: float(np.mean([steps[0] for steps in self.lstm]))} if self.lstm else {}
        return lstm | {name: None if steps is None else steps[0] for name, steps in self.baselines.items()}

    @property
    def best(self) -> str | None:
        """The method with the smallest RMSE; a simple one where the LSTM is no better."""
        known = {name: value for name, value in self.rmse.items() if value is not None and math.isfinite(value)}
        if not known:
            return None
        least = min(known.values())
        return next(name for name in (*self.baselines, LSTM) if known.get(name, math.inf) <= least * (1 + SAME))

    def name_of(self, method: str) -> str:
        """In a sentence: "the LSTM", "ridge regression"."""
        return f"the {self.cell}" if method == LSTM else NAMES[method]

    def with_baselines(self, baselines: dict[str, tuple[float, ...] | None]) -> Contest:
        """The same contest with the errors of more baselines, where they have any."""
        known = {name: steps for name, steps in baselines.items() if steps is not None}
        return dataclasses.replace(self, baselines=self.baselines | known)

    def with_seeds(self, lstm: tuple[tuple[float, ...], ...]) -> Contest:
        """The same contest with more seeds of the LSTM."""
        return dataclasses.replace(self, lstm=self.lstm + lstm)

    def sentence(self) -> str:
        """Which method is best: "AutoARIMA is best here: RMSE 12.3; the LSTM's is 13.0 (12.8–13.4 over 3 seeds).\""""
        best, rmse = self.best, self.rmse
        if best is None or LSTM not in rmse:
            return "No method has a finite error on these windows."
        name, value = capitalised(self.name_of(best)), format_significant(rmse[best], 3)
        rest = {other: error for other, error in rmse.items() if other != best and error is not None}
        if best != LSTM:
            same = rmse[LSTM] <= rmse[best] * (1 + SAME)
            its = "the same" if same else format_significant(rmse[LSTM], 3) + self._spread()
            return f"{name} is best here: RMSE {value}; the {self.cell}'s is {its}."
        if not rest:
            return f"The {self.cell}'s RMSE is {value}{self._spread()}."
        second = min(rest, key=lambda other: rest[other])
        beside = f"next comes {self.name_of(second)} with {format_significant(rest[second], 3)}"
        within = ", within that spread" if len(self.lstm) > 1 and rest[second] <= max(self.seeds) else ""
        return f"{name} is best here: RMSE {value}{self._spread()}; {beside}{within}."

    def _spread(self) -> str:
        if len(self.lstm) < 2:
            return ""
        low, high = (format_significant(value, 3) for value in (min(self.seeds), max(self.seeds)))
        over = f"over {len(self.lstm)} seeds"
        return f" ({low} {over})" if low == high else f" ({low}–{high} {over})"

    def about(self) -> str:
        """What was compared: "On 31 test windows, 12 rows ahead, in units of sales.\""""
        windows = f"{self.windows:,} test window{'s' * (self.windows != 1)}"
        series = f" of {self.series:,} series, each with baselines of its own" if self.series > 1 else ""
        ahead = f"1 to {self.horizon:,} rows ahead" if self.horizon > 1 else "one row ahead"
        others = " (the first target; the others are not compared)" if self.others else ""
        return f"On {windows}{series}, {ahead}, in units of {self.target}{others}."


def capitalised(text: str) -> str:
    """With a capital letter first, the others as they are."""
    return text[:1].upper() + text[1:]


def _pooled(steps: tuple[float, ...]) -> float:
    return float(np.sqrt(np.mean(np.square(steps))))


def run_contest(
    table: Table, data: DataSpec, seeds: int = 3, names: tuple[str, ...] | None = None, progress: Progress = _silent
) -> Contest:
    """The LSTM with the settings recommended for this table, trained from the seeds 0, 1 …, beside the baselines.

    data: with targets, features, time, group, horizon and the shares chosen; names: of the baselines, else all that
    can be had here.

    Raises:
        PlaygroundError: there is nothing to forecast, or too few rows for a test window.
    """
    experiment = recommended_experiment(table, data)
    windows = make_windows(table, experiment.data)
    _refuse(windows)
    share = seeds / (seeds + 1)
    lstm = train_seeds(windows, experiment, range(seeds), lambda done, what: progress(done * share, what))
    baselines = baseline_errors(windows, names, lambda done, what: progress(share + done * (1 - share), what))
    return _contest(windows, baselines, lstm)


def contest_of(
    model: SequenceModel, windows: Windows, names: tuple[str, ...] | None = None, progress: Progress = _silent
) -> Contest:
    """A model that is trained already beside the baselines; nothing is trained.

    Raises:
        PlaygroundError: the model predicts classes or the same row, or there is no test window.
    """
    _refuse(windows)
    contest = _contest(windows, baseline_errors(windows, names, progress), (model_errors(model, windows),))
    return dataclasses.replace(contest, cell=model.spec.module_name)


def _contest(
    windows: Windows, baselines: dict[str, tuple[float, ...] | None], lstm: tuple[tuple[float, ...], ...]
) -> Contest:
    spec, starts = windows.spec, windows.starts["test"]
    series = len(np.unique(np.searchsorted(windows.groups, starts, side="right")))
    about = (spec.targets[0], len(spec.targets) - 1, windows.output_steps, len(starts), series, spec.start)
    return Contest(*about, season_of(windows), baselines, lstm)


def train_seeds(
    windows: Windows, experiment: Experiment, seeds: range | tuple[int, ...], progress: Progress = _silent
) -> tuple[tuple[float, ...], ...]:
    """Train the experiment from each of these seeds, of the weights and of the batches: (seeds, horizon) test RMSEs."""
    errors = []
    for index, seed in enumerate(seeds):

        def report(share: float, index: int = index) -> None:
            progress((index + share) / len(seeds), f"Training the LSTM, {index + 1} of {len(seeds)}")

        errors.append(model_errors(train_seed(windows, experiment, seed, report).model, windows))
    return tuple(errors)


def train_seed(
    windows: Windows, experiment: Experiment, seed: int, progress: Callable[[float], None] = lambda share: None
) -> Trainer:
    """The experiment trained to its end from this seed; where the loss diverges, with its best weights until then.

    progress: called with the share of the steps done, of which early stopping needs fewer.
    """
    seed %= MAX_SEED + 1
    model, train = (dataclasses.replace(part, seed=seed) for part in (experiment.model, experiment.train))
    trainer = Trainer(windows, dataclasses.replace(experiment, model=model, train=train))
    steps = train.epochs * trainer.steps_per_epoch * (2 if train.refit else 1)
    try:
        for record in trainer:
            done = record["step"] if "step" in record else steps // 2 + record["refit_step"]
            progress(min(1.0, done / steps))
    except NonFiniteLossError:
        trainer.use_best_weights()
    return trainer


def model_errors(model: SequenceModel, windows: Windows) -> tuple[float, ...]:
    """(horizon,) RMSE of each step on the test windows, of the first target."""
    starts = windows.starts["test"]
    errors = predict(model, windows, starts)[..., 0] - windows.targets(starts)[..., 0]
    return tuple(np.sqrt(np.square(errors).mean(0)).tolist())


def available() -> tuple[str, ...]:
    """The baselines that can be had here: ETS and ARIMA need the package statsforecast."""
    return tuple(BASELINES) if find_spec("statsforecast") else QUICK


def baseline_errors(
    windows: Windows, names: tuple[str, ...] | None = None, progress: Progress = _silent
) -> dict[str, tuple[float, ...] | None]:
    """Baseline → (horizon,) RMSE of each step on the test windows; None where it does not apply to all of them.

    Gaps are filled forward, as in the windows. ETS and ARIMA are None for more than MAX_FITTED_SERIES series.
    """
    names = available() if names is None else names
    origins = windows.last_rows(windows.starts["test"])
    sequences = np.searchsorted(windows.groups, origins, side="right") - 1
    filled = forward_fill(windows.y[:, :1].astype(np.float64), windows.groups)[:, 0]
    season, truth = season_of(windows), windows.targets(windows.starts["test"])[..., 0]
    present, result = np.unique(sequences), dict.fromkeys(BASELINES)
    for done, name in enumerate(names):
        if name in FITTED and len(present) > MAX_FITTED_SERIES:
            continue
        squares = np.zeros(windows.output_steps)
        for index, sequence in enumerate(present):
            what = f"Fitting {NAMES[name]}" if name in FITTED else "Computing the simple forecasts"
            progress((done + index / len(present)) / len(names), what)
            of = sequences == sequence
            forecasts = _series_forecasts(windows, name, filled, int(sequence), origins[of], season)
            squares += np.square(forecasts - truth[of]).sum(0)
        rmse = np.sqrt(squares / len(origins))
        result[name] = tuple(rmse.tolist()) if np.isfinite(rmse).all() else None
    return result


def _series_forecasts(
    windows: Windows, name: str, filled: np.ndarray, sequence: int, origins: np.ndarray, season: int
) -> np.ndarray:
    """(origins, horizon) of one series, from its first known value on."""
    first, end = windows.groups[sequence], windows.groups[sequence + 1]
    first += int(np.isfinite(filled[first:end]).argmax())
    train_end = int((windows.split_of_row[first:end] == 0).sum())
    options = {"seq_len": windows.spec.seq_len} if name == "ridge" else {}
    return BASELINES[name](filled[first:end], origins - first, windows.output_steps, season, train_end, **options)


def season_of(windows: Windows) -> int:
    """The rows of a season: the experiment's own, or the one found in the training rows of the longest series."""
    if windows.spec.season or windows.target is not None:
        return windows.spec.season
    longest = int(np.diff(windows.groups).argmax())
    rows = slice(windows.groups[longest], windows.groups[longest + 1])
    return find_season(windows.y[rows, 0][windows.split_of_row[rows] == 0])


def _refuse(windows: Windows) -> None:
    if windows.classes or not windows.spec.horizon:
        raise PlaygroundError(
            "A contest is one of forecasts: choose a number as the target, and a horizon of 1 row or more."
        )
    if not len(windows.starts["test"]):
        raise PlaygroundError("There is no test window to compare methods on: lower the training share or the horizon.")
