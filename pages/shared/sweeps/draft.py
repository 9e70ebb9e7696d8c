"""The study that a visitor is filling in: what they have typed, beside proposals that follow the experiment."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

from lstm_core.data.table import Table
from lstm_core.experiment import Experiment
from lstm_core.runs.sweeps.proposals import FIRST, proposed, values_from_text
from lstm_core.runs.sweeps.study import Range, Study, Values
from lstm_core.settings import Setting, settings
from pages.shared.session import state

FIELDS: dict[str, Setting] = settings(Study)
_DRAFT = "_study_draft"


@dataclass
class Draft:
    """names: the settings to search; typed: of those that were changed, a range or values as JSON has them, or the text
    of a list that is none; fields: of the study, by name."""

    names: list[str] = field(default_factory=lambda: list(FIRST))
    typed: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)

    def values(self, name: str, experiment: Experiment) -> Any:
        """{"low", "high", "log"}, a list, or a text."""
        return self.typed[name] if name in self.typed else values_to_json(proposed(name, experiment))

    def number(self, name: str) -> Any:
        return self.fields.get(name, FIELDS[name].default)

    def study(self, experiment: Experiment) -> Study:
        """Raises PlaygroundError: what is typed is no study."""
        search = {}
        for name in self.names:
            values = self.values(name, experiment)
            search[name] = values_from_text(name, values) if isinstance(values, str) else values
        described = {"experiment": json.loads(experiment.to_json()), "search": search} | self.fields
        return Study.from_json(json.dumps(described))


def draft() -> Draft:
    """This tab's."""
    found = state.get_state(_DRAFT)
    if found is None:
        found = Draft()
        state.set_state(_DRAFT, found)
    return found


def use_study(study: Study) -> None:
    """Fill the form in with a study; its experiment is put on the table elsewhere."""
    typed = {name: values_to_json(values) for name, values in study.search.items()}
    fields = {name: getattr(study, name) for name in FIELDS}
    state.set_state(_DRAFT, Draft(list(study.search), typed, fields))


def values_to_json(values: Values) -> Any:
    if isinstance(values, Range):
        return {name: value for name, value in dataclasses.asdict(values).items() if value is not None}
    return json.loads(json.dumps(values))


def study_file(study: Study, table: Table) -> str:
    """STUDY.json for the command line: with what it must know to read one's own file as it was read here."""
    described = json.loads(study.to_json())
    described["experiment"]["table_sha256"] = table.sha256
    if table.upload is not None and (corrections := table.upload.corrections.to_json()):
        described["experiment"]["read_options"] = corrections
    return json.dumps(described, indent=1)
