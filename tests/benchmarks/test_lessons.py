"""The benchmark of the lessons: which seeds it takes, and what it writes of its trials as JSON."""

from __future__ import annotations

import json

import pytest

from lstm_core.lessons import lessons
from lstm_core.lessons.seeds import Trial, add_trial
from tests.benchmarks import lessons as benchmark
from tests.benchmarks import papers
from tests.benchmarks.lessons import main, records
from tests.benchmarks.papers import seed_range

REACHED = {0: True, 1: False, 2: True}


def trial_of(job: tuple[str, int]) -> Trial:
    name, seed = job
    return Trial(name, seed, REACHED[seed], {}, 100, 1.0 + seed)


@pytest.mark.parametrize(("text", "seeds"), [("3", [0, 1, 2]), ("2000:2003", [2000, 2001, 2002]), ("0:1", [0])])
def test_seeds_are_a_number_or_a_range_whose_end_is_excluded(text, seeds):
    assert list(seed_range(text)) == seeds


@pytest.mark.parametrize("text", ["", ":", "a", "3:", "5:5", "5:4", "0"])
def test_what_names_no_seed_is_refused(text, capsys):
    with pytest.raises(SystemExit):
        main(["--seeds", text])
    assert "invalid seed_range value" in capsys.readouterr().err


def test_a_lesson_that_is_not_there_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["nonsense"])
    assert "nonsense" in capsys.readouterr().err


def test_json_counts_each_lessons_seeds_in_the_order_of_the_gallery(monkeypatch, capsys):
    monkeypatch.setattr(
        benchmark,
        "run_trials",
        lambda names, options: [trial_of((name, seed)) for name in names for seed in options.seeds],
    )
    main(["--seeds", "0:3", "--json"])
    written = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in written] == [lesson.name for lesson in lessons().values() if lesson.experiments]
    assert all(one == {"name": one["name"], "reached": 2, "of": 3, "seconds": 2.0} for one in written)
    name = written[-1]["name"]
    assert records([trial_of((name, 1))]) == [{"name": name, "reached": 0, "of": 1, "seconds": 2.0}]


def test_trials_that_are_kept_are_not_run_again(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(papers.multiprocessing, "get_context", lambda kind: pytest.fail("a training began"))
    for seed in REACHED:
        add_trial(tmp_path, trial_of(("first_lstm", seed)))
    main(["first_lstm", "--seeds", "1:3", "--json", "--keep", str(tmp_path)])
    assert json.loads(capsys.readouterr().out) == [{"name": "first_lstm", "reached": 1, "of": 2, "seconds": 2.5}]
