"""Study: an experiment, the values to try for some of its settings, and how many trials. No data, files or torch."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from pydantic import Field

from lstm_core.experiment import MAX_SEED, PARTS, Experiment, PlaygroundError
from lstm_core.settings import checked, json_number, setting, settings, validated

_LUCK = "a seed is luck, and the best settings are trained from several of them in the end"
_GOAL = "it changes what the validation loss measures, so that trials could not be compared"
_LATER = "it changes the model after its validation loss is known"
COMPARABLE = ("seq_len", "features", "calendar", "holidays", "known_future", "series_id_input")  # of data
REFUSED = {
    **{f"data.{name}": _GOAL for name in settings(PARTS["data"]) if name not in COMPARABLE},
    "model.head": _GOAL,
    "model.seed": _LUCK,
    "train.loss": _GOAL,
    "train.seed": _LUCK,
    "train.refit": _LATER,
    "train.shrink": _LATER,
}

LARGEST = 1e18


@validated
class Range:
    """Numbers from low to high, both included."""

    low: float = setting(..., "low", "The smallest value", -LARGEST, LARGEST)
    high: float = setting(..., "high", "The largest value", -LARGEST, LARGEST)
    log: bool = setting(False, "log", "As many trials from 0.001 to 0.01 as from 0.01 to 0.1")
    step: float | None = setting(None, "step", "From one value to the next. Empty: any, of whole numbers 1", 1e-9, 1e9)


Values = Range | tuple[Any, ...]  # a range, or a list of values


@validated
class Study:
    """What a sweep searches. The goal is the lowest validation loss."""

    experiment: Experiment = Field(description="All settings; those that are searched may be left out")
    search: dict[str, Values] = Field(
        description='What to try, by the setting\'s name: {"low": 0.0001, "high": 0.1, "log": true} or a list of values'
    )
    name: str = setting("", "name", "What its runs are called")
    trials: int = setting(24, "trials", "How many settings are tried", 1, 100_000)
    epochs: int | None = setting(
        None, "epochs", "Passes of each trial over the training set. Empty: the experiment's own", 1, 1_000_000
    )
    seed: int = setting(0, "seed", "The same seed proposes the same settings", 0, MAX_SEED)
    parallel: int = setting(
        4,
        "parallel trials",
        "Trials under way at most. A trial is proposed from the results of all but the last so many, so that the "
        "result does not depend on which of them ends first, nor on how many workers there are",
        1,
        256,
    )
    prune: bool = setting(
        True, "prune", "Stop a trial whose best validation loss is worse than the median of the others' at its epoch"
    )
    warmup_epochs: int = setting(5, "warm-up epochs", "Of each trial, in which it is not pruned", 0, 1_000_000)
    finalists: int = setting(5, "finalists", "The best settings, which are trained from several seeds", 1, 100)
    seeds: int = setting(3, "seeds", "From which each finalist is trained: the best median wins", 1, 100)

    def __post_init__(self) -> None:
        if not self.search:
            raise PlaygroundError(
                'search is empty: name a setting and its values, such as {"train.lr": [0.01, 0.001]}.'
            )
        if self.epochs is not None and "train.epochs" in self.search:
            raise PlaygroundError("epochs and a search of train.epochs exclude each other: leave one of them out.")

    def to_json(self) -> str:
        fields = dataclasses.asdict(self)
        search = {name: _values_to_json(values) for name, values in self.search.items()}
        return json.dumps(fields | {"experiment": json.loads(self.experiment.to_json()), "search": search}, indent=1)

    @staticmethod
    def from_json(text: str) -> Study:
        """Read what to_json wrote, or what was written by hand: what it leaves out has its default.

        Raises:
            PlaygroundError: not JSON, an unknown setting, a value that the setting itself refuses, or a setting that
                cannot be searched.
        """
        try:
            parts = json.loads(text, parse_float=json_number)
        except (ValueError, RecursionError) as error:
            raise PlaygroundError(f"The study is not valid JSON ({error}).") from None
        if not isinstance(parts, dict):
            raise PlaygroundError("The study must be a JSON object.")
        if not isinstance(parts.get("search"), dict):
            raise PlaygroundError('The study has no search: {"search": {"train.lr": {"low": 0.001, "high": 0.1}}}.')
        unknown = sorted(parts.keys() - {field.name for field in dataclasses.fields(Study)})
        if unknown:
            raise PlaygroundError(f"The study has unknown fields: {', '.join(map(repr, unknown))}.")
        if isinstance(parts.get("experiment"), dict) and parts["experiment"].get("changes"):
            raise PlaygroundError(
                "The study's experiment has live changes, which no trial makes: take changes out of it."
            )
        search = {name: _read_values(name, values) for name, values in parts["search"].items()}
        text = json.dumps(parts.get("experiment", {}))
        return Study(**parts | {"experiment": Experiment.from_json(text), "search": search})

    def with_params(self, params: dict[str, Any], seed: int = 0) -> Experiment:
        """The experiment with these values, as it is trained to be compared: without a refit, from another seed.

        Raises:
            PlaygroundError: the values do not go together.
        """
        parts = {part: getattr(self.experiment, part) for part in PARTS}
        changes: dict[str, dict[str, Any]] = {part: {} for part in PARTS}
        for name, value in params.items():
            part, _, field = name.partition(".")
            changes[part][field] = value
        for part in ("model", "train"):
            changes[part]["seed"] = (parts[part].seed + seed) % (MAX_SEED + 1)
        changes["train"]["refit"] = False
        if self.epochs is not None:
            changes["train"]["epochs"] = self.epochs
        return Experiment(**{part: dataclasses.replace(parts[part], **changes[part]) for part in PARTS})

    def winner(self, params: dict[str, Any]) -> Experiment:
        """The experiment with these values, and with a refit if it asks for one."""
        experiment = self.with_params(params)
        train = dataclasses.replace(experiment.train, refit=self.experiment.train.refit)
        return dataclasses.replace(experiment, train=train)


def _values_to_json(values: Values) -> Any:
    return dataclasses.asdict(values) if isinstance(values, Range) else list(values)


def _read_values(name: str, values: Any) -> Values:
    """A range or a list of values for the setting of this name, each of which the setting takes."""
    part, _, field = name.partition(".")
    known = settings(PARTS[part]).get(field) if part in PARTS else None
    if known is None:
        raise PlaygroundError(f"search has {name!r}, but there is no such setting: schema lists all.")
    if name in REFUSED:
        raise PlaygroundError(f"{name} cannot be searched: {REFUSED[name]}.")
    try:
        if isinstance(values, list):
            return _read_list(PARTS[part], field, values)
        if known.is_list or known.choices or known.type not in (int, float):
            raise PlaygroundError(f"{field} is no number: give a list of values, each {known.allowed}.")
        return _read_range(PARTS[part], field, values, known.type)
    except PlaygroundError as error:  # its sentence begins with the field's name
        raise PlaygroundError(f"search: {part}.{error}") from None


def _read_list(kind: type, field: str, values: list) -> tuple[Any, ...]:
    read = tuple(checked(kind, field, value) for value in values)
    if len({json.dumps(value) for value in read}) < max(2, len(read)):
        raise PlaygroundError(f"{field} needs two values or more to try, each of them once.")
    return read


def _read_range(kind: type, field: str, values: Any, number: type) -> Range:
    if not isinstance(values, dict) or not {"low", "high"} <= values.keys():
        raise PlaygroundError(f'{field} needs {{"low": …, "high": …}} or a list of values.')
    try:
        found = Range(**values)
    except PlaygroundError as error:
        raise PlaygroundError(f"{field}: {error}") from None
    if number is int and any(value % 1 for value in (found.low, found.high, found.step or 0)):
        raise PlaygroundError(f"{field} is a whole number: give whole numbers for low, high and step.")
    for end in (found.low, found.high):
        checked(kind, field, number(end))
    if found.low >= found.high:
        raise PlaygroundError(f"{field}: low is {found.low:g}, and high {found.high:g}: choose a larger high.")
    if found.log and (found.low <= 0 or found.step is not None):
        wrong = "low must be above 0" if found.low <= 0 else "step must be left out"
        raise PlaygroundError(f"{field}: where log is true, {wrong}.")
    return found
