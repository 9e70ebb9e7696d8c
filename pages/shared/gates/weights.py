"""The view "Weights": the weights or gradients of each gate, and their norms over the training."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from lstm_core.analysis.gate_weights import (
    PARAMETERS,
    PERCENTILE,
    ByGate,
    Magnitudes,
    gate_histograms,
    gate_norms,
    magnitudes,
    round_up_nicely,
    split_by_gate,
    with_total_bias,
)
from lstm_core.data.number_format import THIN_SPACE, format_percent, minus_sign
from lstm_core.experiment import GATES
from lstm_core.figures.lines import Line
from lstm_core.figures.theme import ACTUAL_COLOR, GATE_COLORS, GATE_NAMES
from lstm_core.runs.run import Run
from lstm_core.training.snapshots import ModelSnapshot, Snapshot
from pages.shared.components.live_plot import live_plot
from pages.shared.components.weight_heatmaps import ParameterPanel, weight_heatmaps
from pages.shared.gates.selection import Selection, by_snapshot, weights_moment
from pages.shared.theme import segments

WEIGHTS, GRADIENTS = "weights", "gradients of the last step"
ARROWS = {"": "", "forward": "→", "reverse": "←"}


def show(selection: Selection) -> None:
    """Heatmaps, norms and histograms of the selected layer and direction, and their norms over training."""
    snapshot = selection.snapshot
    parameters = ["weight_ih", "weight_hh"] + ["bias"] * selection.run.experiment.model.bias
    with st.container(horizontal=True, vertical_alignment="center", gap="large"):
        choice = segments(st, "show", [WEIGHTS, GRADIENTS], "weights_of")
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            st.markdown("Histogram and curve of", width="content")
            counted = segments(st, "histogram and curve of", parameters, "weights_counted", default="weight_hh")
    gradients = choice == GRADIENTS
    if gradients and snapshot.gradients is None:
        st.info(_why_none(snapshot))
        return
    tensors = snapshot.gradients if gradients else snapshot.model.state_dict()
    by_gate = with_total_bias(split_by_gate(tensors, selection.layer, selection.direction), gradients)
    _heatmaps(selection, snapshot, by_gate, counted, gradients)
    _norms_over_training(selection, snapshot, counted, gradients)


def _heatmaps(selection: Selection, snapshot: ModelSnapshot, by_gate: ByGate, counted: str, gradients: bool) -> None:
    """The sentence, and the heatmaps beside the histograms."""
    current = magnitudes(by_gate)
    extents = [current]
    if not gradients:  # one scale for the whole run, so that weights are seen to grow
        extents += _magnitude_history(selection, gradients).values()
    limit = round_up_nicely(max(level.percentile for level in extents))
    edge = round_up_nicely(max(level.max_abs[counted] for level in extents))
    counts = gate_histograms(by_gate[counted], edge)[1]
    st.markdown(gradient_sentence(by_gate) if gradients else weight_sentence(by_gate))
    weight_heatmaps(
        "weights_map",
        _panels(selection, by_gate, current, gradients),
        limit,
        counts,
        counted=counted,
        edge=edge,
        title=_title(weights_moment(selection.run, snapshot.step), current, limit, gradients),
    )


def _title(moment: str, current: Magnitudes, limit: float, gradients: bool) -> str:
    subject = "Gradients (clipped) of" if gradients else "Weights after"
    peak = max(current.max_abs.values())
    range_text = (
        "them all" if peak <= limit else f"{100 * PERCENTILE:g}{THIN_SPACE}% of them; the largest is {peak:.3g}"
    )
    return f"{subject} {moment}. The colours span −{limit:g} to {limit:g}, which covers {range_text}"


def _why_none(snapshot: ModelSnapshot) -> str:
    """Why this snapshot has no gradients, and what to do."""
    if snapshot.step == 0:
        return (
            "Before its first step a model has no gradients: train it on the page Train, or move the slider above "
            "to a later step."
        )
    return (
        "This snapshot came with a saved model, which keeps no gradients: train on the page Train, then choose a later "
        "step."
    )


def _panels(selection: Selection, by_gate: ByGate, current: Magnitudes, gradients: bool) -> list[ParameterPanel]:
    states = _states(selection, by_gate["weight_hh"]["i"].shape[1])
    panels = [
        ParameterPanel("weight_ih", by_gate["weight_ih"], current.norms["weight_ih"], *_inputs(selection)),
        ParameterPanel("weight_hh", by_gate["weight_hh"], current.norms["weight_hh"], *states),
    ]
    if "bias" in by_gate:
        labels = {"ih": "bias_ih", "hh": "bias_hh"}
        biases = [by_gate["bias_ih"], by_gate["bias_hh"]]
        if not gradients:
            labels["sum"] = "bias_ih + bias_hh"
            biases.append(by_gate["bias"])
        gates = {gate: np.stack([parts[gate] for parts in biases], 1) for gate in GATES}  # (units, 2 or 3)
        panels.append(ParameterPanel("bias", gates, current.norms["bias"], "", list(labels.values()), list(labels)))
    return panels


def _inputs(selection: Selection) -> tuple[str, list[str], list[str]]:
    """The columns of weight_ih: what they are altogether, the label of each, and its short label."""
    model = selection.run.experiment.model
    if selection.layer == 0:
        names = list(selection.run.windows.input_names)
        return "features", names, names
    below = selection.layer - 1
    word = "projected unit" if model.proj_size else "unit"
    directions = ("forward", "reverse") if model.bidirectional else ("",)
    units = [(unit, direction) for direction in directions for unit in range(model.h_size)]
    labels = [f"{direction} {word} {unit} of layer {below}".lstrip() for unit, direction in units]
    return f"h of layer {below}", labels, [f"{ARROWS[direction]}{unit}" for unit, direction in units]


def _states(selection: Selection, width: int) -> tuple[str, list[str], list[str]]:
    """The same of weight_hh."""
    word = "projected unit" if selection.run.experiment.model.proj_size else "unit"
    ticks = [str(unit) for unit in range(width)]
    return "hₜ₋₁", [f"{word} {tick}" for tick in ticks], ticks


def weight_sentence(by_gate: ByGate) -> str:
    """How much of c a step keeps by the forget gate's bias alone; as Markdown."""
    if "bias" not in by_gate:
        return (
            "There is no bias: with x and h at 0 the forget gate is σ(0) = 0.5, and a step keeps "
            f"**50{THIN_SPACE}%** of c."
        )
    bias = by_gate["bias"]["f"].astype(np.float64)
    kept = float(np.mean(0.5 + 0.5 * np.tanh(bias / 2)))  # σ(b), in a form that never overflows
    return (
        f"The forget gate's bias averages **{minus_sign(f'{bias.mean():+.2f}')}**: with x and h at 0 a step keeps "
        f"**{format_percent(kept, 0)}** of c."
    )


