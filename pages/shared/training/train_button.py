"""The buttons Train and Pause, on Train and on Start; each acts on the run at the time of the click.

Another tab may have replaced the run that was drawn here.
"""

from __future__ import annotations

from streamlit.delta_generator import DeltaGenerator

from pages.shared.session import state
from pages.shared.session.messages import errors_on_top
from pages.shared.theme import wide_button


def train_button(container: DeltaGenerator, label: str = "Train", icon: str = "play_arrow", *, disabled: bool) -> None:
    help = "Train a new model with the current settings"
    action = state.start_training
    wide_button(container, label, icon, action, key="train", type="primary", disabled=disabled, help=help)


def pause_button(container: DeltaGenerator, *, active: bool, disabled: bool) -> None:
    """Pause, or Resume where nothing trains."""
    wide_button(
        container,
        *(("Pause", "pause") if active else ("Resume", "resume")),
        (lambda: state.workspace().run.pause()) if active else _resume,
        key="pause",
        disabled=disabled,
        help="The weights stay; Resume goes on with the next batch",
    )


def _resume() -> None:
    with errors_on_top():  # its folder may be in the trash, the disk full
        state.workspace().run.start()
