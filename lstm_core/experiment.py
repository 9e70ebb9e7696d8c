"""What a run is, as values: DataSpec + ModelSpec + TrainSpec = Experiment, frozen, validated, JSON both ways.

Every default and every permitted choice of the playground stands here, once. Nothing here touches data,
tensors or files, and nothing here imports torch: the pages that only configure must open at once.
"""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass, field
from typing import Any, get_args, get_type_hints

GATES = ("i", "f", "g", "o")  # input, forget, cell candidate, output: PyTorch's order of rows
STATES = ("c", "h")
SPLITS = ("train", "valid", "test")

SOURCES = ("sample", "generator", "csv")
SCALINGS = ("standard", "minmax", "none")
MISSING = ("forward_fill", "skip")
CELL_GATES = {"lstm": GATES, "gru": ("r", "z", "n"), "rnn": ()}  # in PyTorch's order of rows
CELLS = tuple(CELL_GATES)
HEADS = ("last", "per_step")
FROZEN_PARTS = ("forget_gate", "bias_hh", "head")  # parts of a model that keep a set value and never train
OPTIMIZERS = ("Adam", "AdamW", "RMSprop", "SGD")
REGRESSION_LOSSES = ("mse", "mae", "huber")
CLASSIFICATION_LOSSES = ("cross_entropy",)
INITIAL_STATES = ("zero", "random", "stateful")  # what h and c are before a window
SATURATING_BIAS = 20.0  # the bias of a gate that is held open: its σ is 1 to the last bit of float32
LIVE_FIELDS = ("lr", "max_grad_norm", "epochs", "patience")  # fields of TrainSpec that change without a fresh model
LOSSES = ("auto", *REGRESSION_LOSSES, *CLASSIFICATION_LOSSES)
FORMAT = 2  # of an experiment's JSON
MAX_SNAPSHOTS = 60  # weights kept along a run, to replay its learning


class PlaygroundError(ValueError):
    """One sentence for the user: what is wrong, where, and what to do. The only error that pages catch."""


def _check(condition: bool, sentence: str) -> None:
    if not condition:
        raise PlaygroundError(sentence)


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    _check(value in choices, f"{name} is {value!r}: choose one of {', '.join(choices)}.")


def _check_int(name: str, value: int, low: int, high: int) -> None:
    _check(low <= value <= high, f"{name} is {value}: choose a whole number from {low} to {high}.")


def _check_number(name: str, value: float, low: float, high: float) -> None:
    ok = math.isfinite(value) and low <= value <= high
    _check(ok, f"{name} is {value:g}: choose a number from {low:g} to {high:g}.")


@dataclass(frozen=True)
class DataSpec:
    """Which table, which of its columns, and how it is cut into windows and parts."""

    source: str = "sample"
    name: str = "sunspots"  # the sample, the generator or the CSV file
    length: int = 600  # generators: rows of a series, or number of sequences
    n_features: int = 4  # generators of sequences with a free number of features
    noise: float = 0.05  # generators: standard deviation, in units of the clean signal's own
    seed: int = 0  # generators
    targets: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    time: str | None = None  # rows are put in its order
    group: str | None = None  # one value a sequence: windows never cross from one to the next
    seq_len: int = 24  # rows the model sees
    horizon: int = 1  # rows after those that it must say; 0: the last row that it sees
    train_share: float = 0.7
    valid_share: float = 0.15  # the rest is the test part
    scaling: str = "standard"  # fitted on the training rows only
    missing: str = "forward_fill"  # features: carry the last known value on, or skip the windows

    def __post_init__(self) -> None:
        _check_choice("source", self.source, SOURCES)
        _check_choice("scaling", self.scaling, SCALINGS)
        _check_choice("missing", self.missing, MISSING)
        _check_int("length", self.length, 2, 1_000_000)
        _check_int("n_features", self.n_features, 1, 1000)
        _check_number("noise", self.noise, 0.0, 10.0)
        _check_int("seed", self.seed, 0, 2**31 - 1)
        _check_int("seq_len", self.seq_len, 1, 100_000)
        _check_int("horizon", self.horizon, 0, 10_000)
        _check_number("The training share", self.train_share, 0.05, 0.95)
        _check_number("The validation share", self.valid_share, 0.0, 0.9)
        _check(
            self.train_share + self.valid_share <= 1 + 1e-9,
            f"The training share {self.train_share:g} and the validation share {self.valid_share:g} add up to "
            "more than 1: lower one of them.",
        )

    @property
    def test_share(self) -> float:
        return max(0.0, 1.0 - self.train_share - self.valid_share)


