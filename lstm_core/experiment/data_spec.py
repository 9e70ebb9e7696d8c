"""DataSpec: which table, which of its columns, and how it is cut into windows."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lstm_core.experiment.choices import (
    AGGREGATES,
    CALENDAR,
    DUPLICATES,
    GRIDS,
    MAX_SEED,
    MISSING,
    PERIODS,
    SCALINGS,
    SEASONAL_STARTS,
    SOURCES,
    STARTS,
    check,
)
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

    grid: Literal[GRIDS] = setting(
        "as_is",
        "time grid",
        "regular: the step of the time column is found, and rows that are absent are inserted empty, so that a window "
        "always covers the same time. as is: a window covers so many rows",
        labels={"as_is": "as is"},
    )
    resample: Literal[PERIODS] = setting(
        "none", "resample to", "One row for each hour, day, week (from Monday) or month, in place of its rows"
    )
    aggregate: Literal[AGGREGATES] = setting(
        "mean",
        "by",
        "What becomes of the rows of one period: sum for amounts, mean for levels, last for closing values",
    )
    duplicates: Literal[DUPLICATES] = setting(
        "keep", "repeats", "What becomes of rows of one series that repeat a time. keep: they follow one another"
    )
    series: Texts = setting((), "series", "Those that are used, by their sequence id. Empty: all of them, in one model")
    series_sum: bool = setting(False, "sum of the series", "Add the chosen series up, time by time, to a single one")
    calendar: tuple[Literal[CALENDAR], ...] = setting(
        (),
        "calendar inputs",
        "More inputs, read at the target's time, since they are known ahead. Cycles are given as sine and cosine",
        labels={"day_of_year": "day of year"},
        strict=False,
    )
    holidays: str | None = setting(
        None,
        "public holidays of",
        "An input that is 1 on public holidays, also known ahead: the code of a country, or of its region. Needs the "
        "package holidays",
        pattern=r"^[A-Z]{2,3}(-[A-Z0-9]{1,3})?$",
        examples=["DE", "US", "US-CA"],
    )
    known_future: Texts = setting(
        (),
        "known ahead",
        "Model inputs whose future values are known, such as a planned price: read at the target's time",
    )
    scale_per_series: bool = setting(
        False, "scale each series", "Fit the scaling on each series' own training rows: for series of different size"
    )
    series_id_input: bool = setting(
        False, "series as input", "One more input for each series, 1 for its own rows: the model can tell them apart"
    )

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
