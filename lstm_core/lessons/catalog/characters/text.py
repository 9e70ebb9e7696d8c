"""What a character model makes of text: text of its own, and what each unit does at every character.

After Karpathy (2015), "The Unreasonable Effectiveness of Recurrent Neural Networks", and Karpathy, Johnson & Fei-Fei
(2016), arXiv 1506.02078, section 4.1.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from lstm_core.analysis.unit_search import UnitMatch, best_match_by_signal
from lstm_core.data.samples.book import ALPHABET, ROLES, encode, one_hot
from lstm_core.data.windows import Windows
from lstm_core.experiment import GATES, STATES, Experiment, PlaygroundError
from lstm_core.model.recurrent import SequenceModel
from lstm_core.trace.gate_trace import trace_lstm

CHUNK_LENGTH = 250  # characters, about four lines: longer than most quotations, and quick to read many of at once


def check_character_model(experiment: Experiment) -> None:
    """Raises PlaygroundError unless a model of this experiment reads the 40 characters and predicts the next one."""
    data, model = experiment.data, experiment.model
    expected = (ROLES.features, ROLES.targets, 0, "none")
    if (data.features, data.targets, data.horizon, data.scaling) != expected:
        raise PlaygroundError(
            "This model no longer reads letters and predicts the next one: put the features, the target and the "
            "scaling on Data back as the lesson has them."
        )
    if model.cell != "lstm" or model.bidirectional:
        raise PlaygroundError(
            "Only an LSTM that reads forwards can write: switch bidirectional off on Model, and choose the LSTM."
        )


@torch.inference_mode()
def generate(
    model: SequenceModel, prompt: str, length: int, temperature: float, seed: int, held: tuple[int, float] | None = None
) -> str:
    """The `length` characters that the model writes after `prompt`, one at a time, its state carried along.

    A character is drawn from softmax(z / temperature), z the head's outputs; at temperature 0 it is the likeliest
    one. By Gumbel's trick that is argmax(z + temperature · g) with g from a standard Gumbel distribution: the same
    seed draws the same g, so the text changes only where the temperature, or training, changes a choice.

    Args:
        model: on the CPU, of an experiment that check_character_model lets pass.
        prompt: one character or more.
        held: a unit of the top layer, and the value that its c has after every character that was written.

    Raises:
        PlaygroundError: `prompt` has an unknown character.
    """
    noise = temperature * np.random.default_rng(seed).gumbel(size=(length, len(ALPHABET)))
    noise = torch.from_numpy(noise.astype(np.float32))
    rows = torch.from_numpy(one_hot(np.arange(len(ALPHABET))))
    output, (h_n, c_n) = model.lstm(torch.from_numpy(one_hot(encode(prompt))))  # unbatched
    h, states, characters = output[-1], list(zip(h_n, c_n, strict=True)), []
    for draw in noise:
        code = int((model.head(h) + draw).argmax())
        characters.append(ALPHABET[code])
        h = _step(model.lstm, rows[code], states, held)
    return "".join(characters)


def _step(
    lstm: nn.LSTM, x: Tensor, states: list[tuple[Tensor, Tensor]], held: tuple[int, float] | None = None
) -> Tensor:
    """The top layer's h after one more character, x: (40,); each layer's (h, c) in `states` is replaced.

    held: as for `generate`.

    nn.LSTM's own equations. A call of its kernel for one step takes three times as long, and a hundred times where
    its threads must wait for those of a training.
    """
    for layer, (w_ih, w_hh, *biases) in enumerate(lstm.all_weights):
        h, c = states[layer]
        z = w_ih @ x + w_hh @ h
        if lstm.bias:
            z = z + biases[0] + biases[1]
        i, f, g, o = z.chunk(4)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        if held is not None and layer == lstm.num_layers - 1:
            c[held[0]] = held[1]
        x = o.sigmoid() * c.tanh()
        if lstm.proj_size:
            x = biases[-1] @ x
        states[layer] = (x, c)
    return x


def unit_activations(model: SequenceModel, text: str) -> dict[str, np.ndarray]:
    """What the units of the LSTM's top layer did at each character of the text, read from its first to its last.

    Returns, for each of i, f, g, o, c and h, (units, characters) float32.

    Raises:
        PlaygroundError: the text has an unknown character.
    """
    trace = trace_lstm(model.lstm, torch.from_numpy(one_hot(encode(text))))
    return {name: trace.gate(name)[-1, 0, 0].T.contiguous().numpy() for name in (*GATES, *STATES)}


def text_features(text: str) -> dict[str, np.ndarray]:
    """What a unit may keep track of, known from the text alone: (characters,) float32 each, once the character is read.

    "inside quotes" and "inside brackets" are 1 from an opening sign to the character before the closing one,
    "inside a word" is 1 at letters and apostrophes, "position in the line" counts the characters after the line end.
    """
    letter = np.array([character.isalpha() or character == "'" for character in text])
    line_ends = np.flatnonzero(np.array(list(text)) == "\n")
    positions = np.arange(len(text))
    last = np.concatenate([[-1], line_ends])[np.searchsorted(line_ends, positions, side="right")]
    return {
        "inside quotes": _between(text, "“", "”"),
        "inside brackets": _between(text, "(", ")"),
        "inside a word": letter.astype(np.float32),
        "position in the line": (positions - last).astype(np.float32),
    }


def _between(text: str, opening: str, closing: str) -> np.ndarray:
    """1 where the last sign read is the opening one."""
    change = np.array([(sign == opening) - (sign == closing) for sign in text])
    positions = np.where(change, np.arange(len(text)), 0)
    return (change[np.maximum.accumulate(positions)] > 0).astype(np.float32)


def excerpt(text: str, length: int) -> str:
    """`length` characters of the text, from the start of a paragraph: those with brackets and three quotations at
    least, if there are any, and of these the ones with the fewest line ends, for verse and short answers show little.
    """
    paragraph_starts = [0, *(k + 2 for k in range(len(text) - length - 2) if text[k : k + 2] == "\n\n")]
    pieces = [text[start : start + length] for start in paragraph_starts]
    return max(pieces, key=lambda piece: ("(" in piece and piece.count("“") > 2, -piece.count("\n")))


def split_text(windows: Windows, split: str) -> str:
    """The text that the sequences of one split hold, in the book's order."""
    starts = windows.starts[split]
    rows = (starts[:, None] + np.arange(windows.spec.seq_len)).ravel()
    return "".join(ALPHABET[code] for code in windows.x[rows].argmax(1))


