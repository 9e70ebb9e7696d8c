"""What a form of a study proposes: which settings may be searched, and for each the values around the experiment's."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from lstm_core.experiment import CELLS, PARTS, Experiment, PlaygroundError
from lstm_core.runs.sweeps.study import REFUSED, Range, Values
from lstm_core.settings import Setting, settings

FIRST = ("train.lr", "model.hidden_size", "train.batch_size", "model.num_layers")  # what a new study searches
# What a search of would only waste trials: the same losses come out, or the machine is another.
POINTLESS = ("model.batch_first", "train.device", "train.threads")
_WORD = re.compile(r"[\w./:-]+")  # a text that needs no quotes
_ROUND = (1, 2, 3, 5)  # first digits of the ends of a proposed range


def setting_of(name: str) -> Setting:
    """The setting of a name such as "train.lr"."""
    part, _, field = name.partition(".")
    return settings(PARTS[part])[field]


def searchable(experiment: Experiment) -> list[str]:
    """The settings that a study may search and that make a difference to this experiment, those of FIRST first."""
    names = [f"{part}.{name}" for part in ("train", "model", "data") for name in settings(PARTS[part])]
    idle = REFUSED.keys() | {*POINTLESS, *_idle(experiment)}
    return [*FIRST, *(name for name in names if name not in idle and name not in FIRST)]


def _idle(experiment: Experiment) -> set[str]:
    """Settings that mean nothing here, or that have one value only."""
    data, idle = experiment.data, set()
    if experiment.train.optimizer != "SGD":
        idle |= {"train.momentum"}
    if experiment.model.cell != "lstm":
        idle |= {"model.proj_size", "model.forget_bias", "model.chrono_t_max"}
    if data.time is None:
        idle |= {"data.calendar"}
    if data.holidays is None:
        idle |= {"data.holidays"}
    if data.group is None:
        idle |= {"data.series_id_input"}
    return idle | {name for name in ("data.features", "data.known_future") if len(set(proposed(name, experiment))) < 2}


def is_numeric(name: str) -> bool:
    """Whether a range of it may be searched."""
    one = setting_of(name)
    return one.type in (int, float) and not one.is_list


def proposed(name: str, experiment: Experiment) -> Values:
    """Values around the experiment's own that are worth a try."""
    part, _, field = name.partition(".")
    one, value = setting_of(name), getattr(getattr(experiment, part), field)
    if name in _PROPOSED:
        return _PROPOSED[name](experiment)
    if one.type is bool:
        return (False, True)
    if one.is_list:
        return ((), tuple(value)) if value else ((), tuple(list(one.choices)[:1]))
    if one.choices:
        return tuple(one.choices)
    return proposed_range(name, experiment) if is_numeric(name) else (value,)


def proposed_range(name: str, experiment: Experiment) -> Range:
    """A range around the experiment's own value of a number, within the setting's limits."""
    for proposals in (_RANGES, _PROPOSED):
        if name in proposals and isinstance(chosen := proposals[name](experiment), Range):
            return chosen
    part, _, field = name.partition(".")
    one, value = setting_of(name), getattr(getattr(experiment, part), field)
    value = value or one.default or max(1, one.minimum)
    low, high = (min(max(end, one.minimum), one.maximum) for end in (value / 4, value * 4))
    if one.type is int:
        low, high = math.floor(low), math.ceil(high)
    return Range(low, high if high > low else low + 1)


def proposed_values(name: str, experiment: Experiment) -> tuple[Any, ...]:
    """A list of values; of a number a few of its range."""
    values = proposed(name, experiment)
    if not isinstance(values, Range):
        return values
    number = (lambda text: int(float(text))) if setting_of(name).type is int else float
    middle = math.sqrt(values.low * values.high) if values.log else (values.low + values.high) / 2
    return tuple(dict.fromkeys(number(end) for end in (values.low, f"{middle:.2g}", values.high)))


def values_from_text(name: str, text: str) -> list[Any]:
    """What somebody types as a list of values: JSON with commas between, or plain words; empty stands for null.

    Raises:
        PlaygroundError: a bracket or quote is left open.
    """
    with suppress(ValueError, RecursionError):  # of plain words
        return json.loads(f"[{text}]")
    if any(sign in text for sign in '[]{}"'):
        raise PlaygroundError(f"{name}: {text[:60]!r} is no list of values: separate them by commas, as 16, 32, 64.")
    return [_value_of(word.strip()) for word in text.split(",")] if text.strip() else []


def values_to_text(values: tuple[Any, ...]) -> str:
    """The same as it is shown: 16, 32, 64 or none, 10, 50 or [], ["month"]."""
    if any(
        isinstance(value, tuple | list) or (isinstance(value, str) and not _WORD.fullmatch(value)) for value in values
    ):
        return json.dumps(list(values))[1:-1]
    return ", ".join(map(_word, values))


