"""Small networks whose right answer is known: acceptors of the Tomita grammars, and the 3-bit flip-flop.

Trained with plain torch. The files under tests/fixtures/understanding are written by

    python -m tests.analysis.trained

Tomita (1982): seven regular languages over 0 and 1. Sussillo & Barak (2013): the flip-flop, whose stable points are
the corners of a cube.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch import Tensor
from torch.nn import functional as F

from lstm_core.experiment import ModelSpec
from lstm_core.model.recurrent import SequenceModel, build_model, model_from_weights

FIXTURES = Path(__file__).parents[1] / "fixtures" / "understanding"
TOMITA = {  # number → (transitions[state][symbol], accepting states); state 0 is the start
    1: ([[1, 0], [1, 1]], {0}),  # 1*
    2: ([[2, 1], [0, 2], [2, 2]], {0}),  # (10)*
    3: ([[0, 1], [2, 0], [3, 4], [2, 1], [4, 4]], {0, 1, 3}),  # no odd run of 1 followed by an odd run of 0
    4: ([[1, 0], [2, 0], [3, 0], [3, 3]], {0, 1, 2}),  # no 000
    5: ([[1, 2], [0, 3], [3, 0], [2, 1]], {0}),  # an even number of 0 and of 1
    6: ([[1, 2], [2, 0], [0, 1]], {0}),  # as many 0 as 1, mod 3
    7: ([[0, 1], [2, 1], [2, 3], [4, 3], [4, 4]], {0, 1, 2, 3}),  # 0*1*0*1*
}
SINKS = {1: 1, 2: 2, 3: 4, 4: 3, 7: 4}  # where no accepted word passes
WITH_RUNS = {5, 6, 7}  # whose networks count wrongly along runs that they have never met
LENGTHS = {number: (25, 20, 60) for number in TOMITA}  # longest word, steps until it grows by one, held-out words
LENGTHS[4] = (49, 15, 100)  # what has met 000 must not forget it
UNITS = 16
LEARNING_RATE = 0.03  # of the acceptors, a tenth of it once they are nearly right
FLIP_FLOP_STEPS, EARLY_STEPS = 1200, 120


def tomita_words(number: int, count: int, length: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(count, length) symbols and, after each of them, whether the word so far is accepted.

    Half of the words turn away from the sink, where there is one, until a step of their own. For some grammars a third
    of them are long runs of one symbol, which are rare among random words.
    """
    transitions, accepting = TOMITA[number]
    table, sink = np.array(transitions), SINKS.get(number, -1)
    turns = generator.random((length, count)) < np.where(
        (np.arange(count) % 3 > 0) | (number not in WITH_RUNS), 0.5, 0.1
    )
    symbols = (generator.integers(0, 2, count) + turns.cumsum(axis=0)) % 2
    careful_until = np.where(np.arange(count) % 2, generator.integers(0, 2 * length, count), 0)
    states, labels = np.zeros(count, int), np.empty((length, count), bool)
    for step in range(length):
        falls = (table[states, symbols[step]] == sink) & (step < careful_until)
        symbols[step] ^= falls
        states = table[states, symbols[step]]
        labels[step] = np.isin(states, list(accepting))
    return symbols.T, labels.T


def train_tomita(number: int, seed: int, max_steps: int = 2000) -> SequenceModel:
    """An LSTM of 16 units that answers 0 or 1 after each symbol, trained until it is right on longer words.

    The words grow with the steps: a parity is learned on short ones or not at all.
    """
    generator = np.random.default_rng(seed)
    longest, growth, test_length = LENGTHS[number]
    model = build_model(ModelSpec(hidden_size=UNITS, head="per_step", seed=seed), 2, 2)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    held_out = tomita_words(number, 200, test_length, np.random.default_rng(seed + 1000))
    right_in_a_row = 0
    for step in range(max_steps):
        length = int(generator.integers(2, 6 + min(longest - 5, step // growth)))
        symbols, labels = tomita_words(number, 32, length, generator)
        logits = model(_one_hot(symbols, 2))
        optimizer.zero_grad()
        F.cross_entropy(logits.flatten(0, 1), torch.from_numpy(labels).long().flatten()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 25 == 24:
            with torch.no_grad():
                answers = model(_one_hot(held_out[0], 2)).argmax(-1).numpy() == 1
            right = (answers == held_out[1]).mean()
            right_in_a_row = right_in_a_row + 1 if right == 1 else 0
            optimizer.param_groups[0]["lr"] = LEARNING_RATE if right < 0.99 else LEARNING_RATE / 10
            if right_in_a_row == 4:
                break
    return model.eval()


def flip_flop_streams(count: int, length: int, generator: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Pulses of ±1 on three channels, mostly 0, and the last pulse of each: both (count, length, 3) float32."""
    pulses = generator.choice([-1.0, 0.0, 1.0], (count, length, 3), p=[0.1, 0.8, 0.1])
    pulses[:, 0] = generator.choice([-1.0, 1.0], (count, 3))
    held = pulses.copy()
    for step in range(1, length):
        held[:, step] = np.where(pulses[:, step], pulses[:, step], held[:, step - 1])
    return torch.from_numpy(pulses).float(), torch.from_numpy(held).float()


def train_flip_flop(seed: int, steps: int = FLIP_FLOP_STEPS, early: int = EARLY_STEPS) -> tuple[SequenceModel, ...]:
    """An LSTM of 16 units that tells the last pulse of each channel: as it is after `early` steps, and at the end."""
    generator = np.random.default_rng(seed)
    model = build_model(ModelSpec(hidden_size=UNITS, head="per_step", seed=seed), 3, 3)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    kept = None
    for step in range(steps):
        x, y = flip_flop_streams(32, 40, generator)
        optimizer.zero_grad()
        F.mse_loss(model(x), y).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step + 1 == early:
            kept = {name: value.detach().clone() for name, value in model.named_parameters()}
    return model_from_weights(model.spec, model.sizes, kept), model.eval()


def load_fixture(name: str) -> SequenceModel:
    """A frozen network: "tomita1" … "tomita7", "flip_flop" or "flip_flop_early"."""
    weights = safetensors.torch.load_file(FIXTURES / f"{name}.safetensors")
    size, out = weights["lstm.weight_ih_l0"].shape[1], len(weights["head.bias"])
    return model_from_weights(ModelSpec(hidden_size=UNITS, head="per_step"), (size, out, 0), weights)


def _one_hot(symbols: np.ndarray, count: int) -> Tensor:
    return torch.from_numpy((symbols[..., None] == np.arange(count)).astype(np.float32))


def _save(name: str, model: SequenceModel) -> None:
    weights = {key: value.detach().clone() for key, value in model.named_parameters()}
    safetensors.torch.save_file(weights, FIXTURES / f"{name}.safetensors")


def main() -> None:
    for number in TOMITA:
        _save(f"tomita{number}", train_tomita(number, seed=0))
    early, late = train_flip_flop(seed=0)
    _save("flip_flop_early", early)
    _save("flip_flop", late)


if __name__ == "__main__":
    main()
