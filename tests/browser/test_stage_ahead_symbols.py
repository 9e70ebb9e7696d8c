"""The stage writes on, symbol by symbol: as the lesson on characters does in Python, and as a loop with nn.LSTM."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from playwright.sync_api import Page

from lstm_core.data.samples.book import ALPHABET
from lstm_core.data.windows import Windows, make_windows
from lstm_core.lessons.catalog.characters.text import generate
from tests.browser.on_stage import packed
from tests.factories import run_scene, scene_of, spec_of, table_of
from tests.lessons.shipped import shipped_runs

ROWS = 50
WRITE = """async ([bytes, choice]) => {
  const { decode } = await import("/modules/stage/scene.js");
  const { goOn } = await import("/modules/stage/ahead/going.js");
  const { defaultChoice } = await import("/modules/stage/ahead/choice.js");
  const scene = decode(Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0)));
  const work = goOn(scene, scene.weights, scene.inputs, { ...defaultChoice(scene), ...choice });
  let slice = work.next();
  while (!slice.done) slice = work.next();
  return slice.value.futures;
}"""


def write(page: Page, header: dict, arrays: list, **choice) -> list[list[int]]:
    return page.evaluate(WRITE, [packed(header, arrays), {"rows": ROWS} | choice])


def letters(scaling: str = "standard") -> Windows:
    """a, b, c, d by turns, with slips; the next one is the class."""
    rows, draws = np.arange(400), np.random.default_rng(0).random(401)
    read = np.cumsum(np.where(draws < 0.15, 2, 1)) % 4
    columns = {name: (read[:-1] == k).astype(np.float32) for k, name in enumerate("abcd")}
    table = table_of(**columns, y=np.array(list("abcd"))[read[1:]])
    assert len(rows) == table.rows
    return make_windows(table, spec_of(features=tuple("abcd"), horizon=0, seq_len=12, scaling=scaling))


@pytest.mark.parametrize("head", ["last", "per_step"])
def test_it_writes_the_likeliest_symbol_as_a_loop_with_nn_lstm_does(stage: Page, head: str):
    run, snapshot, _, x, header, arrays = scene_of({"head": head}, letters(), steps=60, epochs=60)
    model, windows, x = snapshot.model, run.windows, x.clone()
    assert [windows.input_names[k] for k in header["future"]["map"]] == list(windows.classes)
    written = []
    with torch.no_grad():
        for _ in range(ROWS):  # with an output at every step it reads all so far, else the last seq_len
            output = model(x if head == "per_step" else x[:, -windows.spec.seq_len :])
            symbol = header["future"]["map"][int(output.reshape(-1, len(windows.classes))[-1].argmax())]
            written.append(symbol)
            row = (np.eye(4)[symbol] - windows.x_center) / windows.x_scale
            x = torch.cat([x, torch.tensor(row, dtype=torch.float32)[None, None]], dim=1)
    assert write(stage, header, arrays) == [written]
    assert len(set(written)) > 1


def test_a_seed_draws_the_same_futures_and_the_temperature_makes_them_differ(stage: Page):
    *_, header, arrays = scene_of({"head": "per_step"}, letters(), steps=60, epochs=60)
    drawn = write(stage, header, arrays, temperature=1.0, futures=4, seed=3)
    assert drawn == write(stage, header, arrays, temperature=1.0, futures=4, seed=3)
    assert len({tuple(one) for one in drawn}) == 4
    assert drawn[1:] == write(stage, header, arrays, temperature=1.0, futures=3, seed=4)
    (likeliest,) = write(stage, header, arrays, futures=4)
    assert write(stage, header, arrays, temperature=0.001) == [likeliest]


@pytest.mark.slow
def test_symbols_are_drawn_as_often_as_the_model_holds_them_likely(stage: Page):
    _, snapshot, _, x, header, arrays = scene_of({"head": "per_step"}, letters(), steps=60, epochs=60)
    first = [write(stage, header, arrays, rows=1, temperature=1.0, futures=4, seed=4 * k) for k in range(100)]
    counts = np.bincount(np.ravel(first), minlength=4) / 400
    with torch.no_grad():
        shares = snapshot.model(x)[0, -1].softmax(-1).numpy()
    expected = np.zeros(4)
    expected[header["future"]["map"]] = shares
    assert np.abs(counts - expected).max() < 4 * np.sqrt(0.25 / 400)  # four deviations of such a share


@pytest.mark.slow
def test_the_character_lesson_writes_what_it_writes_in_python(stage: Page):
    run = shipped_runs("characters")["lstm"]
    *_, x, header, arrays = run_scene(run, "test")
    prompt = "".join(ALPHABET[code] for code in x[0].argmax(1))
    (written,) = write(stage, header, arrays, rows=120)
    text = "".join(ALPHABET[code] for code in written)
    assert text == generate(run.current_model(), prompt, 120, 0.0, 0)
    true = "".join(ALPHABET[code] for code in header["future"]["truth"])
    book = "".join(ALPHABET[code] for code in run.windows.x[int(run.windows.starts["test"][1]) :][:200].argmax(1))
    assert true == book and len(true) == 200  # the book goes on in its next block
