"""The lesson Shapes as a visitor meets it: every preset and view, and nonsense typed in."""

from __future__ import annotations

import pytest

from lstm_core.lessons.catalog.tutorials.shapes.run_call import PRESETS, run_call
from pages.shared.lessons.widgets.shape_lab import VIEWS
from tests.pages.conftest import open_lesson


def code(tab) -> list[str]:
    return [block.value for block in tab.at.code]


def test_the_lab_opens_on_the_tutorials_call(visit):
    tab = open_lesson(visit, "shapes")
    assert "lstm = nn.LSTM(10, 20, 2)" in code(tab)[0]
    table = tab.at.dataframe[0].value
    shapes = dict(zip(table["tensor"], table["shape"], strict=True))
    assert shapes["output"] == "(5, 3, 20)"
    assert shapes["h_n"] == shapes["c_0"] == "(2, 3, 20)"
    assert not tab.errors()


def test_every_preset_shows_what_pytorch_does(visit):
    tab = open_lesson(visit, "shapes")
    for name, setup in PRESETS.items():
        tab.set("lab_preset", name)
        report = run_call(setup)
        assert code(tab)[0] == "\n".join(report.code), name
        assert (report.problem.text in code(tab)) if report.problem else not tab.errors()
        assert all(note.text in code(tab) for note in report.notes if note.text)
        meanings = [problem.meaning for problem in (report.problem,) if problem] + [
            note.meaning for note in report.notes
        ]
        assert all(meaning in tab.words() for meaning in meanings), name


def test_an_edit_is_run_and_said(visit):
    tab = open_lesson(visit, "shapes").set("lab_bidirectional", True)
    assert "Expected hidden[0] size (4, 3, 20), got [2, 3, 20]" in code(tab)
    assert "2 · 2 = 4" in tab.words()
    tab.set("lab_h_0", "4 x 3 x 20").set("lab_c_0", "torch.Size([4, 3, 20])")
    assert not tab.errors()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("lab_x", "<b>five</b>"),
        ("lab_x", "1000000, 1000000, 10"),
        ("lab_hidden_size", 100_000),
        ("lab_lengths", "a"),
        ("lab_h_0", "![x](http://example.org/x.png)"),
    ],
)
def test_nonsense_is_refused_in_one_sentence_and_everything_else_keeps_its_value(visit, key, value):
    tab = open_lesson(visit, "shapes").set("lab_num_layers", 3).set("lab_c_0", "3, 3, 20").set("lab_h_0", "3, 3, 20")
    tab.set(key, value)
    assert len(tab.errors()) == 1
    assert tab.errors()[0].endswith(".")
    assert "example.org" not in tab.markdown()
    assert (tab.widget("lab_num_layers").value, tab.widget("lab_c_0").value) == (3, "3, 3, 20")


def test_each_view_has_its_address(visit):
    pictures = {"output and h_n": "blocks", "Padding and packing": "packing"}
    for view in VIEWS:
        tab = open_lesson(visit, "shapes", shapes=view)
        assert tab.widget("shapes_view").value == view
        assert not tab.errors()
        if view in pictures:
            assert tab.figure(pictures[view])["data"] or tab.figure(pictures[view])["layout"]["shapes"]
    assert open_lesson(visit, "shapes", shapes="nowhere").widget("shapes_view").value == next(iter(VIEWS))


def test_the_slices_follow_batch_first_and_direction(visit):
    tab = open_lesson(visit, "shapes", shapes="output and h_n")
    assert "output[0, :, H:]" in code(tab)[0]
    tab.set("ends_batch_first", True)
    assert "output[:, 0, H:]" in code(tab)[0]
    tab.set("ends_bidirectional", False)
    assert "output[:, -1, :]" in code(tab)[0]
    assert "H:" not in code(tab)[0]


def test_two_ways_are_shown_equal(visit):
    tab = open_lesson(visit, "shapes", shapes="Two ways to run it")
    table = tab.at.table[0].value
    assert list(table["one at a time"]) == list(table["all at once"])
    assert list(table["one at a time, state forgotten"])[1:] != list(table["all at once"])[1:]


def test_packing_refuses_what_it_cannot_show(visit):
    tab = open_lesson(visit, "shapes", shapes="Padding and packing").set("pack_lengths", "0, 3")
    assert "from 1 to 50" in tab.errors()[0]
    assert not tab.set("pack_lengths", "2, 4").errors()
