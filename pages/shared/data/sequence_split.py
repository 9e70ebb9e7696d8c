"""Which sequence trains, validates and tests, where a table's sequences stay whole."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from lstm_core.data.split import groups_in_splits
from lstm_core.data.windows import Windows
from lstm_core.figures.theme import SPLIT_NAMES
from pages.shared.session.fields import field

MAX_CLASSES, MAX_NAMES = 20, 500


def sequence_split(windows: Windows) -> None:
    """Draw the sequences of each split, their classes, and the seed that drew them."""
    table = windows.table
    names = groups_in_splits(table, windows.spec, windows.split_of_row)
    if names is None:
        return
    with st.expander("Which sequence is in which split", icon=":material/call_split:"):
        if not table.groups_in_order:
            help_text = "The same seed draws the same sequences into the same split"
            field(st, "data", "seed", key="split_seed", label="split seed", help=help_text)
        st.dataframe(_counts(windows, names), hide_index=True, key="sequences")


def _counts(windows: Windows, names: dict[str, list[str]]) -> pd.DataFrame:
    columns: dict[str, list] = {
        "split": [SPLIT_NAMES[split] for split in names],
        "sequences": [len(groups) for groups in names.values()],
    }
    targets = [windows.targets(windows.starts[split]) for split in names] if windows.classes else []
    for k, name in enumerate(windows.classes[:MAX_CLASSES]):
        columns[f"windows of {name}"] = [int(np.count_nonzero(found == k)) for found in targets]
    columns["which"] = [groups[:MAX_NAMES] for groups in names.values()]
    return pd.DataFrame(columns)
