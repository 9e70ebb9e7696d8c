"""The view "Weights": what each gate has learned to listen to, or is being told to change, and when it grew."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from lstm_core.analysis.gate_weights import (
    PARAMETERS,
    REACH,
    ByGate,
    Extent,
    extent,
    gate_histograms,
    gate_norms,
    rounded_up,
    split_by_gate,
    with_bias,
)
from lstm_core.experiment import GATES
from lstm_core.figures.lines import Line
from lstm_core.figures.theme import GATE_COLORS, GATE_NAMES, TRUTH
from lstm_core.runs.run import Run
from lstm_core.training.snapshots import Moment, Snapshot
from pages.shared.components.live_plot import live_plot
from pages.shared.components.weight_heatmaps import Panel, weights_map
from pages.shared.gates.selection import Look

WEIGHTS, GRADIENTS = "weights", "gradients of the last step"
ARROWS = {"": "", "forward": "→", "reverse": "←"}
KEEP = {"persist_state": "session", "required": True, "label_visibility": "collapsed"}


def show(look: Look) -> None:
    """Heatmaps, norms and histograms of the layer and direction that is looked at, and their norms over training."""
    moment = look.moment
    parameters = ["weight_ih", "weight_hh"] + ["bias"] * look.run.experiment.model.bias
    with st.container(horizontal=True, vertical_alignment="center", gap="large"):
        shown = st.segmented_control("show", [WEIGHTS, GRADIENTS], default=WEIGHTS, key="weights_of", **KEEP)
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            st.markdown("Histogram and curve of", width="content")
            counted = st.segmented_control("histogram and curve of", parameters, default="weight_hh",
                                           key="weights_counted", **KEEP)  # fmt: skip
    gradients = shown == GRADIENTS
    if gradients and moment.gradients is None:
        st.info(_why_none(moment))
        return
    tensors = moment.gradients if gradients else moment.model.state_dict()
    by_gate = with_bias(split_by_gate(tensors, look.layer, look.direction), gradients)
    _picture(look, moment, by_gate, counted, gradients)
    _norms_over_training(look, moment, counted, gradients)


def _picture(look: Look, moment: Moment, by_gate: ByGate, counted: str, gradients: bool) -> None:
    """The sentence, and the heatmaps beside the histograms."""
    now = extent(by_gate)
    extents = [now]
    if not gradients:  # one scale for the whole run, so that weights are seen to grow
        extents += _extents(look, gradients).values()
    limit = rounded_up(max(found.reach for found in extents))
    edge = rounded_up(max(found.peaks[counted] for found in extents))
    counts = gate_histograms(by_gate[counted], edge)[1]
    st.markdown(gradient_sentence(by_gate) if gradients else weight_sentence(by_gate))
    weights_map("weights_map", _panels(look, by_gate, now, gradients), limit, counts, counted=counted, edge=edge,
                title=_title(moment, now, limit, gradients))  # fmt: skip


def _title(moment: Moment, now: Extent, limit: float, gradients: bool) -> str:
    what = "Gradients, after clipping, of" if gradients else "Weights after"
    peak = max(now.peaks.values())
    held = "them all" if peak <= limit else f"{100 * REACH:g} % of them; the largest is {peak:.3g}"
    return f"{what} step {moment.step:,}. The colours span −{limit:g} to {limit:g}, which holds {held}"


def _why_none(moment: Moment) -> str:
    """Why there are no gradients at this moment, and what to do."""
    if moment.step == 0:
        return (
            "Before its first step a model has no gradients: train it on the page Train, or move the slider above "
            "to a later moment."
        )
    return (
        "This moment came with a saved model, which keeps no gradients: train on the page Train, then look at a later "
        "moment."
    )


def _panels(look: Look, by_gate: ByGate, now: Extent, gradients: bool) -> list[Panel]:
    states = _states(look, by_gate["weight_hh"]["i"].shape[1])
    panels = [
        Panel("weight_ih", by_gate["weight_ih"], now.norms["weight_ih"], *_inputs(look)),
        Panel("weight_hh", by_gate["weight_hh"], now.norms["weight_hh"], *states),
    ]
    if "bias" in by_gate:
        labels = {"ih": "bias_ih", "hh": "bias_hh"}
        biases = [by_gate["bias_ih"], by_gate["bias_hh"]]
        if not gradients:
            labels["sum"] = "bias_ih + bias_hh"
            biases.append(by_gate["bias"])
        gates = {gate: np.stack([parts[gate] for parts in biases], 1) for gate in GATES}  # (units, 2 or 3)
        panels.append(Panel("bias", gates, now.norms["bias"], "", list(labels.values()), list(labels)))
    return panels


def _inputs(look: Look) -> tuple[str, list[str], list[str]]:
    """What the columns of weight_ih stand for: altogether, each in words, each in short."""
    model = look.run.experiment.model
    if look.layer == 0:
        names = list(look.run.windows.spec.features)
        return "features", names, names
    below = look.layer - 1
    word = "projected unit" if model.proj_size else "unit"
    ways = ("forward", "reverse") if model.bidirectional else ("",)
    units = [(unit, way) for way in ways for unit in range(model.h_size)]
    labels = [f"{way} {word} {unit} of layer {below}".lstrip() for unit, way in units]
    return f"h of layer {below}", labels, [f"{ARROWS[way]}{unit}" for unit, way in units]


def _states(look: Look, width: int) -> tuple[str, list[str], list[str]]:
    """The same of weight_hh."""
    word = "projected unit" if look.run.experiment.model.proj_size else "unit"
    ticks = [str(unit) for unit in range(width)]
    return "h, a step before", [f"{word} {tick}" for tick in ticks], ticks


def weight_sentence(by_gate: ByGate) -> str:
    """What the forget gate's bias alone does to c; as Markdown."""
    if "bias" not in by_gate:
        return (
            "There is no bias: with nothing to go by (x and h at 0) the forget gate stands at σ(0) = 0.5, and a step "
            "keeps **50 %** of c."
        )
    bias = by_gate["bias"]["f"].astype(np.float64)
    kept = 100 * float(np.mean(0.5 + 0.5 * np.tanh(bias / 2)))  # σ(b), in a form that never overflows
    average = f"{bias.mean():+.2f}".replace("-", "−")
    return (
        f"The forget gate's bias averages **{average}**: with nothing else to go by (x and h at 0) a step keeps "
        f"**{kept:.0f} %** of c."
    )