@dataclass(frozen=True)
class ModelSpec:
    """Every argument of nn.LSTM, nn.GRU or nn.RNN (with tanh) but input_size, which the data sets; and the head."""

    cell: str = "lstm"
    hidden_size: int = 32
    num_layers: int = 1
    bias: bool = True
    batch_first: bool = True
    dropout: float = 0.0
    bidirectional: bool = False
    proj_size: int = 0
    head: str = "last"  # one output at the end, or one at every step
    forget_bias: float | None = None  # None leaves PyTorch's own initialisation
    chrono_t_max: int | None = (
        None  # steps that the LSTM may have to remember: its gates' biases are drawn to fit them
    )
    frozen: tuple[str, ...] = ()  # of FROZEN_PARTS: f = 1 (the LSTM of 1997), bias_hh = 0, the head says h itself
    seed: int = 0

    def __post_init__(self) -> None:
        _check_choice("cell", self.cell, CELLS)
        _check_choice("head", self.head, HEADS)
        _check_int("hidden_size", self.hidden_size, 1, 16_384)
        _check_int("num_layers", self.num_layers, 1, 64)
        _check_number("dropout", self.dropout, 0.0, 1.0)
        _check_int("seed", self.seed, 0, 2**31 - 1)
        _check(
            0 <= self.proj_size < self.hidden_size,
            f"proj_size is {self.proj_size}: it must be 0 (no projection) or smaller than "
            f"hidden_size, {self.hidden_size}.",
        )
        _check(
            self.cell == "lstm" or not self.proj_size,
            f"proj_size is {self.proj_size}, but nn.{self.module_name} has no projection: set it to 0 or choose an "
            "LSTM.",
        )
        self._check_forget_gate()
        self._check_frozen()

    def _check_forget_gate(self) -> None:
        for name, value in (("forget_bias", self.forget_bias), ("chrono_t_max", self.chrono_t_max)):
            if value is None:
                continue
            _check(
                self.cell == "lstm",
                f"{name} is {value:g}, but nn.{self.module_name} has no forget gate: leave it empty or choose an LSTM.",
            )
            _check(
                "forget_gate" not in self.frozen,
                f"{name} is {value:g}, but frozen keeps the forget gate open: leave one of them empty.",
            )
            _check(self.bias, f"{name} needs bias: switch bias on or leave {name} empty.")
        if self.forget_bias is not None:
            _check_number("forget_bias", self.forget_bias, -20.0, 20.0)
        if self.chrono_t_max is not None:
            _check_int("chrono_t_max", self.chrono_t_max, 3, 1_000_000)
            _check(
                self.forget_bias is None,
                "forget_bias and chrono_t_max both say how the forget gates start: leave one of them empty.",
            )

    def _check_frozen(self) -> None:
        for part in self.frozen:
            _check_choice("frozen", part, FROZEN_PARTS)
        _check(
            self.cell == "lstm" or "forget_gate" not in self.frozen,
            f"frozen has the forget gate, but nn.{self.module_name} has none: leave it out or choose an LSTM.",
        )
        _check(
            self.bias or not {"forget_gate", "bias_hh"} & set(self.frozen),
            "frozen needs bias for the forget gate and for bias_hh: switch bias on or leave them out.",
        )

    @property
    def module_name(self) -> str:
        """The name of PyTorch's own module: "LSTM", "GRU" or "RNN"."""
        return self.cell.upper()

    @property
    def gate_size(self) -> int:
        """Rows of weight_ih and of weight_hh: hidden_size for each gate, and as many for nn.RNN's only sum."""
        return self.hidden_size * max(1, len(CELL_GATES[self.cell]))

    @property
    def num_directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def h_size(self) -> int:
        """Size of one direction's h: proj_size if there is a projection, else hidden_size."""
        return self.proj_size or self.hidden_size


@dataclass(frozen=True)
class TrainSpec:
    """How the model is trained."""

    optimizer: str = "Adam"
    lr: float = 0.005
    momentum: float = 0.9  # SGD only
    weight_decay: float = 0.0
    batch_size: int = 32
    epochs: int = 60
    max_grad_norm: float = 1.0  # largest gradient norm; 0 switches clipping off
    patience: int = 0  # epochs without a better validation loss before stopping; 0 never stops
    loss: str = "auto"  # mean squared error for numbers, cross-entropy for classes
    initial_state: str = "zero"  # of a window; stateful: windows of a row follow one another, detached
    seed: int = 0  # order of the batches, dropout, random first states
    device: str = "auto"

    def __post_init__(self) -> None:
        _check_choice("optimizer", self.optimizer, OPTIMIZERS)
        _check_choice("loss", self.loss, LOSSES)
        _check_choice("initial_state", self.initial_state, INITIAL_STATES)
        _check_number("lr", self.lr, 1e-9, 1e6)
        _check_number("momentum", self.momentum, 0.0, 0.9999)
        _check_number("weight_decay", self.weight_decay, 0.0, 1e3)
        _check_int("batch_size", self.batch_size, 1, 1_000_000)
        _check_int("epochs", self.epochs, 1, 1_000_000)
        _check_number("max_grad_norm", self.max_grad_norm, 0.0, 1e9)
        _check_int("patience", self.patience, 0, 1_000_000)
        _check_int("seed", self.seed, 0, 2**31 - 1)
        kind, _, index = self.device.partition(":")
        _check(
            kind in ("auto", "cpu", "cuda", "mps") and (not index or index.isdigit()),
            f"device is {self.device!r}: choose auto, cpu, cuda:0 (or another index) or mps.",
        )


