"""Three batches of one stream, four ways: what h and c do, how far the gradient reaches, what PyTorch raises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch
from plotly.subplots import make_subplots

from lstm_core.figures.theme import ACTUAL_COLOR, FONT_SIZE, GATE_COLORS, PREDICTION_COLOR, figure_layout
from lstm_core.lessons.catalog.tutorials.state_carryover.trajectory import (
    STATE_MODES,
    StateTrajectory,
    backward_twice,
    call_shapes,
    default_state_is_zero,
    state_trajectory,
)
from pages.shared.session.fields import clamp_widget
from pages.shared.training.live import poll

if TYPE_CHECKING:
    from lstm_core.model.recurrent import SequenceModel
    from lstm_core.runs.run import Run

DRAWING_SECONDS = 2.0  # between two drawings while it trains
BATCHES = 3
UNITS = 3  # drawn of the top layer
NAMES = {"zero": "zero", "random": "random", "carried": "carried, detached", "not detached": "carried, not detached"}
DASHES = ("solid", "dash", "dot")


def show(runs: dict[str, Run]) -> None:
    """Everything is of the model that was trained with the carried state, as it is now."""
    run = runs["carried"]
    active = run.is_active
    poll(_draw, run, seconds=DRAWING_SECONDS, active=active, has_changed=lambda: run.is_active != active)


def _draw(run: Run) -> None:
    model, windows = run.snapshot_at().model, run.windows
    seq_len = windows.spec.seq_len
    stream = windows.starts["valid"][::seq_len]  # one after the other
    with st.container(border=True):
        states, errors, shapes = st.tabs(["The life of h and c", "Without detach", "Shapes of h_0 and c_0"])
        with states:
            first, state = _choices(len(stream))
            starts = stream[first : first + BATCHES]
            x = torch.from_numpy(windows.inputs(starts))
            targets = windows.y[(starts[:, None] + np.arange(seq_len)).ravel(), 0]
            trajectories = {mode: state_trajectory(model, x, mode, seed=first) for mode in STATE_MODES}
            st.plotly_chart(_figure(trajectories, state, _top_units(model), targets), key="state_life")
            st.caption(
                "The same weights (those of *carried*) and inputs; a new batch begins behind every dashed line. Above: "
                "does the state start anew there, or continue? Below: how strongly each step's input moves one "
                "prediction, the first of the third batch, as `backward()` sees it. Its target is the input of three "
                "steps before."
            )
        with errors:
            _without_detach(model, x[:2], trajectories)
        with shapes:
            _shapes(model, run.train_spec.batch_size, seq_len, x)


def _choices(batches: int) -> tuple[int, str]:
    left, right = st.columns([0.6, 0.4], vertical_alignment="bottom")
    last = batches - BATCHES
    clamp_widget("state_first", 0, last, default=0)
    first = left.slider("first of the three batches, in the validation part", 0, last, key="state_first")
    state = right.segmented_control("shown", ["h", "c", "prediction"], default="h", key="state_shown", required=True)
    return first, state


def _top_units(model: SequenceModel) -> list[int]:
    """The units of the top layer that the prediction weights most."""
    return model.head.weight.abs().sum(0).argsort(descending=True)[:UNITS].tolist()


def _figure(trajectories: dict[str, StateTrajectory], state: str, units: list[int], targets: np.ndarray) -> go.Figure:
    """Two rows of four: what is shown of each way above, how far its gradient reaches below."""
    figure = make_subplots(
        rows=2,
        cols=len(trajectories),
        shared_yaxes=True,
        shared_xaxes=True,
        row_heights=[0.6, 0.4],
        horizontal_spacing=0.02,
        vertical_spacing=0.06,
        column_titles=[NAMES[mode] for mode in trajectories],
    )
    for k, mode in enumerate(trajectories, 1):
        trajectory = trajectories[mode]
        if state == "prediction":
            _predictions(figure, k, trajectory, targets)
        else:
            _state_lines(figure, k, trajectory, state, units)
        steps = np.arange(1, len(trajectory.input_gradient_norm) + 1)
        figure.add_bar(
            x=steps,
            y=trajectory.input_gradient_norm,
            row=2,
            col=k,
            showlegend=False,
            marker={"color": ACTUAL_COLOR, "line_width": 0},
            hovertemplate="%{y:.3g}<extra></extra>",
        )
        seq_len = len(steps) // BATCHES
        for border in range(seq_len, len(steps), seq_len):
            figure.add_vline(border + 0.5 * (state == "prediction"), row=1, col=k, line=_BORDER)
            figure.add_vline(border + 0.5, row=2, col=k, line=_BORDER)
    figure.update_xaxes(title="step", row=2)
    figure.update_yaxes(title=state, row=1, col=1)
    figure.update_yaxes(title="gradient", rangemode="tozero", row=2, col=1)
    figure.update_annotations(font={"size": FONT_SIZE})
    figure_layout(figure, 370).update_layout(hovermode="closest", margin={"t": 60}, legend={"y": 1.12})
    return figure


_BORDER = {"color": ACTUAL_COLOR, "width": 1.5, "dash": "dash"}


def _state_lines(figure: go.Figure, column: int, trajectory: StateTrajectory, state: str, units: list[int]) -> None:
    """A line a unit; where a batch begins it stands at what the batch was given, after what the last one left."""
    values = getattr(trajectory, state)  # (windows, seq_len + 1, hidden_size)
    windows, points = values.shape[:2]
    at = (np.arange(windows)[:, None] * (points - 1) + np.arange(points)).ravel()
    for unit, dash in zip(units, DASHES, strict=False):
        figure.add_scatter(
            x=at,
            y=values[..., unit].ravel(),
            row=1,
            col=column,
            name=f"unit {unit}",
            showlegend=column == 1,
            line={"color": GATE_COLORS[state], "width": 2.5, "dash": dash},
            hovertemplate=f"unit {unit}, after step %{{x}}: %{{y:.3f}}<extra></extra>",
        )


def _predictions(figure: go.Figure, column: int, trajectory: StateTrajectory, targets: np.ndarray) -> None:
    ring = {"color": ACTUAL_COLOR, "size": 11, "symbol": "circle-open", "line": {"width": 2.5}}
    dot = {"color": PREDICTION_COLOR, "size": 6}
    for name, y, marker in (("target", targets, ring), ("prediction", trajectory.predictions.ravel(), dot)):
        x, only_first = np.arange(1, len(y) + 1), column == 1
        legend = {"name": name, "showlegend": only_first}
        figure.add_scatter(x=x, y=y, row=1, col=column, mode="markers", marker=marker, **legend)


_FORWARD = "output, (h, c) = lstm(\n    x, (h, c))"


def _without_detach(model: SequenceModel, x: torch.Tensor, trajectories: dict[str, StateTrajectory]) -> None:
    """Two training steps with the state carried, in three ways, really run."""
    kept, retained, detached = st.columns(3, gap="medium")
    with kept:
        st.markdown("**The state with its graph**")
        st.code(f"{_FORWARD}\nloss.backward()\noptimizer.step()", language="python")
        _show_result(backward_twice(model, x, detach=False))
        st.markdown(
            "`backward()` frees the graph that it has gone through. But h and c still hang on it, so the second "
            "`backward()` wants to go through the first batch again."
        )
    with retained:
        st.markdown("**With retain_graph, as the message advises**")
        st.code(f"{_FORWARD}\nloss.backward(\n    retain_graph=True)\noptimizer.step()", language="python")
        _show_result(_short(backward_twice(model, x, detach=False, retain_graph=True)))
        st.markdown(
            "The first batch's graph is still there, but `optimizer.step()` has changed the weights it was made with. "
            "And it would grow by a batch at every step."
        )
    with detached:
        st.markdown("**Detached**")
        st.code(f"h, c = h.detach(), c.detach()\n{_FORWARD}\nloss.backward()\noptimizer.step()", language="python")
        _show_result(backward_twice(model, x, detach=True))
        cut, whole = trajectories["carried"], trajectories["not detached"]
        same = np.array_equal(cut.h, whole.h) and np.array_equal(cut.predictions, whole.predictions)
        steps = [int((trajectory.input_gradient_norm > 0).sum()) for trajectory in (cut, whole)]
        st.markdown(
            f"h and all predictions are {'the same to the last bit' if same else 'not the same'}. The gradient of "
            f"the third batch's first prediction reaches {steps[0]} step{'s' * (steps[0] != 1)}, not {steps[1]}: for "
            "every input of the batches before it is 0."
        )


def _show_result(error: str) -> None:
    """PyTorch's message for the second batch, verbatim."""
    st.code(f"RuntimeError: {error}" if error else "No error.", language=None, wrap_lines=True)


