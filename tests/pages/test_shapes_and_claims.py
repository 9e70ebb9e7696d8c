"""The lessons Shapes and Claims as a visitor meets them: every preset, view and claim, and nonsense typed in."""

from __future__ import annotations

import pytest

from lstm_core.lessons.catalog.claims.claims import CLAIMS
from lstm_core.lessons.catalog.claims.demonstrations import Demonstration
from lstm_core.lessons.catalog.shapes.run_call import PRESETS, run_call
from pages.shared.lessons.widgets import claims as claims_page
from pages.shared.lessons.widgets.shape_lab import VIEWS
from tests.pages.conftest import unescaped


@pytest.fixture
def lesson(visit):
    """Opens a lesson by its address."""

    def opened(name: str, **address: str):
        return visit("lessons", lesson=name, **address)

    return opened


def code(tab) -> list[str]:
    return [block.value for block in tab.at.code]


def shown(tab) -> str:
    """The demonstration's sentence, if there is one."""
    return unescaped("".join(box.value for box in tab.at.success))


def test_the_lab_opens_on_the_tutorials_call(lesson):
    tab = lesson("shapes")
    assert "lstm = nn.LSTM(10, 20, 2)" in code(tab)[0]
    table = tab.at.dataframe[0].value
    shapes = dict(zip(table["tensor"], table["shape"], strict=True))
    assert shapes["output"] == "(5, 3, 20)"
    assert shapes["h_n"] == shapes["c_0"] == "(2, 3, 20)"
    assert not tab.errors()


def test_every_preset_shows_what_pytorch_does(lesson):
    tab = lesson("shapes")
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


def test_an_edit_is_run_and_said(lesson):
    tab = lesson("shapes").set("lab_bidirectional", True)
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
def test_nonsense_is_refused_in_one_sentence_and_everything_else_keeps_its_value(lesson, key, value):
    tab = lesson("shapes").set("lab_num_layers", 3).set("lab_c_0", "3, 3, 20").set("lab_h_0", "3, 3, 20")
    tab.set(key, value)
    assert len(tab.errors()) == 1
    assert tab.errors()[0].endswith(".")
    assert "example.org" not in tab.markdown()
    assert (tab.widget("lab_num_layers").value, tab.widget("lab_c_0").value) == (3, "3, 3, 20")


def test_each_view_has_its_address(lesson):
    pictures = {"output and h_n": "blocks", "Padding and packing": "packing"}
    for view in VIEWS:
        tab = lesson("shapes", shapes=view)
        assert tab.widget("shapes_view").value == view
        assert not tab.errors()
        if view in pictures:
            assert tab.figure(pictures[view])["data"] or tab.figure(pictures[view])["layout"]["shapes"]
    assert lesson("shapes", shapes="nowhere").widget("shapes_view").value == next(iter(VIEWS))


def test_the_slices_follow_batch_first_and_direction(lesson):
    tab = lesson("shapes", shapes="output and h_n")
    assert "output[0, :, H:]" in code(tab)[0]
    tab.set("ends_batch_first", True)
    assert "output[:, 0, H:]" in code(tab)[0]
    tab.set("ends_bidirectional", False)
    assert "output[:, -1, :]" in code(tab)[0]
    assert "H:" not in code(tab)[0]


def test_two_ways_are_shown_equal(lesson):
    tab = lesson("shapes", shapes="Two ways to run it")
    table = tab.at.table[0].value
    assert list(table["one at a time"]) == list(table["all at once"])
    assert list(table["one at a time, state forgotten"])[1:] != list(table["all at once"])[1:]


def test_packing_refuses_what_it_cannot_show(lesson):
    tab = lesson("shapes", shapes="Padding and packing").set("pack_lengths", "0, 3")
    assert "from 1 to 50" in tab.errors()[0]
    assert not tab.set("pack_lengths", "2, 4").errors()


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_each_claim_has_its_address_and_shows_its_verdict(lesson, claim):
    tab = lesson("claims", claim=claim.name)
    assert claim.statement in tab.at.subheader[0].value
    assert claim.verdict in tab.words()
    assert claim.source in tab.words()
    assert len(tab.at.success) == (not claim.slow)
    assert tab.at.query_params["claim"] == claim.name


def test_choosing_another_claim_changes_the_address(lesson):
    tab = lesson("claims")
    tab.at.radio(key="claim").set_value("biases")
    tab.run()
    assert tab.at.query_params["claim"] == "biases"
    before = shown(tab)
    assert shown(tab.set("seed_biases", 5)) != before
    assert tab.set("size_biases", 16).at.table[0].value["biases"].tolist() == ["128", "64"]


def test_what_trains_runs_on_a_click_and_stays_for_its_own_numbers(lesson, monkeypatch):
    asked = []

    def demonstrate(seed, size):
        asked.append((seed, size))
        return Demonstration(len(asked) == 1, f"run {len(asked)} [x](y)")

    claim = claims_page._BY_NAME["gru"]
    quick = type(claim)(**vars(claim) | {"demonstrate": demonstrate})
    monkeypatch.setitem(claims_page._BY_NAME, "gru", quick)
    tab = lesson("claims", claim="gru")
    assert asked == []
    assert "run 1 [x](y)" in shown(tab.press("run_claim"))
    assert "run 1" in shown(tab.run())
    assert asked == [(0, claim.size.default)]
    assert shown(tab.set("seed_gru", 3)) == ""
    assert "do not show it" in tab.press("run_claim").words()
    assert asked[1:] == [(3, claim.size.default)]


def test_the_figures_are_for_any_theme(lesson):
    tab = lesson("claims", claim="initialisation")
    layout = tab.figure("claim_initialisation")["layout"]
    assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"
