"""What a model of letters.book_table makes of text: text of its own, and what each unit does at every character.

Here is the arithmetic; the lesson and its pictures are elsewhere. After Karpathy (2015), "The Unreasonable
Effectiveness of Recurrent Neural Networks", and Karpathy, Johnson & Fei-Fei (2016), arXiv 1506.02078, section 4.1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from lstm_core.data.samples.book import ALPHABET, ROLES, codes, one_hot
from lstm_core.data.windows import Windows
from lstm_core.experiment import GATES, STATES, Experiment, PlaygroundError
from lstm_core.model.recurrent import SequenceLSTM
from lstm_core.trace.gate_trace import trace_lstm

STRAND = 250  # characters, about four lines: longer than most quotations, and quick to read many of at once


def check_writes(experiment: Experiment) -> None:
    """Raises PlaygroundError unless a model of this experiment reads the 40 characters and says the next one."""
    data, model = experiment.data, experiment.model
    wanted = (ROLES.features, ROLES.targets, 0, "none")
    if (data.features, data.targets, data.horizon, data.scaling) != wanted:
        raise PlaygroundError(
            "This model does not read letters and say the next one any more: put the features, the target and the "
            "scaling on Data back as the lesson has them."
        )
    if model.cell != "lstm" or model.bidirectional:
        raise PlaygroundError(
            "Only an LSTM that reads forwards can write: switch bidirectional off on Model, and choose the LSTM."
        )


@torch.inference_mode()
def write(model: SequenceLSTM, begin: str, length: int, temperature: float, seed: int) -> str:
    """The `length` characters that the model writes after `begin`, one at a time, its state carried along.

    A character is drawn from softmax(z / temperature), z the head's outputs; at temperature 0 it is the likeliest
    one. By Gumbel's trick that is argmax(z + temperature · g) with g from a standard Gumbel distribution: the same
    seed draws the same g, so the text changes only where the temperature, or training, changes a choice.

    Args:
        model: on the CPU, of an experiment that check_writes lets pass.
        begin: one character or more.

    Raises:
        PlaygroundError: `begin` has an unknown character.
    """
    noise = temperature * np.random.default_rng(seed).gumbel(size=(length, len(ALPHABET)))
    noise = torch.from_numpy(noise.astype(np.float32))
    rows = torch.from_numpy(one_hot(np.arange(len(ALPHABET))))
    output, (h_n, c_n) = model.lstm(torch.from_numpy(one_hot(codes(begin))))  # unbatched
    h, states, written = output[-1], list(zip(h_n, c_n, strict=True)), []
    for draw in noise:
        chosen = int((model.head(h) + draw).argmax())
        written.append(ALPHABET[chosen])
        h = _step(model.lstm, rows[chosen], states)
    return "".join(written)


def _step(lstm: nn.LSTM, x: Tensor, states: list[tuple[Tensor, Tensor]]) -> Tensor:
    """The top layer's h after one more character, x: (40,); each layer's (h, c) in `states` is replaced.

    nn.LSTM's own equations. A call of its kernel for one step takes three times as long, and a hundred times where
    its threads must wait for those of a training.
    """
    for layer, (w_ih, w_hh, *others) in enumerate(lstm.all_weights):
        h, c = states[layer]
        z = w_ih @ x + w_hh @ h
        if lstm.bias:
            z = z + others[0] + others[1]
        i, f, g, o = z.chunk(4)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        x = o.sigmoid() * c.tanh()
        if lstm.proj_size:
            x = others[-1] @ x
        states[layer] = (x, c)
    return x


def unit_values(model: SequenceLSTM, text: str) -> dict[str, np.ndarray]:
    """What the units of the LSTM's top layer did at each character of the text, read from its first to its last.

    Returns, for each of i, f, g, o, c and h, (units, characters) float32.

    Raises:
        PlaygroundError: the text has an unknown character.
    """
    trace = trace_lstm(model.lstm, torch.from_numpy(one_hot(codes(text))))
    return {name: trace.gate(name)[-1, 0, 0].T.contiguous().numpy() for name in (*GATES, *STATES)}


def signals(text: str) -> dict[str, np.ndarray]:
    """What a unit may keep track of, known from the text alone: (characters,) float32 each, once the character is read.

    "inside quotes" and "inside brackets" are 1 from an opening sign to the character before the closing one,
    "inside a word" is 1 at letters and apostrophes, "position in the line" counts the characters after the line end.
    """
    letter = np.array([character.isalpha() or character == "'" for character in text])
    ends = np.flatnonzero(np.array(list(text)) == "\n")
    places = np.arange(len(text))
    last = np.concatenate([[-1], ends])[np.searchsorted(ends, places, side="right")]
    return {
        "inside quotes": _between(text, "“", "”"),
        "inside brackets": _between(text, "(", ")"),
        "inside a word": letter.astype(np.float32),
        "position in the line": (places - last).astype(np.float32),
    }


def _between(text: str, opening: str, closing: str) -> np.ndarray:
    """1 where the last sign read is the opening one."""
    change = np.array([(sign == opening) - (sign == closing) for sign in text])
    places = np.where(change, np.arange(len(text)), 0)
    return (change[np.maximum.accumulate(places)] > 0).astype(np.float32)


def showpiece(text: str, length: int) -> str:
    """`length` characters of the text, from the start of a paragraph: those with brackets and three quotations at
    least, if there are any, and of these the ones with the fewest line ends, for verse and short answers show little.
    """
    begins = [0, *(k + 2 for k in range(len(text) - length - 2) if text[k : k + 2] == "\n\n")]
    pieces = [text[begin : begin + length] for begin in begins]
    return max(pieces, key=lambda piece: ("(" in piece and piece.count("“") > 2, -piece.count("\n")))


def passage(windows: Windows, part: str) -> str:
    """The text that the sequences of one part hold, in the book's order."""
    starts = windows.starts[part]
    rows = (starts[:, None] + np.arange(windows.spec.seq_len)).ravel()
    return "".join(ALPHABET[code] for code in windows.x[rows].argmax(1))


