"""The scores of a run and of its baselines under the forecast: one sentence, a table, a confusion matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from lstm_core.data.number_format import format_percent, format_significant
from lstm_core.figures.theme import SPLIT_NAMES
from lstm_core.forecasting.scores import BASELINE_NAMES, Evaluation
from lstm_core.forecasting.verdict import lag_sentence, start_sentence, verdict
from pages.shared.session.messages import escape_markdown
from pages.shared.training.forecast_plot import sample_score

if TYPE_CHECKING:
    from lstm_core.runs.run import Run

MAX_MATRIX = 20  # classes of a confusion matrix that is drawn


def score_text(run: Run) -> None:
    """One sentence: on a sample while the run trains, on the whole split when it does not."""
    if run.is_unscored:
        st.caption("A trial of a sweep: it is scored on the validation windows. The test windows are for the winner.")
    if run.is_active:
        _sentence(run, sample_score(run))
        return
    split = run.shown_splits[-1]
    job = run.score(split)
    if job.message:
        st.warning(job.message)
    elif job.evaluation is None:
        count = len(run.windows.starts[split])
        st.progress(job.progress, f"Scoring all {count:,} {SPLIT_NAMES[split]} windows")
    else:
        _sentence(run, job.evaluation)


def _sentence(run: Run, evaluation: Evaluation) -> None:
    start = start_sentence(run.windows, evaluation, run.adds_nothing, run.experiment.model.linear_skip)
    text = " ".join(filter(None, (start, verdict(evaluation), lag_sentence(evaluation))))
    st.markdown(f"**On {evaluation.coverage}:** {escape_markdown(text)}")


def score_table(run: Run) -> None:
    """The model and its baselines, on the same windows; for classes also who is taken for whom. Nothing before that."""
    evaluation = run.score(run.shown_splits[-1], wait=0).evaluation
    if evaluation is None:
        return
    rows = {f"this {run.experiment.model.module_name}": evaluation.model}
    rows |= {BASELINE_NAMES[name]: score for name, score in evaluation.baselines.items()}
    columns = _COLUMNS["classification" if run.windows.classes else "regression"]
    st.dataframe(
        {"": list(rows)} | {title: [shown(score) for score in rows.values()] for title, shown in columns.items()},
        hide_index=True,
        width="content",
    )
    st.caption(f"On {evaluation.coverage}" + ("" if run.windows.classes else f", in the units of the target. {MASE}"))
    if evaluation.confusion is not None:
        _confusion(run.windows.classes, evaluation)


MASE = "MASE: the MAE over the mean change from row to row in the training rows; below 1 is better than that"


def _number(name: str):
    return lambda score: "–" if getattr(score, name) is None else format_significant(getattr(score, name), 4)


def _share(name: str):
    return lambda score: "–" if getattr(score, name) is None else format_percent(getattr(score, name))


_COLUMNS = {
    "regression": {"RMSE": _number("rmse"), "MAE": _number("mae"), "MASE": _number("mase")},
    "classification": {"accuracy": _share("accuracy"), "balanced accuracy": _share("balanced_accuracy")},
}


def _confusion(classes: tuple[str, ...], evaluation: Evaluation) -> None:
    counts, recall = evaluation.confusion, evaluation.recall
    if len(classes) <= MAX_MATRIX:
        from lstm_core.figures.confusion import confusion_matrix

        st.plotly_chart(confusion_matrix(counts, classes), key="confusion")
    st.dataframe(
        {
            "class": list(classes),
            "windows": counts.sum(1).tolist(),
            "recall": ["–" if value != value else format_percent(value) for value in recall],
        },
        hide_index=True,
        width="content",
    )
    st.caption("Recall: of the windows of a class, the share that is predicted right")


def best_epoch_note(run: Run) -> None:
    """Beside a run that got worse: which epoch was best, and its weights for the asking."""
    if not run.step or run.watch_only or run.has_best_weights or run.refitted or not len(run.windows.starts["valid"]):
        return
    text, button = st.columns([0.6, 0.4], vertical_alignment="center")
    text.markdown(
        f"Epoch **{run.best_epoch:,}** had the best validation loss ({format_significant(run.best_loss, 4)}); the "
        f"weights are those of epoch {run.epoch:,}."
    )
    button.button(
        f"Use the weights of epoch {run.best_epoch:,}",
        key="use_best",
        on_click=run.use_best_weights,
        width="stretch",
        help="The weights of now are replaced, here and on every page; Resume then goes on from the better ones",
    )