def gradient_sentence(by_gate: ByGate) -> str:
    """Which gate has the largest and the smallest gradients at the last step; as Markdown."""
    norms = [parts for kind, parts in gate_norms(by_gate).items() if kind in PARAMETERS]
    squares = {gate: sum(parts[gate] ** 2 for parts in norms) for gate in GATES}
    total = sum(squares.values())
    if not total > 0:
        return "Every gradient of this layer is exactly 0: the last step had nothing to change here."
    largest, smallest = max(GATES, key=squares.get), min(GATES, key=squares.get)
    shares = {gate: format_percent(squares[gate] / total, 0) for gate in (largest, smallest)}
    return (
        f"The **{GATE_NAMES[largest]}** has the largest gradients ({shares[largest]} of this layer's squared norm), "
        f"the {GATE_NAMES[smallest]} the smallest ({shares[smallest]})."
    )


def _norms_over_training(selection: Selection, snapshot: ModelSnapshot, counted: str, gradients: bool) -> None:
    """One line a gate: the norm of its rows of the parameter at every snapshot."""
    history = _magnitude_history(selection, gradients)
    if len(history) < 2:
        return
    epochs = np.array([snapshot.step for snapshot in history]) / selection.run.steps_per_epoch
    norms = {gate: np.array([of_step.norms[counted][gate] for of_step in history.values()]) for gate in GATES}
    if not gradients:
        st.markdown(growth_sentence(norms, epochs, counted))
    lines = [Line(f"{gate} · {GATE_NAMES[gate]}", epochs, norms[gate], GATE_COLORS[gate]) for gate in GATES]
    if selection.step is not None:
        all_norms = np.concatenate(list(norms.values()))
        ends = np.array([all_norms.min(), all_norms.max()])
        lines.append(
            Line("selected step", np.full(2, snapshot.step) / selection.run.steps_per_epoch, ends, ACTUAL_COLOR, "dash")
        )
    live_plot(
        "weights_norms",
        lines,
        x_title="epoch",
        log_y=gradients,
        height=280,
        y_title=f"norm of {counted}" + (", gradient" if gradients else ""),
        revision=f"{selection.run.id} {counted} {gradients}",
    )


def growth_sentence(norms: Mapping[str, np.ndarray], epochs: np.ndarray, counted: str) -> str:
    """Which gate's norm changed most over the training, and by when; norms: gate → (snapshots,). As Markdown."""
    growth = {gate: abs(values[-1] - values[0]) for gate, values in norms.items()}
    largest, smallest = max(GATES, key=growth.get), min(GATES, key=growth.get)
    if not growth[largest] > 0:
        return f"The norms of {counted} have not changed yet."
    start, end = norms[largest][[0, -1]]
    # from then on beyond half of the change
    half_step = np.flatnonzero(abs(norms[largest] - start) < growth[largest] / 2)[-1] + 1
    return (
        f"The norm of {counted} has changed most in the **{GATE_NAMES[largest]}** ({start:.3g} → {end:.3g}, half of it "
        f"by epoch {epochs[half_step]:.3g}), least in the {GATE_NAMES[smallest]}."
    )


def _magnitude_history(selection: Selection, gradients: bool) -> dict[Snapshot, Magnitudes]:
    """Of the weights of every snapshot, or of its gradients where it has them; each is computed once."""
    run, key = selection.run, (selection.layer, selection.direction, gradients)
    history = by_snapshot(run, "magnitudes", key, lambda snapshot: _measure(run, snapshot, *key))
    return {snapshot: measured for snapshot, measured in history.items() if measured}


def _measure(run: Run, snapshot: Snapshot, layer: int, direction: int, gradients: bool) -> Magnitudes | None:
    flat = snapshot.gradients if gradients else snapshot.weights
    if flat is None:
        return None
    return magnitudes(with_total_bias(split_by_gate(run.weights_by_name(flat), layer, direction), gradients))
