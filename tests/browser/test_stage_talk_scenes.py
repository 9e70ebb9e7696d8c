"""A talk's file may come from anybody: a scene in it that the stage cannot draw, or go on from, is refused."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.hands import two_features
from tests.browser.on_stage import packed
from tests.factories import scene_of

FAULT = """async (scene) => {
  const { faultOf } = await import("/modules/stage/talk/scene_check.js");
  return faultOf(Uint8Array.from(atob(scene), (letter) => letter.charCodeAt(0)));
}"""
FIELDS = [
    "hidden",
    "steps",
    "parameters",
    "truth",
    "snapshots",
    "features",
    "classes",
    "scale",
    "start",
    "others",
    "future",
    "recipes",
    "inputCenter",
]


def fault(page: Page, header: dict, arrays: list) -> str:
    return page.evaluate(FAULT, packed(header, arrays))


@pytest.mark.slow
@pytest.mark.parametrize("field", FIELDS)
def test_a_wrong_field_is_told(stage_of_module: Page, field: str):
    *_, header, arrays = scene_of({}, None, 5)
    assert fault(stage_of_module, header, arrays) == ""
    for wrong in (None, 10**9, "x", [{}], {}):
        assert fault(stage_of_module, header | {field: wrong}, arrays)


@pytest.mark.slow
def test_a_future_of_nonsense_is_told(stage_of_module: Page):
    *_, header, arrays = scene_of({}, two_features(), 5)
    future = header["future"]
    (fed,) = future["fed"]
    assert fault(stage_of_module, header, arrays) == ""
    for wrong in ({"rows": 10**6}, {"known": [99]}, {"fed": []}, {"why": None}, {"map": [0]}):
        assert "field future" in fault(stage_of_module, header | {"future": future | wrong}, arrays)
    for wrong in ({"columns": [99]}, {"index": 7}, {"scale": []}, {"center": ["x"]}):
        damaged = header | {"future": future | {"fed": [fed | wrong]}}
        assert "field future" in fault(stage_of_module, damaged, arrays)


@pytest.mark.slow
def test_a_recipe_of_nonsense_is_told(stage_of_module: Page):
    windows = two_features(start="smooth", season=5, known_future=("pressure",))
    *_, header, arrays = scene_of({}, windows, 5)
    ahead, own = header["recipes"]
    assert fault(stage_of_module, header, arrays) == ""
    for wrong in ({"offsets": [-1]}, {"offsets": None}, {"columns": [99]}, {"why": 1}, {"name": None}):
        assert "field recipes" in fault(stage_of_module, header | {"recipes": [ahead | wrong, own]}, arrays)
    wrongs = ({"index": 9}, {"derived": ["x", "error"]}, {"series": [1]}, {"scale": []}, {"start": {"kind": "x"}})
    for wrong in (*wrongs, {"start": own["start"] | {"rows": -1}}, {"start": own["start"] | {"weights": [1]}}):
        assert "field recipes" in fault(stage_of_module, header | {"recipes": [ahead, own | wrong]}, arrays)
    assert fault(stage_of_module, header | {"recipes": [ahead]}, arrays)  # the target's is missing


@pytest.mark.slow
def test_what_a_moment_leaves_out_is_as_it_was_before_there_was_a_choice(stage_of_module: Page):
    """The talk that ships names no depth: it is about the cell, whatever the page shows."""
    plain = """async () => {
      const { plain } = await import("/modules/stage/talk/moment.js");
      return plain({ title: "A moment", step: 1, question: null, other: "field" });
    }"""
    moment = stage_of_module.evaluate(plain)
    assert moment["level"] == 2 and moment["backward"] is False and moment["ahead"] is None
    assert "other" not in moment
