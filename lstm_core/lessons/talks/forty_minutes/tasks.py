"""The last fifteen minutes: what trained LSTMs have found, task by task (the lessons on papers, and the book)."""

from __future__ import annotations

import numpy as np

from lstm_core.lessons.question import between
from lstm_core.lessons.talks.moment import LESSON, TalkMoment, View
from lstm_core.lessons.talks.numbers import ask, short

STREAM_STEPS = 48  # of the endless stream: about four strings, so that each symbol can be read
GROWTH_STEPS = 400  # of the same, where only the growth is to be seen


def _opened(view: View) -> tuple[str, float, str]:
    opened = int((view.series("i") > 0.5).sum())
    return (
        f"{view.steps} numbers, two of them marked: add those two. This unit holds the sum. At how many of the "
        f"{view.steps} steps is its input gate open, above one half?",
        opened,
        f"They are the marked ones, steps {' and '.join(str(k + 1) for k in np.flatnonzero(view.inputs[:, 1]))}.",
    )


def _marker(view: View) -> str:
    return f"""
Nothing in the loss asks for a gate that follows the marker. The LSTM found it.

i is {short(view.at("i"))} here and {short(view.at("i", view.step - 1))} one step earlier, and c goes from
{short(view.at("c", view.step - 1))} to {short(view.at("c"))}. Then f stays near one and nothing gets in until the
second marker.
"""


def _sum(view: View) -> str:
    marked = view.inputs[view.inputs[:, 1] > 0, 0]
    return f"""
The map of c: two steps, and flat between them. That is a sum being held.

{" + ".join(short(value) for value in marked)} = {short(marked.sum())}; the prediction is {short(view.predicted)}.

This is one of the tasks of the paper of 1997.
"""


def _order(view: View) -> str:
    return f"""
X or Y, much later X or Y again, and letters that mean nothing between them. Which came first?

The unit drawn here tells the first symbol. It has just read it, at step {view.step + 1}: i went up to
{short(view.at("i"))} from {short(view.at("i", view.step - 1))}, and c moved by
{short(view.at("c") - view.at("c", view.step - 1))}.

Ask why f has to be so close to one: there are about forty steps to the second symbol.
"""


def _grammar(view: View) -> str:
    return """
Strings of a small grammar. The second symbol, T or P, has to come again near the end, whatever stood between.

Learning has two stages, and the Learning slider shows them: first the grammar, which is local, then the one symbol that
is not. Pull it from left to right and watch the unit drawn here: it is the one that keeps T or P best.
"""


def _boundaries(view: View) -> np.ndarray:
    """Steps at which a string of the stream begins after another one."""
    names = view.run.windows.feature_names
    symbols = view.inputs[:STREAM_STEPS].argmax(axis=1)
    begins = (symbols[1:] == names.index("B")) & (symbols[:-1] == names.index("E"))
    return 1 + np.flatnonzero(begins)


def _reset(view: View) -> tuple[str, float, str]:
    f = float(view.series("f")[_boundaries(view)].mean())
    return (
        "Now the strings come one after the other, without a pause. What does the forget gate of the unit that "
        "remembers T or P do as the next string begins?",
        f,
        f"f is {short(f)} on average at the first symbol of a string.",
    )


def _forgetting(view: View) -> str:
    return f"""
Step from E to B with the arrow keys: this is the reset. At the step drawn here f is {short(view.at("f"))}.

The forget gate is not part of the LSTM of 1997. It was added in 2000, for exactly this stream.
"""


def _first_boundary(view: View) -> int:
    return int(_boundaries(view)[0])


def _never(view: View) -> str:
    c = np.abs(view.trace.gate("c").numpy()[0, 0, 0, :GROWTH_STEPS])
    return f"""
The same stream and the same training with f = 1 throughout, as in 1997.

Nothing is ever taken off. After {GROWTH_STEPS} symbols the largest |c| is {short(c[-1].max(), 0)}, tanh of that is 1
to all digits shown, and a new symbol hardly changes what that unit outputs.
"""


def _counts(view: View) -> str:
    climb = view.at("c", view.step - 1) - view.at("c", view.step - 2)
    fall = view.at("c", view.step + 2) - view.at("c", view.step + 1)
    return f"""
A letters, then as many b. The unit drawn here counts: with f near one, c goes up by {short(climb)} at an a and by
{short(fall)} at a b.

We are at the first b. Play it from here, and let them say when the string will end before the strip does.
"""


