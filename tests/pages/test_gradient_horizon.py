"""Gates, "How far back?": what is drawn and said is the gradient that the core computes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lstm_core.analysis.gradient_horizon import GradientHorizon, memory_horizon
from lstm_core.forecasting.predict import predict
from pages.shared.gates.gradient_horizon import horizon_sentence, time_constants_sentence
from tests.pages.conftest import HOW_FAR_BACK, Visitor, how_far_back, labelled_csv, plotly_values, unescaped


def horizon_of(tab: Visitor, output: int = 0):
    run = tab.training
    start = run.windows.starts["test"][-1:]
    return memory_horizon(run.current_model(), torch.from_numpy(run.windows.inputs(start)), output)


def test_the_pictures_are_of_the_chosen_layer_and_direction(visit):
    tab = how_far_back(visit, num_layers=2, bidirectional=True)
    horizon = horizon_of(tab)
    for layer, direction in ((0, 0), (1, 1)):
        tab.set("layer", layer).set("direction", direction)
        d_h, constants = horizon.d_h[layer, direction, 0], horizon.time_constants[layer, direction, 0]
        np.testing.assert_allclose(plotly_values(tab.figure("horizon_figure"), 1), d_h / d_h.max())
        np.testing.assert_allclose(plotly_values(tab.figure("time_constants"), 0), np.sort(constants))
        assert unescaped(time_constants_sentence(constants)).replace("**", "") in tab.words().replace("**", "")


def test_of_classes_the_likeliest_is_meant(visit):
    tab = visit("data").upload(labelled_csv()).set("seq_len", 5).train(epochs=3)
    tab.go("gates").set("view", HOW_FAR_BACK)
    run = tab.training
    predictions = predict(run.current_model(), run.windows, run.windows.starts["test"][-1:])[0]
    d_x = horizon_of(tab, int(predictions.argmax())).d_x[0]
    np.testing.assert_allclose(plotly_values(tab.figure("horizon_figure"), 0), d_x / d_x.max())


@pytest.mark.parametrize(
    ("constants", "words"),
    [
        (
            [1.0, 3.0, 140.2],
            "half of the units forget within **3** steps; the slowest remembers for about **140** steps",
        ),
        ([0.2, 0.5, 1.0], "within less than a step; the slowest remembers for about **1** step."),
        ([2.34, 2.34, np.inf], "within **2.3** steps; the slowest never forgets"),
        ([5000.0], "the unit forgets within **5,000** steps"),
        ([np.inf], "the unit never forgets"),
    ],
)
def test_time_constants_in_words(constants, words):
    assert words in time_constants_sentence(np.array(constants))


@pytest.mark.parametrize(
    ("curve", "words"),
    [
        ([1.0, 1.0, 1.0], "even its first step has more than 1\u202f% of the strongest influence."),
        ([0.2, 0.4, 1.0], "the strongest influence, though steps more than **1** before the end have less than half."),
        ([0.001, 0.6, 1.0], "Steps more than **2** before the end have less than half"),
    ],
)
def test_how_far_back_in_words(curve, words):
    assert words in horizon_sentence(GradientHorizon(np.array([curve]), np.ones((1, 1, 1, 3))))
