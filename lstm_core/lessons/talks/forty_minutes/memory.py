"""The next fifteen minutes: how long it remembers, and what decides it (the lessons of the second evening)."""

from __future__ import annotations

from lstm_core.lessons.question import between
from lstm_core.lessons.talks.moment import LESSON, TalkMoment, View
from lstm_core.lessons.talks.numbers import ask, short

CARRIER = 9  # the unit of chrono's LSTM whose c at the end tells the first step best (a test looks for it)


def _many_units(view: View) -> str:
    return f"""
Now {view.run.experiment.model.hidden_size} units and {view.steps} steps. The maps below are the whole layer: a row is
a unit, a column a step, and the black frame is the unit drawn above.

The task: one of {view.steps} numbers is marked, here at step {view.step + 1}, and has to be repeated at the end. Play
it once with the space bar before you talk about it.
"""


def _gradient(view: View) -> str:
    return f"""
This is why LSTMs exist. A plain RNN multiplies its gradient by the same kind of factor at each step on the way back,
and what is left of it after {view.steps - 1} steps trains nothing.

The large map is the LSTM's forget gate. Along c the gradient is multiplied by f instead, and f is something that
training can push towards one. Yellow is open.
"""


def _first_step(view: View) -> str:
    return f"""
Another task, made for this question: the first of {view.steps} steps is +1 or −1, here {short(view.inputs[0, 0], 0)},
and all others are noise. At the end the sign of the first has to be told.

The forget gate of this unit is {short(view.at("f", 1), 3)} at the second step already. Its biases were set before
training so that memories of all lengths are there from the start: that initialisation is called chrono.
"""


def _left(view: View) -> tuple[str, float, str]:
    last = view.steps - 1
    mean, kept = float(view.series("f")[1:].mean()), view.kept(1, last)
    return (
        f"The forget gate of this unit is {short(mean, 3)} on average. Of what the first step wrote into c, how much "
        f"is left {last} steps later?",
        kept,
        f"The product of its {last} forget gates is {short(kept)}.",
    )


def _carried(view: View) -> str:
    return f"""
The product counts, not the average. Do the sum with them: {short(view.series("f")[1:].mean(), 3)} to the power of
{view.steps - 1}.

c ends at {short(view.at("c"))}. It is larger than what the first step wrote, since the unit goes on adding to it in the
same direction, and the prediction is {short(view.predicted)}: the target is {short(view.actual, 0)}.
"""


def _bias(view: View) -> str:
    return f"""
The large map is the forget gate of the same LSTM with a forget bias of one, before any training. Most people would call
these gates mostly open.

Then let them multiply: {view.steps - 1} times the same share, and of the share that is left, the same share again.
"""


def _deaf(view: View) -> str:
    chrono = view.runs["chrono"]
    other = View(view.lesson, view.runs, chrono, view.start, view.unit, view.step)
    return f"""
Left, a forget bias of 0; right, chrono. Both have been trained alike, on the same sequences.

Left predicts {short(view.predicted)}, right {short(other.predicted)}. The target is {short(view.actual, 0)}.

Nothing keeps the left one from representing the solution. Its gradients never pointed there.
"""


def _shut(view: View) -> str:
    return """
An intervention on the trained model: on the right every forget gate is held shut. Nothing else is changed.

Step through it. The cell state on the right is whatever the present step writes, and no more. That is a network
without a memory, and this is the quickest way to show that the memory was in c.
"""


def _flips(view: View) -> str:
    return f"""
Parity: is the number of ones so far even or odd? One bit of memory, but each 1 has to turn it over.

Step {view.step + 1} reads {short(view.inputs[view.step, 0], 0)}. c of this unit goes from
{short(view.at("c", view.step - 1))} to {short(view.at("c"))}. Step on to the next 1 and it turns back: keeping
is not all that gates do.
"""


def _no_slope(view: View) -> str:
    return f"""
The same data and the same model, but the target comes at the end of each sequence only.

The prediction stays at {short(view.outputs[-1].max())}: a coin. Memory is not what is missing. The parity at the end
depends on all {view.steps} inputs at once, and the gradient tells almost nothing about which way to go.

If there is time: with a target at every step the first few bits teach the rest.
"""


def _three_bits(view: View) -> str:
    return f"""
Three inputs, three bits. A pulse sets its bit to +1 or −1, and the bit has to stay there until the next pulse.

This is the moment of a pulse on the first input, step {view.step + 1}: c of the unit drawn here goes from
{short(view.at("c", view.step - 1))} to {short(view.at("c"))}, and then it stays.
"""


def _rests(view: View) -> str:
    return f"""
Give them a hint if nobody moves: {view.run.windows.y.shape[1]} bits.

With zeros as input the state drifts to a point and rests there. Each combination of bits has such a point of its own.
That is what "remembering for good" means in a recurrent network: a stable state, and not a number that happens to decay
slowly.
"""


MOMENTS = (
    TalkMoment("Many units, many steps", "vanishing", _many_units),
    TalkMoment("How far back does a gradient reach?", "vanishing", _gradient, heatmap="f", question=LESSON),
    TalkMoment("One step to remember", "forget_bias", _first_step, run="chrono", unit=CARRIER, step=0),
    TalkMoment(
        "How long is long?",
        "forget_bias",
        _carried,
        run="chrono",
        unit=CARRIER,
        step=-1,
        question=ask(
            _left,
            ("about a half", between(0.4, 0.6)),
            ("more than three quarters", between(0.75, 1)),
            ("less than a tenth", between(0, 0.1)),
        ),
    ),
    TalkMoment(
        "Mostly open is not open", "forget_bias", _bias, run="bias_1", untrained=True, heatmap="f", question=LESSON
    ),
    TalkMoment(
        "What the first weights decide", "forget_bias", _deaf, run="bias_0", other="chrono", compare="run", step=-1
    ),
    TalkMoment(
        "Every forget gate shut", "forget_bias", _shut, run="chrono", unit=CARRIER, step=-1, compare="edit-f-0-0-0-all"
    ),
    TalkMoment("A bit that turns over", "parity", _flips, run="every_step"),
    TalkMoment("The same task, asked at the end", "parity", _no_slope, run="at_end", step=-1, question=LESSON),
    TalkMoment("Three bits, held", "flip_flop", _three_bits),
    TalkMoment("Where a memory rests", "flip_flop", _rests, heatmap="c", question=LESSON),
)