def _short(error: str) -> str:
    """Without the hint at the end, which is about finding the place."""
    return error.partition(" Hint:")[0]


def _shapes(model: SequenceModel, batch_size: int, seq_len: int, x: torch.Tensor) -> None:
    """The shapes of this very model's call, run with batch_first on and off."""
    on, off = (call_shapes(model.lstm, batch_size, seq_len, turned) for turned in (True, False))
    left, right = st.columns([0.55, 0.45], gap="medium")
    spec = model.spec
    with left:
        rows = "\n".join(f"| `{name}` | `{on[name]}` | `{off[name]}` |" for name in on)
        st.markdown(f"| | `batch_first=True` | `batch_first=False` |\n|---|---|---|\n{rows}")
    with right:
        st.markdown(
            f"`nn.LSTM({model.lstm.input_size}, {spec.hidden_size}, {spec.num_layers})`, a batch of {batch_size} "
            f"sequences of {seq_len} steps. h_0 and c_0 have one row a **layer**, then one a **sequence**: "
            "(num_layers, batch, hidden_size). `batch_first` turns the input and the output, never the states."
        )
        same = default_state_is_zero(model.lstm, x)
        st.markdown(
            f"`lstm(x)` and `lstm(x, (zeros, zeros))` on this model: "
            f"**{'the same to the last bit' if same else 'not the same'}**. Who wants zeros need not make them."
        )
