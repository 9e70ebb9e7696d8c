"""What a ledger says, in plain words."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from lstm_core.analysis.attribution.explain import Ledger
from lstm_core.data.number_format import FIXED_RANGE, format_number, format_significant

NAMED = 2  # steps that a sentence names
CANCELLING = 10.0  # times as much as what is left of it


Style = Callable[[str], str]


def ledger_sentence(ledger: Ledger, name: Style = str, strong: Style = str) -> str:
    """The largest items, the others and the constants, with as many decimals each, so that they add up on screen.

    "1987 added +31.0, 1989 −4.2, the other 22 steps +3.1 and the constants +66.5: together 96.4, the prediction."
    name, strong: what is made of each name and each number, such as Markdown.
    """
    values, names = _named_items(ledger)
    order = np.argsort(-np.abs(values), kind="stable")[:NAMED]
    rest, terms = len(values) - len(order), [(name(names[k]), float(values[k])) for k in order]
    if rest:
        others = math.fsum(values) - math.fsum(value for _, value in terms)
        what = "step" if len(values) == len(ledger.step_names) else "input"
        terms.append((f"the other {rest:,} {what}s" if rest > 1 else f"the other {what}", others))
    terms.append(("the constants", ledger.fixed_total))
    decimals = _decimals([ledger.prediction, *(value for _, value in terms)])
    texts = [f"{term} {strong(signed(value, decimals))}" for term, value in terms]
    first = f"{terms[0][0]} added {strong(signed(terms[0][1], decimals))}"
    first = "Step " + first.removeprefix("step ") if first.startswith("step ") else first
    told = f"{', '.join([first, *texts[1:-1]])} and {texts[-1]}: together "
    total, prediction = (number(value, decimals) for value in (ledger.total, ledger.prediction))
    if total == prediction:
        return f"{told}{strong(total)}, the prediction."
    missing = strong(number(abs(ledger.error), decimals))
    return f"{told}{strong(total)}, but the prediction is {strong(prediction)}: {missing} is not accounted for."


def cancelling_sentence(ledger: Ledger) -> str:
    """What to beware of where the sentence's items cancel; empty where they do not."""
    size, left = float(np.abs(_named_items(ledger)[0]).sum()) + abs(ledger.fixed_total), abs(ledger.total)
    if size <= CANCELLING * left:
        return ""
    return (
        f"Parts of {format_significant(size, 3)} in all cancel to {format_significant(left, 3)}: what a single one "
        "says depends on how they are divided."
    )


def number(value: float, decimals: int) -> str:
    """To so many decimals; a very large one to three digits."""
    return format_number(value, decimals) if abs(value) < FIXED_RANGE[1] else format_significant(value, 3)


def signed(value: float, decimals: int) -> str:
    """The same with its sign, + or −, none for zero."""
    text = number(value, decimals)
    return text if text.startswith("−") or not text.strip("0.") else f"+{text}"


def _named_items(ledger: Ledger) -> tuple[np.ndarray, list[str]]:
    """A step's inputs as one item where they are one value or one symbol, else each by itself."""
    if ledger.symbols is not None or len(ledger.input_names) == 1:
        return ledger.steps, list(ledger.step_names)
    names = [f"{feature} at {step}" for step in ledger.step_names for feature in ledger.input_names]
    return ledger.inputs.ravel(), names


def _decimals(values: list[float]) -> int:
    """So many that the largest of them has four significant digits at most, and three at least."""
    largest = max(abs(value) for value in values)
    return 3 if not largest else max(0, 2 - math.floor(math.log10(largest)))
