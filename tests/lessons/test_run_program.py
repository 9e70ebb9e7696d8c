"""A program of a lesson: its notes, and its process: watched, stopped, killed, one a visitor."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lstm_core.experiment import PlaygroundError
from lstm_core.lessons import lessons, run_program
from lstm_core.lessons.catalog import MODULES
from lstm_core.lessons.program import PROGRAMS, Program, load_program, measured, read_notes, read_program
from lstm_core.lessons.run_program import LAUNCHER, ProgramRun, ProgramRuns
from lstm_core.runs.home import home

NAMES = sorted(path.stem for path in PROGRAMS.glob("*.py") if path.stem != "__init__")
ENDLESS = "import time\nprint('begun', flush=True)\nwhile True:\n    time.sleep(0.01)\n"
DEADLINE = 30.0  # seconds for what takes far less: the machine may be busy


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Program]:
    monkeypatch.setenv("LSTM_PLAYGROUND_HOME", str(tmp_path / "home"))

    def write(source: str, name: str = "script") -> Program:
        path = tmp_path / f"{name}.py"
        path.write_text(source, encoding="utf-8")
        return read_program(path)

    return write


def wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def ended(program: Program, seed: int = 1, *arguments: str, **more: float) -> ProgramRun:
    run = ProgramRun(program, seed, *arguments, **more)
    run.wait()
    return run


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")  # one that nobody has waited for yet is dead as well
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def test_each_program_belongs_to_a_lesson():
    chosen = {name: lesson.program for name, lesson in lessons().items() if lesson.program}
    assert sorted(chosen.values()) == NAMES
    assert all(MODULES[name].startswith("tutorials.") for name in chosen)


@pytest.mark.parametrize("name", NAMES)
def test_notes_are_numbered_stand_above_code_and_have_something_measured(name):
    program = load_program(name)
    assert sorted(note.number for note in program.notes) == list(range(1, len(program.notes) + 1))
    assert len(program.lines) <= 300
    assert f"python {name}.py --seed 42" in program.docstring[1]
    for note in program.notes:
        assert note.tutorial.endswith(".") and note.right.endswith(".")
        assert program.lines[note.line - 1].strip() and not program.lines[note.line - 1].lstrip().startswith("#")
        claims = (PROGRAMS.parent / "catalog/tutorials/claims/claims.py").read_text(encoding="utf-8")
        assert not note.claim or f'        "{note.claim}",\n' in claims
        is_of_words_alone = (name, note.number) == ("minibatches", 2)  # recursive for recurrent
        assert is_of_words_alone or f'"[{note.number}] ' in program.source


def test_a_note_goes_on_over_lines_and_ends_with_its_comment():
    lines = (
        "x = 1",
        "    # [2] Tutorial: a long",
        "    #     sentence.",
        "    #     Right: another",
        "    #     one.",
        "    #     See: gru",
        "    # an ordinary comment",
        "    y = 2",
    )
    (note,) = read_notes(lines)
    assert (note.number, note.tutorial, note.right, note.claim) == (2, "a long sentence.", "another one.", "gru")
    assert (note.begin, note.line) == (2, 8)
    with pytest.raises(ValueError, match="Line 1"):
        read_notes(("# [1] Tutorial: nothing more.", "x = 1"))


def test_a_measured_line_is_one_that_begins_with_its_number():
    assert measured("[12] 3 of 4") == (12, "3 of 4")
    assert measured("Epoch [10/100], Loss: 1") is None
    assert measured("[[0.1, 0.2]]") is None


def test_each_print_comes_with_its_line_and_the_seed_is_passed(write):
    source = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int)
parser.add_argument("--more")
options = parser.parse_args()

def tell(text):
    print(text, "é", sep="<>")

tell("[1] a")
print("two\\nlines")
list(map(print, [options.seed]))
print(options.more, end="")
print("{}")
"""
    run = ended(write(source), 7, "--more", "b")
    assert (run.status, run.error) == ("finished", "")
    printed = [(one.line, one.text) for one in run.printed()]
    assert printed == [(9, "[1] a<>é"), (12, "two\nlines"), (13, "7"), (14, "b"), (15, "{}")]
    assert run.measured() == {1: ["a<>é"]}
    assert list((home() / "programs").iterdir()) == [], "its folder is gone"


