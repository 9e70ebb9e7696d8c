"""A lesson as a Jupyter notebook that trains it with plain PyTorch, and prints the figures of its outcome.

Its data, model and loop are those of the training script (lstm_core/architecture), the figures those of outcomes/:
the same numbers in the same order, from the same seeds. It imports numpy, pandas and torch, and nothing of ours.
"""

from __future__ import annotations

from lstm_core.architecture import script_parts, script_training
from lstm_core.architecture.code import model_definition
from lstm_core.architecture.notebook import notebook_text
from lstm_core.architecture.training_script import columns_of
from lstm_core.experiment import MAX_SNAPSHOTS, PlaygroundError
from lstm_core.lessons.lesson import Lesson, run_name
from lstm_core.lessons.take_along import notebook_data, notebook_refusal
from lstm_core.lessons.take_along.source import source_of
from lstm_core.runs.run import Run
from lstm_core.training.snapshots import SPACING, thin_log_spaced

Cell = tuple[str, str]  # ("markdown" or "code", text)

PRINTED = 50  # epochs, about

_LOSSES = ("step_losses = []", ["step_losses.append(losses[-1])"], [])
_UNTIL_BROKEN = (
    "step_losses, broke_off = [], False",
    [
        "norm = nn.utils.get_total_norm([one.grad for one in model.parameters()]).item()",
        "broke_off = not np.isfinite([losses[-1], norm]).all()",
        "if broke_off:",
        "    break",
        "step_losses.append(losses[-1])",
    ],
    ["if broke_off or not np.isfinite(valid_loss):", "    break"],
)
_SNAPSHOTS = (
    """\
step, due = 0, 1
snapshots = [SimpleNamespace(step=0, weights=copy.deepcopy(model.state_dict()))]""",
    [
        "step += 1",
        "if step >= due:  # more and more seldom",
        "    kept = SimpleNamespace(step=step, weights=copy.deepcopy(model.state_dict()))",
        f"    snapshots = thin_log_spaced([*snapshots, kept], {MAX_SNAPSHOTS})",
        f"    due = step + max(1, step // {SPACING})",
    ],
    [],
)
_FIRST_WEIGHTS = ("first_weights = copy.deepcopy(model.state_dict())", [], [])
# What an outcome needs beside the trained model: code before the loop, after a step, after an epoch
_KEPT = {
    "copy_memory": _LOSSES,
    "exploding": _UNTIL_BROKEN,
    "embedded_reber": _SNAPSHOTS,
    "nn_lstm_1_1": _SNAPSHOTS,
    "characters": _FIRST_WEIGHTS,
}
_NOTHING = ("", [], [])
# What else is kept of each model, before other data take the same names
_VALUES = {"held_gates": ("test=batch_of(starts['test'])",), "rollout": ("x=x",)}
_PRINT = """\
for name, value in outcome.items():
    print(f"{name}: {value:.6g}")"""


def lesson_notebook(lesson: Lesson, runs: dict[str, Run], seed: int) -> str:
    """The notebook's text, of the lesson's experiments as the runs have them.

    Raises:
        PlaygroundError: there is none for this lesson, or its settings have been changed to what the script cannot do.
    """
    from lstm_core.lessons.take_along import outcomes

    find = getattr(outcomes, f"{lesson.name}_outcome", None)
    if find is None:
        raise PlaygroundError(f"There is no notebook for {lesson.title!r} yet.")
    if refusal := notebook_refusal(lesson, runs):
        raise PlaygroundError(refusal)
    cells = [("markdown", _about(lesson, runs, seed)), ("markdown", _text(lesson))]
    written: dict[str, str] = {}
    known: set[str] = set()
    for label, run in runs.items():
        cells += _data(label, run, written, known)
        if _KEPT.get(lesson.name) is _SNAPSHOTS and "thin" not in written:
            written["thin"] = source_of([thin_log_spaced])[0]
            cells.append(("code", written["thin"]))
        cells += _training(lesson, label, run, len(runs) > 1, written)
    source, _ = source_of([find], known)
    show = f"outcome = {find.__name__}(trained)\n{_PRINT}"
    cells += [("markdown", _result(lesson, runs, seed)), ("code", source), ("code", show)]
    return notebook_text(cells)


