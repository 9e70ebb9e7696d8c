"""A sketch of a network on numeric inputs as an automaton: its states and its inputs in clusters.

Unlike an extracted automaton it stands for no language: its fidelity says how far to trust it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lstm_core.analysis.automaton.machine import NONE, Walkable
from lstm_core.experiment import PlaygroundError
from lstm_core.model.recurrent import SequenceModel
from lstm_core.trace.gate_trace import trace_lstm

N_STATES, N_INPUTS = 6, 3
MAX_ROWS = 20_000  # that the clusters are found in
SEARCHES, ROUNDS = 8, 50


@dataclass(frozen=True, eq=False)
class StateSketch(Walkable):
    """Clusters of a network's states, numbered by how often it is in them, and the likeliest way between them.

    Its symbols are clusters of inputs, numbered by their first feature. fidelity: on sequences that the clusters were
    not found in, the share of steps after which the walk is in the cluster that the network is in.
    """

    n_states: int
    start: int
    transitions: list[list[int]]  # NONE where the state never met the input
    fidelity: float
    inputs: np.ndarray  # (symbols, input_size) the middles of the inputs' clusters, in the model's units
    states: np.ndarray  # (n_states, size) the middles of the states' clusters
    visits: np.ndarray  # (n_states,) share of the steps

    def symbols(self, x: np.ndarray) -> np.ndarray:
        """(…, input_size) inputs in the model's units → (…) the nearest cluster of inputs."""
        return _nearest(np.reshape(x, (-1, self.inputs.shape[1])), self.inputs).reshape(np.shape(x)[:-1])


@torch.no_grad()
def sketch_automaton(
    model: SequenceModel, x: Tensor, n_states: int = N_STATES, n_inputs: int = N_INPUTS, seed: int = 0
) -> StateSketch:
    """The sketch of an LSTM along sequences x (batch, seq_len, input_size), as the model reads them.

    h and tanh c of all layers are clustered by k-means on half of the sequences; the other half measures the fidelity.

    Raises:
        PlaygroundError: the model is no LSTM or reads backwards, or there are too few sequences or steps.
    """
    if model.spec.cell != "lstm" or model.spec.bidirectional:
        raise PlaygroundError(
            "The sketch follows the state of an LSTM from step to step: choose one with one direction."
        )
    if len(x) < 2 or min(n_states, n_inputs) < 1 or len(x) // 2 * x.shape[1] < max(n_states, n_inputs):
        raise PlaygroundError(
            f"{len(x)} sequences of {x.shape[1]} steps are too few for {n_states} states and {n_inputs} inputs: give "
            "at least two, and fewer clusters than steps."
        )
    rng = np.random.default_rng(seed)
    trace = trace_lstm(model.lstm, model.to_module_layout(x))
    parts = (part[:, 0].movedim(0, 2).flatten(2) for part in (trace.h, trace.c.tanh()))
    vectors = torch.cat(list(parts), dim=2).double().cpu().numpy()  # (batch, seq_len, size)
    inputs = x.double().cpu().numpy()
    order = rng.permutation(len(x))
    fitted, held_out = order[: len(x) // 2], order[len(x) // 2 :]
    centres = _k_means(vectors[fitted].reshape(-1, vectors.shape[2]), n_states, rng)
    symbol_centres = _k_means(inputs[fitted].reshape(-1, inputs.shape[2]), n_inputs, rng)
    symbol_centres = symbol_centres[np.argsort(symbol_centres[:, 0], kind="stable")]
    counts = np.bincount(_nearest(vectors[fitted].reshape(-1, vectors.shape[2]), centres), minlength=len(centres))
    centres = centres[np.argsort(-counts, kind="stable")]
    states = _nearest(vectors.reshape(-1, vectors.shape[2]), centres).reshape(vectors.shape[:2])
    symbols = _nearest(inputs.reshape(-1, inputs.shape[2]), symbol_centres).reshape(states.shape)
    start = int(_nearest(np.zeros((1, vectors.shape[2])), centres)[0])
    transitions = _likeliest(states[fitted], symbols[fitted], start, (len(centres), len(symbol_centres)))
    at, agreed = np.full(len(held_out), start), 0
    for step in range(states.shape[1]):
        at = np.where(at == NONE, NONE, transitions[at, symbols[held_out, step]])
        agreed += int((at == states[held_out, step]).sum())
    fidelity = agreed / states[held_out].size
    visits = np.bincount(states.ravel(), minlength=len(centres)) / states.size
    return StateSketch(len(centres), start, transitions.tolist(), fidelity, symbol_centres, centres, visits)


def _likeliest(states: np.ndarray, symbols: np.ndarray, start: int, size: tuple[int, int]) -> np.ndarray:
    """(states, symbols): where the network most often went from each state on each symbol."""
    before = np.concatenate([np.full((len(states), 1), start), states[:, :-1]], axis=1)
    counts = np.zeros((*size, size[0]), np.int64)
    np.add.at(counts, (before, symbols, states), 1)
    return np.where(counts.any(axis=2), counts.argmax(axis=2), NONE)


def _k_means(rows: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """The middles of at most `count` clusters, the tightest of several searches."""
    rows = rows if len(rows) <= MAX_ROWS else rows[rng.choice(len(rows), MAX_ROWS, replace=False)]
    found = [_search_clusters(rows, count, rng) for _ in range(SEARCHES)]
    return min(found, key=lambda centres: _squared_distances(rows, centres).min(axis=1).sum())


def _search_clusters(rows: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Lloyd's rounds (1982) from centres that are drawn far from one another (Arthur & Vassilvitskii 2007)."""
    centres = rows[rng.integers(len(rows), size=1)]
    while len(centres) < count:
        distance = _squared_distances(rows, centres).min(axis=1)
        if not distance.max() > 1e-12:  # fewer different rows than clusters
            break
        centres = np.concatenate([centres, rows[rng.choice(len(rows), 1, p=distance / distance.sum())]])
    for _ in range(ROUNDS):
        nearest, before = _nearest(rows, centres), centres
        means = [rows[nearest == k].mean(axis=0) if (nearest == k).any() else centres[k] for k in range(len(centres))]
        centres = np.stack(means)
        if np.allclose(centres, before):
            break
    return centres


def _squared_distances(rows: np.ndarray, centres: np.ndarray) -> np.ndarray:
    products = (rows**2).sum(axis=1)[:, None] - 2 * rows @ centres.T + (centres**2).sum(axis=1)
    return products.clip(0)


def _nearest(rows: np.ndarray, centres: np.ndarray) -> np.ndarray:
    return _squared_distances(rows, centres).argmin(axis=1)
