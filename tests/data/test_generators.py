from __future__ import annotations

import inspect
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.data import generators
from lstm_core.data.generators import GENERATORS, SEQUENCE_SETS, caption, thumbnail, title
from lstm_core.data.table import Table
from lstm_core.data.windows import make_windows
from lstm_core.experiment import DataSpec, PlaygroundError
from tests.conftest import examples

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


def make(name, length=60, seq_len=12, n_features=2, noise=0.0, seed=0) -> Table:
    return GENERATORS[name](length, seq_len, n_features, noise, seed)


def clean(name, length, seed=0) -> np.ndarray:
    return make(name, length, seed=seed).column("y").values.astype(np.float64)


def grid(table, column, seq_len) -> np.ndarray:
    """(sequences, seq_len)"""
    return table.column(column).values.reshape(-1, seq_len)


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
    assert table.numbers.dtype == np.float32
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
    with pytest.raises(PlaygroundError, match="(300|400|1,000|1,200),000,000,000"):
        make(name, 1_000_000, 100_000, n_features=1)


# Series


@pytest.mark.parametrize("name", ["sine", "square", "sawtooth"])
def test_waves_repeat_after_one_period_exactly_and_no_sooner(name):
    y = clean(name, 400, seed=5)
    np.testing.assert_array_equal(y[20:], y[:-20])
    assert all(np.abs(y[lag:] - y[:-lag]).max() > 0.05 for lag in range(1, 20))


def test_sine_solves_its_difference_equation():
    y = clean("sine", 300)
    np.testing.assert_allclose(y[2:], 2 * np.cos(2 * np.pi / 20) * y[1:-1] - y[:-2], atol=1e-6)
    assert 0.99 < np.abs(y).max() <= 1


def test_square_is_half_up_half_down_and_flips_twice_a_period():
    y = clean("square", 320)
    assert set(np.unique(y)) == {-1.0, 1.0}
    assert np.abs(np.convolve(y, np.ones(20), "valid")).max() == 0
    flips = np.flatnonzero(np.diff(y))
    assert (np.diff(flips) == 10).all() and len(flips) in (31, 32)


def test_sawtooth_climbs_evenly_and_drops_once_a_period():
    steps = np.diff(clean("sawtooth", 320))
    drops = np.flatnonzero(steps < 0)
    assert (np.diff(drops) == 20).all()
    np.testing.assert_allclose(steps[steps > 0], 2 / 20, atol=1e-6)
    np.testing.assert_allclose(steps[drops], 2 / 20 - 2, atol=1e-6)


