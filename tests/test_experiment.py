"""Experiment as a value: it survives JSON, and says what is wrong in one sentence."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.experiment import PARTS, DataSpec, Experiment, ModelSpec, PlaygroundError, TrainSpec, resolve_loss
from lstm_core.settings import settings
from tests.factories import NEW, data_specs, experiments, model_specs, names

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=5,
)


@given(experiments())
def test_json_holds_every_field_both_ways(experiment):
    assert Experiment.from_json(experiment.to_json()) == experiment


def refusal(text: str) -> str:
    """Why from_json refuses this text; empty if it does not."""
    try:
        Experiment.from_json(text)
    except PlaygroundError as error:
        return str(error)
    return ""


@given(st.sampled_from(["data", "model", "train"]), st.data())
def test_any_json_value_in_any_field_is_taken_or_refused_in_one_sentence(part, data):
    kind = {"data": DataSpec, "model": ModelSpec, "train": TrainSpec}[part]
    name = data.draw(st.sampled_from([field.name for field in dataclasses.fields(kind)]))
    text = json.dumps({part: {name: data.draw(json_values)}})
    why = refusal(text)
    if why:
        assert why.endswith(".")
        assert "\n" not in why
    else:
        made = Experiment.from_json(text)
        assert Experiment.from_json(made.to_json()) == made  # what was taken is a sound value


@given(st.text(max_size=40) | json_values.map(json.dumps))
def test_any_text_is_taken_or_refused(text):
    why = refusal(text)
    assert why.endswith(".") == bool(why)  # and nothing but a PlaygroundError is raised


def test_what_json_leaves_out_keeps_its_default():
    assert Experiment.from_json("{}") == Experiment()
    assert Experiment.from_json('{"train": {"lr": 1}}').train == TrainSpec(lr=1.0)
    assert type(Experiment.from_json('{"train": {"lr": 1}}').train.lr) is float
    assert type(Experiment.from_json('{"train": {"epochs": 3.0}}').train.epochs) is int


OLD = {
    "data": {"missing": "fill"},
    "model": {"head": "every", "hold": ["bias_hh"], "chrono": 9},
    "train": {"state": "carried", "clip": 0.5},
}


@pytest.mark.parametrize("parts", [OLD, OLD | {"format": 1}, NEW, NEW | {"format": 2}])
def test_what_names_no_format_is_of_format_1_and_upgraded(parts):
    assert Experiment.from_json(json.dumps(parts)) == Experiment(
        DataSpec(missing="forward_fill"),
        ModelSpec(head="per_step", frozen=("bias_hh",), chrono_t_max=9),
        TrainSpec(initial_state="stateful", max_grad_norm=0.5),
    )
    assert json.loads(Experiment().to_json())["format"] == 2


@pytest.mark.parametrize("part", ["data", "model", "train"])
def test_format_2_has_none_of_the_old_names_and_values(part):
    assert refusal(json.dumps({"format": 2, part: OLD[part]}))


@pytest.mark.parametrize("version", [0, 3, "2", None, 2.5, True, [2] * 100])
def test_another_format_is_refused(version):
    assert "this version reads formats 1 and 2." in refusal(json.dumps({"format": version}))


def test_an_old_name_beside_its_new_one_is_refused():
    assert "unknown fields: 'clip'" in refusal('{"train": {"clip": 1, "max_grad_norm": 2}}')


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "must be a JSON object"),
        ('{"modell": {}}', "unknown fields: 'modell'"),
        ('{"model": 3}', "model must be a JSON object"),
        ('{"model": {"hiden_size": 3}}', "model has unknown fields: 'hiden_size'"),
        ('{"model": {"hidden_size": 3.5}}', "model.hidden_size is 3.5: choose a whole number from 1 to 16384."),
        ('{"model": {"hidden_size": true}}', "model.hidden_size is true: choose a whole number"),
        ('{"model": {"hidden_size": Infinity}}', "model.hidden_size is inf: choose a whole number"),
        (f'{{"model": {{"hidden_size": 1{"0" * 400}}}}}', "model.hidden_size is 1000"),
        (f'{{"train": {{"lr": 1{"0" * 400}}}}}', "train.lr is 1000"),
        ('{"train": {"lr": NaN}}', "train.lr is nan: choose a number from 1e-09 to 1e.06."),
        ('{"model": {"bias": 1}}', "model.bias is 1: choose true or false."),
        ('{"data": {"targets": "y"}}', "data.targets is 'y': choose a list of texts."),
        ('{"data": {"time": 4}}', "data.time is 4: choose a text."),
        ('{"model": {"cell": "elman"}}', "cell is 'elman': choose one of lstm, gru, rnn"),
        (
            '{"model": {"frozen": ["h"]}}',
            "model.frozen is 'h': choose a list of values from input_gate, forget_gate, output_gate, bias_hh, head",
        ),
        ('{"model": {"frozen": ["forget_gate"], "cell": "gru"}}', "nn.GRU has none"),
        ('{"model": {"frozen": ["output_gate"], "cell": "rnn"}}', "frozen has the output gate, but nn.RNN has none"),
        ('{"model": {"frozen": ["input_gate"], "chrono_t_max": 9}}', "whose bias it sets: leave one of them empty"),
        ('{"model": {"frozen": ["bias_hh"], "bias": false}}', "switch bias on"),
        ('{"model": {"frozen": ["forget_gate"], "forget_bias": 1}}', "leave one of them empty"),
        ('{"model": {"chrono_t_max": 3.5}}', "model.chrono_t_max is 3.5: choose a whole number from 3"),
        ('{"model": {"cell": "gru", "proj_size": 4}}', "proj_size is 4, but nn.GRU has no projection"),
    ],
)
def test_unsound_json_is_refused_with_its_place(text, says):
    with pytest.raises(PlaygroundError, match=f"{says}") as caught:
        Experiment.from_json(text)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: DataSpec(seq_len=0), "seq_len is 0: choose a whole number from 1 to 100000"),
        (lambda: DataSpec(horizon=-1), "horizon is -1"),
        (lambda: DataSpec(train_share=0.8, valid_share=0.3), "add up to more than 1"),
        (lambda: DataSpec(noise=float("nan")), "noise is nan"),
        (lambda: DataSpec(scaling="log"), "scaling is 'log'"),
        (lambda: ModelSpec(hidden_size=4, proj_size=4), "smaller than hidden_size, 4"),
        (lambda: ModelSpec(proj_size=-1), "proj_size is -1"),
        (lambda: ModelSpec(dropout=1.1), "dropout is 1.1"),
        (lambda: ModelSpec(bias=False, forget_bias=1.0), "forget_bias needs bias"),
        (lambda: ModelSpec(bias=False, chrono_t_max=9), "chrono_t_max needs bias"),
        (lambda: ModelSpec(chrono_t_max=2), "chrono_t_max is 2: choose a whole number from 3"),
        (lambda: ModelSpec(cell="rnn", chrono_t_max=9), "chrono_t_max is 9, but nn.RNN has no forget gate: leave it"),
        (lambda: ModelSpec(chrono_t_max=9, frozen=("forget_gate",)), "frozen keeps the forget gate open"),
        (lambda: ModelSpec(chrono_t_max=9, forget_bias=1.0), "forget_bias and chrono_t_max both say"),
        (lambda: ModelSpec(cell="rnn", proj_size=4), "nn.RNN has no projection: set it to 0 or choose an LSTM"),
        (lambda: ModelSpec(cell="gru", forget_bias=1.0), "forget_bias is 1, but nn.GRU has no forget gate: leave it"),
        (lambda: ModelSpec(head="first"), "head is 'first'"),
        (lambda: TrainSpec(lr=0), "lr is 0"),
        (lambda: TrainSpec(momentum=1.0), "momentum is 1"),
        (lambda: TrainSpec(optimizer="LBFGS"), "optimizer is 'LBFGS'"),
        (lambda: TrainSpec(device="tpu"), "device is 'tpu'"),
        (lambda: TrainSpec(device="cuda:x"), "device is 'cuda:x': choose auto, cpu, cuda:0 or mps."),
        (lambda: TrainSpec(epochs=3.0), "epochs is 3: choose a whole number from 1"),
        (lambda: TrainSpec(epochs=True), "epochs is true: choose a whole number from 1"),
        (lambda: TrainSpec(lr=None), "lr is empty: choose a number from 1e-09"),
        (lambda: TrainSpec(lr="1"), "lr is '1': choose a number"),
        (lambda: DataSpec("database"), "source is 'database': choose one of sample, generator, csv."),
        (lambda: ModelSpec(size=3), "ModelSpec cannot take 'size'"),
        (lambda: Experiment(data=3), "Experiment cannot take 'data'"),
    ],
)
def test_a_value_out_of_range_is_refused_with_what_to_choose(make, says):
    with pytest.raises(PlaygroundError, match=says):
        make()


def test_specs_are_frozen_and_replace_validates_again():
    spec = ModelSpec()
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.hidden_size = 3
    with pytest.raises(PlaygroundError, match="hidden_size"):
        dataclasses.replace(spec, hidden_size=0)


@given(data_specs())
def test_the_three_shares_are_one(spec):
    assert spec.test_share >= 0
    assert spec.train_share + spec.valid_share + spec.test_share == pytest.approx(1)


@given(model_specs())
def test_sizes_that_follow_from_a_model(spec):
    assert spec.num_directions == (2 if spec.bidirectional else 1)
    assert spec.h_size == (spec.proj_size or spec.hidden_size)
    assert spec.gate_size == {"lstm": 4, "gru": 3, "rnn": 1}[spec.cell] * spec.hidden_size


def test_auto_follows_the_task():
    assert resolve_loss("auto", "regression") == "mse"
    assert resolve_loss("auto", "classification") == "cross_entropy"
    assert resolve_loss("huber", "regression") == "huber"


def test_a_loss_that_does_not_fit_is_refused():
    with pytest.raises(PlaygroundError, match="mae does not fit a target of classes: choose cross_entropy"):
        resolve_loss("mae", "classification")
    with pytest.raises(PlaygroundError, match="cross_entropy does not fit a target of numbers: choose mse, mae or"):
        resolve_loss("cross_entropy", "regression")


@pytest.mark.parametrize("kind", PARTS.values())
def test_every_field_has_all_that_is_to_be_said_of_it(kind):
    told = settings(kind)
    assert list(told) == [field.name for field in dataclasses.fields(kind)]
    for name, setting in told.items():
        assert setting.default == getattr(kind(), name)
        assert setting.label and setting.help and not setting.help.endswith((".", "\n"))
        if setting.type in (int, float):
            assert setting.minimum < setting.maximum


ROOM = {  # what else must be so that a setting may go to its limits
    "proj_size": {"hidden_size": 16_384},
    "train_share": {"valid_share": 0.0},
    "valid_share": {"train_share": 0.05},
}


@pytest.mark.parametrize("kind", PARTS.values())
def test_limits_are_included_and_what_lies_beyond_is_refused(kind):
    for name, setting in settings(kind).items():
        if setting.type not in (int, float):
            continue
        step = 1 if setting.type is int else 1e-3 * (setting.maximum - setting.minimum)
        for value in (setting.minimum - step, setting.maximum + step):
            with pytest.raises(PlaygroundError, match=f"{name} is .*: choose .* from"):
                kind(**{name: value})
        for value in (setting.minimum, setting.maximum):
            assert getattr(kind(**{name: value} | ROOM.get(name, {})), name) == value
