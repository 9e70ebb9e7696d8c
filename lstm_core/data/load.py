"""The table that a DataSpec names: a sample, synthetic data, or the uploaded file."""

from __future__ import annotations

import dataclasses

from lstm_core.data.generators import generate
from lstm_core.data.samples import load_sample
from lstm_core.data.table import Table
from lstm_core.experiment import DataSpec, PlaygroundError


def load_table(spec: DataSpec, upload: Table | None = None) -> Table:
    """The table of spec.source and spec.name.

    Args:
        spec: of a generator, its size, noise and seed count too.
        upload: the file in use, for source "csv". A spec cannot open files: it has only their names.

    Raises:
        PlaygroundError: no such sample or generator, sizes out of range, or an upload that is absent or lacks the
            spec's features or targets.
    """
    if spec.source == "sample":
        return load_sample(spec.name)
    if spec.source == "generator":
        return generate(spec)
    if upload is None or not {*spec.features, *spec.targets} <= {column.name for column in upload.columns}:
        raise PlaygroundError(
            f"This model was trained on the file {spec.name!r}: put that file, or one with the same columns, on "
            "Data first, then load the model again."
        )
    return upload


def with_roles(spec: DataSpec, table: Table) -> DataSpec:
    """The spec with its table's suggested columns where it names none, and the name of the file in use."""
    name = table.name if spec.source == "csv" and table.name else spec.name
    if spec.targets or spec.features:
        return dataclasses.replace(spec, name=name)
    roles = dataclasses.asdict(table.roles)
    chosen = {field: roles[field] for field in ("targets", "features", "time", "group")}
    return dataclasses.replace(spec, name=name, **chosen)