def test_what_it_logs_is_read_and_made_an_event_file(write):
    source = """
from pathlib import Path
folder = Path("lightning_logs/version_0")
folder.mkdir(parents=True)
(folder / "metrics.csv").write_text("epoch,out_0,out_1,step,train_loss\\n0,0.5,0.25,49,2.0\\n1,0.5,0.125,99,1.0\\n2,0.")
"""
    run = ended(write(source))
    assert run.status == "finished", run.error
    steps, values = run.scalars()["out_1"]
    assert steps.tolist() == [49.0, 99.0] and values.tolist() == [0.25, 0.125], "half a row does not count"
    data = run.event_file()
    assert data.count(b"train_loss") == data.count(b"out_0") == 2
    assert ended(write("print(1)")).scalars() == {}


def test_a_program_that_fails_tells_its_error_and_keeps_what_it_printed(write):
    run = ended(write("print('before')\nraise ValueError('*too* small')\n"))
    assert (run.status, run.error) == ("failed", "ValueError: *too* small")
    assert [one.text for one in run.printed()] == ["before"]
    silent = ended(write("import os\nos._exit(5)\n"))
    assert (silent.status, silent.error) == ("failed", "It ended with status 5.")


def test_stop_kills_it_and_is_harmless_afterwards(write):
    run = ProgramRun(write(ENDLESS), 1)
    wait_until(lambda: run.printed() != [])
    run.stop()
    assert run.status == "stopped" and [one.text for one in run.printed()] == ["begun"]
    run.stop()
    assert run.status == "stopped"
    done = ended(write("print(1)"))
    done.stop()
    assert done.status == "finished"


def test_it_ends_after_its_time_and_where_nobody_looks(write, monkeypatch):
    assert ended(write(ENDLESS), seconds=0.2).status == "timeout"
    monkeypatch.setattr(run_program, "UNWATCHED_SECONDS", 0.2)
    run = ProgramRun(write(ENDLESS), 1)
    wait_until(lambda: not run.is_active)
    assert run.status == "unwatched"


def test_one_that_prints_without_end_is_stopped(write, monkeypatch):
    monkeypatch.setattr(run_program, "MAX_BYTES", 10_000)
    run = ended(write("while True:\n    print('x' * 100)\n"))
    assert run.status == "failed" and "10,000 bytes" in run.error
    assert sum(len(one.text) for one in run.printed()) <= 10_000


def test_it_ends_with_the_server(write):
    """The launcher alone, below a process that dies without a word."""
    script = write("import os, time\nprint(os.getpid())\ntime.sleep(600)\n").path
    code = f"""
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-P", {str(LAUNCHER)!r}, {str(script)!r}], stdin=-1, stdout=-1)
print(child.stdout.readline().decode(), flush=True)
os._exit(0)
"""
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)
    pid = int(json.loads(done.stdout)["text"])
    wait_until(lambda: not is_alive(pid))


@pytest.mark.parametrize("seed", [-1, 2**31])
def test_a_seed_out_of_range_starts_nothing(write, seed):
    with pytest.raises(PlaygroundError, match="0 to 2147483647"):
        ProgramRun(write(ENDLESS), seed)


def test_a_visitor_has_one_at_a_time_and_others_are_left_alone(write):
    runs, first, second = ProgramRuns(), write(ENDLESS, "first"), write(ENDLESS, "second")
    mine, other = runs.start("me", first, 1), runs.start("you", first, 1)
    assert runs.get("me", "first") is mine and runs.get("me", "second") is None
    next_one = runs.start("me", second, 2)
    assert mine.status == "stopped" and next_one.is_active and other.is_active
    assert runs.get("me", "second") is next_one and runs.get("me", "first") is None
    runs.MAX_ACTIVE = 2
    with pytest.raises(PlaygroundError, match="2 programs are running"):
        runs.start("third", first, 1)
    next_one.stop()
    other.stop()
    third = runs.start("third", first, 1)
    third.stop()


def test_a_full_disk_is_one_sentence(write, monkeypatch):
    def full(**arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_program.tempfile, "mkdtemp", full)
    with pytest.raises(PlaygroundError, match="No space left on device"):
        ProgramRun(write("print(1)"), 1)


def test_folders_that_a_killed_server_left_are_removed(write):
    old, young = (home() / "programs" / name for name in ("old", "young"))
    for folder in (old, young):
        folder.mkdir(parents=True)
    os.utime(old, (1.0, 1.0))
    ended(write("print(1)"))
    assert not old.exists() and young.exists()
