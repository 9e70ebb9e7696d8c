"""A SequenceModel as a reader of symbols: many words at once, or one step from any state. Nothing here extracts.

A state is one row of numbers, h of all layers and, for nn.LSTM, c beside it; words are rows of symbols from 0.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from lstm_core.experiment import PlaygroundError
from lstm_core.model.recurrent import RNNState, SequenceModel

CHUNK = 1 << 20  # symbols read at once


class SymbolNetwork:
    """A trained model whose input at each step is one of a few symbols."""

    def __init__(self, model: SequenceModel, inputs: np.ndarray | None = None, lead: np.ndarray | None = None) -> None:
        """inputs: (symbols, input_size), what the model reads for each symbol; None: one-hot. lead: (steps,
        input_size), rows that it reads before every word, such as the zeros in front of padded windows.

        Raises:
            PlaygroundError: a bidirectional model, one with a linear skip, or inputs of another size.
        """
        if model.spec.bidirectional or model.uses_skip:
            kind = "bidirectional model" if model.spec.bidirectional else "model with a linear skip"
            raise PlaygroundError(
                f"A {kind} has no state that says all of what it has read: extract an automaton from a model with one "
                "direction and no skip."
            )
        size = model.recurrent.input_size
        rows = np.eye(size, dtype=np.float32) if inputs is None else np.asarray(inputs, np.float32)
        before = np.zeros((0, size), np.float32) if lead is None else np.asarray(lead, np.float32)
        if rows.ndim != 2 or before.ndim != 2 or {rows.shape[1], before.shape[1]} != {size}:
            raise PlaygroundError(f"The model reads {size} numbers a step: give inputs and lead with {size} columns.")
        self.model, self.n_symbols = copy.deepcopy(model).eval(), len(rows)
        weight = model.head.weight
        self._inputs = torch.from_numpy(rows).to(weight)
        state = self._zero_state(1)
        self._first_logits = self.model.head(self._pack(state)[:, self._top]).detach()
        if len(before):
            logits, state = self._run(torch.from_numpy(before).to(weight)[None], state)
            self._first_logits = logits[:, -1]
        self.initial = self._pack(state)  # (1, size of a state)

    @property
    def first_logits(self) -> Tensor:
        """(1, outputs): what it answers before it has read a symbol."""
        return self._first_logits

    def step(self, states: Tensor, symbols: Sequence[int] | np.ndarray) -> tuple[Tensor, Tensor]:
        """One symbol from each state: logits (n, outputs) after it, and the states (n, size)."""
        index = torch.as_tensor(np.asarray(symbols, np.int64), device=self._inputs.device)
        logits, state = self._run(self._inputs[index][:, None], self._unpack(states))
        return logits[:, 0], self._pack(state)

    def read(self, words: np.ndarray) -> Tensor:
        """Words of one length, (n, length): logits (n, length, outputs) after each of their symbols."""
        words = torch.as_tensor(np.asarray(words, np.int64), device=self._inputs.device)
        rows, parts = max(1, CHUNK // max(1, words.shape[1])), []
        for chunk in words.split(rows):
            state = self._unpack(self.initial.expand(len(chunk), -1))
            parts.append(self._run(self._inputs[chunk], state)[0])
        return torch.cat(parts)

    @torch.no_grad()
    def _run(self, x: Tensor, state: RNNState) -> tuple[Tensor, RNNState]:
        output, state = self.model.recurrent(self.model.to_module_layout(x), state)
        return self.model.head(output if self.model.spec.batch_first else output.transpose(0, 1)), state

    @property
    def _top(self) -> slice:
        """Of a packed state: h of the top layer."""
        end = self.model.spec.num_layers * self.model.spec.h_size
        return slice(end - self.model.spec.h_size, end)

    def _zero_state(self, count: int) -> RNNState:
        spec, weight = self.model.spec, self.model.head.weight
        h = weight.new_zeros(spec.num_layers, count, spec.h_size)
        return (h, weight.new_zeros(spec.num_layers, count, spec.hidden_size)) if spec.cell == "lstm" else h

    def _pack(self, state: RNNState) -> Tensor:
        parts = state if isinstance(state, tuple) else (state,)
        return torch.cat([part.transpose(0, 1).flatten(1) for part in parts], dim=1).detach()

    def _unpack(self, states: Tensor) -> RNNState:
        spec = self.model.spec
        sizes = [spec.num_layers * spec.h_size]
        sizes += [spec.num_layers * spec.hidden_size] if spec.cell == "lstm" else []
        parts = states.split(sizes, dim=1)
        parts = [part.unflatten(1, (spec.num_layers, -1)).transpose(0, 1).contiguous() for part in parts]
        return tuple(parts) if spec.cell == "lstm" else parts[0]


class NetworkAcceptor:
    """A model as a judge of words, for extract_dfa: a word is accepted if this class wins after its last symbol.

    A model with a single output accepts where that is above 0.
    """

    def __init__(self, network: SymbolNetwork, accepted_class: int = 1) -> None:
        """Raises:
        PlaygroundError: the model has no such class.
        """
        outputs = network.model.head.out_features
        if outputs > 1 and not 0 <= accepted_class < outputs:
            raise PlaygroundError(f"The model tells {outputs} classes: choose one from 0 to {outputs - 1}.")
        self.network, self.accepted_class = network, accepted_class

    def __call__(self, word: Sequence[int]) -> bool:
        return self.batch([word])[0]

    def batch(self, words: Sequence[Sequence[int]]) -> list[bool]:
        """The answers to many words, of any lengths."""
        lengths = np.array([len(word) for word in words])
        padded = np.zeros((len(words), max(1, lengths.max(initial=0))), np.int64)
        for row, word in zip(padded, words, strict=True):
            row[: len(word)] = word
        after = self.prefixes(padded)
        first = bool(self._is_accepted(self.network.first_logits)[0])
        return [bool(after[k, length - 1]) if length else first for k, length in enumerate(lengths)]

    def prefixes(self, words: np.ndarray) -> np.ndarray:
        """(n, length) symbols → (n, length) bool, the answer after each of them."""
        return self._is_accepted(self.network.read(words)).cpu().numpy()

    @property
    def initial(self) -> Tensor:
        return self.network.initial

    def step(self, states: Tensor, symbols: Sequence[int] | np.ndarray) -> Tensor:
        """The states one symbol later; by them extract_dfa looks where the network tells words apart."""
        return self.network.step(states, symbols)[1]

    def _is_accepted(self, logits: Tensor) -> Tensor:
        if logits.shape[-1] == 1:
            return logits[..., 0] > 0
        return logits.argmax(dim=-1) == self.accepted_class
