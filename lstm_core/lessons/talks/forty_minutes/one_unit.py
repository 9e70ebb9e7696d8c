"""The first ten minutes: one unit, all its arithmetic on screen (the lesson *LSTM by hand*)."""

from __future__ import annotations

from lstm_core.lessons.question import between
from lstm_core.lessons.talks.moment import LESSON, TalkMoment, View
from lstm_core.lessons.talks.numbers import ask, short


def _company(window: int, **fields) -> dict:
    return {"lesson": "by_hand", "split": "train", "window": window, "unit": 0, **fields}


_BELOW_ONE = "Both o and tanh(c) stay below one, so a target of 1 is never quite reached."
A, B = 0, 1  # the two companies, in the order of the lesson's sequences


def _welcome(view: View) -> str:
    return f"""
Start with the picture, not with the formulas.

This is one LSTM unit with the numbers of one step in it. It reads {view.steps} days of a share price, one after the
other. There are two companies. Only day 1 differs: this one starts at {short(view.inputs[0, 0], 0)}, the other at 0.
After the last day the unit has to name the company, so it must carry day 1 through three days that tell it nothing.

Point at the upper line: that is the cell state c, the memory. Everything below it decides what happens to that line.
"""


def _written(view: View) -> str:
    return f"""
The candidate g is what could be written, the input gate i how much of it is.

Here i is {short(view.at("i"))} and g is {short(view.at("g"))}, so i · g = {short(view.at("i") * view.at("g"))} is added
to c. c was 0, so that is all there is in it.

Let them check one product by hand. It takes ten seconds, and from then on they trust the picture.
"""


def _kept(view: View) -> tuple[str, float, str]:
    f, before = view.at("f"), view.at("c", view.step - 1)
    return (
        "On day 2 both companies have the same price. Of what day 1 wrote into c, how much does this unit keep?",
        f,
        f"f is {short(f)}: of c = {short(before)}, {short(f * before)} is kept.",
    )


def _forget(view: View) -> str:
    return f"""
Wait for a show of hands before you go on.

The forget gate multiplies the old c. At {short(view.at("f"))} it keeps nearly all of it: "forget gate" is an unlucky
name, since it is open when it remembers.

Then i · g = {short(view.at("i") * view.at("g"))} is added, and c becomes {short(view.at("c"))}. Say it once in full:
new memory = what is kept of the old + what is written.
"""


def _output(view: View) -> str:
    return f"""
On the last day o is {short(view.at("o"))} and c is {short(view.at("c"))}, so h = o · tanh(c) = {short(view.at("h"))}.
The target is 1.

"Exactly 1" is a good guess: it is the target, and the loss comes close to 0. But both factors stay below 1, so their
product does too.
"""


def _trained(view: View) -> str:
    return f"""
Left: the same cell with its first, random weights. Right: after training.

The drawing is the same, and so are the prices. All that changed is twelve numbers. Walk through the days with the
arrow keys and let them watch c on both sides.

The trained one ends at {short(view.at("h"), 3)}.
"""


def _other(view: View) -> str:
    return f"""
The other company, with the same weights. Day 1 was {short(view.inputs[0, 0], 0)}, and the prediction is
{short(view.predicted, 3)}: the target is {short(view.actual, 0)}.

This closes the first part. One unit, {view.steps} steps, and everything an LSTM does was in it. What follows is the
same cell, with more units and more steps.
"""


MOMENTS = (
    TalkMoment("One unit of an LSTM, at one step", notes=_welcome, **_company(B, step=0)),
    TalkMoment("The input gate: what is written", notes=_written, **_company(B, step=0, part="i")),
    TalkMoment(
        "The forget gate: what is kept",
        notes=_forget,
        question=ask(
            _kept,
            ("more than nine tenths", between(0.9, 1)),
            ("about a half", between(0.35, 0.65)),
            ("less than a tenth", between(0, 0.1)),
        ),
        **_company(B, step=1),
    ),
    TalkMoment(
        "The output gate: what is shown", notes=_output, question=LESSON, answer=_BELOW_ONE, **_company(B, step=-1)
    ),
    TalkMoment("Before training, and after", notes=_trained, **_company(B, step=-1, compare="start")),
    TalkMoment("The other company", notes=_other, **_company(A, step=-1)),
)
