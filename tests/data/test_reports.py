"""Files as people have them (fixtures/reports, made up after public bug reports) are read as a careful person would."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lstm_core.cli.read import describe
from lstm_core.data.ingest.options import CsvOptions
from lstm_core.data.ingest.read import read_table
from lstm_core.data.table_csv import values_csv

FOLDER = Path(__file__).parents[1] / "fixtures" / "reports"
CASES = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
TARGETS = {
    "yfinance_three_header_rows.csv": "Close",
    "household_power_date_and_time_apart.csv": "Global_active_power",
    "year_month_day_hour_columns.csv": "pm2.5",
    "series_id_in_three_columns.csv": "num_sold",
    "investing_com_suffixes_descending.csv": "Price",
    "epoch_ms_named_open_time.csv": "close",
    "booleans_true_false.csv": "sales",
    "shampoo_1-01_months.csv": "Sales",
    "home_assistant_history.csv": "state",
    "dmy_dates_no_day_over_12_first.csv": "value",
}
SAID = {  # what the report must name
    "units_row_under_header.csv": "'°C', 'm/s'",
    "total_row_at_the_end.csv": "row of totals",
    "google_trends_less_than_one.csv": "'<1'",
    "year_alone_text_missing_M_T.csv": "'T', 'M'",
    "home_assistant_history.csv": "'unavailable'",
    "sentinel_minus_999.csv": "-200 in 'CO(GT)'",
    "jena_dotted_date_time.csv": "-9999 in 'wv, max (m/s)'",
    "dst_hour_twice_no_zone.csv": "repeated times: row 53",
    "dup_dates_same_day_two_rows.csv": "repeated times",
    "irregular_steps.csv": "not even",
    "missing_delimiter_in_one_row.csv": "fewer cells than the table's 3 columns: row 62",
    "time_along_the_columns.csv": "turned into rows",
    "one_column_decimal_comma.csv": "decimals or thousands",
    "investing_com_suffixes_descending.csv": "K, M and B",
}


def load(file: str, **options):
    return read_table((FOLDER / file).read_bytes(), file, CsvOptions(**options))


def same(wanted, found, kind: str) -> bool:
    if wanted is None or pd.isna(found):
        return wanted is None and bool(pd.isna(found))
    if kind == "time":
        return pd.Timestamp(wanted).tz_localize(None) == pd.Timestamp(found)
    return float(found) == pytest.approx(float(wanted), rel=1e-12)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["file"])
def test_rows_kinds_values_and_roles(case):
    table = load(case["file"])
    about, values = describe(table), pd.read_csv(io.BytesIO(values_csv(table)))
    assert about["rows"] == case["rows"]
    assert not case["has_time"] or about["roles"]["time"]
    if case["series_id"]:
        assert len(about["roles"]["series_id"]) == (3 if case["series_id"] == "COMPOSITE" else 1)
    left = dict(zip(values.columns, about["columns"], strict=False))
    for wanted in case["columns"]:
        first, last = wanted["first"] or [], wanted["last"] or []
        for name, column in left.items():
            cells = [*values[name][: len(first)], *values[name][len(values) - len(last) :]]
            if (
                column["kind"] == wanted["kind"]
                and re.fullmatch(wanted["name"], column["name"])
                and wanted["missing"] in (None, column["missing"])
                and all(same(a, b, wanted["kind"]) for a, b in zip([*first, *last], cells, strict=True))
            ):
                del left[name]
                break
        else:
            pytest.fail(f"no column is {wanted}: {about['columns']}")


@pytest.mark.parametrize(("file", "target"), TARGETS.items())
def test_the_target_is_what_the_file_is_about(file, target):
    assert load(file).roles.targets == (target,)


@pytest.mark.parametrize(("file", "said"), SAID.items())
def test_what_was_changed_or_is_odd_is_said(file, said):
    assert said in "\n".join(note.text for note in load(file).report)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["file"])
def test_the_options_as_used_read_the_same_table(case):
    table = load(case["file"])
    again = read_table((FOLDER / case["file"]).read_bytes(), case["file"], table.options)
    assert again.sha256 == table.sha256
    assert (again.roles, again.options) == (table.roles, table.options)


def test_joined_and_turned_tables_and_sentinels_can_be_undone():
    apart = load("household_power_date_and_time_apart.csv", join_times=False)
    assert [column.name for column in apart.columns][:2] == ["Date", "Time"]
    wide = load("time_along_the_columns.csv", turn=False)
    assert (wide.rows, len(wide.column_names("number"))) == (2, 60)
    marked = load("sentinel_minus_999.csv", missing=(-200.0,))
    assert np.nanmin(marked.column("CO(GT)").values) > 0
    assert "stands far" not in "\n".join(note.text for note in marked.report)
