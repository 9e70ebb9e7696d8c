"""Shapes and the two ways to run an LSTM: nothing is trained, every call is really run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstm_core.lessons.lesson import Lesson
from lstm_core.lessons.question import Choice, Measured, Question, between

if TYPE_CHECKING:
    from lstm_core.runs.run import Run

BATCH_FIRST = 3, 5, 10  # of the question


def _blocks(runs: dict[str, Run]) -> np.ndarray:
    """output of a bidirectional LSTM, steps to the right: (num_directions · hidden_size, steps)."""
    from lstm_core.lessons.catalog.tutorials.shapes.outputs import compare_outputs

    outputs = compare_outputs(seed=0, num_layers=1, steps=12)
    return outputs.h[0].transpose(0, 2, 1).reshape(-1, 12)


def _measure_right_sequences(runs: dict[str, Run]) -> Measured:
    import torch
    from torch import nn

    from lstm_core.lessons.catalog.tutorials.shapes.outputs import seeded_module, seeded_randn

    x, refused = seeded_randn(1, *BATCH_FIRST), ""
    with torch.no_grad():
        expected = seeded_module(0, nn.LSTM, BATCH_FIRST[-1], 4, batch_first=True)(x)[0]
        try:
            output = seeded_module(0, nn.LSTM, BATCH_FIRST[-1], 4)(x)[0]
            right = sum(map(torch.allclose, output, expected))
        except RuntimeError as error:
            refused, right = f"It raised {error}", -1
    return Measured(
        f"You give `nn.LSTM({BATCH_FIRST[-1]}, 4)` a batch of {BATCH_FIRST[0]} sequences of {BATCH_FIRST[1]} steps, "
        f"shape {BATCH_FIRST}, and forget `batch_first=True`. What happens?",
        right,
        refused
        or f"It ran just now: output has shape {tuple(output.shape)}, and {right} of the {BATCH_FIRST[0]} sequences "
        "come out as with `batch_first=True` and the same weights.",
    )


LESSON = Lesson(
    title="Shapes, and two ways to run it",
    summary="Every shape of nn.LSTM, the exact error when one is wrong, and what it means.",
    chapter="Tutorials",
    evening=1,
    after=("minibatches",),
    question=Question(
        _measure_right_sequences,
        (
            Choice(
                "an error about the shape",
                between(-1, -1),
                "A wrong input_size does raise one. But three axes with the last one right are a valid input.",
            ),
            Choice(
                "the right output", between(BATCH_FIRST[0], BATCH_FIRST[0]), "The output even has the expected shape."
            ),
            Choice(
                "it runs, with sequences and steps mixed up",
                between(0, BATCH_FIRST[0] - 1),
                "Without `batch_first=True` the first axis is time.",
            ),
        ),
    ),
    program="step_by_step",
    experiments={},
    widget="shape_lab",
    thumbnail_plot=_blocks,
    text="""
Most first errors with nn.LSTM are about shapes. The lab above really runs **any call** and shows every tensor, or
PyTorch's message and what it means.

**Input** is (seq_len, batch, input_size): time first. `batch_first=True` swaps the first two axes of input and output,
and nothing else. A 2-D input is one sequence without a batch.

**The states** h_0, c_0, h_n and c_n are (num_layers · num_directions, batch, hidden_size), always. Leave h_0 and c_0
out and they are zeros.

**output** holds h of the top layer at every step. **h_n** holds h of every layer at its last step. So they share
numbers, and for a bidirectional LSTM the reverse half of h_n stands at the **first step** of output.

Sequences of different lengths are padded with zeros. An LSTM reads those zeros, too, unless you pack the batch.
""",
    formula=r"""\begin{aligned}
\text{output} &: (L,\ N,\ D \cdot H_{out}) \\
h_n &: (D \cdot \text{num\_layers},\ N,\ H_{out}) \\
c_n &: (D \cdot \text{num\_layers},\ N,\ H)
\end{aligned}""",
    symbols="$L$ steps, $N$ sequences, $D$ directions (1 or 2), $H$ hidden_size, $H_{out}$ proj_size if there is one, "
    "else $H$.",
    common_mistakes="""
- Many call `output[-1]` *the last hidden state*. True for one direction without padding only.
- Some turn h_0 and c_0 with `batch_first=True`. They never turn.
- One tutorial lists what comes **out** as output, *h0* and *c0*. Those go in; h_n and c_n come out, after the last
  step.
- A batch-first input without `batch_first=True` **raises no error**: sequences are read as steps.
""",
    sources=(
        "PyTorch documentation, torch.nn.LSTM (Inputs, Outputs, Notes) and torch.nn.utils.rnn.pack_padded_sequence",
        "PyTorch tutorial Sequence Models and Long Short-Term Memory Networks, for nn.LSTM(3, 3) in two ways",
    ),
)