def baselines(training: str, text: str) -> tuple[float, float]:
    """What `text` costs in bits per character, by two tables counted in `training`.

    Returns the cost by how frequent each character is, and by how often each follows the one before it. Every
    count starts at one, so that nothing is impossible (Laplace). The first character is not counted.
    """
    size = len(ALPHABET)
    learned, wanted = codes(training), codes(text)
    single = np.bincount(learned, minlength=size) + 1.0
    pairs = np.ones((size, size))
    np.add.at(pairs, (learned[:-1], learned[1:]), 1)
    alone = np.log2(single / single.sum())[wanted[1:]]
    after = np.log2(pairs / pairs.sum(1, keepdims=True))[wanted[:-1], wanted[1:]]
    return -float(alone.mean()), -float(after.mean())


@dataclass(frozen=True)
class Tracker:
    """The unit that goes most with a signal."""

    signal: str
    unit: int
    correlation: float  # Pearson's, from -1 to 1


@torch.inference_mode()
def trackers(model: SequenceLSTM, text: str, gate: str) -> list[Tracker]:
    """For each signal the unit whose `gate` (i, f, g, o, c or h) correlates most with it, up or down, along the text.

    The text is read in strands of STRAND characters side by side, each from a zero state: much faster than in one go.
    A signal that never changes in the text is left out.

    Raises:
        PlaygroundError: the text has an unknown character.
    """
    text = text[: len(text) // STRAND * STRAND] if len(text) > STRAND else text
    strands = codes(text).reshape(-1, min(STRAND, len(text)))
    x = torch.from_numpy(one_hot(strands))  # (strands, STRAND, 40)
    values = trace_lstm(model.lstm, model.lstm_input(x)).gate(gate)[-1, 0].flatten(0, 1).numpy()
    values = _standard(values)  # (characters, units)
    found = []
    for name, signal in signals(text).items():
        if signal.std() > 0:
            correlations = _standard(signal) @ values / len(values)
            unit = int(np.abs(correlations).argmax())
            found.append(Tracker(name, unit, float(correlations[unit])))
    return found


def _standard(values: np.ndarray) -> np.ndarray:
    """Mean 0 and deviation 1 along the first axis; what never changes becomes 0."""
    deviation = values.std(0)
    return (values - values.mean(0)) / np.where(deviation > 0, deviation, np.inf)
