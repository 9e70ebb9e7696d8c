"""A run's end, as numbers and in words: its status, its score beside the best baseline, its model file."""

from __future__ import annotations

from typing import Any

from lstm_core.cli.output import FAILED, note, print_json
from lstm_core.data.number_format import format_duration, format_significant
from lstm_core.runs import pool
from lstm_core.runs.compare import best_baseline, measure_of, test_score
from lstm_core.runs.folder import RunFolder, read_json

MODEL = "model.safetensors"


def summary(folder: RunFolder) -> dict[str, Any]:
    """What train, resume, stop and pause print as JSON. score: of the step that the run is at, else None."""
    said = folder.status()
    step = said.get("step", 0)
    return {
        "id": folder.id,
        "folder": str(folder.path.resolve()),
        "status": pool.current_status(folder, said),
        "message": said.get("message", ""),
        "step": step,
        "epoch": step // said["steps_per_epoch"] if "steps_per_epoch" in said else 0,
        "best_epoch": said.get("best_epoch"),
        "seconds": said.get("seconds", 0.0),
        "score": score_of(folder, step),
    }


def score_of(folder: RunFolder, step: int) -> dict[str, Any] | None:
    """score.json, if it is of this step's weights."""
    score = read_json(folder.file("score.json"))
    return score if score.get("step") == step else None


def test_text(score: dict[str, Any]) -> str:
    """The one number of a score.json that is told: "RMSE 18.24", "accuracy 0.971"; "" where undefined."""
    value = test_score(score)
    return "" if value is None else f"{_label(score)} {format_significant(value, 4)}"


def baseline_text(score: dict[str, Any]) -> str:
    """The best answer without a model, alike; "" where there is none."""
    best = best_baseline(score)
    return f"{_label(score)} {format_significant(best[1], 4)} ({best[0].replace('_', ' ')})" if best else ""


def _label(score: dict[str, Any]) -> str:
    return {"rmse": "RMSE"}.get(measure_of(score), measure_of(score))


def print_summary(folder: RunFolder, as_json: bool) -> None:
    """How it ended: on stdout; for a person, sentences."""
    end = summary(folder)
    if as_json:
        print_json(end)
        return
    if end["message"]:
        note(end["message"])
    best = f"; epoch {end['best_epoch']} was best" if end["best_epoch"] is not None and end["step"] else ""
    done = f"epoch {end['epoch']}, step {end['step']:,}, {format_duration(end['seconds'])} of training"
    print(f"{end['status'].capitalize()}: {done}{best}")
    if text := test_text(end["score"] or {}):
        baseline = baseline_text(end["score"])
        print(f"Test score: {text}" + (f"; best baseline: {baseline}" if baseline else ""))
    if folder.file(MODEL).exists():
        print(f"Model: {folder.path.resolve() / MODEL}")
    print(f"Run: {folder.id}")


def print_end(folder: RunFolder, as_json: bool) -> int:
    """print_summary, and the exit status of a command that has waited for this end."""
    print_summary(folder, as_json)
    end = summary(folder)
    is_stuck = end["status"] == "paused" and end["message"]  # as where memory ran out
    return FAILED if end["status"] == "failed" or is_stuck else 0
