"""The benchmark of the forget gate's bias at other lengths: what it counts, and what it need not train again."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_core.lessons.catalog.memory.forget_bias.lesson import MAX_ERROR
from lstm_core.lessons.seeds import Trial, add_trial
from tests.benchmarks import papers
from tests.benchmarks.lengths import LESSONS, main, rows


def made(name: str, seed: int, chrono: float, one: float, zero: float) -> Trial:
    return Trial(name, seed, True, {"chrono error": chrono, "bias_1 error": one, "bias_0 error": zero}, 10, 1.0)


def test_a_seed_has_learned_below_the_lessons_own_error():
    first, *_ = LESSONS
    trials = [made(first, 0, 0.0, MAX_ERROR, 1.0), made(first, 1, 0.01, MAX_ERROR / 2, np.inf)]
    assert rows(trials)[0] == ("10", "2 of 2", "1 of 2", "0 of 2")


def test_trials_that_are_kept_are_not_run_again(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(papers.multiprocessing, "get_context", lambda kind: pytest.fail("a training began"))
    for name in LESSONS:
        add_trial(tmp_path, made(name, 7, 0.0, 0.0, 1.0))
    assert (tmp_path / "forget_bias/length_100/seeds.jsonl").is_file() and (tmp_path / "forget_bias").is_dir()
    main(["--seeds", "7:8", "--keep", str(tmp_path)])
    printed = capsys.readouterr().out
    assert [line for line in printed.splitlines() if line.startswith("| 50 ")] == ["| 50 | 1 of 1 | 1 of 1 | 0 of 1 |"]