def _data(label: str, run: Run, written: dict[str, str], known: set[str]) -> list[Cell]:
    """The cells that make one run's table, none where it is the table of the run before; known: what they define."""
    columns = columns_of(run.windows)
    texts, defined = notebook_data.data_cells(run.experiment, run.windows, columns)
    known |= defined
    names = script_parts.imports_and_names(run.experiment, run.windows, columns).rpartition("\n\n")[2]
    if (table := "\n\n".join([names, *texts])) == written.get("Data"):
        return []
    if is_first := "Data" not in written:
        begin = _imports(run, columns)
    else:
        begin = names
        if notebook_data.is_generated(run.experiment):  # functions that stand above already
            texts = [text for text in texts[:-1] if text not in written["Data"]] + texts[-1:]
        written.pop("Windows")  # to be cut anew
    written["Data"] = table
    title = "## Data" if is_first else f"## Data: {run_name(label)}"
    return [("markdown", title), ("code", begin), *(("code", text) for text in texts)]


def _training(lesson: Lesson, label: str, run: Run, several: bool, written: dict[str, str]) -> list[Cell]:
    """The cells that train one run; written: title → code that stands above already, and is not repeated."""
    experiment, windows = run.experiment, run.windows
    before, each_step, each_epoch = _KEPT.get(lesson.name, _NOTHING)
    start, every = experiment.train.initial_state, max(1, experiment.train.epochs // PRINTED)
    if start == "stateful":
        loop = script_training.stream_loop(experiment)
    else:
        loop = script_training.loop(experiment, windows, each_step, each_epoch, every)
    cut = script_parts.cut_windows(experiment, windows)
    is_cut_anew = written.get("Windows") != cut.strip("\n")  # from the rows as they are before they become tensors
    parts = [
        ("Scale", script_parts.scale(windows), is_cut_anew),
        ("Windows", cut, False),
        ("Model", model_definition(experiment.model, *windows.model_sizes, with_state=start == "random"), True),
        ("Loss", script_training.loss(experiment, windows), False),
        ("Training", loop, True),
    ]
    cells = []
    for title, code, repeats in parts:
        code = code.strip("\n")
        if written.get(title) == code and not repeats:
            continue
        written[title] = code
        name = f"{title}: {run_name(label)}" if several and repeats else title
        cells += [("markdown", f"## {name}"), *([("code", before)] if before and title == "Training" else [])]
        cells.append(("code", code))
    return [*cells, ("code", _keep(label, run, before, _VALUES.get(lesson.name, ())))]


def _keep(label: str, run: Run, before: str, others: tuple[str, ...]) -> str:
    """What the outcome is computed from; others: values that this lesson's alone needs."""
    values = ["test_loss=mean_loss(starts['test'])", "model=model.eval()", "batch_of=batch_of", "starts=starts", "y=y"]
    values += [f"seq_len={run.windows.spec.seq_len}", f"steps_per_epoch={run.steps_per_epoch}"]
    values.append(f"seed={run.experiment.data.seed}")
    if not run.windows.classes and run.windows.target is None:
        values += ["y_center=y_center", "y_scale=y_scale"]
    values += [f"{name}={name}" for name in ("step_losses", "snapshots", "first_weights") if name in before]
    values += others
    lines = "\n".join(f"    {value.replace(chr(39), chr(34))}," for value in values)
    return f"trained[{label!r}] = SimpleNamespace(\n{lines}\n)"


def _imports(run: Run, names: script_parts.Columns) -> str:
    own = notebook_data.IMPORTS[notebook_data.is_generated(run.experiment)]
    text = script_parts.imports_and_names(run.experiment, run.windows, names)
    text = text.removeprefix("import copy\n\n")
    standard = [*own, "import copy", "import math", "from types import SimpleNamespace"]
    standard.sort(key=lambda line: (line.startswith("from"), line))
    return "\n".join([*standard, "", text, "", "trained = {}  # by name, for the outcome"])


def _about(lesson: Lesson, runs: dict[str, Run], seed: int) -> str:
    changed = [run for run in runs.values() if run.changes or not run.is_repeatable]
    warning = (
        "\n\n**While these models were trained their settings or weights were changed:** the notebook trains new ones "
        "with the settings as they are now, and so ends with other figures."
        if changed
        else ""
    )
    return (
        f"# {lesson.title}\n\n{lesson.summary}\n\nA lesson of LSTM Playground, trained from seed {seed} with PyTorch "
        "alone. Needs numpy, pandas and torch. On the CPU, with one thread and the same versions, it ends with the "
        f"same figures as the lesson.{warning}"
    )


def _text(lesson: Lesson) -> str:
    formula = f"$$\n{lesson.formula.strip()}\n$$" if lesson.formula else ""
    return "\n\n".join(part.strip() for part in (lesson.text, formula, lesson.symbols) if part)


def _result(lesson: Lesson, runs: dict[str, Run], seed: int) -> str:
    text = "## Outcome"
    if all(run.finished or run.status == "failed" for run in runs.values()):
        text += f"\n\nIn LSTM Playground, from seed {seed}: {lesson.outcome(runs).summary}"
    return text
