from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from lstm_core.data.samples import load_sample
from lstm_core.data.samples.book import ALPHABET, ROLES, encode, load_book, one_hot
from lstm_core.data.windows import make_windows
from lstm_core.experiment import GATES, STATES, DataSpec, Experiment, ModelSpec, PlaygroundError
from lstm_core.lessons.catalog.characters.text import (
    CHUNK_LENGTH,
    best_units,
    check_character_model,
    excerpt,
    generate,
    ngram_baselines,
    split_text,
    text_features,
    unit_activations,
)
from lstm_core.model.recurrent import SequenceModel, build_model
from lstm_core.trace.interventions import Intervention, trace_with
from tests.conftest import quick

DATA = DataSpec(
    name="alice",
    targets=ROLES.targets,
    features=ROLES.features,
    group=ROLES.group,
    seq_len=ROLES.seq_len,
    horizon=0,
    scaling="none",
    train_share=0.8,
    valid_share=0.1,
)
TEXT = "alice said, “why (so it\nseemed) not?” and ran"


def model_of(seed: int = 0, **spec) -> SequenceModel:
    """Untrained; its head speaks louder than at first, so that choices are clear."""
    made = build_model(ModelSpec(**{"hidden_size": 12, "head": "per_step"} | spec, seed=seed), 40, 40).eval()
    with torch.no_grad():
        made.head.weight.mul_(8)
    return made


def logits(model: SequenceModel, text: str) -> torch.Tensor:
    with torch.no_grad():
        return model(torch.from_numpy(one_hot(encode(text)))[None])[0]


@pytest.mark.parametrize(
    "spec", [{}, {"num_layers": 2}, {"batch_first": False}, {"proj_size": 5}, {"bias": False}], ids=str
)
def test_at_temperature_zero_each_character_is_the_likeliest_after_the_whole_text_before(spec):
    model = model_of(**spec)
    begin, written = "alice ", generate(model, "alice ", 60, 0.0, 7)
    whole = logits(model, begin + written)  # one run from the start, no state carried
    likeliest = whole[len(begin) - 1 : -1].argmax(-1)
    assert written == "".join(ALPHABET[k] for k in likeliest)
    assert written == generate(model, begin, 60, 0.0, 8)


@pytest.mark.parametrize("layers", [1, 2])
def test_a_held_unit_writes_what_a_trace_with_its_c_clamped_gives(layers):
    model, begin, unit = model_of(num_layers=layers), "alice ", 3
    written = generate(model, begin, 40, 0.0, 7, held=(unit, 2.5))
    assert written != generate(model, begin, 40, 0.0, 7)
    x = torch.from_numpy(one_hot(encode(begin + written)))[None]
    steps = range(len(begin), x.shape[1])
    clamp = Intervention("clamp", "c", 2.5, layer=layers - 1, units=(unit,), steps=steps)
    h = trace_with(model.lstm, x, [clamp]).gate("h")[-1, 0, 0]
    likeliest = model.head(h)[len(begin) - 1 : -1].argmax(-1)
    assert written == "".join(ALPHABET[k] for k in likeliest)


def test_a_text_goes_on_where_a_shorter_one_ended_and_depends_on_its_seed_alone():
    model = model_of()
    text = generate(model, "a", 200, 1.0, 3)
    assert len(text) == 200 and set(text) <= set(ALPHABET)
    assert generate(model, "a", 80, 1.0, 3) == text[:80]
    torch.manual_seed(99)
    assert generate(model, "a", 200, 1.0, 3) == text
    assert generate(model, "a", 200, 1.0, 4) != text
    assert generate(model, "a", 0, 1.0, 3) == ""


@pytest.mark.parametrize("temperature", quick((0.5, 1.0, 2.0), 0.5))
def test_characters_come_as_often_as_the_softmax_says(temperature):
    model = model_of()
    expected = (logits(model, "th")[-1] / temperature).softmax(-1).numpy()
    draws = 1500
    drawn = encode("".join(generate(model, "th", 1, temperature, seed) for seed in range(draws)))
    share = np.bincount(drawn, minlength=40) / draws
    bound = 4.5 * np.sqrt(expected * (1 - expected) / draws) + 1 / draws  # 4.5 standard errors
    assert (np.abs(share - expected) < bound).all()


def test_writing_leaves_the_model_as_it_was():
    model = model_of()
    before = [p.clone() for p in model.parameters()]
    generate(model, "a", 5, 1.0, 0)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


@pytest.mark.parametrize(
    "act",
    [lambda m: generate(m, "Ω", 5, 1.0, 0), lambda m: unit_activations(m, "a§"), lambda m: best_units(m, "a1", "c")],
)
def test_text_from_outside_is_refused_by_its_character(act):
    with pytest.raises(PlaygroundError, match="The model does not know '.'"):
        act(model_of())


@pytest.mark.parametrize("spec", [{}, {"num_layers": 2}, {"batch_first": False}], ids=str)
def test_unit_values_are_those_of_a_step_by_step_run(spec):
    model = model_of(**spec)
    values = unit_activations(model, TEXT)
    assert list(values) == [*GATES, *STATES]
    state, x = None, torch.from_numpy(one_hot(encode(TEXT)))
    with torch.no_grad():
        for k in range(len(TEXT)):
            output, state = model.lstm(x[k : k + 1], state)
            np.testing.assert_allclose(values["h"][:, k], output[0], atol=1e-6)
            np.testing.assert_allclose(values["c"][:, k], state[1][-1], atol=1e-6)
    np.testing.assert_allclose(values["h"], values["o"] * np.tanh(values["c"]), atol=1e-6)


