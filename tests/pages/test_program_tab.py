"""The tab "The program" as a visitor meets it; what a program prints is tested in tests/lessons."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstm_core.lessons import lessons
from lstm_core.lessons.program import load_program, read_program
from lstm_core.lessons.run_program import Printed
from pages.shared.lessons import program_code, program_tab
from tests.pages.conftest import open_lesson, wait_until

SCRIPT = '''"""A script <b>of</b> a test: it prints.

Run it: somehow.

A paragraph *more*.
"""

import sys

# [1] Tutorial: <i>one</i> & only.
#     Right: two.
#     See: gru
print("seed", sys.argv[2])
print("[1] <u>2</u> of 2")
'''
ENDLESS = SCRIPT + "import time\nwhile True:\n    time.sleep(0.01)\n"


@pytest.fixture(autouse=True)
def stop_all():
    yield
    for run in program_tab.program_runs()._runs.values():
        run.stop()
    program_tab.program_runs.clear()


@pytest.fixture
def use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Let all lessons have this program."""
    monkeypatch.setattr(program_tab, "owner", lambda: "0" * 64)

    def use(source: str) -> None:
        path = tmp_path / "script.py"
        path.write_text(source, encoding="utf-8")
        monkeypatch.setattr(program_tab, "load_program", lambda name: read_program(path))

    return use


def html(tab) -> str:
    return "".join(element.proto.body for element in tab.at.get("html"))


def choose(tab, name: str = "first_lstm"):
    return tab.set(f"half_{name}", "The program")


def ended(tab):
    """The page after the visitor's program has ended by itself."""
    (run,) = program_tab.program_runs()._runs.values()
    wait_until(lambda: not run.is_active, "the program ends")
    return tab.run()


def test_the_choice_is_there_only_with_a_program_and_after_the_question(visit):
    assert lessons()["first_lstm"].program and not lessons()["vanishing"].program
    asked = visit("lessons", lesson="first_lstm")
    assert not asked.at.get("button_group") and "program" not in asked.words()
    assert [one.key for one in asked.press("skip_question").at.get("button_group")] == ["half_first_lstm"]
    assert not open_lesson(visit, "vanishing").at.get("button_group")


def test_each_half_is_drawn_alone_and_the_choice_stays(visit, use):
    use(SCRIPT)
    tab = open_lesson(visit, "first_lstm")
    assert tab.pressable("train") and "run_program" not in [button.key for button in tab.at.button]
    choose(tab)
    for _ in range(2):
        assert tab.pressable("run_program") and not tab.pressable("stop_program")
        assert "train" not in [button.key for button in tab.at.button] and not tab.components()
        tab.run()
    tab.go("data").go("lessons")
    assert tab.pressable("run_program")
    assert tab.set("half_first_lstm", "The lesson").pressable("train")


def test_it_runs_with_the_seed_and_tells_what_was_measured(visit, use):
    use(SCRIPT)
    tab = choose(open_lesson(visit, "first_lstm"))
    assert "A paragraph *more*." in tab.words() and "A script <b>of</b> a test: it prints." in tab.words()
    assert "Measured" not in html(tab) and "1</span><b>Tutorial:</b> &lt;i&gt;one&lt;/i&gt; &amp; only." in html(tab)
    assert "lesson=claims&questions=off&claim=gru" in html(tab)
    tab.set("program_seed_script", 7).press("run_program")
    ended(tab)
    assert "Finished, seed 7." in tab.words()
    assert "<b>Measured, seed 7:</b> &lt;u&gt;2&lt;/u&gt; of 2" in html(tab)
    assert "<span>13</span><span>seed 7</span>" in html(tab)
    assert tab.set("program_seed_script", 8).at.number_input[0].value == 8
    assert "Finished, seed 7." in tab.words(), "of the run that is shown"


def test_stop_ends_it_and_starting_again_as_well(visit, use):
    use(ENDLESS)
    tab = choose(open_lesson(visit, "first_lstm")).press("run_program")
    (first,) = program_tab.program_runs()._runs.values()
    wait_until(lambda: len(first.printed()) == 2, "it has printed")
    tab.run()
    assert "Running with seed 42." in tab.words() and ".program .at-14 {" in html(tab)
    tab.press("run_program")
    assert first.status == "stopped"
    assert "Stopped, seed 42." in tab.press("stop_program").words()
    assert not tab.pressable("stop_program") and tab.pressable("run_program")


def test_a_program_that_fails_shows_its_error_as_text(visit, use):
    use(SCRIPT + "raise ValueError('*so* :red[what]')\n")
    tab = ended(choose(open_lesson(visit, "first_lstm")).press("run_program"))
    assert "Failed, seed 42: ValueError: *so* :red[what]." in tab.words()
    assert ":red[" not in tab.markdown()


def test_what_cannot_be_started_is_one_sentence(visit, use, monkeypatch, tmp_path):
    use(SCRIPT)
    tab = choose(open_lesson(visit, "first_lstm"))
    monkeypatch.setattr("lstm_core.lessons.run_program.sys.executable", str(tmp_path / "nothing"))
    tab.press("run_program")
    assert len(tab.errors()) == 1 and "cannot be started" in tab.errors()[0]


def test_scalars_are_drawn_and_given_as_an_event_file(visit, use):
    lines = "\n".join(f"{k},0.5,0.25,{k},1.0" for k in range(3))
    log = "from pathlib import Path\nfolder = Path('lightning_logs/version_0')\nfolder.mkdir(parents=True)\n"
    log += f"(folder / 'metrics.csv').write_text('''epoch,out_0,out_1,step,train_loss\n{lines}\n''')\n"
    use(SCRIPT + log)
    tab = ended(choose(open_lesson(visit, "first_lstm")).press("run_program"))
    header, _ = tab.component("program_out_0")
    assert "out_0" in str(header) and "out_1" in str(header)
    assert tab.widget("save_events")


@pytest.mark.parametrize("name", sorted({lesson.program for lesson in lessons().values()} - {""}))
def test_the_script_is_shown_whole_but_for_its_docstring_and_notes(name):
    program = load_program(name)
    page = program_code.script(program, {1: ["<b>"]}, 3)
    for number, line in enumerate(program.lines, 1):
        is_code = line.strip() and not line.lstrip().startswith("#") and number >= program.first_line
        assert (f'at-{number}"' in page or f"at-{number} marked" in page) or not is_code, line
    assert page.count('class="note"') == len(program.notes) and "&lt;b&gt;" in page
    assert page.count("marked") == len({note.line for note in program.notes})


def test_output_is_escaped():
    page = program_code.output([Printed(3, "<script>"), Printed(4, "[2] <img>")])
    assert "&lt;script&gt;" in page and '<span class="number">2</span>&lt;img&gt;' in page
