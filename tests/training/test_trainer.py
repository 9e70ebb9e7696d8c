"""Trainer against a bare PyTorch loop written out here; seeds, live changes, stops and recoveries."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from lstm_core.data.generators import generate
from lstm_core.data.windows import Windows, make_windows
from lstm_core.experiment import OPTIMIZERS, DataSpec, Experiment, ModelSpec, PlaygroundError, TrainSpec
from lstm_core.forecasting.predict import predict, predict_steps
from lstm_core.model.recurrent import build_model
from lstm_core.trace.gate_trace import trace_lstm
from lstm_core.training import batches, evaluation, parameters
from lstm_core.training import trainer as training
from lstm_core.training.loss import NonFiniteLossError
from lstm_core.training.optimizer import flatten_parameters
from lstm_core.training.trainer import Trainer
from tests.factories import flat_weights, labelled, trainer_of, wave


def bare_loop(windows: Windows, experiment: Experiment) -> tuple[torch.nn.Module, list[dict]]:
    """What a second-year student would write: one parameter a tensor, no fused kernels, no flat vectors."""
    spec, every = experiment.train, experiment.model.head == "per_step"
    model = build_model(experiment.model, windows.input_size, windows.output_size)
    arguments = {"lr": spec.lr, "weight_decay": spec.weight_decay, "foreach": False}
    if spec.optimizer == "SGD":
        arguments["momentum"] = spec.momentum
    optimizer = getattr(torch.optim, spec.optimizer)(model.parameters(), **arguments)
    generator, records = torch.Generator().manual_seed(spec.seed), []
    starts = windows.starts["train"]
    for _ in range(spec.epochs):
        for batch in torch.randperm(len(starts), generator=generator).split(spec.batch_size):
            first = starts[batch.numpy()]
            x = torch.from_numpy(windows.inputs(first))
            loss = bare_loss(windows, first, model(x), every)
            optimizer.zero_grad()
            loss.backward()
            norm = torch.sqrt(sum((p.grad.double() ** 2).sum() for p in model.parameters())).item()
            if spec.max_grad_norm and norm > spec.max_grad_norm:
                for p in model.parameters():
                    p.grad *= spec.max_grad_norm / norm
            optimizer.step()
            records.append({"train_loss": loss.item(), "grad_norm": norm})
    return model, records


def bare_loss(windows: Windows, first: np.ndarray, predictions: torch.Tensor, every: bool) -> torch.Tensor:
    if windows.classes:
        return F.cross_entropy(predictions, torch.from_numpy(windows.targets(first)))
    steps = np.arange(windows.spec.seq_len) if every else windows.spec.seq_len - 1
    rows = (first[:, None] + steps)[..., None] + windows.offsets  # every: (batch, seq_len, ahead)
    expected = torch.from_numpy(((windows.y[rows] - windows.y_center) / windows.y_scale)[..., 0]).float()
    scored = ~expected.isnan()
    return ((predictions.view(expected.shape)[scored] - expected[scored]) ** 2).mean()


CASES = {
    "a last batch of fewer windows": ({}, {}),
    "one batch larger than the data": ({}, {"batch_size": 500}),
    "clipping at every step": ({}, {"max_grad_norm": 0.05}),
    "no clipping": ({}, {"max_grad_norm": 0.0}),
    "weight decay": ({}, {"weight_decay": 0.1}),
    "two layers both ways": ({"num_layers": 2, "bidirectional": True, "batch_first": False}, {}),
    "no bias": ({"bias": False}, {}),
    "a projection": ({"proj_size": 2}, {}),
    "every step": ({"head": "per_step"}, {}),
}


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("case", CASES)
def test_it_trains_as_a_bare_loop_does(case, optimizer):
    model, train = CASES[case]
    windows = wave(gaps=(7, 20, 41) if case == "every step" else (), horizon=2)
    trainer = trainer_of(windows, model, optimizer=optimizer, **train)
    want, bare_records = bare_loop(windows, trainer.experiment)
    records = list(trainer)
    assert len(records) == len(bare_records)
    for record, bare in zip(records, bare_records, strict=True):
        assert {name: record[name] for name in bare} == pytest.approx(bare, rel=1e-4, abs=1e-6)
    for a, b in zip(trainer.model.parameters(), want.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=2e-6)


def test_classes_train_as_a_bare_loop_does():
    trainer = trainer_of(labelled())
    want, _ = bare_loop(trainer.windows, trainer.experiment)
    list(trainer)
    for a, b in zip(trainer.model.parameters(), want.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=2e-6)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_one_flat_vector_gives_the_very_numbers_of_many_parameters(optimizer, monkeypatch):
    model = {"num_layers": 2, "hidden_size": 16}
    flat = trainer_of(wave(), model, optimizer=optimizer, max_grad_norm=0.0)
    monkeypatch.setattr(parameters, "flatten_parameters", lambda model: list(model.parameters()))
    many = trainer_of(wave(), model, optimizer=optimizer, max_grad_norm=0.0)
    assert (len(flat.parameters), len(many.parameters)) == (1, 10)
    assert flatten_parameters(many.model) != many.parameters
    list(flat), list(many)
    torch.testing.assert_close(flat_weights(flat), flat_weights(many), rtol=0, atol=0)


def test_it_learns_a_sine():
    data = DataSpec(source="generator", name="sine", length=300, noise=0.0)
    table = generate(data)
    windows = make_windows(table, replace(data, targets=("y",), features=("y",), seq_len=20))
    trainer = trainer_of(windows, {"hidden_size": 16}, epochs=12)
    *_, last = trainer
    assert last["valid_loss"] < 1e-2
    assert trainer.evaluate("test") < 1e-2


def test_it_learns_to_name_a_wave():
    data = DataSpec(source="generator", name="which_wave", length=240, seq_len=24, noise=0.05)
    table = generate(data)
    windows = make_windows(table, replace(data, targets=("wave",), features=("x",), group="sequence", horizon=0))
    trainer = trainer_of(windows, {"hidden_size": 16}, epochs=40, lr=0.02)
    *_, last = trainer
    assert last["train_loss"] < 0.5
    starts = windows.starts["test"]
    right = predict(trainer.model, windows, starts).argmax(1) == windows.targets(starts)
    assert right.mean() > 0.9


def test_records_tell_what_happened():
    trainer = trainer_of(wave(), epochs=2)
    assert (len(trainer.windows.starts["train"]), trainer.steps_per_epoch) == (57, 4)
    records = list(trainer)
    assert [record["step"] for record in records] == list(range(1, 9))
    assert [record["epoch"] for record in records] == [1] * 4 + [2] * 4
    assert all(type(record["train_loss"]) is float and record["lr"] == 0.01 for record in records)
    ends = [record for record in records if "epoch_loss" in record]
    assert [record["step"] for record in ends] == [4, 8]
    for end in ends:
        batches = [r["train_loss"] for r in records if r["epoch"] == end["epoch"]]
        assert end["epoch_loss"] == pytest.approx(np.average(batches, weights=[16, 16, 16, 9]))
    assert ends[-1]["valid_loss"] == trainer.evaluate("valid")
    assert ends[-1]["best_epoch"] == 1 + int(np.argmin([end["valid_loss"] for end in ends]))
    assert (trainer.epoch, trainer.finished, next(trainer, None)) == (2, True, None)


def test_without_a_validation_part_the_training_loss_decides():
    trainer = trainer_of(wave(valid_share=0.0))
    ends = [record for record in trainer if "epoch_loss" in record]
    assert [end["valid_loss"] for end in ends] == [None] * 3
    assert trainer.early_stopping.best_loss == min(end["epoch_loss"] for end in ends)


def test_evaluate_is_the_mean_over_the_part_whatever_the_chunks(monkeypatch):
    trainer = trainer_of(wave(), {"num_layers": 2, "dropout": 0.5})
    starts = trainer.windows.starts["valid"]
    predictions = predict(trainer.model, trainer.windows, starts)
    error = (predictions - trainer.windows.targets(starts)) / trainer.windows.y_scale
    assert trainer.evaluate("valid") == pytest.approx((error**2).mean(), rel=1e-5)
    assert trainer.model.training
    monkeypatch.setattr(evaluation, "EVALUATION_BATCH_SIZE", 3)
    again = trainer_of(wave(), {"num_layers": 2, "dropout": 0.5})
    assert again.evaluate("valid") == pytest.approx((error**2).mean(), rel=1e-5)
    assert trainer_of(wave(valid_share=0.0)).evaluate("valid") is None


def test_while_it_trains_a_large_part_is_judged_by_windows_spread_over_it(monkeypatch):
    trainer = trainer_of(wave())
    starts = trainer.starts["valid"]
    some, all_windows = trainer.evaluate("valid", 5), trainer.evaluate("valid")
    monkeypatch.setattr(training, "MAX_EVALUATION_WINDOWS", 5)
    assert next(r for r in trainer_of(wave(), epochs=1, batch_size=10_000))["valid_loss"] != all_windows
    trainer.starts["valid"] = starts[::3]  # of 14 windows
    assert some == trainer.evaluate("valid")


def test_a_long_epoch_is_validated_on_the_way_and_trains_no_differently(monkeypatch):
    plain = trainer_of(wave(), batch_size=8, patience=2)
    list(plain)
    monkeypatch.setattr(training, "VALIDATE_EVERY", 3)
    trainer = trainer_of(wave(), batch_size=8, patience=2)
    records = list(trainer)
    assert [r["step"] for r in records if "valid_loss" in r] == [3, 6, 8, 11, 14, 16, 19, 22, 24]
    assert [r["step"] for r in records if "epoch_loss" in r] == [8, 16, 24]
    assert torch.equal(flat_weights(trainer), flat_weights(plain))
    assert (trainer.early_stopping.best_epoch, trainer.early_stopping.best_loss) == (
        plain.early_stopping.best_epoch,
        plain.early_stopping.best_loss,
    )


@pytest.mark.parametrize("gather", [1, 250, 10**9])
def test_how_much_is_gathered_at_once_changes_nothing(gather, monkeypatch):
    want = trainer_of(wave())
    want_records = list(want)
    monkeypatch.setattr(batches, "GATHER", gather)
    trainer = trainer_of(wave())
    assert list(trainer) == want_records
    assert torch.equal(flat_weights(trainer), flat_weights(want))


def test_live_changes_touch_no_weight_and_take_effect():
    trainer = trainer_of(wave(), epochs=10, optimizer="SGD", momentum=0.0, max_grad_norm=0.0)
    next(trainer)
    before = flat_weights(trainer)
    trainer.change(lr=0.5, max_grad_norm=0.001, epochs=2, patience=7)
    assert torch.equal(flat_weights(trainer), before)
    record = next(trainer)
    assert record["lr"] == 0.5
    assert record["grad_norm"] > 0.001  # told before clipping
    moved = (flat_weights(trainer) - before).norm().item()
    assert moved == pytest.approx(0.5 * 0.001, rel=1e-3)  # lr · clip exactly
    assert len(list(trainer)) == 6  # of two epochs of four
    trainer.change(epochs=3)
    assert not trainer.finished
    assert len(list(trainer)) == 4
    trainer.change(epochs=1)
    assert trainer.finished


def test_a_learning_rate_changed_before_the_first_step_holds():
    trainer = trainer_of(wave(), lr=0.5, optimizer="SGD", momentum=0.0, max_grad_norm=0.001)
    before = flat_weights(trainer)
    trainer.change(lr=0.25)
    assert next(trainer)["lr"] == 0.25
    assert (flat_weights(trainer) - before).norm().item() == pytest.approx(0.25 * 0.001, rel=1e-3)


def test_a_gradient_below_the_limit_is_left_as_it_is():
    ways = [trainer_of(wave(), max_grad_norm=clip) for clip in (0.0, 1e9)]
    for trainer in ways:
        list(trainer)
    assert torch.equal(flat_weights(ways[0]), flat_weights(ways[1]))


def test_a_live_change_out_of_range_changes_nothing():
    trainer = trainer_of(wave())
    before = trainer.experiment
    with pytest.raises(PlaygroundError, match="lr is -1"):
        trainer.change(lr=-1.0, epochs=50)
    assert trainer.experiment == before
    assert trainer.optimizer.param_groups[0]["lr"] == before.train.lr


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_loss_that_is_not_finite_stops_with_the_last_finite_weights(optimizer):
    trainer = trainer_of(wave(), optimizer=optimizer, max_grad_norm=0.0, epochs=100)
    next(trainer)
    # as a runaway would bring: the loss of the second step, at these weights, is the last finite one
    before = flat_weights(trainer)
    next(trainer)
    with torch.no_grad():
        trainer.model.head.weight.fill_(math.inf)
    with pytest.raises(
        NonFiniteLossError, match=r"The loss became NaN or infinite at step 3: .*\(0.01 now\)"
    ) as caught:
        next(trainer)
    assert isinstance(caught.value, PlaygroundError)
    assert torch.equal(flat_weights(trainer), before)
    assert trainer.step == 2
    trainer.change(lr=0.001)
    assert math.isfinite(next(trainer)["train_loss"])
    assert flat_weights(trainer).isfinite().all()


def test_a_learning_rate_that_is_far_too_large_ends_so():
    trainer = trainer_of(wave(), optimizer="SGD", lr=1e6, max_grad_norm=0.0, epochs=100)
    weights = [flat_weights(trainer)]

    def train() -> None:
        for _ in trainer:
            weights.append(flat_weights(trainer))

    with pytest.raises(NonFiniteLossError, match="smaller learning rate"):
        train()
    assert torch.equal(flat_weights(trainer), weights[-2])
    assert flat_weights(trainer).isfinite().all()


@pytest.mark.parametrize("broken", ["validation loss", "weights"])
def test_a_last_step_that_blows_up_is_noticed_though_no_next_one_follows(broken):
    trainer = trainer_of(wave(), batch_size=10_000, epochs=2)
    next(trainer)
    before = flat_weights(trainer)
    if broken == "weights":
        trainer.optimizer.step = lambda: [p.data.fill_(math.nan) for p in trainer.parameters]
    else:
        trainer.evaluate = lambda split, max_windows: math.inf
    with pytest.raises(NonFiniteLossError, match=f"The {broken} became NaN or infinite at step 2: the last finite"):
        next(trainer)
    assert torch.equal(flat_weights(trainer), before)


@pytest.mark.parametrize(("loss", "windows"), [("mse", labelled()), ("cross_entropy", wave())])
def test_a_loss_that_does_not_fit_is_refused_before_anything_is_built(loss, windows):
    with pytest.raises(PlaygroundError, match="does not fit"):
        trainer_of(windows, loss=loss)


def test_a_run_has_one_thread_unless_it_says_otherwise():
    before = torch.get_num_threads()
    try:
        for spec in ({}, {"threads": 2}, {"threads": 1}):
            next(trainer_of(wave(), **spec))
            assert torch.get_num_threads() == spec.get("threads", 1)
    finally:
        torch.set_num_threads(before)


def test_masked_steps_weigh_nothing_in_a_mean():
    """A batch of one window with two scored steps counts as two, not as much as a batch of full windows."""
    windows = wave(gaps=(7, 20, 41))
    trainer = trainer_of(windows, {"head": "per_step"}, batch_size=7, lr=1e-9)
    starts = windows.starts["train"]
    records = list(trainer_of(windows, {"head": "per_step"}, batch_size=7, lr=1e-9, epochs=1))
    assert records[-1]["epoch_loss"] == pytest.approx(trainer.evaluate("train"), rel=1e-5)
    rows, scored, predictions = predict_steps(trainer.model, windows, starts)
    error = ((predictions - windows.y[rows]) / windows.y_scale)[..., 0]
    scored &= ~np.isnan(error)
    assert trainer.evaluate("train") == pytest.approx((error[scored] ** 2).mean(), rel=1e-5)


@pytest.mark.parametrize("optimizer", ["Adam", "SGD", "RMSprop"])
def test_what_is_held_never_moves_and_all_else_does(optimizer):
    model = ModelSpec(hidden_size=3, num_layers=2, bidirectional=True, frozen=("forget_gate", "bias_hh"))
    train = TrainSpec(optimizer=optimizer, lr=0.01, weight_decay=0.1, epochs=2, patience=0)
    trainer = Trainer(wave(), Experiment(wave().spec, model, train))
    before = {name: p.detach().clone() for name, p in trainer.model.named_parameters()}
    list(trainer)
    x = torch.from_numpy(wave().inputs(wave().starts["valid"][:4]))
    assert bool((trace_lstm(trainer.model.lstm, x).f == 1).all())
    for name, p in trainer.model.named_parameters():
        moved = p != before[name]
        if name.startswith("lstm.bias_hh"):
            assert not moved.any() and not p.any()
        elif name.startswith("lstm."):
            assert not moved[3:6].any() and moved[:3].all() and moved[6:].all()


def test_a_held_head_says_h_itself_and_refuses_another_number_of_targets():
    windows = wave()
    model = ModelSpec(hidden_size=1, frozen=("head",))
    trainer = Trainer(windows, Experiment(windows.spec, model, TrainSpec(epochs=1)))
    list(trainer)
    x = torch.from_numpy(windows.inputs(windows.starts["valid"][:4]))
    assert torch.equal(trainer.model(x), trainer.model.lstm(x)[1][0][-1])
    with pytest.raises(PlaygroundError, match="h has 4 numbers and the target 1"):
        Trainer(windows, Experiment(windows.spec, ModelSpec(hidden_size=4, frozen=("head",)), TrainSpec()))


def test_weights_put_by_hand_are_those_that_training_goes_on_from():
    trainer = trainer_of(wave())
    next(trainer)
    expected = torch.full_like(trainer.model.lstm.bias_ih_l0, 0.5)
    trainer.set_weights({"lstm.bias_ih_l0": expected})
    assert torch.equal(trainer.model.lstm.bias_ih_l0, expected)
    next(trainer)
    moved = (trainer.model.lstm.bias_ih_l0 - expected).abs()
    assert 0 < moved.max() < 0.1