def ngram_baselines(training: str, text: str) -> tuple[float, float]:
    """What `text` costs in bits per character, by two tables counted in `training`.

    Returns the cost by how frequent each character is, and by how often each follows the one before it. Every
    count starts at one, so that nothing is impossible (Laplace). The first character is not counted.
    """
    size = len(ALPHABET)
    training_codes, targets = encode(training), encode(text)
    unigram_counts = np.bincount(training_codes, minlength=size) + 1.0
    bigram_counts = np.ones((size, size))
    np.add.at(bigram_counts, (training_codes[:-1], training_codes[1:]), 1)
    unigram = np.log2(unigram_counts / unigram_counts.sum())[targets[1:]]
    bigram = np.log2(bigram_counts / bigram_counts.sum(1, keepdims=True))[targets[:-1], targets[1:]]
    return -float(unigram.mean()), -float(bigram.mean())


@torch.inference_mode()
def best_units(model: SequenceModel, text: str, gate: str) -> dict[str, UnitMatch]:
    """For each signal the top layer's unit whose `gate` (i, f, g, o, c or h) correlates most with it along the text.

    The text is read in strands of CHUNK_LENGTH characters side by side, each from a zero state: much faster than in one
    go. A signal that never changes in the text is left out.

    Raises:
        PlaygroundError: the text has an unknown character.
    """
    text = text[: len(text) // CHUNK_LENGTH * CHUNK_LENGTH] if len(text) > CHUNK_LENGTH else text
    strands = encode(text).reshape(-1, min(CHUNK_LENGTH, len(text)))
    x = torch.from_numpy(one_hot(strands))  # (strands, CHUNK_LENGTH, 40)
    trace = trace_lstm(model.lstm, model.to_module_layout(x))
    signals = {name: signal.reshape(strands.shape) for name, signal in text_features(text).items()}
    return best_match_by_signal(trace, signals, gate)