def _word(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or "none"
    whole = isinstance(value, float) and value.is_integer()
    return json.dumps(int(value) if whole else value)


def _value_of(word: str) -> Any:
    if word.casefold() in ("", "none", "empty"):
        return None
    try:
        return json.loads(word)
    except ValueError:
        return word


def _rounded(value: float, down: bool) -> float:
    """The nearest number below or above whose only digit is one of _ROUND."""
    if value <= 0:
        return value
    power = 10.0 ** math.floor(math.log10(value))
    steps = sorted(digit * power * scale for digit in _ROUND for scale in (0.1, 1, 10))
    fits = [step for step in steps if (step <= value * (1 + 1e-9) if down else step >= value * (1 - 1e-9))]
    return float(f"{(fits[-1] if down else fits[0]):.3g}")


def _around(part: str, field: str, factor: float) -> Callable[[Experiment], Range]:
    """A range of the number over a factor below and above, on a log scale, with round ends."""

    def values(experiment: Experiment) -> Range:
        one, value = setting_of(f"{part}.{field}"), getattr(getattr(experiment, part), field)
        value = value if value and value > 0 else one.default
        low, high = _rounded(value / factor, down=True), _rounded(value * factor, down=False)
        number = int if one.type is int else float
        low, high = number(max(low, one.minimum, 1 if one.type is int else 1e-9)), number(min(high, one.maximum))
        return Range(low, high if high > low else low + 1, log=True)

    return values


def _between(low: float, high: float, log: bool = False) -> Callable[[Experiment], Range]:
    return lambda experiment: Range(low, high, log)


def _batches(experiment: Experiment) -> tuple[int, ...]:
    size = experiment.train.batch_size
    return tuple(sorted({max(1, size // 2), size, 2 * size}))


def _hidden(experiment: Experiment) -> Range:
    """From a quarter to four times its units, both powers of two where they are one."""
    units = experiment.model.hidden_size
    low = max(2, units // 4, experiment.model.proj_size + 1)
    return Range(low, max(min(4 * units, 16_384), low + 1), log=True)


def _features(experiment: Experiment) -> tuple[tuple[str, ...], ...]:
    """All inputs, or the targets' own past alone."""
    data = experiment.data
    own = tuple(name for name in data.features if name in data.targets) or data.features[:1]
    return (data.features, own)


def _window(experiment: Experiment) -> Range:
    length = experiment.data.seq_len
    return Range(max(1, length // 2), max(2 * length, 2))


_RANGES: dict[str, Callable[[Experiment], Range]] = {  # of those that _PROPOSED has a list for
    "train.weight_decay": _between(1e-6, 1e-2, log=True),
    "train.max_grad_norm": _between(0.1, 10.0, log=True),
    "train.batch_size": _around("train", "batch_size", 2),
    "model.forget_bias": _between(0.0, 3.0),
    "model.chrono_t_max": lambda experiment: Range(3, max(6, 2 * experiment.data.seq_len), log=True),
}
_PROPOSED: dict[str, Callable[[Experiment], Values]] = {
    "train.lr": _around("train", "lr", 10),
    "train.epochs": _around("train", "epochs", 2),
    "train.batch_size": _batches,
    "train.weight_decay": lambda experiment: (0.0, 1e-5, 1e-4, 1e-3),
    "train.max_grad_norm": lambda experiment: (0.1, 1.0, 10.0),
    "train.momentum": _between(0.5, 0.99),
    "train.initial_state": lambda experiment: ("zero", "random"),
    "train.patience": lambda experiment: tuple(sorted({0, max(5, experiment.train.patience)})),
    "model.cell": lambda experiment: CELLS,
    "model.hidden_size": _hidden,
    "model.num_layers": lambda experiment: Range(1, max(3, experiment.model.num_layers)),
    "model.dropout": _between(0.0, 0.5),
    "model.frozen": lambda experiment: ((), experiment.model.frozen or ("bias_hh",)),
    "model.proj_size": lambda experiment: (0, max(1, experiment.model.hidden_size // 2)),
    "model.forget_bias": lambda experiment: (None, 1.0, 2.0),
    "model.chrono_t_max": lambda experiment: (
        None,
        max(3, experiment.data.seq_len),
        max(6, 2 * experiment.data.seq_len),
    ),
    "data.seq_len": _window,
    "data.features": _features,
    "data.holidays": lambda experiment: (None, experiment.data.holidays or "US"),
    "data.calendar": lambda experiment: ((), experiment.data.calendar or ("month", "weekday")),
}
