"""The drawn cell in Chromium: its numbers are the trace's, its equations add up, its parts open and close."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.on_stage import MODELS, mount, packed, set_state
from tests.conftest import quick
from tests.factories import scene_of, wave

SUMS = """async ([bytes, layer, direction]) => {
  const { decode } = await import("/modules/stage/scene.js");
  const { reader } = await import("/modules/stage/cell/equations.js");
  const scene = decode(Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0)));
  const from = reader(scene, scene, layer, direction);
  return ["i", "f", "g", "o"].map((gate) => Array.from({ length: scene.hidden }, (_, unit) =>
    Array.from({ length: scene.steps }, (_, step) => from.gate(gate, unit, step, 3).computed)));
}"""
# Words outside their cell, and panels that would have to be scrolled, with every part of every such unit opened.
CUT_OFF = """([units, parts]) => {
  const found = [];
  for (const unit of units) for (const part of parts) {
    stage.state.set({ unit, part });
    stage.state.notify();
    for (const cell of document.querySelectorAll(".cell")) {
      const { left, right, top, bottom } = cell.parentElement.getBoundingClientRect();
      for (const text of cell.querySelectorAll("text")) {
        const box = text.getBoundingClientRect();
        const inside = box.left >= left && box.right <= right && box.top >= top - 3 && box.bottom <= bottom + 3;
        if (box.width && !inside) found.push([unit, part, text.textContent]);
      }
    }
    for (const panel of document.querySelectorAll(".cell-panel")) {
      const fits = panel.scrollHeight <= panel.clientHeight + 1 && panel.scrollWidth <= panel.clientWidth + 1;
      if (!fits) found.push([unit, part, panel.innerText]);
    }
  }
  return found;
}"""


class Cell:
    """The large stage of a small model."""

    def __init__(self, page: Page, model: dict, windows=None, steps: int = 5) -> None:
        self.page = page
        _, _, self.trace, _, self.header, self.arrays = scene_of(model, windows, steps)
        self.mount(self.header, self.arrays)

    def mount(self, header: dict, arrays: list[np.ndarray]) -> None:
        mount(self.page, header, arrays)
        self.set(stage=True)
        expect(self.part("f")).to_be_visible()

    def set(self, **fields) -> Cell:
        set_state(self.page, **fields)
        return self

    def part(self, name: str) -> Locator:
        return self.page.locator(f"[data-part={name}]").first

    def values(self, name: str) -> list[str]:
        return self.part(name).locator(".cell-value").all_text_contents()

    def equation(self, name: str) -> str:
        return "".join(self.part(name).locator(".cell-equation").all_text_contents())

    def panel(self) -> Locator:
        return self.page.locator(".cell-panel").first

    def now(self, name: str, layer: int, direction: int, unit: int, step: int) -> float:
        """The trace's number; 0 outside the window."""
        values = self.trace.gate(name)[layer, direction, 0]
        return float(values[step, unit]) if 0 <= step < len(values) else 0.0


def shown(value: float) -> str:
    return re.sub(r"^-(?=[0.]+$)", "", f"{value:.2f}").replace("-", "−")


