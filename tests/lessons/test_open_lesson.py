"""What the other pages find in an open lesson: the run that each of them can show."""

from __future__ import annotations

from lstm_core.lessons import get_lesson
from lstm_core.lessons.open_lesson import OpenLesson
from lstm_core.lessons.runs import pretrained_runs
from lstm_core.training.checkpoint import load_checkpoint
from lstm_core.workspace import WorkspaceStore


def opened(name: str) -> OpenLesson:
    first = next(iter(pretrained_runs(get_lesson(name)).values()))
    workspace = WorkspaceStore().create(first.table, load_checkpoint(first.checkpoint()))
    return OpenLesson(get_lesson(name), workspace, "")


def test_the_stage_opens_on_the_lstm_although_other_cells_come_first():
    lesson = opened("vanishing")
    assert list(lesson.runs) == ["rnn", "gru", "lstm"]
    assert lesson.lstm_run is lesson.runs["lstm"]


def test_the_stage_has_no_run_of_a_lesson_without_an_lstm():
    assert opened("exploding").lstm_run is None
