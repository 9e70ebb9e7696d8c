"""contest: what DESIGN.md says that it prints."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_core.forecasting import contest as contest_module
from lstm_core.forecasting.baselines import BASELINES


@pytest.fixture
def file(tmp_path, monkeypatch) -> str:
    monkeypatch.setattr(contest_module, "available", lambda: contest_module.QUICK)  # ETS and ARIMA: seconds each
    rng, path = np.random.default_rng(0), tmp_path / "sales.csv"
    y = 20 + np.tile([3.0, 5.0, 9.0, 4.0], 30) + rng.normal(size=120)
    path.write_text("y,word\n" + "".join(f"{value:.3f},{'ab'[k % 2]}\n" for k, value in enumerate(y)))
    return str(path)


def test_it_prints_what_the_design_says(call, file):
    got = call("contest", file, "--target", "y", "--seeds", "1", "--json")
    assert list(got) == ["rmse", "rmse_h", "start", "season"]
    for errors in (got["rmse"], got["rmse_h"]):
        assert list(errors) == ["lstm", *BASELINES]
        assert errors["arima"] is None and 0 < errors["lstm"] < errors["persistence"]
    assert got["season"] == 4 and isinstance(got["start"], str)


def test_the_table_names_the_best(call, file):
    text = call("contest", file, "--target", "y", "--seeds", "1", "--horizon", "2")
    assert text.count("is best here") == 2 and "2 rows ahead" in text and "AutoARIMA" not in text


def test_bad_input_is_refused_in_a_sentence(refuse, file, tmp_path):
    assert "no number column 'word'" in refuse("contest", file, "--target", "word")
    assert "--seeds is 0" in refuse("contest", file, "--seeds", "0")
    assert "cannot be read" in refuse("contest", str(tmp_path / "none.csv"))
