"""The table of tensors with their shapes, on Model and in the shape lab."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
import streamlit as st

from lstm_core.architecture.shapes import TensorShape


def draw_shapes(tensors: Iterable[TensorShape], key: str, max_height: int) -> None:
    rows = [(tensor.name, str(tensor.shape), tensor.meaning) for tensor in tensors]
    st.dataframe(
        pd.DataFrame(rows, columns=["tensor", "shape", "meaning"]),
        hide_index=True,
        key=key,
        height=min(36 * len(rows) + 40, max_height),
        column_config={"meaning": st.column_config.TextColumn(width="large")},
    )
