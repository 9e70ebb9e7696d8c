"""A file as people have it is dropped, nothing is corrected, Train is pressed, and Forecast shows what comes next."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.tab import PATIENCE, Tab
from tests.conftest import quick

REPORTS = Path(__file__).parents[1] / "fixtures" / "reports"
EXPECTED = {case["file"]: case for case in json.loads((REPORTS / "expected.json").read_text(encoding="utf-8"))}
FILES = [
    "us_month_year_Jan-49.csv",
    "xlsx.xlsx",
    "yfinance_three_header_rows.csv",
    "household_power_date_and_time_apart.csv",
    "year_month_day_hour_columns.csv",
    "jena_dotted_date_time.csv",
    "quarters_2010Q1.csv",
    "iso_weeks_2020-W05.csv",
    "investing_com_suffixes_descending.csv",
    "json_lines.jsonl",
]


FORECAST = """() => document.querySelector('.st-key-forecast_picture .js-plotly-plot')
    .data.filter(({ name }) => name === "forecast").map(({ x }) => String(x[x.length - 1]))"""


@pytest.mark.parametrize("name", quick(FILES, FILES[0]))
def test_a_dropped_file_is_forecast_past_its_end(tab: Tab, name):
    tab.open("data").upload(name, (REPORTS / name).read_bytes())
    expect(tab.page.get_by_text("A forecast starts from")).to_be_visible(timeout=PATIENCE)
    tab.go("Train").button("train").click()
    expect(tab.progress).to_contain_text("Trained", timeout=4 * PATIENCE)
    expect(tab.button("pause")).to_be_disabled(timeout=PATIENCE)
    tab.go("Forecast")
    expect(tab.page.get_by_text(re.compile(r"80.%.band held \d+.%"))).to_be_visible(timeout=PATIENCE)
    expect(tab.widget("forecast_picture").locator(".main-svg").first).to_be_visible()
    (last,) = [column["last"][0] for column in EXPECTED[name]["columns"] if column["kind"] == "time"]
    (end,) = tab.page.evaluate(FORECAST)
    assert end.replace("T", " ") > last
