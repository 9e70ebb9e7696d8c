"""A sweep in one plain sentence or two, from its progress.json: how far it is, and what it has found."""

from __future__ import annotations

from typing import Any

from lstm_core.data.number_format import format_significant
from lstm_core.runs.sweeps.progress import params_text


def verdict(progress: dict[str, Any], trials: int) -> str:
    """trials: of the study, which progress.json tells only once there is any."""
    tried, finalists, winner = progress["tried"], progress["finalists"], progress.get("winner")
    if winner:
        return _of_winner(progress, winner["trial"])
    ended = [one for one in tried if one["state"] != "running"]
    if not ended:
        under_way = f", {_count(len(tried), 'is', 'are')} under way" if tried else ""
        return f"No trial of {trials:,} has ended yet{under_way}."
    if finalists:
        said = f"All {len(ended):,} trials have ended" if len(ended) > 1 else "The trial has ended"
        return f"{said}. {_of_finalists(finalists, progress['seeds'])}"
    counts = _counts(ended)
    far = f"{len(ended):,} of {trials:,} trials have ended{f', {counts}' if counts else ''}."
    if progress["best"] is None:
        return f"{far} None is complete yet."
    best = tried[progress["best"]]
    return (
        f"{far} The best so far is trial {best['trial']}, with a validation loss of "
        f"{format_significant(best['loss'], 4)}: {params_text(best['params'])}."
    )


def _of_finalists(finalists: list[dict[str, Any]], seeds: int) -> str:
    wanted, done = seeds * len(finalists), sum(len(one["losses"]) for one in finalists)
    if done == wanted:
        return "The winner is trained once more, and scored on the test windows."
    best = f"The best {len(finalists)} are" if len(finalists) > 1 else "The best one is"
    return f"{best} trained from {seeds} seeds, since one seed is luck: {done} of {wanted} trainings are done."


def _of_winner(progress: dict[str, Any], number: int) -> str:
    tried, finalists = progress["tried"], progress["finalists"]
    chosen = next(one for one in finalists if one["trial"] == number)
    others = [one for one in finalists if one["trial"] != number and one["median"] is not None]
    said = f"Trial {number} of {len(tried):,} wins: {params_text(chosen['params'])}."
    if chosen["median"] is None:
        return said
    median = format_significant(chosen["median"], 4)
    if progress["seeds"] == 1:
        said += f" Its validation loss is {median}."
    else:
        said += f" Its median validation loss over {progress['seeds']} seeds is {median}"
        second = min((one["median"] for one in others), default=None)
        said += f", that of the second best {format_significant(second, 4)}." if second is not None else "."
    first = min(
        (one for one in finalists if one["losses"] and one["losses"][0] is not None), key=lambda one: one["losses"][0]
    )
    if first["trial"] != number:
        said += f" From one seed alone, trial {first['trial']} would have won."
    return said


def _counts(ended: list[dict[str, Any]]) -> str:
    states = [one["state"] for one in ended]
    return " and ".join(f"{states.count(state):,} {state}" for state in ("pruned", "failed") if state in states)


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
