"""ModelSpec: every argument of the recurrent module, and its head."""

from __future__ import annotations

from typing import Literal

from lstm_core.experiment.choices import CELL_GATES, CELLS, FROZEN_PARTS, HEADS, MAX_SEED, OPEN_GATES, check
from lstm_core.settings import setting, validated


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
        "Empty: drawn like all weights from U(−1/√hidden_size, 1/√hidden_size), so that f starts near 0.5. With 1 it "
        "starts at 0.73: a start that remembers a few steps longer, not fifty; for long memories set chrono T_max",
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
        "What keeps a set value and never trains. f = 1 at every step is the LSTM of 1997, i = 1 and o = 1 hold these "
        "gates open likewise; one bias a gate is what "
        "textbooks write; with an identity head the prediction is h itself, so there must be as many targets as h has "
        "numbers",
        labels={part: f"{gate} = 1" for part, gate in OPEN_GATES.items()}
        | {"bias_hh": "bias_hh = 0", "head": "identity head"},
        strict=False,
    )
    zero_head: bool = setting(
        False, "zero head", "The output head starts at zero: with a start, the untrained model is the start itself"
    )
    linear_skip: bool = setting(
        False,
        "linear skip",
        "Add a ridge regression from the whole window to the prediction, fitted before the training and then fixed: "
        "the cells learn what it leaves. Left out where the validation windows find it no better",
    )
    seed: int = setting(0, "seed", "The same seed draws the same initial weights", 0, MAX_SEED)

    def __post_init__(self) -> None:
        module, is_lstm, h = f"nn.{self.module_name}", self.cell == "lstm", self.hidden_size
        projected = f"proj_size is {self.proj_size}"
        check(self.proj_size < h, f"{projected}: it must be 0 (no projection) or smaller than hidden_size, {h}.")
        check(
            is_lstm or not self.proj_size,
            f"{projected}, but {module} has no projection: set it to 0 or choose an LSTM.",
        )
        for name in ("forget_bias", "chrono_t_max"):
            if (value := getattr(self, name)) is None:
                continue
            check(is_lstm, f"{name} is {value:g}, but {module} has no forget gate: leave it empty or choose an LSTM.")
            check(
                "forget_gate" not in self.frozen,
                f"{name} is {value:g}, but frozen keeps the forget gate open: leave one of them empty.",
            )
            check(self.bias, f"{name} needs bias: switch bias on or leave {name} empty.")
        check(
            self.chrono_t_max is None or "input_gate" not in self.frozen,
            f"chrono_t_max is {self.chrono_t_max}, but frozen keeps the input gate open, whose bias it sets: leave one "
            "of them empty.",
        )
        check(
            self.forget_bias is None or self.chrono_t_max is None,
            "forget_bias and chrono_t_max both say how the forget gates start: leave one of them empty.",
        )
        for part in OPEN_GATES:
            check(
                is_lstm or part not in self.frozen,
                f"frozen has the {part.replace('_', ' ')}, but {module} has none: leave it out or choose an LSTM.",
            )
        check(
            self.bias or not {*OPEN_GATES, "bias_hh"} & set(self.frozen),
            "frozen needs bias for gates and for bias_hh: switch bias on or leave them out.",
        )
        check(
            not (self.zero_head and "head" in self.frozen),
            "zero_head and an identity head exclude each other: leave one of them out.",
        )
        check(
            not (self.linear_skip and self.head == "per_step"),
            "linear_skip reads a whole window, and a head at every step predicts before its end: switch linear_skip "
            "off, or predict after the last step.",
        )
        check(
            not (self.linear_skip and "head" in self.frozen),
            "linear_skip adds to the prediction, and with an identity head that is h itself: leave one of them out.",
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
