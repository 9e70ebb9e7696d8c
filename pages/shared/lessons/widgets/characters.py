"""The character model's two widgets: text that it writes while it trains, and a page coloured by one unit."""

from __future__ import annotations

import streamlit as st

from lstm_core.data.number_format import format_number
from lstm_core.data.samples.book import encode, normalize
from lstm_core.experiment import GATES, STATES, PlaygroundError
from lstm_core.figures.theme import GATE_COLORS, GATE_NAMES
from lstm_core.lessons.catalog.characters.lesson import quote_levels, tracking_units, unseen
from lstm_core.lessons.catalog.characters.text import check_character_model, excerpt, generate, unit_activations
from lstm_core.runs.run import Run
from lstm_core.training.snapshots import ModelSnapshot
from pages.shared.components.text_heatmap import text_heatmap
from pages.shared.session.messages import errors_here, escape_markdown
from pages.shared.training.live import poll

WRITING_SECONDS, COLOURING_SECONDS = 1.0, 2.0  # between two texts, and two colourings, while it trains
WRITTEN, WRITTEN_BEFORE = 500, 100  # characters of the text of now, and of those of earlier
TALL, LOW = 330, 150  # pixels of their boxes, so that a new text moves nothing
SHOWN = 850  # characters of the coloured page
HELD = {"as it goes": None, "held as inside quotes": True, "held as outside": False}
MAX_TYPED, MAX_PROMPT = 2000, 100  # characters


def show(runs: dict[str, Run]) -> None:
    """Draw both; while the run trains they follow it."""
    run = next(iter(runs.values()))
    try:
        check_character_model(run.experiment)
    except PlaygroundError as error:
        st.info(escape_markdown(str(error)))
        return
    active = run.is_active

    def has_changed() -> bool:
        return run.is_active != active

    poll(_writing, run, seconds=WRITING_SECONDS, active=active, has_changed=has_changed)
    poll(_colours, run, seconds=COLOURING_SECONDS, active=active, has_changed=has_changed)


def _writing(run: Run) -> None:
    now, before_column = st.columns([0.62, 0.38], gap="large")
    with now:
        choice = _settings()
        try:
            held = _held(run)
            # Early stopping changes the weights, and no step tells: the status does.
            current = run.cached("character snapshot", run.weights_key, run.snapshot_at)
            _write(run, current, "now", *choice, WRITTEN, held)
        except PlaygroundError as error:
            st.error(escape_markdown(str(error)), icon=":material/error:")
            return
    with before_column:
        epoch_steps = run.steps_per_epoch
        if run.step:
            _write(run, run.snapshot_at(0), "before training", *choice, WRITTEN_BEFORE)
        if run.step > 2 * epoch_steps:
            _write(run, run.snapshot_at(epoch_steps), "early", *choice, WRITTEN_BEFORE)
        st.caption("The same seed draws the same chances each time: what changes in the text is what was learned.")


def _settings() -> tuple[str, float, int]:
    first, second, third = st.columns([0.42, 0.36, 0.22])
    prompt = first.text_input(
        "start with",
        "alice ",
        max_chars=MAX_PROMPT,
        key="begin",
        help="The model reads this first. Only letters, spaces and ' , . ! ? : ; - ( ) and "
        "quotation marks; capitals become small letters",
    )
    temperature = second.slider(
        "temperature",
        0.0,
        1.5,
        0.5,
        0.05,
        key="temperature",
        help="0: always the likeliest character. 1: as often as the model thinks. Above: bolder than it thinks",
    )
    seed = third.number_input(
        "text seed", 0, 2**31 - 1, 0, key="text_seed", help="Another seed, another text by the same model"
    )
    return normalize(prompt) or "\n", temperature, seed


def _held(run: Run) -> tuple[int, float] | None:
    """The unit that goes with quotes, and what its c is held at; None: it is left alone."""
    unit, levels = quote_levels(run)
    chosen = st.segmented_control(
        f"c of unit {unit}, the one that goes with quotes",
        list(HELD),
        default=next(iter(HELD)),
        required=True,
        key="held",
        help="Held while it writes, at the unit's mean c on pages that the model was not trained on: inside quotes "
        f"{format_number(levels[True])}, outside {format_number(levels[False])}",
    )
    inside = HELD[chosen]
    return None if inside is None else (unit, levels[inside])


def _write(
    run: Run,
    snapshot: ModelSnapshot,
    when: str,
    prompt: str,
    temperature: float,
    seed: int,
    length: int,
    held: tuple[int, float] | None = None,
) -> None:
    key = (snapshot, prompt, temperature, seed, held)
    text = run.cached(f"text {when}", key, lambda: generate(snapshot.model, prompt, length, temperature, seed, held))
    epoch = snapshot.step / run.steps_per_epoch
    what = f" (epoch {epoch:.1f})" if snapshot.step else ""
    if held is not None:
        marks = " and ".join(f"{text.count(mark)} {mark}" for mark in "“”")
        what += f": {marks} in {length} characters"
    st.markdown(f"**What it writes {when}**{what}")
    with st.container(border=True, height=TALL if when == "now" else LOW, key=f"text_{when.replace(' ', '_')}"):
        st.text(prompt + text)


def _colours(run: Run) -> None:
    st.markdown(
        "**What its units keep track of.** Each character has the colour of one unit's value just after "
        "reading it. The buttons name the unit that goes best with each of four signals, and its correlation "
        "with it, from −1 to 1: found by a search over all units, on pages that the model was not trained on."
    )
    left, right = st.columns([0.45, 0.55], vertical_alignment="bottom")
    names = (*STATES, *GATES)
    gate = left.segmented_control(
        "colour by",
        names,
        default="c",
        required=True,
        key="coloured_by",
        help=", ".join(f"{name}: {GATE_NAMES[name]}" for name in names),
    )
    typed = right.text_area("your own text instead of the book's", key="typed", height=68, max_chars=MAX_TYPED)
    model, matches = tracking_units(run, gate)
    text = _known(typed) or run.cached("excerpt", (), lambda: excerpt(unseen(run), SHOWN))
    values = run.cached("unit activations", (model, text), lambda: unit_activations(model, text))
    color = GATE_COLORS[gate] if gate in ("i", "f", "o") else None
    text_heatmap("coloured", text, gate, values[gate], matches, color)


def _known(typed: str) -> str:
    """The typed text in the book's form; empty, with a sentence on the page, where the model does not know it."""
    text = normalize(typed)
    with errors_here():
        encode(text)
        return text
    return ""
