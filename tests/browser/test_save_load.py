"""A model is saved and loaded as often as one likes, after trainings that have just ended: as many files, all equal."""

from __future__ import annotations

import random
import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from lstm_core.training.checkpoint import load_checkpoint
from tests.browser.tab import Tab

ALERT = "[data-testid=stAlert]"


def open_files(tab: Tab) -> Tab:
    """Train, with the part for saving and loading unfolded."""
    tab.open("train")
    tab.page.get_by_text("Save or load the trained model").click()
    expect(tab.button("save_model")).to_be_visible()
    return tab


@pytest.fixture(scope="module")
def files(module_tab: Tab) -> Tab:
    """One visitor of the files for the tests that leave a model there."""
    return open_files(module_tab)


def save(tab: Tab) -> bytes:
    """One click on Save this model: the file that the browser then has."""
    with tab.page.expect_download(timeout=10_000) as download:
        tab.button("save_model").click()
    return Path(download.value.path()).read_bytes()


def load(tab: Tab, data: bytes) -> None:
    file = {"name": "lstm.safetensors", "mimeType": "application/octet-stream", "buffer": data}
    tab.widget("model_file").locator("input[type=file]").set_input_files(file)
    expect(tab.page.get_by_text("The model is loaded")).to_be_visible()
    tab.settle()


def save_after_trainings(tab: Tab, trainings: int, saves: int) -> list[bytes]:
    """So many trainings of two epochs, and after each so many saves, the first at once or a moment later."""
    files, moment = [], random.Random(0)
    for _ in range(trainings):
        tab.train(epochs=2).wait_for_end(2)
        tab.page.wait_for_timeout(moment.choice([0, 0, 30, 80, 150, 300, 800]))
        of_run = [save(tab) for _ in range(saves)]
        assert len(set(of_run)) == 1
        tab.wait_for_end(2)  # the words of the training before may have stood there still
        assert load_checkpoint(of_run[0]).progress["step"] == tab.step()
        files += of_run
    return files


def same_model(one: bytes, other: bytes) -> bool:
    first, second = load_checkpoint(one).weights, load_checkpoint(other).weights
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


@pytest.mark.slow
def test_a_refused_file_is_told_beside_the_upload_and_the_model_stays(files: Tab):
    tab, step = files, files.step()
    damaged = {"name": "lstm.safetensors", "mimeType": "application/octet-stream", "buffer": b"\x08" + bytes(90)}
    tab.widget("model_file").scroll_into_view_if_needed()
    tab.widget("model_file").locator("input[type=file]").set_input_files(damaged)
    alert = tab.page.locator(ALERT)
    expect(alert).to_be_in_viewport()
    expect(alert).to_have_text(re.compile(r"\.$"))
    box, upload = alert.bounding_box(), tab.widget("model_file").bounding_box()
    assert 0 <= upload["y"] - (box["y"] + box["height"]) < 40
    assert tab.step() == step


@pytest.mark.slow
def test_five_clicks_give_five_equal_files(files: Tab):
    saved = save_after_trainings(files, trainings=1, saves=5)
    assert len(saved) == 5
    load(files, saved[0])
    assert same_model(save(files), saved[0])


@pytest.mark.slow
def test_forty_saves_and_fifteen_loads(tab: Tab):
    files = save_after_trainings(open_files(tab), trainings=20, saves=2)
    assert len(files) == 40
    assert all(same_model(file, files[0]) for file in files)  # one seed, one model
    for k in range(15):
        load(tab, files[k])
        if k % 5 == 4:
            assert same_model(save(tab), files[k])


@pytest.mark.slow
def test_a_model_that_trains_is_made_and_then_downloaded(tab: Tab):
    open_files(tab).train_on_and_on()
    tab.press("make_save_model")
    expect(tab.button("save_model")).to_have_text(re.compile("Download lstm.safetensors"))
    assert load_checkpoint(save(tab)).progress["step"] > 0
    tab.end_run()


@pytest.mark.parametrize("key", ["trace_csv", pytest.param("trace_npz", marks=pytest.mark.slow)])
def test_a_trace_is_downloaded_at_every_click(files: Tab, key: str):
    tab = files.go("Gates")
    for _ in range(3):
        with tab.page.expect_download(timeout=10_000) as download:
            tab.button(key).click()
        assert Path(download.value.path()).stat().st_size > 1000