def test_sum_of_sines_has_three_lines_in_its_spectrum():
    y = clean("sum_of_sines", 37 * 17 * 7)
    amplitude = np.abs(np.fft.rfft(y)) / (len(y) / 2)
    lines = np.flatnonzero(amplitude > 1e-3)
    np.testing.assert_array_equal(lines, sorted(len(y) // period for period in (37, 17, 7)))
    np.testing.assert_allclose(amplitude[lines], [1, 0.5, 0.25], atol=1e-5)


@pytest.mark.parametrize("length", [150, 600])
def test_damped_oscillation_solves_its_difference_equation(length):
    y = clean("damped_oscillation", length)
    decay = np.exp(-3 / length)
    expected = 2 * decay * np.cos(2 * np.pi / 20) * y[1:-1] - decay**2 * y[:-2]
    np.testing.assert_allclose(y[2:], expected, atol=1e-6)
    np.testing.assert_allclose(y[20:], y[:-20] * np.exp(-3 * 20 / length), atol=1e-6)


def unit_residual(x: np.ndarray, delay: int = 17) -> np.ndarray:
    """How far x(t + 1) is from e^(−0.1) x(t) + ∫₀¹ e^(−0.1 (1 − s)) F(x(t + s − delay)) ds.

    F is interpolated by the polynomial through its eight values around [t, t + 1]: nothing of the
    generator's own grid or rule is used.
    """
    nodes = np.arange(-3, 5)
    s, weight = np.polynomial.legendre.leggauss(8)
    s, weight = (s + 1) / 2, weight / 2 * np.exp(-0.1 * (1 - (s + 1) / 2))
    lagrange = [np.prod([(s - other) / (node - other) for other in nodes if other != node], axis=0) for node in nodes]
    quadrature = np.array(lagrange) @ weight  # (8,)
    inflow = 0.2 * x / (1 + x**10)
    t = np.arange(delay + 3, len(x) - 1)
    gained = inflow[t[:, None] - delay + nodes] @ quadrature
    return x[t + 1] - np.exp(-0.1) * x[t] - gained


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_mackey_glass_solves_its_equation_and_is_bounded(seed):
    x = clean("mackey_glass", 1500, seed)
    assert 0.2 < x.min() < 0.6 and 1.2 < x.max() < 1.4
    assert np.abs(unit_residual(x)).max() < 1e-5
    assert np.abs(unit_residual(x, delay=16)).max() > 1e-2  # the oracle tells delays apart


def test_mackey_glass_has_forgotten_its_start_and_does_not_repeat():
    x = clean("mackey_glass", 3000)
    halves = x[:1500], x[1500:]
    assert halves[0].std() == pytest.approx(halves[1].std(), rel=0.1)
    x = (x - x.mean()) / x.std()
    assert all(np.square(x[lag:] - x[:-lag]).mean() > 0.1 for lag in range(20, 1000))


def test_a_shorter_mackey_glass_is_the_beginning_of_a_longer_one():
    np.testing.assert_array_equal(clean("mackey_glass", 50), clean("mackey_glass", 500)[:50])


def test_random_walk_steps_are_independent_and_standard_normal():
    y = clean("random_walk", 20_000, seed=1)
    steps = np.diff(y)
    assert abs(steps.mean()) < 0.04 and steps.std() == pytest.approx(1, abs=0.03)
    assert np.mean(np.abs(steps) < 1) == pytest.approx(0.6827, abs=0.02)
    assert all(abs(np.corrcoef(steps[lag:], steps[:-lag])[0, 1]) < 0.04 for lag in (1, 2, 5))
    expected = np.random.default_rng(1).standard_normal(20_000)
    np.testing.assert_allclose(y, np.cumsum(expected), atol=1e-4)


# Sets of sequences


@examples(25)
@given(st.integers(2, 60), st.integers(2, 40), st.floats(0, 2), st.integers(0, 2**31 - 1))
def test_adding_problem_is_the_sum_of_one_marked_value_in_each_half(length, seq_len, noise, seed):
    table = make("adding_problem", length, seq_len, noise=noise, seed=seed)
    marker = grid(table, "marker", seq_len)
    value = grid(make("adding_problem", length, seq_len, seed=seed), "value", seq_len)
    assert set(np.unique(marker)) <= {0.0, 1.0}
    half = seq_len // 2
    np.testing.assert_array_equal(marker[:, :half].sum(1), 1)
    np.testing.assert_array_equal(marker[:, half:].sum(1), 1)
    assert value.min() >= 0 and value.max() < 1
    np.testing.assert_allclose(grid(table, "target", seq_len)[:, -1], (value * marker).sum(1), rtol=1e-6)
    assert table.roles.features == ("value", "marker") and table.roles.targets == ("target",)


def test_adding_problem_has_the_published_baseline_and_marks_everywhere():
    table = make("adding_problem", 20_000, 10)
    target = grid(table, "target", 10)[:, -1]
    assert np.square(target - 1).mean() == pytest.approx(1 / 6, rel=0.05)
    often = grid(table, "marker", 10).mean(0)
    np.testing.assert_allclose(often, 0.2, atol=0.02)


@pytest.mark.parametrize("n_features", [1, 4])
def test_random_regression_has_nothing_to_learn(n_features):
    table = make("random_regression", 2000, 5, n_features)
    features = tuple(f"x{k + 1}" for k in range(n_features))
    assert table.roles.features == features and table.roles.targets == ("target",)
    target = grid(table, "target", 5)[:, -1]
    assert abs(target.mean()) < 0.1 and target.std() == pytest.approx(1, abs=0.08)
    x = np.concatenate([grid(table, name, 5) for name in features], axis=1)  # (2000, 5 · features)
    assert np.abs(x.mean(0)).max() < 0.12 and np.abs(x.std(0) - 1).max() < 0.1
    correlation = np.corrcoef(x, target, rowvar=False) - np.eye(x.shape[1] + 1)
    assert np.abs(correlation).max() < 0.12


def test_which_wave_labels_every_row_and_every_class_alike():
    table = make("which_wave", 301, 24, seed=2)
    wave = table.column("wave")
    assert (wave.kind, wave.values.dtype) == ("category", np.int32)
    assert wave.classes == ("sine", "square", "sawtooth")
    label = wave.values.reshape(301, 24)
    assert (label == label[:, :1]).all()
    counts = np.bincount(label[:, 0])
    assert counts.max() - counts.min() <= 1
    assert len(np.unique(label[:10, 0])) > 1 and (np.diff(label[:, 0]) != 1).any()  # shuffled
    assert table.roles.targets == ("wave",) and table.roles.features == ("x",)


def test_which_wave_shapes_are_what_their_labels_say():
    seq_len = 240
    table = make("which_wave", 90, seq_len, seed=3)
    label = table.column("wave").values.reshape(90, seq_len)[:, 0]
    x = grid(table, "x", seq_len).astype(np.float64)
    assert np.abs(x).max() <= 1
    is_square = (np.abs(x) == 1).all(1)
    np.testing.assert_array_equal(is_square, label == 1)
    steps = np.diff(x, axis=1)
    climb = np.median(steps, axis=1, keepdims=True)
    is_saw = (np.isclose(steps, climb, atol=1e-5) | np.isclose(steps, climb - 2, atol=1e-5)).all(1)
    np.testing.assert_array_equal(is_saw & ~is_square, label == 2)
    period = 2 / climb[label == 2, 0]  # a sawtooth climbs 2 in one period
    assert (period >= seq_len / 3 - 0.01).all() and (period <= seq_len + 0.01).all()
    assert period.max() > 1.8 * period.min()
    for wave in x[label == 0]:  # x[t+1] + x[t−1] = 2 cos(ω) x[t] for one ω only
        cosine = (wave[2:] + wave[:-2]) @ wave[1:-1] / (2 * wave[1:-1] @ wave[1:-1])
        np.testing.assert_allclose(wave[2:] + wave[:-2], 2 * cosine * wave[1:-1], atol=1e-5)
        assert seq_len / 3 - 0.1 <= 2 * np.pi / np.arccos(cosine) <= seq_len + 0.1


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
