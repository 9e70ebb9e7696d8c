"""What is taken away: the picture as PNG and SVG, and the stage as one file that plays from disk."""

from __future__ import annotations

import base64
import io
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.on_stage import (
    HOSTILE,
    caption,
    choose,
    draw,
    exported,
    last,
    mount,
    names,
    open_stage,
    press,
    pull,
    values,
)
from tests.browser.tab import Tab
from tests.factories import scene_of

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def page(stage: Page) -> Page:
    return stage


def take(page: Page, title: str) -> tuple[str, bytes]:
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.locator(".stage-menu-export button", has_text=title).click()
    expect(page.locator(".stage-menu-export [role=status]")).to_have_text(
        f"Saved as {download.value.suggested_filename}"
    )
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def picture_size(page: Page) -> tuple[float, float]:
    """The stage down to its bar."""
    stage, bar = page.locator(".stage").bounding_box(), page.locator(".stage-bar").bounding_box()
    return stage["width"], bar["y"] - stage["y"]


@pytest.mark.slow
def test_the_png_is_the_stage_twice_as_fine(page: Page):
    choose(page, "Forget gate stuck shut")
    name, content = take(page, "Image, PNG")
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    assert name == "lstm-stage.png"
    assert picture.size == tuple(int(2 * int(size)) for size in picture_size(page))
    for part in (".stage-series", ".stage-half:nth-child(2)", ".stage-maps:nth-child(2)"):
        box, stage = page.locator(part).bounding_box(), page.locator(".stage").bounding_box()
        left, top = 2 * (box["x"] - stage["x"]), 2 * (box["y"] - stage["y"])
        piece = picture.crop((left, top, left + 2 * box["width"], top + 2 * box["height"]))
        assert len(piece.getcolors(1 << 24)) > 20, f"{part} is empty"


def test_the_svg_needs_nothing_but_itself(page: Page):
    name, content = take(page, "Image, SVG")
    root = ET.fromstring(content)
    assert name == "lstm-stage.svg" and root.tag == f"{SVG}svg"
    assert (float(root.get("width")), float(root.get("height"))) == pytest.approx(picture_size(page))
    text = " ".join("".join(text.itertext()) for text in root.iter(f"{SVG}text"))
    assert "forget gate" in text and "tanh" in text
    images = list(root.iter(f"{SVG}image"))
    assert len(images) == 4
    for image in images:
        kind, _, content_ = image.get("href").partition(",")
        assert kind == "data:image/png;base64"
        painted = Image.open(io.BytesIO(base64.b64decode(content_)))
        assert painted.width == pytest.approx(2 * float(image.get("width")), abs=1)
    assert not {f"{SVG}script", f"{SVG}foreignObject"} & {node.tag for node in root.iter()}
    assert not re.search(rb"var\(--|url\(&quot;http|url\(.?http", content)


def test_the_screen_is_as_before_afterwards(page: Page):
    pixels = "() => [...document.querySelectorAll('.stage canvas')].map((one) => one.toDataURL())"
    page.get_by_role("button", name="Export").click()
    draw(page)
    before = page.evaluate(pixels)
    with page.expect_download():
        page.locator(".stage-menu-export button", has_text="Image, PNG").click()
    draw(page)
    assert page.evaluate(pixels) == before


def test_the_html_file_plays_from_disk(page: Page, from_disk):
    press(page, "ArrowDown", "ArrowDown", "Home", "ArrowRight")
    pull(page, "learning", last(page, "learning") // 2)
    name, content = take(page, "Interactive page, one HTML file")
    assert name == "lstm-stage.html"
    disk = from_disk(content)
    for which in ("time", "learning"):
        assert caption(disk, which) == caption(page, which)
    assert values(disk) == values(page)
    see_the_same_look(disk, page)
    for key in ("End", "ArrowLeft", "]", "ArrowUp", "l"):
        press(page, key)
        press(disk, key)
        assert values(disk) == values(page), key
    pull(disk, "learning", 0)
    assert caption(disk, "learning") == "untrained"
    choose(disk, "Forget gate stuck shut")
    assert names(disk) == ["as it is", "f = 0 in every unit"] and values(disk, 1)["f"] == 0
    press(disk, "Home", "p", "Space")
    expect(disk.locator(".stage")).to_have_class(re.compile("stage-large"))
    expect(disk.locator(".stage-time output")).to_have_text(re.compile("step [2-9] of"))


def see_the_same_look(disk: Page, page: Page) -> None:
    colour = "() => getComputedStyle(document.querySelector('.stage')).backgroundColor"
    assert disk.evaluate(colour) == page.evaluate(colour)
    assert disk.evaluate("document.fonts.check('16px \"Source Sans\"')")


@pytest.mark.slow  # in the fast tests the file is taken from the stage alone, which looks as in the app
def test_the_comparison_and_the_apps_own_look_travel_with_it(tab: Tab, from_disk):
    page = open_stage(tab)
    choose(page, "Output gate stuck shut")
    press(page, "p", "1")
    disk = from_disk(take(page, "Interactive page, one HTML file")[1])
    assert names(disk) == names(page) and values(disk, 1) == values(page, 1)
    for class_ in ("stage-large", "stage-two"):
        expect(disk.locator(".stage")).to_have_class(re.compile(class_))
    see_the_same_look(disk, page)


def test_names_from_files_stay_text_in_it(page: Page, from_disk):
    *_, header, arrays = scene_of({"num_layers": 2, "bidirectional": True})
    header |= {
        "features": [HOSTILE] * len(header["features"]),
        "series": [HOSTILE] * len(header["series"]),
        "targets": [HOSTILE] * len(header["targets"]),
        "id": HOSTILE,
    }
    mount(page, header, arrays)
    disk = from_disk(exported(page))
    press(disk, "ArrowRight", "l")
    assert disk.evaluate("window.hacked") is None and disk.locator("img").count() == 0


@pytest.mark.slow
def test_a_page_that_was_taken_away_offers_its_pictures(page: Page, from_disk):
    disk = from_disk(take(page, "Interactive page, one HTML file")[1])
    disk.get_by_role("button", name="Export").click()
    expect(disk.locator(".stage-menu-export button")).to_have_count(2)
    with disk.expect_download() as download:
        disk.locator(".stage-menu-export button", has_text="Image, PNG").click()
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