def _up_to(view: View) -> str:
    return """
It was never shown a longer string than that, so the answer is about what it learned, not about what it saw.

A counter that is off by a little per step is right for a while and then is not. A table of strings would have stopped
where the training stopped.
"""


def _copy(view: View) -> str:
    symbols = view.run.windows.inputs(np.array([view.start]))[0].argmax(axis=1)
    return f"""
Ten symbols, a silence, and at the marker, here, all ten again: {len(set(symbols[:10].tolist()))} different ones in this
window.

No single unit holds this. Go down the maps with the arrow keys: each row carries a little of it, and the code is spread
over {view.run.experiment.model.hidden_size} units. Good moment to say what the picture of one unit does not show.
"""


def _inside_quotes(view: View) -> np.ndarray:
    """(seq_len,): whether a quotation is open after each character."""
    names = np.array(view.run.windows.feature_names)[view.inputs.argmax(axis=1)]
    return (names == "opening quote").cumsum() > (names == "closing quote").cumsum()


def _tells(view: View) -> tuple[str, float, str]:
    inside, c = _inside_quotes(view), view.series("c")
    gap = float(c[inside].mean() - c[~inside].mean())
    apart = c[inside].min() > c[~inside].max()
    return (
        "This LSTM read a book, letter by letter, and learned to predict the next one. One of its units has found "
        "something to remember. What does it tell?",
        gap if apart or gap > 1 else np.nan,
        f"c is {short(float(c[inside].mean()))} on average inside quotation marks and "
        f"{short(float(c[~inside].mean()))} outside, in this passage.",
    )


def _quotes(view: View) -> str:
    return f"""
Nobody told it what a quotation mark is for. It helps to predict the next letter, so a unit for it appeared.

At the opening mark, here, c goes from {short(view.at("c", view.step - 1))} to {short(view.at("c"))}. Play on to the
closing one and watch it fall right after.

Say clearly that the unit was searched for: among {view.run.experiment.model.hidden_size} units it is the one that tells
this best.
"""


def _reads_itself(view: View) -> str:
    return """
End with a limit. Everything so far was measured with the true past as input.

Let the model read its own predictions instead, and small errors come back in as inputs that it has never been trained
on. Whoever forecasts many steps ahead should measure that, and not the error of one step.
"""


MOMENTS = (
    TalkMoment(
        "A gate that follows the marker",
        "adding_problem",
        _marker,
        question=ask(
            _opened,
            ("at two", between(2, 2)),
            ("at about half of them", between(30, 70)),
            ("at nearly all", between(90, 100)),
        ),
    ),
    TalkMoment("A sum, held", "adding_problem", _sum, step=-1, heatmap="c"),
    TalkMoment("Which came first?", "temporal_order", _order, question=LESSON),
    TalkMoment("First the grammar, then the memory", "embedded_reber", _grammar, question=LESSON),
    TalkMoment(
        "Learning to forget",
        "continual_reber",
        _forgetting,
        run="lstm",
        steps=STREAM_STEPS,
        step=_first_boundary,
        question=ask(
            _reset,
            ("it stays open", between(0.8, 1)),
            ("it closes", between(0, 0.2)),
            ("it stays half open", between(0.3, 0.7)),
        ),
    ),
    TalkMoment(
        "Never forgetting",
        "continual_reber",
        _never,
        run="no_forget",
        steps=GROWTH_STEPS,
        step=-1,
        heatmap="c",
        question=LESSON,
    ),
    TalkMoment("It counts", "counting", _counts, run="lstm"),
    TalkMoment("How far does it count?", "counting", _up_to, run="lstm", heatmap="c", question=LESSON),
    TalkMoment("Thirty bits at once", "copy_memory", _copy, heatmap="c"),
    TalkMoment(
        "A unit with a meaning",
        "characters",
        _quotes,
        question=ask(
            _tells,
            ("whether a word has just begun", lambda _: False),
            ("whether somebody is speaking", between(1)),
            ("how long the sentence is", lambda _: False),
        ),
    ),
    TalkMoment("What a small error becomes", "rollout", _reads_itself, run="one_step", step=-1, question=LESSON),
)
