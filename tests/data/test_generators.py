"""What all generators share: one signature, seeds, noise, roles, refusals, and the gallery."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.data import generators
from lstm_core.data.generators import GENERATORS, SEQUENCE_SETS, caption, thumbnail, title
from lstm_core.data.windows import make_windows
from lstm_core.experiment import DataSpec, PlaygroundError
from tests.conftest import examples
from tests.data.generated import grid, make

SERIES = [name for name in GENERATORS if name not in SEQUENCE_SETS]


NOISY_COLUMNS = {
    "random_regression": ["x1", "x2"],
    "adding_problem": ["value"],
    "which_wave": ["x"],
    "two_sequences": ["value"],
    "recall_first": ["value"],
    "recall_marked": ["value"],
    "echo": ["x1", "x2"],
}


names = pytest.mark.parametrize("name", GENERATORS)


series = pytest.mark.parametrize("name", SERIES)


# What all share
@names
def test_the_signature_is_the_one_that_all_share(name):
    assert str(inspect.signature(GENERATORS[name])) == (
        "(length: 'int', seq_len: 'int', n_features: 'int', noise: 'float', seed: 'int') -> 'Table'"
    )
    assert GENERATORS[name].__name__ == name


@names
def test_names_on_the_gallery_are_short_and_plain(name):
    assert caption(name).endswith(".") and 10 <= len(caption(name)) <= 60
    assert title(name)[0].isupper() and "_" not in title(name)
    assert len({title(other) for other in GENERATORS}) == len(GENERATORS)


@names
def test_the_seed_makes_the_table(name):
    a, b, other = (make(name, noise=0.1, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(a.numbers, b.numbers)
    assert not np.array_equal(a.numbers, other.numbers, equal_nan=True)
    if name == "two_sequences":  # the same two in every seed: only the noise is drawn
        return
    a, other = make(name, seed=3), make(name, seed=4)  # without noise, too
    assert not np.array_equal(a.numbers, other.numbers, equal_nan=True)


@names
def test_a_table_leaves_numpys_global_randomness_alone(name):
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    make(name, noise=0.1)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


@names
@examples(15)
@given(
    length=st.integers(2, 40),
    seq_len=st.integers(8, 30),
    n_features=st.integers(1, 5),
    noise=st.floats(0, 3),
    seed=st.integers(0, 2**31 - 1),
)
def test_every_value_is_known_but_the_targets_before_a_last_row(name, length, seq_len, n_features, noise, seed):
    table = make(name, length, seq_len, n_features, noise, seed)
    sequences = name in SEQUENCE_SETS
    assert table.name == name
    assert table.rows == (length * seq_len if sequences else length)
    assert table.numbers.dtype == np.float64
    assert len({len(column.values) for column in table.columns}) == 1
    for column in table.column_names("number"):
        values = table.column(column).values
        if column == "target":
            is_known = np.arange(table.rows) % seq_len == seq_len - 1
            np.testing.assert_array_equal(np.isfinite(values), is_known)
            assert np.isnan(values[~is_known]).all()
        else:
            assert np.isfinite(values).all()
    roles = table.roles
    assert roles.seq_len == seq_len and roles.time is None
    assert (roles.group, roles.horizon) == (("sequence", 0) if sequences else (None, name != "echo"))
    if sequences:
        number = grid(table, "sequence", seq_len)
        np.testing.assert_array_equal(number, np.arange(length)[:, None].repeat(seq_len, 1))


@names
@examples(15)
@given(noise=st.floats(0.01, 2), seed=st.integers(0, 2**31 - 1))
def test_noise_is_measured_in_the_clean_columns_own_deviation(name, noise, seed):
    still, noisy, twice = (make(name, 200, noise=k * noise, seed=seed) for k in (0, 1, 2))
    touched = NOISY_COLUMNS.get(name, ["y"])
    for column in still.columns:
        a, b, c = (table.column(column.name).values for table in (still, noisy, twice))
        if column.name not in touched:
            np.testing.assert_array_equal(a, b)
            continue
        a, b, c = a.astype(np.float64), b.astype(np.float64), c.astype(np.float64)
        # of 200 normal numbers the deviation is estimated to 5 %: six times that is allowed
        assert (b - a).std() == pytest.approx(noise * a.std(), rel=0.3)
        np.testing.assert_allclose(c - a, 2 * (b - a), atol=1e-4 * max(1.0, np.abs(a).max()))


@names
def test_the_suggested_roles_make_windows_in_every_part(name):
    table = make(name, 300, 24, 3, 0.05)
    roles = table.roles
    spec = DataSpec(
        "generator",
        name,
        targets=roles.targets,
        features=roles.features,
        group=roles.group,
        seq_len=roles.seq_len,
        horizon=roles.horizon,
    )
    windows = make_windows(table, spec)
    counts = [len(windows.starts[split]) for split in ("train", "valid", "test")]
    assert min(counts) >= 40
    if name in SEQUENCE_SETS:
        assert sum(counts) == 300  # one window a sequence
        assert all((starts % 24 == 0).all() for starts in windows.starts.values())
    labelled = table.column(roles.targets[0]).kind == "category"
    assert windows.task == ("classification" if labelled else "regression")


BAD = [
    *[("length", value) for value in (1, 0, -5, 1_000_001)],
    *[("seq_len", value) for value in (0, -1)],
    ("n_features", 0),
    *[("noise", value) for value in (-0.1, math.nan, math.inf)],
    ("seed", -1),
]


@names
@pytest.mark.parametrize(("argument", "value"), BAD)
def test_a_bad_argument_is_refused_in_one_sentence_that_names_it(name, argument, value):
    with pytest.raises(PlaygroundError, match=f"^{argument} is .*: choose .*\\.$"):
        make(name, **{argument: value})


@pytest.mark.parametrize(("name", "least"), [("adding_problem", 2), ("which_wave", 8)])
def test_a_sequence_too_short_for_its_task_is_refused(name, least):
    assert make(name, seq_len=least).rows == 60 * least
    with pytest.raises(PlaygroundError, match=f"seq_len is {least - 1}, .* choose {least} or more"):
        make(name, seq_len=least - 1)


@pytest.mark.parametrize("name", SEQUENCE_SETS)
def test_a_set_too_large_for_memory_is_refused_before_it_is_made(name):
    with pytest.raises(PlaygroundError, match="(300|400|500|1,000|1,200),000,000,000"):
        make(name, 1_000_000, 100_000, n_features=1)


# The gallery
@names
def test_a_thumbnail_is_a_small_curve_always_the_same(name):
    curve = thumbnail(name)
    assert curve.shape == (120,) and np.isfinite(curve).all()
    assert curve.std() > 0.05
    np.testing.assert_array_equal(curve, thumbnail(name))


def test_thumbnails_show_what_the_generators_make():
    np.testing.assert_array_equal(thumbnail("square"), make("square", 120).column("y").values)
    assert np.count_nonzero(thumbnail("adding_problem")) == 6  # two marked values a sequence


@pytest.mark.parametrize("call", [thumbnail, caption])
def test_an_unknown_generator_is_refused_with_the_names_there_are(call):
    with pytest.raises(PlaygroundError, match="no generator 'cosine': .*sine, .*which_wave"):
        call("cosine")


def test_sets_of_sequences_are_those_with_a_group():
    with_group = [name for name in GENERATORS if make(name).roles.group]
    assert tuple(with_group) == generators.SEQUENCE_SETS
