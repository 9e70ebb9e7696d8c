"""Statements that tutorials make about nn.LSTM, each with a verdict and a demonstration that is run when it is shown.

To add one: a function f(seed, size) -> Demonstration in demonstrations.py, or in training_demonstrations.py if it
trains, and a Claim in CLAIMS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lstm_core.lessons.catalog.claims import demonstrations as quick
from lstm_core.lessons.catalog.claims import training_demonstrations as trained
from lstm_core.lessons.catalog.claims.demonstrations import Demonstration


@dataclass(frozen=True)
class Parameter:
    """The one number of a demonstration that may be chosen."""

    name: str
    minimum: int
    maximum: int
    default: int


@dataclass(frozen=True)
class Claim:
    """A statement, whether it is true, and the demonstration."""

    name: str  # in the address
    statement: str  # as tutorials put it, plain text
    verdict: str  # a few words
    explanation: str  # Markdown
    source: str  # plain text
    size: Parameter
    demonstrate: Callable[[int, int], Demonstration]  # (seed, size)
    slow: bool = False  # it trains: run on a click only


_LSTM_DOCS = "PyTorch documentation, torch.nn.LSTM"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "batch_first",
        "batch_first is True by default",
        "Wrong: it is False",
        "Data mostly comes batch first, and many tutorials write as if nn.LSTM expected that. It does not: say "
        "`batch_first=True`, or turn the input. It is a question of layout only, the numbers are the same.",
        f"{_LSTM_DOCS}, section Parameters: batch_first. Default: False",
        Parameter("batch", 1, 16, 3),
        quick.batch_first_default,
    ),
    Claim(
        "states",
        "With batch_first=True, h_0 and c_0 are batch first, too",
        "Wrong: never",
        "`batch_first` turns input and output. The states stay (num_layers · num_directions, batch, size), going in "
        "and coming out. If there happen to be as many sequences as layers, the wrong order raises no error at all.",
        f"{_LSTM_DOCS}, sections Parameters (batch_first: “this does not apply to hidden or cell states”) and Inputs",
        Parameter("batch", 3, 16, 3),
        quick.batch_first_states,
    ),
    Claim(
        "axes",
        "nn.LSTM takes (batch, seq_len, input_size)",
        "Wrong by default: time comes first",
        "The default is (seq_len, batch, input_size). Give it a batch-first tensor and nothing complains: it reads "
        "your sequences as steps and mixes them. To see it, change one number and follow the change.",
        f"{_LSTM_DOCS}, section Inputs: input",
        Parameter("seq_len", 3, 12, 6),
        quick.input_order,
    ),
    Claim(
        "unbatched",
        "A 2-D tensor is a batch of feature vectors",
        "Wrong: it is one unbatched sequence",
        "For nn.Linear rows are examples. For nn.LSTM they are the **steps of one sequence**: (seq_len, input_size), "
        "and the states have no batch axis either.",
        f"{_LSTM_DOCS}, section Inputs: input, “for unbatched input”",
        Parameter("seq_len", 2, 20, 5),
        quick.two_axes,
    ),
    Claim(
        "initialisation",
        "nn.LSTM's weights start Xavier-initialised",
        "Wrong: U(−1/√H, 1/√H)",
        "Every weight **and every bias** is drawn from U(−√k, √k) with k = 1/hidden_size, whatever input_size is. "
        "Xavier's bound √(6 / (rows + columns)) knows both. (Keras draws an LSTM's input weights so, under the name "
        "Glorot.)",
        f"{_LSTM_DOCS}, first Note. Glorot & Bengio 2010, Understanding the difficulty of training deep feedforward "
        "neural networks, equation 16",
        Parameter("hidden_size", 16, 128, 64),
        quick.initialisation,
    ),
    Claim(
        "biases",
        "Each gate has one bias",
        "In textbooks; nn.LSTM adds two",
        "PyTorch keeps `bias_ih` and `bias_hh`, since cuDNN does. Only their sum matters, so parameter counts from "
        "textbooks come out too low by 4·hidden_size for every layer and direction, and code that sets the forget "
        "gate's bias must consider both.",
        f"{_LSTM_DOCS}, first equations (b_ii + b_hi …) and section Variables",
        Parameter("hidden_size", 1, 64, 8),
        quick.two_biases,
    ),
    Claim(
        "last_row",
        "The last row of output is the last hidden state",
        "For one direction only",
        "A bidirectional LSTM reads backwards, too, and that direction **ends at the first step**. The reverse half of "
        "output's last row has read one step only. Take h_n, which holds each direction's last state. (Padding "
        "breaks the rule as well.)",
        f"{_LSTM_DOCS}, Notes on bidirectional LSTMs: “h_n is not equivalent to the last element of output”",
        Parameter("steps", 2, 10, 6),
        quick.last_row,
    ),
    Claim(
        "next_state",
        "h_t is the input of the next step",
        "Wrong: it is the next step's hidden state",
        "Step t + 1 reads two things: its own input x_{t+1}, and the state (h_t, c_t). Each has weights of its own, "
        "weight_ih and weight_hh. (In a stack, h_t is also the input of the **layer above**, at the same step.)",
        f"{_LSTM_DOCS}, first equations; torch.nn.LSTMCell, example",
        Parameter("hidden_size", 2, 8, 3),
        quick.next_state,
    ),
    Claim(
        "resume",
        "Training on from a checkpoint is transfer learning",
        "Wrong: it is the same training",
        "Resuming restores weights, optimiser, order of the batches and step count, and continues as if nothing had "
        "happened. Transfer learning takes weights to **another task**: other data, partly new weights, a new "
        "optimiser.",
        "PyTorch tutorials, Saving and Loading Models and Transfer Learning for Computer Vision: two things, two pages",
        Parameter("epochs before the break", 2, 10, 5),
        trained.resume_or_transfer,
        slow=True,
    ),
    Claim(
        "gru",
        "LSTM beats GRU",
        "Not in general",
        "On some tasks the LSTM is ahead, on others the GRU, on many the seeds differ more than the cells. Compare on "
        "your own data, over several seeds. This is a small comparison with one learning rate, run while you wait; it "
        "can refute “always”, and rank nothing.",
        "Chung, Gulcehre, Cho & Bengio 2014, Empirical Evaluation of Gated Recurrent Neural Networks on Sequence "
        "Modeling, arXiv 1412.3555; Jozefowicz, Zaremba & Sutskever 2015, An Empirical Exploration of Recurrent "
        "Network Architectures",
        Parameter("hidden_size", 4, 16, 8),
        trained.lstm_and_gru,
        slow=True,
    ),
    Claim(
        "dropout",
        "dropout=0.5 regularises a one-layer LSTM",
        "Wrong: it does nothing",
        "nn.LSTM's dropout acts on the output of every layer **but the last**. A single layer is the last. PyTorch "
        "says so in a warning that is easy to overlook. Put nn.Dropout after the LSTM, or take two layers.",
        f"{_LSTM_DOCS}, section Parameters: dropout",
        Parameter("dropout in hundredths", 0, 90, 50),
        quick.single_layer_dropout,
    ),
)
