"""DataSpec: which table, which of its columns, and how it is cut into windows."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lstm_core.experiment.choices import MAX_SEED, MISSING, SCALINGS, SEASONAL_STARTS, SOURCES, STARTS, check
from lstm_core.settings import setting, validated

Texts = Annotated[tuple[str, ...], Field(strict=False)]  # a list will do


@validated
class DataSpec:
    """Which table, which of its columns, and how it is cut into windows and splits."""

    source: Literal[SOURCES] = setting(
        "sample", "source", "A real series (sample), synthetic data (generator) or your own file (csv)"
    )
    name: str = setting("sunspots", "name", "The sample, the generator or the file")
    length: int = setting(
        600, "rows", "Synthetic data: rows of a series, or number of sequences to learn from", 2, 1_000_000
    )
    n_features: int = setting(
        4, "number of features", "Synthetic data: numbers at every step, where they can be chosen", 1, 1000
    )
    noise: float = setting(0.05, "noise", "Synthetic data: standard deviation over the clean signal's own", 0, 10)
    seed: int = setting(0, "seed", "Of synthetic data, and of the draw that splits labelled sequences", 0, MAX_SEED)
    targets: Texts = setting(
        (), "What the model predicts", "Number columns (a forecast), or one text column (its classes)"
    )
    features: Texts = setting(
        (), "Model inputs", "Columns read at every step. To forecast a series, its own past belongs here too"
    )
    time: str | None = setting(None, "time", "Rows are put in the order of this column")
    group: str | None = setting(
        None, "sequence id", "Column that says which sequence a row belongs to; no window crosses from one to the next"
    )
    seq_len: int = setting(24, "seq_len", "Rows in a window: how far back the model can look", 1, 100_000)
    horizon: int = setting(
        1,
        "horizon (rows)",
        "How many rows after a window are predicted. 0: the target, such as a label, belongs to the window's last row",
        0,
        10_000,
    )
    train_share: float = setting(0.7, "training share", "The earliest rows, or drawn labelled sequences", 0.05, 0.95)
    valid_share: float = setting(
        0.15, "validation share", "Of the rows, those after the training rows; the rest is the test split", 0, 0.9
    )
    scaling: Literal[SCALINGS] = setting(
        "standard", "scaling", "Fitted on the training rows only. standard: mean 0, deviation 1; minmax: 0 to 1"
    )
    missing: Literal[MISSING] = setting(
        "forward_fill",
        "missing values",
        "Of features: forward-fill with the last known value, or skip every window with a gap",
        labels={"forward_fill": "forward-fill", "skip": "skip windows"},
    )
    start: Literal[STARTS] = setting(
        "none",
        "start",
        "The simple answer that the model corrects. none: it predicts the target itself, and cannot leave the range it "
        "was trained on. last: the last value. season: the value one season before. season change: the last value "
        "plus the change of one season before. smooth: an exponentially smoothed level and season",
        labels={"season_change": "season change"},
    )
    season: int = setting(0, "season (rows)", "Rows of one season: 12 for months of a year. 0: none", 0, 100_000)
    log: bool = setting(False, "log", "Predict the target's logarithm: for changes that grow with the level")

    def __post_init__(self) -> None:
        check(
            self.start not in SEASONAL_STARTS or self.season >= 2,
            f"start is {self.start!r}, but season is {self.season}: give the rows of one season, 2 or more, or choose "
            "another start.",
        )
        check(
            not self.log or self.start != "none",
            "log needs a start: choose start mean for the logarithm itself, or switch log off.",
        )
        shares = f"train_share {self.train_share:g} and valid_share {self.valid_share:g}"
        check(self.train_share + self.valid_share <= 1 + 1e-9, f"{shares} add up to more than 1: lower one of them.")

    @property
    def test_share(self) -> float:
        return max(0.0, 1.0 - self.train_share - self.valid_share)
