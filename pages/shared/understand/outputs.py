"""Which of a model's outputs an instrument explains: a step ahead and a target, a class, and a step of the window."""

from __future__ import annotations

from streamlit.delta_generator import DeltaGenerator

from pages.shared.gates.selection import Selection
from pages.shared.session.fields import clamp_widget, set_widget
from pages.shared.session.state import get_state

LIKELIEST, ALONE = "the likeliest", "nothing"
MAX_CLASSES = 200  # in a list
KEEP = {"persist_state": "session"}
Chosen = tuple[int | tuple[int, int] | None, int | None]  # output and step, as explain takes them


def choose_output(selection: Selection, key: str, container: DeltaGenerator) -> Chosen:
    """Draw what there is to choose in the container, a horizontal one; key: begins those of the widgets."""
    windows, is_per_step = selection.run.windows, selection.run.experiment.model.head == "per_step"
    step = None
    if is_per_step:
        last = windows.spec.seq_len
        clamp_widget(f"{key}_step", 1, last, last)
        help = "After which step of the window the prediction is read; this model makes one after each"
        chosen = container.number_input("after step", 1, last, key=f"{key}_step", help=help, width=120, **KEEP)
        step = chosen - 1
    if windows.classes:
        return _class_output(windows.classes[:MAX_CLASSES], key, container), step
    return _number_output(selection, key, container), step


def _class_output(classes: tuple[str, ...], key: str, container: DeltaGenerator) -> int | tuple[int, int] | None:
    options = [LIKELIEST, *range(len(classes))]
    name = f"{key}_class"
    if get_state(name) not in options:
        set_widget(name, LIKELIEST)

    def text(option: int | str) -> str:
        return option if isinstance(option, str) else classes[option]

    help = "The class whose logit is explained. The likeliest: the logit of the predicted class less the second's"
    chosen = container.selectbox("logit of", options, format_func=text, key=name, help=help, width=170, **KEEP)
    if chosen == LIKELIEST:
        return None
    options, name = [ALONE, *(k for k in range(len(classes)) if k != chosen)], f"{key}_less"
    if get_state(name) not in options:
        set_widget(name, ALONE, chosen)
    help = "The class whose logit is taken off: only differences of logits decide between classes"
    less = container.selectbox("less that of", options, format_func=text, key=name, help=help, width=170, **KEEP)
    return chosen if less == ALONE else (chosen, less)


def _number_output(selection: Selection, key: str, container: DeltaGenerator) -> int:
    windows, target, ahead = selection.run.windows, 0, 1
    targets, steps = windows.spec.targets, windows.output_steps
    if len(targets) > 1:
        name = f"{key}_target"
        if get_state(name) not in range(len(targets)):
            set_widget(name, 0)
        help = "The target whose prediction is explained"
        target = container.selectbox(
            "target", range(len(targets)), format_func=targets.__getitem__, key=name, help=help, width=170, **KEEP
        )
    if steps > 1:
        clamp_widget(f"{key}_ahead", 1, steps, 1)
        help = "How many rows after the window the prediction lies"
        ahead = container.number_input("horizon step", 1, steps, key=f"{key}_ahead", help=help, width=130, **KEEP)
    return (ahead - 1) * len(targets) + target
