"""A cell comparison trains fresh models of the other cells that differ from the run in nothing else."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from dataclasses import asdict

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.experiment import CELLS, Experiment, PlaygroundError, TrainSpec
from lstm_core.runs import cell_comparison
from lstm_core.runs.cell_comparison import CellComparison, other_cell_experiments, validation_loss_at
from lstm_core.runs.run import Run
from lstm_core.training.trainer import Trainer
from tests.factories import DROPS, TABLE, flat_weights, model_specs, runs_at_work, trainer_of, until, wave

WINDOWS = wave()
STEPS = 9  # two epochs of four and one more


@given(model_specs(), st.integers(0, 9))
def test_another_cell_s_experiment_differs_in_its_cell_and_in_what_only_an_lstm_has(spec, seed):
    experiment = Experiment(model=spec, train=TrainSpec(seed=seed))
    result = other_cell_experiments(experiment)
    assert [other.model.cell for other in result] == [cell for cell in CELLS if cell != spec.cell]
    for other in result:
        assert (other.data, other.train) == (experiment.data, experiment.train)
        changed = {name for name, value in asdict(other.model).items() if value != getattr(spec, name)}
        assert "cell" in changed
        assert changed <= {"cell", "proj_size", "forget_bias", "chrono_t_max"}
        assert (other.model.proj_size, other.model.forget_bias, other.model.chrono_t_max) == (0, None, None)


@pytest.fixture
def compare() -> Iterator[Callable[..., tuple[Run, CellComparison]]]:
    """Trains a run by hand and compares it with the other cells; all have ended when the test has."""
    made: list[CellComparison] = []

    def pair(steps: int = STEPS, model: dict | None = None, **train) -> tuple[Run, CellComparison]:
        run = Run(trainer_of(WINDOWS, model, **({"epochs": 1000} | train)), TABLE)
        for _ in range(steps):
            run.train_here(1)
        made.append(CellComparison(run))
        return run, made[-1]

    yield pair
    for result in made:
        result.stop()
    made.clear()
    until(lambda: not runs_at_work())


@pytest.mark.parametrize("model", [{}, DROPS | {"bidirectional": True}, {"cell": "gru", "head": "per_step"}])
def test_the_other_cells_are_what_the_trainer_makes_of_the_same_windows_seeds_and_steps(compare, model):
    run, result = compare(model=model)
    before = flat_weights(run._mirror.current)
    until(lambda: not result.is_active)
    assert [other.step for other in result.runs] == [STEPS, STEPS]
    for other, experiment in zip(result.runs, other_cell_experiments(run.experiment), strict=True):
        alone = Trainer(WINDOWS, experiment)
        for _ in range(STEPS):
            next(alone)
        assert torch.equal(flat_weights(other._mirror.current), flat_weights(alone))
    assert torch.equal(flat_weights(run._mirror.current), before)
    assert run.step == STEPS


def test_both_train_where_there_is_one_slot_only(compare, monkeypatch):
    monkeypatch.setenv("LSTM_PLAYGROUND_SLOTS", "1")
    _, result = compare()
    until(lambda: not result.is_active)
    assert [other.step for other in result.runs] == [STEPS, STEPS]


def test_the_other_cells_of_a_long_run_get_as_many_steps_as_they_may(compare, monkeypatch):
    monkeypatch.setattr(cell_comparison, "MAX_STEPS", 5)
    _, result = compare()
    until(lambda: not result.is_active)
    assert result.steps == 5
    assert [other.step for other in result.runs] == [5, 5]


def test_a_stopped_comparison_stands_still(compare, monkeypatch):
    monkeypatch.setattr(cell_comparison, "MAX_STEPS", 10**9)
    run, _ = compare(epochs=10**6)
    run._mirror.current.step = 10**8  # a run that has had so many
    result = CellComparison(run)  # one trains, one waits
    until(lambda: result.runs[0].step > 2)
    assert result.is_active
    result.stop()
    assert not result.is_active
    until(lambda: not runs_at_work())


def test_a_comparison_that_nobody_holds_any_more_stops(compare, monkeypatch):
    monkeypatch.setattr(cell_comparison, "MAX_STEPS", 10**9)
    run, _ = compare(epochs=10**6)
    run._mirror.current.step = 10**8
    run.cache["comparison"] = CellComparison(run)
    until(lambda: run.cache["comparison"].runs[0].step > 2)
    del run.cache["comparison"]
    gc.collect()
    until(lambda: not runs_at_work())


def test_a_look_at_them_is_their_heartbeat(compare):
    _, result = compare()
    for other in result.runs:
        other.folder.file("watched").unlink()
        other._watch_at = 0.0
    assert not any(other.folder.is_watched for other in result.runs)
    result.heartbeat()
    assert all(other.folder.is_watched for other in result.runs)


def test_cells_that_would_not_fit_in_memory_are_refused_before_one_trains(monkeypatch):
    run = Run(trainer_of(WINDOWS), TABLE)
    next(run._mirror.current)
    monkeypatch.setattr(cell_comparison, "free_memory", lambda: 10_000)
    with pytest.raises(PlaygroundError, match="This model would need"):
        CellComparison(run)
    assert not runs_at_work()


def test_the_validation_loss_is_the_last_one_that_was_known_at_a_step():
    run = Run(trainer_of(WINDOWS, epochs=5), TABLE)
    per_epoch, is_known = run.steps_per_epoch, {}
    for record in run._mirror.current:
        run._mirror.progress.append(record, per_epoch)
        if record.get("valid_loss") is not None:
            is_known[record["step"]] = record["valid_loss"]
    assert len(is_known) == 5
    assert validation_loss_at(run, per_epoch - 1) is None
    for step in range(per_epoch, run.step + 1):
        assert validation_loss_at(run, step) == is_known[step // per_epoch * per_epoch]


def test_there_is_no_validation_loss_without_a_validation_part():
    run = Run(trainer_of(wave(valid_share=0.0)), TABLE)
    run.train_here()
    assert validation_loss_at(run, run.step) is None
