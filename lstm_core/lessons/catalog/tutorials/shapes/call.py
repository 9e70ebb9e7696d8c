"""One nn.LSTM call as values: its arguments, the input's shape and the initial state's. No tensor is made here.

Values that PyTorch refuses are welcome, since its error is what the shape lab shows; only size is capped.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from lstm_core.architecture.code import MODULE_DEFAULTS
from lstm_core.architecture.shapes import Shape
from lstm_core.experiment import PlaygroundError

MAX_NUMBERS = 10_000_000  # in all tensors of one call: 40 MB
MAX_PRODUCTS = 5_000_000_000  # multiplications of one call: about half a second
MAX_STEPS = 10_000  # of all layers and directions together: some kernels loop over them
MAX_AXES = 6
MAX_LAYERS = 16
DTYPES = ("float32", "float64", "int64")
STATES = ("none", "(h_0, c_0)", "h_0 alone")


@dataclass(frozen=True)
class LSTMCall:
    """One call. The defaults are a tutorial's: nn.LSTM(10, 20, 2) on (5, 3, 10) with h_0 and c_0 (2, 3, 20).

    Raises:
        PlaygroundError: it would take more numbers, steps or multiplications than the lab allows itself.
    """

    input_size: int = 10
    hidden_size: int = 20
    num_layers: int = 2
    bias: bool = True
    batch_first: bool = False
    dropout: float = 0.0
    bidirectional: bool = False
    proj_size: int = 0
    dtype: str = "float32"  # of the module
    x: Shape = (5, 3, 10)
    x_dtype: str = "float32"  # of the input and the initial state
    states: str = "(h_0, c_0)"  # of STATES
    h_0: Shape = (2, 3, 20)
    c_0: Shape = (2, 3, 20)
    lengths: tuple[int, ...] = ()  # of the sequences, to be packed; none: the input goes in as it is
    enforce_sorted: bool = True

    def __post_init__(self) -> None:
        if self.num_layers > MAX_LAYERS or len(self.lengths) > MAX_STEPS:
            raise PlaygroundError(f"The lab stops at {MAX_LAYERS} layers and {MAX_STEPS:,} lengths: choose fewer.")
        rows, weights = math.prod(self.x[:-1]), self.max_weights
        states = {"none": (), "h_0 alone": (self.h_0,)}.get(self.states, (self.h_0, self.c_0))
        layers = max(self.num_layers, 1) * self.num_directions
        numbers = weights + sum(map(math.prod, (self.x, *states))) + 2 * rows * layers * max(self.hidden_size, 1)
        if numbers > MAX_NUMBERS or rows * weights > MAX_PRODUCTS or layers * max(self.x[:2], default=0) > MAX_STEPS:
            raise PlaygroundError(
                f"The lab makes every call for real and stops at {MAX_NUMBERS:,} numbers, {MAX_PRODUCTS:,} "
                f"multiplications and {MAX_STEPS:,} steps over all layers: choose smaller sizes, the rules are the "
                "same."
            )

    @property
    def num_directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def h_size(self) -> int:
        """Size of one direction's h."""
        return self.proj_size or self.hidden_size

    @property
    def max_weights(self) -> int:
        """At least as many numbers as the module learns."""
        hidden, below = max(self.hidden_size, 0), max(self.input_size, 0)
        layers = max(self.num_layers, 1) * self.num_directions
        return 4 * hidden * (self.num_directions * below + layers * (3 * hidden + 2))

    @property
    def input_axes(self) -> tuple[int | None, int | None, int | None]:
        """(seq_len, batch, features) as nn.LSTM reads the input; batch None: unbatched; all None: not readable."""
        if len(self.x) == 2:
            return self.x[0], None, self.x[1]
        if len(self.x) != 3:
            return None, None, None
        steps, batch, features = self.x
        return (batch, steps, features) if self.batch_first else (steps, batch, features)

    @property
    def module_arguments(self) -> str:
        """As one writes them: the defaults of nn.LSTM are left out."""
        arguments = [str(self.input_size), str(self.hidden_size)]
        for name, default in MODULE_DEFAULTS.items():
            if (value := getattr(self, name)) != default:
                arguments.append(str(value) if name == "num_layers" else f"{name}={value}")
        return ", ".join(arguments + ([] if self.dtype == "float32" else [f"dtype=torch.{self.dtype}"]))


def parse_shape(text: str, subject: str = "The shape") -> Shape:
    """A shape as people write it: "5, 3, 10", "(5, 3, 10)", "5 x 3 x 10", "torch.Size([5, 3, 10])"; "()" has no axis.

    Raises:
        PlaygroundError: something else than whole numbers from 0, or too many or too large ones.
    """
    bare = re.sub(r"^\s*(?:torch\.Size)?[\s(\[]*|[\s)\],]*$", "", text)
    parts = [part for part in re.split(r"\s*[,x×·;\s]\s*", bare) if part]
    if not all(re.fullmatch(r"\d{1,7}", part, re.ASCII) for part in parts):
        raise PlaygroundError(f"{subject} must be whole numbers with commas between, such as 5, 3, 10.")
    if len(parts) > MAX_AXES:
        raise PlaygroundError(f"{subject} has {len(parts)} axes: give at most {MAX_AXES}.")
    return tuple(int(part) for part in parts)


def parse_lengths(text: str) -> tuple[int, ...]:
    """Lengths of sequences, such as "5, 4, 2"; nothing: not packed. Negative ones are PyTorch's to refuse.

    Raises:
        PlaygroundError: something else than whole numbers.
    """
    parts = [part for part in re.split(r"[,\s\[\]()]+", text) if part]
    if not all(re.fullmatch(r"-?\d{1,7}", part, re.ASCII) for part in parts):
        raise PlaygroundError("The lengths must be whole numbers with commas between, such as 5, 4, 2.")
    return tuple(int(part) for part in parts)