@dataclass(frozen=True)
class Experiment:
    """Data, model and training: the preset, the saved file and the exported script are all this."""

    data: DataSpec = field(default_factory=DataSpec)
    model: ModelSpec = field(default_factory=ModelSpec)
    train: TrainSpec = field(default_factory=TrainSpec)

    def to_json(self) -> str:
        return json.dumps({"format": FORMAT} | dataclasses.asdict(self), indent=1)

    @staticmethod
    def from_json(text: str) -> Experiment:
        """Read what to_json wrote, now or in format 1; what is left out has its default.

        Raises:
            PlaygroundError: not JSON, another format, an unknown field, a value of the wrong type or out of range.
        """
        try:
            parts = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise PlaygroundError(f"The experiment is not valid JSON ({error}).") from None
        _check(isinstance(parts, dict), "The experiment must be a JSON object.")
        parts = _upgrade(parts)
        unknown = sorted(set(parts) - set(_PARTS))
        _check(not unknown, f"The experiment has unknown fields: {', '.join(map(repr, unknown))}.")
        return Experiment(**{name: _part(_PARTS[name], name, parts[name]) for name in parts})


def resolve_loss(loss: str, task: str) -> str:
    """The loss that "auto" means, or the chosen one.

    Raises:
        PlaygroundError: a regression loss for classes, or cross-entropy for numbers.
    """
    if loss == "auto":
        return "cross_entropy" if task == "classification" else "mse"
    if (loss == "cross_entropy") != (task == "classification"):
        right = "cross_entropy" if task == "classification" else "mse, mae or huber"
        what = "classes" if task == "classification" else "numbers"
        raise PlaygroundError(f"Loss {loss} does not fit a target of {what}: choose {right}.")
    return loss


# Format 1 (the first version; its files name no format) → 2: old name → new name, old value → new value.
_RENAMED_FIELDS = {
    "model": {"hold": "frozen", "chrono": "chrono_t_max"},
    "train": {"clip": "max_grad_norm", "state": "initial_state"},
}
_RENAMED_VALUES = {
    "data": {"missing": {"fill": "forward_fill"}},
    "model": {"head": {"every": "per_step"}},
    "train": {"initial_state": {"carried": "stateful"}},
}


def _upgrade(parts: dict) -> dict:
    """An experiment's JSON in the names of format 2, without its "format"."""
    version = parts.get("format", 1)
    known = type(version) is int and version in (1, FORMAT)
    _check(known, f"The experiment's format is {json.dumps(version)[:20]}: this version reads formats 1 and {FORMAT}.")
    parts = {part: values for part, values in parts.items() if part != "format"}
    if version == FORMAT:
        return parts
    for part, values in parts.items():
        if not isinstance(values, dict):
            continue  # refused later, with its place
        names = {old: new for old, new in _RENAMED_FIELDS.get(part, {}).items() if new not in values}
        values = parts[part] = {names.get(name, name): value for name, value in values.items()}
        for name, renamed in _RENAMED_VALUES.get(part, {}).items():
            if isinstance(values.get(name), str):
                values[name] = renamed.get(values[name], values[name])
    return parts


_PARTS = {"data": DataSpec, "model": ModelSpec, "train": TrainSpec}


def _part(kind: type, part: str, values: Any) -> Any:
    _check(isinstance(values, dict), f"{part} must be a JSON object.")
    hints = get_type_hints(kind)
    unknown = sorted(set(values) - set(hints))
    _check(not unknown, f"{part} has unknown fields: {', '.join(map(repr, unknown))}.")
    return kind(**{name: _typed(f"{part}.{name}", hints[name], values[name]) for name in values})


def _typed(where: str, hint: Any, value: Any) -> Any:
    """The JSON value as the field's own type; a bool is no number and 3.5 is no whole number."""
    if hint in (str | None, int | None, float | None):
        return None if value is None else _typed(where, get_args(hint)[0], value)
    if hint == tuple[str, ...]:
        ok = isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
        _check(ok, f"{where} must be a list of texts.")
        return tuple(value)
    number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 1e308
    ok = {
        bool: isinstance(value, bool),
        str: isinstance(value, str),
        int: number and value == int(value),
        float: number,
    }[hint]
    words = {bool: "true or false", str: "a text", int: "a whole number", float: "a number"}
    _check(ok, f"{where} must be {words[hint]}, not {json.dumps(value)[:40]}.")
    return hint(value)