def calculated(words: str) -> float:
    """What a pocket calculator makes of the numbers as they are printed."""
    assert re.fullmatch(r"[\d.()+·− ]+", words), words
    return eval(words.replace("−", "-").replace("·", "*"))  # digits and operators only: asserted above


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("name", quick(MODELS, "deep"))
def test_the_numbers_on_screen_are_the_traces_own(stage: Page, name: str):
    cell = Cell(stage, MODELS[name])
    steps, width = cell.header["steps"], cell.header["width"]
    for layer in range(cell.header["layers"]):
        for direction in range(cell.header["directions"]):
            for unit, step in ((0, 0), (1, steps // 2), (width - 1, steps - 1)):
                cell.set(layer=layer, direction=direction, unit=unit, step=step)
                past = step + 1 if direction else step - 1  # a reverse direction comes from the window's end
                at = (layer, direction, unit)
                for name in "figo":
                    assert cell.values(name) == [shown(cell.now(name, *at, step))]
                assert cell.values("c") == [shown(cell.now("c", *at, past)), shown(cell.now("c", *at, step))]
                assert cell.values("h") == [shown(cell.now("h", *at, step))]
                assert cell.values("x")[0] == shown(cell.now("h", *at, past))


@pytest.mark.filterwarnings("ignore:LSTM with projections")
def test_every_gate_is_what_its_equation_gives(stage: Page):
    for model in MODELS.values():
        *_, trace, _, header, arrays = scene_of(model)
        for layer in range(header["layers"]):
            for direction in range(header["directions"]):
                found = stage.evaluate(SUMS, [packed(header, arrays), layer, direction])
                expected = [trace.gate(name)[layer, direction, 0].numpy().T for name in "ifgo"]
                np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("kind", quick(MODELS, "deep"))
def test_the_printed_terms_add_up_to_the_printed_sum(stage: Page, kind: str):
    cell = Cell(stage, MODELS[kind])
    for step in range(0, cell.header["steps"], 2):
        cell.set(step=step, unit=step % cell.header["hidden"], layer=cell.header["layers"] - 1)
        for name in "figo":
            words = cell.equation(name).replace(" rest", "")
            found = re.fullmatch(r"\wt = (σ|tanh)\((.+)\)= (σ|tanh)\((.+?)\) [=≈] (.+)", words)
            assert found, words
            assert calculated(found[2]) == pytest.approx(calculated(found[4]), abs=0.0051)
            assert [found[5]] == cell.values(name)


def test_the_memorys_equation_has_the_numbers_of_its_parts(stage: Page):
    cell = Cell(stage, {}).set(step=3, unit=2)
    sides = re.fullmatch(r"ct = (.+) ([=≈]) (.+)", cell.equation("c"))
    f, before, i, g = re.fullmatch(r"(.+)·(.+) \+ (.+)·(.+)", sides[1]).groups()
    parts = [cell.values("f")[0], cell.values("c")[0], cell.values("i")[0], cell.values("g")[0]]
    assert [word.strip("()") for word in (f, before, i, g)] == parts
    assert [sides[3]] == cell.values("c")[1:]
    assert (sides[2] == "=") == (round(calculated(sides[1]), 2) == calculated(sides[3]))
    assert re.fullmatch(r"ht = .+·tanh\(.+\)[=≈] .+", cell.equation("h"))


def test_a_part_opens_with_a_sentence_in_numbers_and_closes_again(stage: Page):
    cell = Cell(stage, {}).set(step=3, unit=2)
    cell.part("f").locator(".cell-frame").click()
    f, before = cell.now("f", 0, 0, 2, 3), cell.now("c", 0, 0, 2, 2)
    words = f"It keeps {round(100 * f)} % of what unit 2 remembered: {shown(before)} becomes {shown(f * before)}."
    expect(cell.panel()).to_contain_text(words)
    expect(cell.part("f")).to_have_attribute("aria-pressed", "true")
    cell.page.keyboard.press("Escape")
    expect(cell.panel()).to_be_hidden()
    for name in "figochx":
        for key in ("Enter", " "):
            cell.part(name).focus()
            cell.page.keyboard.press(key)
            expect(cell.part(name)).to_have_attribute("aria-pressed", "true")
            expect(cell.panel()).to_be_visible()
            cell.page.keyboard.press(key)
            expect(cell.panel()).to_be_hidden()
    assert cell.page.evaluate("stage.state.playing") is False


def test_an_open_part_lists_its_terms_by_size_and_follows_the_step(stage: Page):
    cell = Cell(stage, {"hidden_size": 16}).set(step=3, unit=2, part="o")
    rows = cell.panel().locator(".cell-term:visible")
    expect(rows).to_have_count(10)  # the bias, eight terms, the rest
    names = rows.locator("span:first-child").all_text_contents()
    assert names[0] == "bias b" and "a" in names and names[-1] == "rest: 9 more"
    sizes = [abs(calculated(value)) for value in rows.locator("b").all_text_contents()[1:-1]]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > 0
    expect(cell.panel()).to_contain_text(f"= {shown(cell.now('o', 0, 0, 2, 3))}")
    cell.set(step=4)
    expect(cell.panel()).to_contain_text(f"= {shown(cell.now('o', 0, 0, 2, 4))}")


def test_before_the_first_step_there_is_nothing_and_without_bias_no_term_for_it(stage: Page):
    cell = Cell(stage, {"bias": False, "bidirectional": True})
    for direction, first in ((0, 0), (1, cell.header["steps"] - 1)):
        cell.set(direction=direction, step=first, part="f")
        expect(cell.panel()).to_contain_text("Nothing is remembered yet")
        expect(cell.panel()).not_to_contain_text("bias")
        assert cell.values("c")[0] == cell.values("x")[0] == "0.00"
        sign = "t+1" if direction else "t−1"
        assert sign in cell.part("c").text_content()


@pytest.mark.filterwarnings("ignore:LSTM with projections")
def test_a_projected_h_has_units_of_its_own(stage: Page):
    cell = Cell(stage, MODELS["projected"]).set(step=3, unit=1, part="h")
    expect(cell.panel()).to_contain_text(
        f"With W_hr, 2 units of h are made from the 5 values o · tanh(c). h1 is {shown(cell.now('h', 0, 0, 1, 3))}."
    )
    cell.set(unit=4)  # there is no h4
    unit_output = cell.now("o", 0, 0, 4, 3) * math.tanh(cell.now("c", 0, 0, 4, 3))
    expect(cell.panel()).to_contain_text(f"Unit 4 gives {shown(unit_output)} to them.")


def test_a_whole_layer_is_shown_as_distributions_with_their_means(stage: Page):
    cell = Cell(stage, {}).set(step=3, unit=None)
    for name in "figo":
        mean = float(cell.trace.gate(name)[0, 0, 0, 3].double().mean())
        assert cell.values(name) == [""]
        assert cell.part(name).locator(".cell-mean").text_content() == f"mean {shown(mean)}"
        assert cell.part(name).locator(".cell-bars").get_attribute("d").count("M") > 0
    cell.set(part="f")
    expect(cell.panel()).to_contain_text("Over 6 units the mean is")


def test_a_gate_that_was_set_by_hand_says_so(stage: Page):
    cell = Cell(stage, {})
    edit = {"gate": "f", "kind": "clamp", "value": 0.0, "layer": 0, "direction": 0, "unit": None}
    cell.set(step=3, unit=2, compare={"kind": "edit", "edit": edit})
    expect(cell.page.locator("[data-part=f]")).to_have_count(2)
    altered = cell.page.locator("[data-part=f]").nth(1)
    expect(altered.locator(".cell-equation")).to_contain_text(", set to 0.00")
    expect(altered.locator(".cell-value")).to_have_text("0.00")
    assert cell.values("f") == [shown(cell.now("f", 0, 0, 2, 3))]
    assert "set to" not in cell.equation("f")


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.slow
@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
def test_nothing_is_cut_off_alone_or_side_by_side(new_stage: Callable[..., Page], size: tuple[int, int]):
    page = new_stage(size=size)
    for model in ({"num_layers": 2, "bidirectional": True, "hidden_size": 128}, MODELS["projected"]):
        cell = Cell(page, model, steps=1)  # one snapshot of so many weights
        for compare, cells in ((None, 1), ({"kind": "start"}, 2)):
            cell.set(compare=compare)
            expect(cell.page.locator(".cell:visible")).to_have_count(cells)
            cell.set(layer=cell.header["layers"] - 1)
            assert page.evaluate(CUT_OFF, [[3, None], [None, *"figochx"]]) == []


def test_a_step_writes_numbers_and_never_builds_the_picture_again(stage: Page):
    cell = Cell(stage, {}).set(part="i", step=0)
    built = cell.page.evaluate(
        """async () => {
          let built = 0;
          const watch = new MutationObserver((changes) => changes.forEach(({ addedNodes }) =>
            addedNodes.forEach((node) => { built += node.nodeType === Node.ELEMENT_NODE; })));
          watch.observe(document.querySelector(".stage-cell"), { childList: true, subtree: true });
          for (let step = 0; step < 6; step++) {
            stage.state.set({ step, unit: step % 2 ? null : step });
            await new Promise(requestAnimationFrame);
          }
          await new Promise(requestAnimationFrame);
          return built;
        }"""
    )
    assert built == 0
    assert cell.values("i") == [""]  # the last was a whole layer


def test_names_from_a_file_stay_text(stage: Page):
    hostile = "<img src=x onerror=alert(1)>"
    cell = Cell(stage, {})
    cell.header["features"] = [hostile]
    cell.mount(cell.header, cell.arrays)
    cell.set(part="x")
    expect(cell.panel()).to_contain_text(hostile)
    assert cell.page.locator(".stage img").count() == 0


@pytest.mark.slow
@pytest.mark.parametrize(("seq_len", "hidden"), [(1, 1), (1, 6), (6, 1)])
def test_one_step_and_one_unit_are_drawn_like_any_other(stage: Page, seq_len: int, hidden: int):
    cell = Cell(stage, {"hidden_size": hidden}, wave(seq_len=seq_len))
    for part in [None, *"figochx"]:
        for unit in (0, None):
            cell.set(part=part, unit=unit)
    cell.set(part=None, unit=0, step=seq_len - 1)
    assert cell.values("c")[1] == shown(cell.now("c", 0, 0, 0, seq_len - 1))


@pytest.mark.slow
def test_weights_that_have_diverged_are_shown_as_what_they_are(stage: Page):
    cell = Cell(stage, {"num_layers": 2})
    broken = [np.full_like(array, np.nan) for array in cell.arrays[2:]]
    cell.mount(cell.header, [*cell.arrays[:2], *broken])
    for part in [None, *"figochx"]:
        for unit in (0, None):
            cell.set(part=part, unit=unit, layer=1)
    cell.set(part=None, unit=0, step=2)
    assert cell.values("f") == cell.values("h") == ["NaN"]
