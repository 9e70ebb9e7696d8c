"""Statements that tutorials make about nn.LSTM, each with a verdict and a demonstration that is run when it is shown.

To add one: a function f(seed, size) -> Demonstration in demonstrations.py, of a tutorial's own program in
program_demonstrations.py, in training_demonstrations.py if it trains; and a Claim in CLAIMS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lstm_core.lessons.catalog.tutorials.claims import demonstrations as quick
from lstm_core.lessons.catalog.tutorials.claims import program_demonstrations as programs
from lstm_core.lessons.catalog.tutorials.claims import training_demonstrations as trained
from lstm_core.lessons.catalog.tutorials.claims.demonstrations import Demonstration


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
        "Data mostly comes batch first, and many tutorials write as if nn.LSTM expected that. It does not: pass "
        "`batch_first=True`, or transpose the input. Only the layout differs, the numbers are the same.",
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
        "The default is (seq_len, batch, input_size). A batch-first tensor raises no error: its sequences are read as "
        "steps and mixed. To see it, change one number and follow the change.",
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
        "Xavier's bound √(6 / (rows + columns)) depends on both. At the sizes of the tutorial that makes this claim, "
        "nn.LSTM(10, 20, 2), the two bounds happen to be close; at others they are not.",
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
        "Loose: it is the next step's hidden state",
        "Step t + 1 does read h_t, so the sentence is not wrong, but *input* names something else: step t + 1 reads "
        "its input x_{t+1} and the state (h_t, c_t), with weights of their own, weight_ih and weight_hh. (In a stack, "
        "h_t is also the input of the **layer above**, at the same step.)",
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
        "warns, and the warning is easy to overlook. Put nn.Dropout after the LSTM, or take two layers.",
        f"{_LSTM_DOCS}, section Parameters: dropout",
        Parameter("dropout in hundredths", 0, 90, 50),
        quick.single_layer_dropout,
    ),
    Claim(
        "view",
        "seq.view(len(seq), -1) prepares a batch for nn.LSTM",
        "Wrong: it makes one sequence of it",
        "A DataLoader's batch of 64 rows becomes one unbatched sequence of 64 steps, so that rows which have nothing "
        "to do with each other share one state. A batch of windows, (64, 7, 10), raises. Pass (batch, seq_len, "
        "input_size) with `batch_first=True` and leave the shape alone.",
        f"{_LSTM_DOCS}, section Inputs: input; torch.nn.MSELoss",
        Parameter("batch", 2, 64, 64),
        programs.view_as_one_sequence,
    ),
    Claim(
        "last_hidden",
        "The last hidden state contains the information of all steps",
        "Only what the forget gates leave of it",
        "It *can* depend on every step; how much is left of each is a number. c keeps of step t the product of all "
        "later forget gates, and with gates near one half that is gone within some ten steps. Training may open them: "
        "see the chapter *Memory*.",
        f"{_LSTM_DOCS}, first equations: c_t = f_t ⊙ c_(t−1) + i_t ⊙ g_t",
        Parameter("seq_len", 20, 120, 50),
        programs.last_hidden_state,
    ),
    Claim(
        "target_1",
        "An LSTM's h can learn to output exactly 1",
        "Wrong: |h| stays below 1",
        "h = o · tanh c, where o lies between 0 and 1 and tanh c between −1 and 1. A target of 1 is approached and "
        "never reached: the loss never gets to 0, and the weights can grow for ever. Scale targets into the range, or "
        "put a linear head on h.",
        f"{_LSTM_DOCS}, first equations: h_t = o_t ⊙ tanh(c_t)",
        Parameter("steps", 1, 12, 4),
        programs.largest_output,
    ),
    Claim(
        "clean_state",
        "torch.randn cleans out the hidden state",
        "Wrong: zeros do",
        "torch.randn fills it with noise, and two runs that each draw their own cannot be compared. Nor is the state "
        "there *for backpropagation*: it is what the next step, or the next call, goes on from. Gradients flow through "
        "the graph, whether you keep it or not.",
        f"{_LSTM_DOCS}, section Inputs: h_0 and c_0 “default to zeros if (h_0, c_0) is not provided”",
        Parameter("steps", 2, 20, 5),
        programs.state_drawn_anew,
    ),
    Claim(
        "mse",
        "MSELoss divides by the number of samples",
        "Wrong: by the number of elements",
        "With one target a sample the two are the same. With five, the loss is a fifth of what the sentence predicts. "
        "For a sum over targets take `reduction='sum'` and divide by the batch yourself.",
        "PyTorch documentation, torch.nn.MSELoss: the mean “operates over all the elements”",
        Parameter("targets a sample", 2, 10, 5),
        programs.mean_of_squares,
    ),
    Claim(
        "epoch_loss",
        "The loss printed after an epoch is the epoch's loss",
        "Wrong: it is the last batch's",
        "`loss` still holds the last batch when the epoch ends, often a smaller one and always another one. Add up "
        "`loss.item() * len(batch)` and divide by the number of windows. (That mean is still taken while the weights "
        "change; for one set of weights, evaluate after the epoch.)",
        "Run here; the batches are drawn anew in every epoch, as a DataLoader with shuffle=True does",
        Parameter("batch_size", 8, 48, 16),
        trained.last_batch_and_epoch,
        slow=True,
    ),
    Claim(
        "one_step",
        "After one optimizer step the model is trained",
        "Wrong: one step is one step",
        "The tutorial's program calls `optimizer.step()` once, on 16 sequences with random targets, and calls the "
        "result an optimised model. Adam moves each weight by about its learning rate in that step. Training repeats "
        "it, and judges the result on data that it was not trained on.",
        "Run here at the tutorial's sizes: nn.LSTM(10, 20, 2), a batch of (16, 5, 10), Adam at 0.01",
        Parameter("steps", 20, 200, 50),
        trained.one_step,
        slow=True,
    ),
)
