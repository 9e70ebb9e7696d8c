"""What the stage is sent to make inputs of a changed table: what a start remembers, and which columns are fixed."""

from __future__ import annotations

import json

import numpy as np

from lstm_core.data.windows import make_windows
from lstm_core.figures.stage_recipe import input_columns, stage_recipes
from tests.factories import series, spec_of, table_of, timed


def recipes_of(windows):
    return stage_recipes(windows, int(windows.starts["valid"][0]))


def test_a_column_that_is_read_as_it_is_needs_no_recipe():
    assert recipes_of(make_windows(series(90), spec_of())) == ([], [])


def test_what_a_start_remembers_is_sent_to_all_its_digits():
    y = 1e6 + np.cumsum(np.random.default_rng(0).normal(size=90))
    windows = make_windows(table_of(y=y), spec_of(features=("y",), start="season", season=6, seq_len=4, horizon=3))
    first = int(windows.starts["valid"][0])
    (recipe,), arrays = recipes_of(windows)
    level, last, errors, z = (near.astype(float) + rest for near, rest in arrays)
    assert np.abs(level - y[first - 6 : first]).max() < 1e-7
    assert abs(last[0] - y[first - 1]) < 1e-7
    assert np.abs(errors - (y[first - 6 : first] - y[first - 12 : first - 6])).max() < 1e-7
    assert np.abs(z - y[first : first + 4]).max() < 1e-7
    assert recipe["start"]["rows"] == len(level) == 6
    assert recipe["derived"] == ["error", "change", "seasonError"] and recipe["columns"] == [0, 1, 2]
    assert json.loads(json.dumps(recipe, allow_nan=False)) == recipe


def test_what_the_app_has_added_to_a_table_is_told_and_a_planned_value_is_not():
    days = np.arange("2024-01-01", "2024-04-30", dtype="M8[D]")
    rows, shop = np.arange(240), np.repeat(["a", "b"], 120)
    table = timed(np.tile(days[:120], 2), y=np.sin(rows / 4), price=rows % 5.0, shop=shop)
    fields = {"features": ("y", "price"), "start": "last", "seq_len": 6, "horizon": 2, "time": "time", "group": "shop"}
    fields |= {"calendar": ("weekday",), "series_id_input": True, "known_future": ("price",)}
    windows = make_windows(table, spec_of(**fields))
    recipes = {recipe["name"]: recipe for recipe in recipes_of(windows)[0]}
    assert recipes["y"]["why"] == recipes["price"]["why"] == ""
    assert recipes["price"]["offsets"] == [1, 2]
    assert recipes["weekday sin"]["why"] == "weekday sin is made of the time stamp and cannot be grabbed."
    assert recipes["shop = a"]["why"] == "shop = a is made of the series and cannot be grabbed."
    names = {name: [windows.input_names[k] for k in columns] for name, columns in input_columns(windows)}
    assert names["price"] == ["price, 1 row ahead", "price, 2 rows ahead"]
    assert all(recipe["columns"] for recipe in recipes.values())
