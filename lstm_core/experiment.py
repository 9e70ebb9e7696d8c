"""The configuration of a run: Experiment = DataSpec + ModelSpec + TrainSpec, frozen, validated, saved as JSON.

All defaults, choices, limits, labels and help texts are declared here, once. No data, tensors or files, and no torch.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated, Literal

from pydantic import Field

from lstm_core.settings import FORMAT, PlaygroundError, parts_from_json, setting, validated

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
LOSSES = ("auto", *REGRESSION_LOSSES, *CLASSIFICATION_LOSSES)
INITIAL_STATES = ("zero", "random", "stateful")  # h_0 and c_0 of a window
LIVE_FIELDS = ("lr", "max_grad_norm", "epochs", "patience")  # of TrainSpec: they can change during a run

MAX_SEED = 2**31 - 1
MAX_SNAPSHOTS = 60  # weights kept along a run, to replay its learning
SATURATING_BIAS = 20.0  # the bias of a gate that is frozen open: its σ is 1 to the last bit of float32


Texts = Annotated[tuple[str, ...], Field(strict=False)]  # a list will do


def _check(condition: bool, sentence: str) -> None:
    if not condition:
        raise PlaygroundError(sentence)


@validated
class DataSpec:
    """Which table, which of its columns, and how it is cut into windows and splits."""

    source: Literal[SOURCES] = setting(
        "sample", "source", "A real series (sample), synthetic data (generator) or your own file (csv)"
    )
    name: str = setting("sunspots", "name", "The sample, the generator or the file")
    length: int = setting(
        600, "rows", "Synthetic data: rows of a series, or number of sequences to learn from", 2, 1_000_000
    )
    n_features: int = setting(
        4, "number of features", "Synthetic data: numbers at every step, where they can be chosen", 1, 1000
    )
    noise: float = setting(0.05, "noise", "Synthetic data: standard deviation over the clean signal's own", 0, 10)
    seed: int = setting(0, "seed", "Of synthetic data, and of the draw that splits labelled sequences", 0, MAX_SEED)
    targets: Texts = setting(
        (), "What the model predicts", "Number columns (a forecast), or one text column (its classes)"
    )
    features: Texts = setting(
        (), "Model inputs", "Columns read at every step. To forecast a series, its own past belongs here too"
    )
    time: str | None = setting(None, "time", "Rows are put in the order of this column")
    group: str | None = setting(
        None, "sequence id", "Column that says which sequence a row belongs to; no window crosses from one to the next"
    )
    seq_len: int = setting(24, "seq_len", "Rows in a window: how far back the model can look", 1, 100_000)
    horizon: int = setting(
        1,
        "horizon (rows)",
        "How many rows after a window are predicted. 0: the target, such as a label, belongs to the window's last row",
        0,
        10_000,
    )
    train_share: float = setting(0.7, "training share", "The earliest rows, or drawn labelled sequences", 0.05, 0.95)
    valid_share: float = setting(
        0.15, "validation share", "Of the rows, those after the training rows; the rest is the test split", 0, 0.9
    )
    scaling: Literal[SCALINGS] = setting(
        "standard", "scaling", "Fitted on the training rows only. standard: mean 0, deviation 1; minmax: 0 to 1"
    )
    missing: Literal[MISSING] = setting(
        "forward_fill",
        "missing values",
        "Of features: forward-fill with the last known value, or skip every window with a gap",
        labels={"forward_fill": "forward-fill", "skip": "skip windows"},
    )

    def __post_init__(self) -> None:
        shares = f"train_share {self.train_share:g} and valid_share {self.valid_share:g}"
        _check(self.train_share + self.valid_share <= 1 + 1e-9, f"{shares} add up to more than 1: lower one of them.")

    @property
    def test_share(self) -> float:
        return max(0.0, 1.0 - self.train_share - self.valid_share)


@validated
class ModelSpec:
    """Every argument of nn.LSTM, nn.GRU or nn.RNN (with tanh) but input_size, which the data sets; and the head."""

    cell: Literal[CELLS] = setting(
        "lstm",
        "cell",
        "What runs over the steps: nn.LSTM with its cell state and four gates, nn.GRU with two gates, a candidate and "
        "no cell state, or the plain nn.RNN with tanh and no gate",
        labels={cell: cell.upper() for cell in CELLS},
    )
    hidden_size: int = setting(32, "hidden_size", "Units of each layer: how many numbers it can remember", 1, 16_384)
    num_layers: int = setting(1, "num_layers", "Layers on top of each other: each reads the h of the one below", 1, 64)
    bias: bool = setting(True, "bias", "Two bias vectors a layer, which are added")
    batch_first: bool = setting(
        True, "batch_first", "(batch, seq_len, …) or (seq_len, batch, …): the order of two axes"
    )
    dropout: float = setting(0.0, "dropout", "Share of h zeroed between layers while training", 0, 1)
    bidirectional: bool = setting(False, "bidirectional", "Also read the window backwards; the head reads both")
    proj_size: int = setting(
        0, "proj_size", "0: none. Else h is projected to this many numbers; c keeps hidden_size", 0, 16_383
    )
    head: Literal[HEADS] = setting(
        "last",
        "output head",
        "One prediction after the last step, or one after every step; steps without a target are not scored",
        labels={"last": "last step", "per_step": "every step"},
    )
    forget_bias: float | None = setting(
        None,
        "forget-gate bias",
        "Empty: drawn like all weights from U(−1/√hidden_size, 1/√hidden_size). 1 or 2 lets the cell remember from the "
        "first step on",
        -20,
        20,
    )
    chrono_t_max: int | None = setting(
        None,
        "chrono T_max",
        "In place of one forget-gate bias for all units: the longest time to remember, in steps. Each unit gets a "
        "time of its own up to it: its forget-gate bias is the log of a number drawn between 1 and T_max − 1, its "
        "input-gate bias the negative",
        3,
        1_000_000,
    )
    frozen: tuple[Literal[FROZEN_PARTS], ...] = setting(
        (),
        "frozen parameters",
        "What keeps a set value and never trains. f = 1 at every step is the LSTM of 1997; one bias a gate is what "
        "textbooks write; with an identity head the prediction is h itself, so there must be as many targets as h has "
        "numbers",
        labels={"forget_gate": "f = 1", "bias_hh": "bias_hh = 0", "head": "identity head"},
        strict=False,
    )
    seed: int = setting(0, "seed", "The same seed draws the same initial weights", 0, MAX_SEED)

    def __post_init__(self) -> None:
        module, is_lstm, h = f"nn.{self.module_name}", self.cell == "lstm", self.hidden_size
        projected = f"proj_size is {self.proj_size}"
        _check(self.proj_size < h, f"{projected}: it must be 0 (no projection) or smaller than hidden_size, {h}.")
        _check(
            is_lstm or not self.proj_size,
            f"{projected}, but {module} has no projection: set it to 0 or choose an LSTM.",
        )
        for name in ("forget_bias", "chrono_t_max"):
            if (value := getattr(self, name)) is None:
                continue
            _check(is_lstm, f"{name} is {value:g}, but {module} has no forget gate: leave it empty or choose an LSTM.")
            _check(
                "forget_gate" not in self.frozen,
                f"{name} is {value:g}, but frozen keeps the forget gate open: leave one of them empty.",
            )
            _check(self.bias, f"{name} needs bias: switch bias on or leave {name} empty.")
        _check(
            self.forget_bias is None or self.chrono_t_max is None,
            "forget_bias and chrono_t_max both say how the forget gates start: leave one of them empty.",
        )
        _check(
            is_lstm or "forget_gate" not in self.frozen,
            f"frozen has the forget gate, but {module} has none: leave it out or choose an LSTM.",
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


@validated
class TrainSpec:
    """How the model is trained."""

    optimizer: Literal[OPTIMIZERS] = setting(
        "Adam", "optimizer", "How a gradient becomes a step. Adam is a good first choice for LSTMs"
    )
    lr: float = setting(0.005, "lr", "Learning rate: the size of a step. Can change while the run goes on", 1e-9, 1e6)
    momentum: float = setting(0.9, "momentum", "SGD only: share of the last step kept in the next", 0, 0.9999)
    weight_decay: float = setting(0.0, "weight_decay", "Pulls weights towards 0 at every step", 0, 1e3)
    batch_size: int = setting(32, "batch_size", "Windows per step. Small: more, noisier steps", 1, 1_000_000)
    epochs: int = setting(60, "epochs", "Passes over the training set. Can change while the run goes on", 1, 1_000_000)
    max_grad_norm: float = setting(
        1.0,
        "max grad norm",
        "A longer gradient is scaled down to this norm (clipping). 0: no limit. LSTMs rarely train well without one "
        "on long sequences",
        0,
        1e9,
    )
    patience: int = setting(
        15,
        "early-stopping patience",
        "Epochs without a better validation loss before training stops. When it ends, the weights of the best epoch "
        "come back. 0: never stop early, keep the last weights",
        0,
        1_000_000,
    )
    loss: Literal[LOSSES] = setting("auto", "loss", "auto: mean squared error for numbers, cross-entropy for classes")
    initial_state: Literal[INITIAL_STATES] = setting(
        "zero",
        "initial state",
        "h_0 and c_0 of a window. zero: zeros. random: random numbers, drawn anew for every batch. stateful: each "
        "batch goes on from the final state of the one before, detached (truncated BPTT); windows then do not "
        "overlap, in batch_size streams, and every epoch starts from zeros",
    )
    seed: int = setting(0, "seed", "Order of the batches, what dropout zeroes, random initial states", 0, MAX_SEED)
    device: str = setting(
        "auto",
        "device",
        "Small models are faster on the CPU than on any GPU",
        pattern=r"^(auto|cpu|cuda|mps)(:[0-9]+)?$",
        examples=["auto", "cpu", "cuda:0", "mps"],
    )
    threads: int = setting(
        1,
        "CPU threads",
        "Of a training step. Two are up to 1.5 times as fast as one on an idle machine, and several times slower as "
        "soon as anything else runs, this page's browser for one. Another number rounds differently",
        1,
        256,
    )


@validated
class Experiment:
    """A complete configuration: data, model and training."""

    data: DataSpec = Field(default_factory=DataSpec)
    model: ModelSpec = Field(default_factory=ModelSpec)
    train: TrainSpec = Field(default_factory=TrainSpec)

    def to_json(self) -> str:
        return json.dumps({"format": FORMAT} | dataclasses.asdict(self), indent=1)

    @staticmethod
    def from_json(text: str) -> Experiment:
        """Read what to_json wrote, or format 1; what is omitted has its default, what a run's file adds is left out.

        Raises PlaygroundError: not JSON, another format, an unknown field, a wrong type, a value out of range.
        """
        return Experiment(**parts_from_json(text, PARTS, OF_A_RUN))


PARTS = {"data": DataSpec, "model": ModelSpec, "train": TrainSpec}
OF_A_RUN = ("changes", "table_sha256", "versions", "read_options")  # beside them


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
