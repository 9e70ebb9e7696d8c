"""The strip over the cell: one scale for target, prediction and truth, the other inputs apart, symbols as letters."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page

from lstm_core.data.windows import Windows, make_windows
from lstm_core.forecasting.predict import predict
from tests.browser.hands import two_features
from tests.browser.on_stage import mount, press, set_state
from tests.factories import labelled, scene_of, spec_of, table_of, wave


def readout(page: Page) -> dict:
    return page.evaluate("stage.strip.readout()")


def show(page: Page, model: dict, windows: Windows, **scene) -> tuple[dict, dict]:
    """(what the strip shows of this model, the scene's header)."""
    *_, header, arrays = scene_of(model, windows)
    mount(page, header | scene, arrays)
    return readout(page), header


def weather(**fields) -> Windows:
    return two_features(**{"seq_len": 8} | fields)


def symbols() -> Windows:
    """a b c a b c …; the next one is to be predicted."""
    rows = np.arange(600)
    columns = {name: (rows % 3 == k).astype(np.float32) for k, name in enumerate("abc")}
    table = table_of(**columns, y=np.array(list("bca"))[rows % 3])
    return make_windows(table, spec_of(features=tuple("abc"), horizon=0, seq_len=100))


@pytest.mark.parametrize("head", ["last", "per_step"])
def test_target_prediction_and_truth_share_one_axis_and_other_inputs_stand_apart(stage: Page, head: str):
    seen, header = show(stage, {"head": head}, weather())
    assert seen["main"] == ["input", "prediction so far" if head == "last" else "prediction"]
    assert seen["others"] == ["pressure"]
    assert seen["truth"]["value"] == header["truth"][-1]
    shown = stage.evaluate(
        "[stage.state.scene.series[0].values, stage.state.sides[0].prediction.values].map(v => [...v])"
    )
    low, high = seen["span"]
    everything = [*np.concatenate(shown), seen["truth"]["value"]]
    assert low <= min(everything) and max(everything) <= high < 100  # the pressure is not on this axis
    values, heights = np.concatenate(shown), np.concatenate(seen["heights"])
    slope, offset = np.polyfit(values, heights, 1)  # one straight line for both: equal values stand equally high
    assert slope < 0 and np.abs(slope * values + offset - heights).max() < 0.01


@pytest.mark.parametrize("head", ["last", "per_step"])
def test_the_whole_horizon_stands_at_the_end_beside_what_was_predicted_of_it(stage: Page, head: str):
    windows = weather(horizon=5, targets=("temperature", "pressure"))
    _, snapshot, *_, header, arrays = scene_of({"head": head}, windows)
    mount(stage, header, arrays)
    seen, start = readout(stage), windows.starts["valid"][:1]
    actual, (predicted,) = seen["horizon"]["actual"], seen["horizon"]["predictions"]
    assert actual == windows.targets(start)[0, :, 0].tolist()
    assert predicted == pytest.approx(predict(snapshot.model, windows, start)[0, :, 0].tolist(), abs=1e-4)
    low, high = seen["span"]
    assert low <= min(*actual, *predicted) and max(*actual, *predicted) <= high
    assert seen["truth"]["value"] == actual[-1] and seen["truth"]["predictions"] == [predicted[-1]]
    set_state(stage, compare={"kind": "start"})
    assert len(readout(stage)["horizon"]["predictions"]) == 2


def test_one_row_ahead_has_no_horizon_to_draw(stage: Page):
    assert show(stage, {}, weather())[0]["horizon"] is None


def test_a_target_that_the_model_does_not_read_is_drawn_too(stage: Page):
    seen, _ = show(stage, {}, wave())
    assert seen["main"] == ["actual", "prediction so far"] and seen["others"] == ["a"]
    assert "actual" in seen["text"]


def test_the_numbers_have_names_four_digits_at_most_and_a_minus_sign(stage: Page):
    seen, _ = show(stage, {}, weather())
    assert re.search(r"temperature −\d", seen["text"]) and "prediction −" in seen["text"]
    assert "pressure " in seen["text"] and seen["truth"]["text"].startswith("actual −")
    assert seen["truth"]["beside"].startswith("predicted −")
    words = [*seen["labels"], seen["truth"]["text"], seen["text"]]
    assert not any("-" in word for word in words)
    for number in re.findall(r"\d+\.\d+", " ".join(words)):
        assert len(number.replace(".", "").lstrip("0")) <= 4, number


@pytest.mark.parametrize(
    ("value", "text"), [(1234567, "1.235·10⁶"), (-2e-7, "−2·10⁻⁷"), (0, "0"), (-12.3456, "−12.35")]
)
def test_long_and_tiny_numbers_stay_short(stage: Page, value: float, text: str):
    script = "async (value) => (await import('/modules/canvas.js')).format(value)"
    assert stage.evaluate(script, value) == text


def test_neighbouring_labels_never_read_the_same(stage: Page):
    script = "async (span) => (await import('/modules/stage/strip/strip_text.js')).axisTicks(...span).map(t => t[1])"
    labels = stage.evaluate(script, [85560123, 85560125, 3])
    assert len(set(labels)) == len(labels) > 1


@pytest.mark.parametrize(("low", "high"), [(0.45, 1.95), (-1.8, 0.6), (0, 1), (-3e-5, 2e-5), (996, 1003)])
def test_an_axis_has_two_numbers_at_least(stage: Page, low: float, high: float):
    script = "async ([low, high]) => (await import('/modules/stage/strip/strip_text.js')).axisTicks(low, high, 2)"
    places = stage.evaluate(script, [low, high])
    assert 2 <= len(places) <= 5 and all(low <= place <= high for place, _ in places)


def test_a_class_is_predicted_by_name_with_its_probability(stage: Page):
    seen, header = show(stage, {}, labelled())
    press(stage, "End")
    text = readout(stage)["text"]
    actual = header["classes"][header["truth"][-1]]
    assert re.search(r"predicts (up|down) \d+\u202f%", text) and f"actual {actual} " in text
    assert seen["truth"]["text"] == f"actual {actual}" and seen["span"] == [0, 1]


def test_each_step_of_a_per_step_classifier_is_held_against_its_own_truth(stage: Page):
    show(stage, {"head": "per_step"}, labelled())
    values, shares, truth = stage.evaluate(
        "(({ prediction }, { truth }) => [[...prediction.values], [...prediction.shares], truth])"
        "(stage.state.sides[0], stage.state.scene)"
    )
    assert len(set(truth)) == 2
    assert values == pytest.approx(np.reshape(shares, (-1, 2))[np.arange(len(truth)), truth], abs=1e-6)


def test_symbols_stand_along_the_strip_and_turn_over_like_pages(stage: Page):
    *_, header, arrays = scene_of({"head": "per_step"}, symbols())
    mount(stage, header, arrays)
    press(stage, "Home")
    seen = readout(stage)
    (_, reads), (_, following), (_, predicted) = seen["rows"]
    assert [label for label, _ in seen["rows"]] == ["reads", "actual next", "predicted"]
    names = "".join(cell["text"] for cell in reads)
    assert names in "abc" * 40 and 20 < len(names) < 100  # as many as can be read
    assert "".join(cell["text"] for cell in following)[:-1] == names[1:]
    for cell, actual in zip(predicted, following, strict=True):
        assert 0 < cell["share"] <= 1 and cell["wrong"] == (cell["text"] != actual["text"])
    assert seen["main"] == seen["others"] == []
    assert re.search(
        r"step 1 of 100 · reads [abc] · predicts [abc] \d+\u202f%.* · actual [abc] \d+\u202f%", seen["text"]
    )
    press(stage, "End")
    first, count = readout(stage)["page"]
    assert first + count == 100 and first > 0
    box = stage.locator(".stage-series").bounding_box()
    stage.mouse.click(box["x"] + box["width"] - 8, box["y"] + 40)
    assert stage.evaluate("stage.state.step") == 99


def test_predictions_have_no_gates_colour(stage: Page):
    gates = stage.evaluate("Object.values(stage.state.colors)")
    predictions = stage.evaluate("stage.state.predictionColors")
    assert len(predictions) == 2 and not set(gates) & set(predictions)


@pytest.mark.slow
@pytest.mark.parametrize(("size", "least"), [((1280, 720), 122), ((1920, 1080), 200)])
def test_the_strip_has_room_and_keeps_it(new_stage: Callable[..., Page], size: tuple[int, int], least: int):
    page = new_stage(size=size)
    box = page.locator(".stage-series").bounding_box()
    assert box["height"] >= least
    set_state(page, compare={"kind": "start"})
    assert page.locator(".stage-series").bounding_box() == box


def test_steps_are_counted_from_one_to_their_number(stage: Page):
    press(stage, "Home")
    assert readout(stage)["text"].startswith("1984 · step 1 of 24")
    assert stage.locator(".stage-time output").inner_text() == "step 1 of 24"
    assert stage.locator(".stage-spoken").inner_text().startswith("Step 1,")
    assert "to step 2" in stage.locator(".cell").first.text_content()
    press(stage, "End")
    assert stage.locator(".stage-time output").inner_text() == "step 24 of 24"


@pytest.mark.slow
def test_the_one_of_a_one_hot_input_is_never_lost_among_the_drawn_cells(stage: Page):
    rows = np.arange(300)
    names = [f"s{k}" for k in range(40)]
    columns = {name: (rows % 40 == k).astype(np.float32) for k, name in enumerate(names)}
    windows = make_windows(
        table_of(**columns, y=np.array(names)[(rows + 1) % 40]), spec_of(features=tuple(names), horizon=0, seq_len=40)
    )
    show(stage, {"head": "per_step"}, windows)
    for _ in range(40):
        colours = stage.locator("[data-part=x] rect").evaluate_all("all => all.map((one) => one.style.fill)")
        assert len({colour for colour in colours if colour.startswith("rgb")}) == 2
        press(stage, "ArrowLeft" if stage.evaluate("stage.state.step") else "ArrowRight")


# ---- symbols as text in lines, on Start and on Gates


@pytest.mark.parametrize(("letters", "width", "lines", "across"), [(1, 400, 2, 24), (1, 600, 2, 30), (3, 600, 2, 18)])
def test_symbols_are_read_in_lines_that_turn_over(stage: Page, letters: int, width: int, lines: int, across: int):
    """60 steps: in equal lines if all fit, else as many as can be read; each point finds its symbol."""
    script = """async ([symbols, width, lines]) => {
      const { paintSymbols, stepAtPoint, textHeight } = await import('/modules/symbols.js');
      const pen = new OffscreenCanvas(1000, 100).getContext('2d'), theme = { font: 'sans-serif', text: 'black' };
      const box = { x: 10, y: 20, w: width, h: 24 * lines }, places = [];
      pen.fillText = (text, x, y) => places.push([x, y]);
      const page = paintSymbols(pen, theme, box, symbols, 59);
      const found = places.map(([x, y]) => stepAtPoint(box, symbols, 59, { x, y }));
      return { ...page, found, places, high: textHeight(symbols, width, lines) };
    }"""
    seen = stage.evaluate(script, [["s" * letters] * 60, width, lines])
    assert seen["across"] == across and seen["high"] == 24 * lines
    assert seen["count"] == min(60, lines * across) and seen["first"] + seen["count"] == 60
    assert seen["found"] == list(range(seen["first"], 60))
    assert len({y for _, y in seen["places"]}) == lines
