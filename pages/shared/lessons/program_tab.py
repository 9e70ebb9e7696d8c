"""The tab "The program" of a tutorial's lesson: our script of the tutorial's steps, run while one watches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from lstm_core.figures.lines import Line
from lstm_core.figures.theme import GATE_COLORS, TRAIN_COLOR
from lstm_core.lessons.program import Program, load_program
from lstm_core.lessons.run_program import MAX_SEED, UNWATCHED_SECONDS, ProgramRun, ProgramRuns
from pages.shared.components.download import download
from pages.shared.components.live_plot import live_plot
from pages.shared.lessons import program_code
from pages.shared.session.fields import widget_value
from pages.shared.session.messages import errors_on_top, escape_markdown
from pages.shared.session.owner import owner
from pages.shared.theme import segments, wide_button
from pages.shared.training.live import LESSON_SECONDS, poll

if TYPE_CHECKING:
    from lstm_core.lessons.lesson import Lesson

HALVES = ("The lesson", "The program")
SEED = 42
LIVE_PRINTS = 200  # the last ones, while it runs: all of them at the end
HEIGHT = 640  # of the script, and of what it prints, in CSS pixels
PLOT_HEIGHT = 180
STATUS_HEIGHT = 40
PLOTS = (("train_loss",), ("out_0", "out_1"))
COLORS = {"train_loss": TRAIN_COLOR, "out_0": GATE_COLORS["i"], "out_1": GATE_COLORS["f"]}
ENDED = {  # status → icon, what is told
    "finished": ("check_circle", "Finished"),
    "stopped": ("stop_circle", "Stopped"),
    "unwatched": ("visibility_off", f"Stopped: nobody had this tab open for {UNWATCHED_SECONDS:g} s"),
    "timeout": ("timer_off", "Stopped: it took too long"),
    "failed": ("error", "Failed"),
}


@st.cache_resource(show_spinner=False)
def program_runs() -> ProgramRuns:
    """The process's one: see session.state.workspace_store."""
    return ProgramRuns()


def is_chosen(lesson: Lesson) -> bool:
    """Draw the choice between the lesson and its program, where there is one; whether it is the program."""
    if not lesson.program:
        return False
    return segments(st, "What this page shows", HALVES, f"half_{lesson.name}") == HALVES[1]


def show(lesson: Lesson) -> None:
    """The program, its controls, and what it prints."""
    program = load_program(lesson.program)
    run = program_runs().get(owner(), program.name)
    active = run is not None and run.is_active
    title, _, *more = (escape_markdown(paragraph) for paragraph in program.docstring)
    st.markdown(
        f"{title} A script of our own, with the tutorial's settings. A numbered note stands where the tutorial errs or "
        "leaves something out; output with that number is what the run measured for it. Each output has the number of "
        "the line that printed it."
    )
    for paragraph in more:
        st.caption(paragraph)
    _controls(program, active)
    st.html(program_code.style())
    left, right = st.columns([0.58, 0.42], gap="medium")
    with left.container(height=HEIGHT, key="program_script"):
        # what is measured comes at the end, all at once: the script is not drawn again while it runs
        found = run.measured() if run is not None and not active else {}
        st.html(program_code.script(program, found, run.seed if run is not None else None))
    with right:
        if run is None:
            text = f"**Run the program** starts a process of its own. It ends {UNWATCHED_SECONDS:g} s after you leave."
            st.info(text, icon=":material/terminal:")
        else:
            poll(_output, run, seconds=LESSON_SECONDS, active=active, has_changed=lambda: run.is_active != active)


def _controls(program: Program, active: bool) -> None:
    start, stop, seed, save = st.columns([1.3, 0.8, 0.8, 1.5], vertical_alignment="bottom")
    label = "Run it again" if active else "Run the program"
    wide_button(start, label, "play_arrow", _start, program, key="run_program", type="primary")
    wide_button(stop, "Stop", "stop", _stop, program, key="stop_program", disabled=not active)
    help_text = "Of everything the program draws. The tutorial sets none"
    seed.number_input(
        "seed", 0, MAX_SEED, SEED, key=f"program_seed_{program.name}", help=help_text, persist_state="session"
    )
    name, data = program.path.name, program.source.encode()
    help_text = f"It runs anywhere with PyTorch: python {name} --seed {SEED}"
    download(save, f"Download {name}", data, name, "text/x-python", key="save_program", width="stretch", help=help_text)


def _start(program: Program) -> None:
    seed = widget_value(f"program_seed_{program.name}")
    with errors_on_top():
        program_runs().start(owner(), program, SEED if seed is None else int(seed))


def _stop(program: Program) -> None:
    run = program_runs().get(owner(), program.name)
    if run is not None:
        run.stop()


def _output(run: ProgramRun) -> None:
    run.heartbeat()
    active, printed, scalars = run.is_active, run.printed(), run.scalars()
    _status(run)
    with st.container(
        height=HEIGHT - STATUS_HEIGHT - (2 * PLOT_HEIGHT if scalars else 0), key="program_output", autoscroll=True
    ):
        shown = printed[-LIVE_PRINTS:] if active else printed
        if len(shown) < len(printed):
            st.caption(f"The first {len(printed) - len(shown):,} prints are shown at the end.")
        st.html(program_code.output(shown))
    if active and printed:
        st.html(program_code.highlight(printed[-1].line))
    if scalars:
        _plots(run, scalars)


def _status(run: ProgramRun) -> None:
    if run.is_active:
        st.markdown(f":material/hourglass_top: Running with seed {run.seed}.")
        return
    icon, text = ENDED[run.status]
    reason = f": {escape_markdown(run.error)}" if run.error else ""
    st.markdown(f":material/{icon}: {text}, seed {run.seed}{reason}.")


def _plots(run: ProgramRun, scalars: dict) -> None:
    """What TensorBoard draws of the log."""
    for tags in PLOTS:
        lines = [Line(tag, *scalars[tag], COLORS[tag]) for tag in tags]
        key, title = f"program_{tags[0]}", " and ".join(tags)
        live_plot(key, lines, x_title="step", y_title=title, height=PLOT_HEIGHT - 20, revision=str(run.created))
    if not run.is_active:
        name = f"events.out.tfevents.{int(run.created)}.lstm-playground"
        help_text = "The same scalars: put it into a folder, and start tensorboard --logdir with that"
        download(st, "Event file for TensorBoard", run.event_file(), name, help=help_text, key="save_events")
