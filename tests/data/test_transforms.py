"""The scaler maps the training rows as it should, and leaves constant columns alone."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_core.data.windows import make_windows
from lstm_core.experiment import SCALINGS
from tests.factories import series, spec_of


@pytest.mark.parametrize("scaling", SCALINGS)
def test_scaling_of_the_training_rows(scaling):
    windows = make_windows(series(100), spec_of(scaling=scaling, train_share=0.5))
    scaled = (windows.x[:50] - windows.x_center) / windows.x_scale
    if scaling == "standard":
        np.testing.assert_allclose(scaled.mean(0), 0, atol=1e-5)
        np.testing.assert_allclose(scaled.std(0), 1, atol=1e-5)
    elif scaling == "minmax":
        np.testing.assert_allclose([scaled.min(0), scaled.max(0)], [[0, 0], [1, 1]], atol=1e-6)
    else:
        np.testing.assert_array_equal(scaled, windows.x[:50])


@pytest.mark.parametrize("scaling", SCALINGS)
def test_a_constant_column_is_not_blown_up(scaling):
    noisy = np.full(40, 1e6)
    noisy[::2] += 1e-10  # one step of float64 at a million
    windows = make_windows(series(40, a=np.full(40, 7.0), b=noisy), spec_of(scaling=scaling))
    np.testing.assert_array_equal(windows.x_scale, [1, 1])