def gradient_sentence(by_gate: ByGate) -> str:
    """Which gate the last step's gradients pull at most; as Markdown."""
    norms = [parts for kind, parts in gate_norms(by_gate).items() if kind in PARAMETERS]
    squares = {gate: sum(parts[gate] ** 2 for parts in norms) for gate in GATES}
    whole = sum(squares.values())
    if not whole > 0:
        return "Every gradient of this layer is exactly 0: the last step had nothing to change here."
    most, least = max(GATES, key=squares.get), min(GATES, key=squares.get)
    shares = {gate: f"{100 * squares[gate] / whole:.0f} %" for gate in (most, least)}
    return (
        f"The **{GATE_NAMES[most]}** has the largest gradients ({shares[most]} of this layer's squared norm), the "
        f"{GATE_NAMES[least]} the smallest ({shares[least]})."
    )


def _norms_over_training(look: Look, moment: Moment, counted: str, gradients: bool) -> None:
    """One line a gate: the norm of its part of the parameter at every moment that weights were kept of."""
    found = _extents(look, gradients)
    if len(found) < 2:
        return
    epochs = np.array([snapshot.step for snapshot in found]) / look.run.steps_per_epoch
    norms = {gate: np.array([extent.norms[counted][gate] for extent in found.values()]) for gate in GATES}
    if not gradients:
        st.markdown(growth_sentence(norms, epochs, counted))
    lines = [Line(f"{gate} · {GATE_NAMES[gate]}", epochs, norms[gate], GATE_COLORS[gate]) for gate in GATES]
    if look.step is not None:
        every = np.concatenate(list(norms.values()))
        ends = np.array([every.min(), every.max()])
        lines.append(Line("the moment above", np.full(2, moment.step) / look.run.steps_per_epoch, ends,
                          TRUTH, "dash"))  # fmt: skip
    live_plot("weights_norms", lines, x_title="epoch", log_y=gradients, height=280,
              y_title=f"norm of {counted}" + (", gradient" if gradients else ""),
              revision=f"{look.run.number} {counted} {gradients}")  # fmt: skip


def growth_sentence(norms: Mapping[str, np.ndarray], epochs: np.ndarray, counted: str) -> str:
    """Which gate's norm changed most over the training, and by when; norms: gate → (moments,). As Markdown."""
    ways = {gate: abs(values[-1] - values[0]) for gate, values in norms.items()}
    most, least = max(GATES, key=ways.get), min(GATES, key=ways.get)
    if not ways[most] > 0:
        return f"The norms of {counted} have not changed yet."
    half = np.flatnonzero(abs(norms[most] - norms[most][0]) < ways[most] / 2)[-1] + 1  # from then on beyond
    start, end = norms[most][[0, -1]]
    return (
        f"The norm of {counted} has changed most in the **{GATE_NAMES[most]}** ({start:.3g} → {end:.3g}, half of it by "
        f"epoch {epochs[half]:.3g}), least in the {GATE_NAMES[least]}."
    )


def _extents(look: Look, gradients: bool) -> dict[Snapshot, Extent]:
    """Of every snapshot of the run, or of its gradients where it has them; each is measured once."""
    run = look.run
    known = run.memo.setdefault("extents", {})
    place = look.layer, look.direction, gradients
    before = known.get(place, {})
    snapshots = [run.snapshots.nearest(step) for step in run.snapshots.steps]
    found = {
        snapshot: before.get(snapshot) or _measure(run, snapshot, *place)
        for snapshot in snapshots
        if not gradients or snapshot.gradients is not None
    }
    known[place] = found  # those that the run has dropped go with the old ones
    return found


def _measure(run: Run, snapshot: Snapshot, layer: int, direction: int, gradients: bool) -> Extent:
    tensors = run.weights_by_name(snapshot.gradients if gradients else snapshot.weights)
    return extent(with_bias(split_by_gate(tensors, layer, direction), gradients))
