"""Data: every source makes windows, every choice shows at once, and what cannot be read changes nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lstm_core.data.generators import GENERATORS
from lstm_core.data.samples import SAMPLES
from lstm_core.experiment import SPLITS
from tests.conftest import quick
from tests.pages.conftest import labelled_csv, series_csv

BAD = {
    "empty": b"",
    "binary": bytes(range(256)) * 8,
    "picture": b"\x89PNG\r\n\x1a\n" + bytes(200),
    "header only": b"day,load\n",
    "one row": b"day,load\n2020-01-01,3\n",
    "all text": b"name\n" + b"\n".join(f"word {k}".encode() for k in range(40)),
    "constant": b"load\n" + b"4\n" * 40,
    "all missing": b"load,price\n" + b"NaN,\n" * 40,
}


def window_counts(tab) -> dict[str, int]:
    return {split: len(starts) for split, starts in tab.workspace.windows().starts.items()}


@pytest.mark.parametrize("name", quick(SAMPLES, next(iter(SAMPLES))))
def test_every_sample_makes_windows(visit, name):
    tab = visit("data").set("sample", name)
    assert not tab.errors()
    assert tab.workspace.table.name == name
    assert all(window_counts(tab).values())
    assert tab.widget("sample").value == name
    assert tab.widget("generator").value is None


@pytest.mark.parametrize("name", quick(GENERATORS, "sine", "which_wave", "embedded_reber"))
def test_every_generator_makes_windows(visit, name):
    tab = visit("data").set("generator", name)
    assert not tab.errors()
    assert all(window_counts(tab).values())
    assert tab.widget("generator").value == name
    assert tab.widget("sample").value is None
    spec = tab.workspace.experiment.data
    table = tab.workspace.table
    assert {*spec.targets, *spec.features} <= {c.name for c in table.columns}


def test_a_generator_has_settings_of_its_own(visit):
    tab = visit("data").set("generator", "sine")
    before = tab.workspace.table.numbers.copy()
    tab.set("data_length", 900)
    assert tab.workspace.table.rows == 900
    tab.set("data_seed", 5)
    assert tab.workspace.experiment.data.length == 900  # the other settings stay
    assert not np.array_equal(tab.workspace.table.numbers[:600], before)
    tab.set("data_noise", 0.0)
    assert np.abs(tab.workspace.table.numbers).max() <= 1 + 1e-6
    tab.set("generator", "random_regression").set("data_n_features", 7)
    assert len(tab.workspace.experiment.data.features) == 7


def test_a_table_too_large_to_generate_is_refused(visit):
    tab = visit("data").set("generator", "random_regression")
    table = tab.workspace.table
    tab.set("data_length", 1_000_000)
    assert len(tab.errors()) == 1
    assert tab.workspace.table is table
    assert tab.widget("data_length").value != 1_000_000


def test_a_german_csv_is_read_as_it_is_meant(visit):
    tab = visit("data").upload(series_csv(delimiter=";", decimal=","))
    assert not tab.errors()
    table, spec = tab.workspace.table, tab.workspace.experiment.data
    assert (table.options.delimiter, table.options.decimal) == (";", ",")
    assert (spec.source, spec.name, spec.time) == ("csv", "mine.csv", "day")
    assert table.column("load").values[3] == pytest.approx(10 + np.sin(1), abs=1e-3)
    assert (tab.widget("read_delimiter").value, tab.widget("read_decimal").value) == (";", ",")
    assert tab.widget("target").value == list(spec.targets)


def test_the_preview_shows_the_table_as_it_was_understood(visit):
    tab = visit("data").upload(labelled_csv())
    shown = next(d.value for d in tab.at.dataframe if list(d.value.columns) == ["value", "state"])
    assert set(shown["state"]) == {"high", "low"}
    assert shown["value"].iloc[0] == 0


def test_a_text_target_trains_a_classifier(visit):
    tab = visit("data").upload(labelled_csv())
    assert tab.widget("target").value == ["state"]
    assert tab.widget("horizon").value == 0
    tab.set("seq_len", 5).train(epochs=3)
    assert tab.training.status == "finished"
    assert tab.training.loss_name == "cross_entropy"
    assert "are right, more than the" in tab.words()
    header, _ = tab.component("forecast_curve")
    assert header["yTitle"] == "probability"


def test_a_long_table_keeps_windows_inside_their_series(visit):
    rows = [f"{site},{t},{np.sin(t / 4 + k):.3f}" for k, site in enumerate("abcdef") for t in range(40)]
    tab = visit("data").upload("\n".join(["site,t,load", *rows]).encode())
    assert not tab.errors()
    assert tab.widget("group").value == "site"
    windows = tab.workspace.windows()
    starts = np.concatenate([windows.starts[split] for split in SPLITS])
    last = windows.target_rows(starts)[:, -1]
    assert (starts // 40 == last // 40).all()


def test_several_targets_and_a_longer_horizon(visit):
    tab = visit("data").upload(series_csv())
    tab.set("target", ["load", "price"]).set("horizon", 3)
    assert not tab.errors()
    windows = tab.workspace.windows()
    assert (windows.output_steps, windows.output_size) == (3, 6)
    tab.train(epochs=1)
    assert tab.widget("ahead").proto.max == 3
    first = tab.curve("forecast_curve", 0)[1]
    tab.set("ahead", 3)
    assert not np.array_equal(first, tab.curve("forecast_curve", 0)[1], equal_nan=True)


def test_horizon_0_with_the_target_among_the_features_is_refused(visit):
    tab = visit("data").upload(series_csv())
    tab.set("target", ["load"]).set("horizon", 0)
    assert len(tab.errors()) == 1
    assert "would read its target" in tab.errors()[0]
    tab.set("features", ["price"])
    assert not tab.errors()
    assert tab.workspace.windows().output_steps == 1


def test_no_feature_at_all_is_one_sentence(visit):
    tab = visit("data").set("features", [])
    assert len(tab.errors()) == 1
    assert "feature" in tab.errors()[0]
    for page in ("model", "train", "gates", "start"):
        tab.go(page)


@pytest.mark.parametrize("kind", quick(BAD, "binary", "constant"))
def test_a_file_that_is_no_table_changes_nothing(visit, kind):
    tab = visit("data")
    before = tab.workspace.table, tab.workspace.experiment, tab.training
    tab.upload(BAD[kind], "bad.csv")
    errors = tab.errors()
    assert len(errors) == 1, errors
    assert "bad.csv" in tab.errors()[0]
    assert tab.errors()[0].rstrip().endswith(".")
    assert (tab.workspace.table, tab.workspace.experiment, tab.training) == before
    assert tab.run().errors() == errors  # a rerun for another reason does not wipe it
    assert not tab.go("start").errors()


def test_a_ragged_file_is_read_with_a_warning_or_refused(visit):
    lines = series_csv(60).decode().splitlines()
    lines[10] += ",7,8"
    lines[20] = lines[20].split(",")[0]
    tab = visit("data").upload("\n".join(lines).encode(), "ragged.csv")
    assert not tab.errors()
    assert any("11" in w.value for w in tab.at.warning)  # the line, as an editor counts
    assert tab.workspace.table.rows >= 58


def test_after_a_bad_file_a_good_one_is_read(visit):
    tab = visit("data").upload(b"", "bad.csv").upload(series_csv(), "good.csv")
    assert not tab.errors()
    assert tab.workspace.table.name == "good.csv"


def test_a_corrected_delimiter_reads_the_file_again(visit):
    rows = "\n".join(f"{k % 7};{k % 5}|{k % 3}" for k in range(60))
    tab = visit("data").upload(f"a;b|c\n{rows}".encode())
    for delimiter, names in ((";", ["a", "b|c"]), ("|", ["a;b", "c"]), (";", ["a", "b|c"])):
        tab.set("read_delimiter", delimiter)
        assert not tab.errors()
        assert [column.name for column in tab.workspace.table.columns] == names
        assert {*tab.widget("target").value, *tab.widget("features").value} <= {*names}


def test_a_corrected_decimal_sign_turns_text_into_numbers(visit):
    rows = "\n".join(f"{k % 7}.5;{k % 5},5" for k in range(60))
    tab = visit("data").upload(f"point;comma\n{rows}".encode())
    tab.set("read_decimal", ",")
    assert tab.workspace.table.column_names("number") == ["comma"]
    assert tab.workspace.table.column("comma").values[3] == 3.5
    tab.set("read_decimal", ".")
    assert tab.workspace.table.column_names("number") == ["point"]
    assert tab.workspace.table.column("point").values[3] == 3.5


def test_a_correction_that_cannot_be_is_put_back(visit):
    tab = visit("data").upload(series_csv())
    before = tab.workspace.table
    tab.set("read_skip_rows", 10_000)
    assert len(tab.errors()) == 1
    assert tab.workspace.table is before
    assert tab.widget("read_skip_rows").value == 0


def test_a_corrected_column_type_makes_a_class_of_a_number(visit):
    rows = "\n".join(f"{np.sin(k / 4):.3f},{k // 10 % 3}" for k in range(90))
    tab = visit("data").upload(f"value,grade\n{rows}".encode())
    assert "grade" in tab.workspace.table.column_names("number")
    tab.set("retype_column", "grade").set("retype_kind", "category").press("retype")
    assert tab.workspace.table.column("grade").classes == ("0", "1", "2")
    assert {*tab.workspace.experiment.data.features} <= {*tab.workspace.table.column_names("number")}
    assert not tab.errors()


def test_a_pasted_table(visit):
    tab = visit("data")
    tab.set("pasted", series_csv(delimiter="\t").decode()).press("use_pasted")
    assert not tab.errors()
    assert tab.workspace.table.name == "pasted rows"
    assert tab.workspace.table.options.delimiter == "\t"


def test_pasted_nonsense_changes_nothing(visit):
    tab = visit("data")
    before = tab.workspace.table
    tab.set("pasted", "hello").press("use_pasted")
    assert len(tab.errors()) == 1
    assert tab.workspace.table is before


def test_seq_len_longer_than_the_series_says_what_fits_and_spoils_nothing(visit):
    tab = visit("data").set("seq_len", 5000)
    assert len(tab.errors()) == 1
    fits = int(tab.errors()[0].rsplit("seq_len to ")[-1].split()[0])
    tab.go("train")
    assert tab.training.status == "finished"
    tab.press("train")
    assert len(tab.errors()) == 1
    tab.go("gates")
    assert not tab.errors()
    assert tab.component("gate_view")
    tab.go("data").set("seq_len", fits)
    assert not tab.errors()


def test_a_target_with_one_class_is_one_sentence(visit):
    rows = "\n".join(f"{k},{'a' if k < 90 else 'b'}" for k in np.arange(100) % 100)
    tab = visit("data").upload(f"value,kind\n{rows}".encode())
    tab.set("target", ["kind"])
    assert len(tab.errors()) == 1
    assert "only one class" in tab.errors()[0]
    tab.go("train").press("train")
    assert len(tab.errors()) == 1


def test_a_text_and_a_number_target_together_are_refused(visit):
    tab = visit("data").upload(labelled_csv()).set("target", ["state", "value"])
    assert len(tab.errors()) == 1
    assert "state" in tab.errors()[0]
    assert not tab.set("target", ["value"]).set("horizon", 1).errors()


def test_shares_move_the_windows(visit):
    tab = visit("data")
    before = window_counts(tab)
    tab.set("shares", (0.5, 0.6))
    spec = tab.workspace.experiment.data
    assert (spec.train_share, spec.valid_share) == (0.5, 0.1)
    after = window_counts(tab)
    assert after["train"] < before["train"]
    assert after["test"] > before["test"]
    tab.set("shares", (0.8, 1.0))
    assert window_counts(tab)["test"] == 0
    assert not tab.errors()


def test_shares_that_cannot_be_are_put_back(visit):
    tab = visit("data").set("shares", (1.0, 1.0))
    assert len(tab.errors()) == 1
    assert tab.widget("shares").value == (0.7, 0.85)


def test_another_table_leaves_no_stale_columns(visit):
    tab = visit("data").upload(series_csv()).set("target", ["load", "price"]).set("group", "price")
    tab.set("sample", "nile")
    names = {column.name for column in tab.workspace.table.columns}
    spec = tab.workspace.experiment.data
    assert {*spec.targets, *spec.features, spec.time} <= names
    assert spec.group is None
    assert {*tab.widget("target").value, *tab.widget("features").value} <= names
    assert tab.widget("time").value in names
    assert tab.widget("group").value is None
    assert not tab.errors()


def test_the_choices_survive_a_look_at_other_pages(visit):
    tab = visit("data").upload(series_csv())
    tab.set("target", ["load"]).set("features", ["price", "load"]).set("seq_len", 9)
    tab.go("model").go("gates").go("data")
    assert tab.widget("target").value == ["load"]
    assert tab.widget("features").value == ["price", "load"]
    assert tab.widget("seq_len").value == 9
    assert tab.workspace.experiment.data.features == ("price", "load")


def test_draws_the_split_and_one_window(visit):
    tab = visit("data").set("seq_len", 12)
    assert len(tab.figure("split")["data"]) >= 3
    first = tab.figure("one_window")
    slider = tab.widget("data_window")
    windows = sum(len(starts) for starts in tab.workspace.windows().starts.values())
    assert (slider.proto.min, slider.proto.max) == (1, windows)
    tab.set("data_window", 1)
    assert tab.figure("one_window") != first
    inputs = [trace for trace in tab.figure("one_window")["data"] if "input" in trace["name"]]
    assert inputs
    assert len(pd.Series(inputs[0]["x"] if isinstance(inputs[0]["x"], list) else range(12))) == 12


def test_a_dearth_of_data_is_said_where_it_stands(visit):
    tab = visit("data").upload(b"x\n" + b"\n".join(str(k * k % 7).encode() for k in range(6)))
    assert tab.workspace.table.rows == 6  # read, though hardly anything can be made of it
    for page in ("model", "train", "gates"):
        tab.go(page)


def animals_csv() -> bytes:
    """Sequences of three classes, class after class."""
    rows = [
        f"{kind}_{k:02d},{np.sin(k + t):.3f},{kind}"
        for kind in ("cat", "dog", "eel")
        for k in range(20)
        for t in range(4)
    ]
    return ("id,value,animal\n" + "\n".join(rows)).encode()


def test_sequences_are_drawn_class_by_class_and_the_page_says_which_is_where(visit):
    tab = visit("data").upload(animals_csv(), "zoo.csv")
    tab.set("target", ["animal"]).set("features", ["value"]).set("group", "id").set("horizon", 0).set("seq_len", 4)
    assert not tab.errors()
    assert not tab.at.warning
    shown = next(frame.value for frame in tab.at.dataframe if "sequences" in frame.value)
    assert shown["sequences"].tolist() == [42, 9, 9]
    for kind in ("cat", "dog", "eel"):
        assert shown[f"windows of {kind}"].tolist() == [14, 3, 3]
        assert sum(name.startswith(kind) for name in shown["which"][2]) == 3
    tab.set("split_seed", 1)
    again = next(frame.value for frame in tab.at.dataframe if "sequences" in frame.value)
    assert again["sequences"].tolist() == [42, 9, 9]
    assert list(again["which"][2]) != list(shown["which"][2])


def test_a_class_that_a_split_lacks_is_a_warning(visit):
    rows = [f"{np.sin(k):.3f},{'late' if k > 100 else ('up', 'down')[k % 2]}" for k in range(120)]
    tab = visit("data").upload(("value,kind\n" + "\n".join(rows)).encode())
    tab.set("target", ["kind"]).set("features", ["value"]).set("seq_len", 4)
    assert any("late" in warning.value and "training split" in warning.value for warning in tab.at.warning)


def test_the_sidebar_names_the_trained_model_and_not_the_file_that_came_since(visit):
    tab = visit("data")
    sidebar = lambda: [text.value.replace("\\", "") for text in tab.at.sidebar.markdown]  # noqa: E731
    assert "Sunspots · LSTM 16" in sidebar()
    tab.upload(series_csv(), "demand.csv")
    assert "Sunspots · LSTM 16" in sidebar()
    assert any("without the changes" in text.value for text in tab.at.sidebar.caption)
    tab.go("model").set("hidden_size", 5).train(epochs=1).go("data")
    assert "demand.csv · LSTM 5" in sidebar()
    assert not any("without the changes" in text.value for text in tab.at.sidebar.caption)


def test_each_page_leads_to_the_next(visit):
    for page, following in (("data", "Model"), ("model", "Train"), ("gates", "Stage")):
        links = [link.proto.label for link in visit(page).at.main.get("page_link")]
        assert links[-1] == f"Next: {following}"