def test_signals_are_what_the_text_says():
    result = text_features("a “b (c\nd) e” f")
    expected = {
        "inside quotes": "001111111111000",
        "inside brackets": "000001111000000",
        "inside a word": "100100101001001",
    }
    for name, digits in expected.items():
        assert "".join(str(int(value)) for value in result[name][:15]) == digits[: len(result[name])], name
    places = result["position in the line"]
    np.testing.assert_array_equal(places, [1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7])


def test_a_quotation_of_two_paragraphs_stays_open():
    result = text_features("“a\n\n“b” c")["inside quotes"]
    np.testing.assert_array_equal(result, [1, 1, 1, 1, 1, 1, 0, 0, 0])
    np.testing.assert_array_equal(text_features("a” b“")["inside quotes"], [0, 0, 0, 0, 1])


def quote_counter() -> SequenceModel:
    """A model whose unit 3 is built to hold −1 inside quotes and +1 outside: it forgets all at a mark."""
    model = build_model(ModelSpec(hidden_size=5, head="per_step"), 40, 40).eval()
    opening, closing = ALPHABET.index("“"), ALPHABET.index("”")
    lstm, unit, hidden = model.lstm, 3, 5
    with torch.no_grad():
        for parameter in lstm.parameters():
            parameter.mul_(0.1)
        rows = {gate: k * hidden + unit for k, gate in enumerate(GATES)}
        for row in rows.values():
            lstm.weight_ih_l0[row] = lstm.weight_hh_l0[row] = lstm.bias_ih_l0[row] = lstm.bias_hh_l0[row] = 0.0
        lstm.bias_ih_l0[rows["i"]], lstm.bias_ih_l0[rows["f"]] = -9.0, 9.0
        for mark, sign in ((opening, -9.0), (closing, 9.0)):
            lstm.weight_ih_l0[rows["i"], mark], lstm.weight_ih_l0[rows["f"], mark] = 18.0, -18.0
            lstm.weight_ih_l0[rows["g"], mark] = sign
    return model


def test_the_unit_that_was_built_to_hold_quotes_is_found():
    text = "he said: “now, or (if not\nnow) then,” and “why not?” and went " * 40
    result = best_units(quote_counter(), text, "c")
    assert result["inside quotes"].unit == 3
    assert result["inside quotes"].score < -0.9  # it goes down at an opening mark
    # f shuts at both marks alone: no other gate of that unit holds anything
    assert abs(best_units(quote_counter(), text, "f")["inside quotes"].score) < 0.5


def test_a_correlation_is_pearsons():
    model, text = model_of(), load_book()[:CHUNK_LENGTH]
    values = unit_activations(model, text)["h"]
    for signal, match in best_units(model, text, "h").items():
        by_numpy = [np.corrcoef(row, text_features(text)[signal])[0, 1] for row in values]
        assert match.unit == int(np.abs(by_numpy).argmax())
        assert match.score == pytest.approx(by_numpy[match.unit], abs=1e-4)


def test_a_signal_that_the_text_lacks_is_left_out():
    names = list(best_units(model_of(), "no marks\nat all", "c"))
    assert names == ["inside a word", "position in the line"]


def test_the_showpiece_is_prose_with_brackets_and_quotations():
    plain = "nothing but words " * 4
    verse = "“a”\n“b”\n“c”\n(d)\n" * 4
    prose = "“a,” she said (aloud), “b,” and “c,” and so on"
    text = "\n\n".join([plain, verse, prose, plain])
    assert excerpt(text, 40) == prose[:40]
    assert excerpt(plain + "\n\n" + plain, 40) == plain[:40]  # without any, the first of the longest lines
    assert excerpt("short", 20) == "short"


@pytest.fixture(scope="module")
def windows():
    return make_windows(load_sample("alice"), DATA)


def test_the_parts_are_the_book_in_order(windows):
    whole = "".join(split_text(windows, split) for split in ("train", "valid", "test"))
    assert load_book().startswith(whole) and len(load_book()) - len(whole) <= DATA.seq_len


def test_the_tables_cost_what_their_frequencies_say():
    text = "ab" * 500
    alone, pairs = ngram_baselines(text, text)
    # each letter 500 times, and every one of 40 characters once more
    assert alone == pytest.approx(-math.log2(501 / 1040), rel=1e-6)
    assert pairs < 0.2  # b follows a always
    fresh, _ = ngram_baselines(text, "z" * 10)
    assert fresh == pytest.approx(math.log2(1040), rel=1e-6)


def test_pairs_know_more_of_the_book_than_single_characters(windows):
    alone, pairs = ngram_baselines(split_text(windows, "train"), split_text(windows, "test"))
    assert 4 < alone < math.log2(40) and 3 < pairs < alone - 0.5


def test_only_a_forward_lstm_of_letters_writes():
    good = Experiment(DATA, ModelSpec(head="per_step"))
    check_character_model(good)
    for data in ({"features": DATA.features[1:]}, {"scaling": "standard"}, {"horizon": 1}):
        with pytest.raises(PlaygroundError, match="put the features, the target and the scaling on Data back"):
            check_character_model(dataclasses.replace(good, data=dataclasses.replace(DATA, **data)))
    for model in ({"bidirectional": True}, {"cell": "gru"}):
        with pytest.raises(PlaygroundError, match="switch bidirectional off"):
            check_character_model(dataclasses.replace(good, model=ModelSpec(head="per_step", **model)))
