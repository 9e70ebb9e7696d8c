"""What a study costs, told before it begins: how many trainings and steps, and how much memory. No torch."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from lstm_core.architecture.memory import estimate_training_bytes
from lstm_core.data.windows import Windows
from lstm_core.experiment import PlaygroundError
from lstm_core.runs.sweeps.study import Range, Study, Values

WIDTH = ("hidden_size", "num_layers", "bidirectional")  # of a model: more of them take more memory


@dataclass(frozen=True)
class Cost:
    """Upper bounds: pruning and early stopping save a part of it."""

    trainings: int  # trials, further seeds of the best, and the winner
    steps: int  # of the optimizer, over all trainings
    bytes: int  # of the largest setting's training, the data not counted


def cost_of(study: Study, windows: Windows) -> Cost:
    """windows: of the study's experiment."""
    trainings = trainings_of(study)
    train = study.experiment.train
    epochs = study.epochs or int(_largest(study.search.get("train.epochs"), train.epochs))
    smallest_batch = int(_smallest(study.search.get("train.batch_size"), train.batch_size))
    per_epoch = max(1, -(-len(windows.starts["train"]) // smallest_batch))
    return Cost(trainings, trainings * epochs * per_epoch, _bytes(study, windows))


def trainings_of(study: Study) -> int:
    """How many there are at most."""
    return study.trials + min(study.finalists, study.trials) * (study.seeds - 1) + 1


def _bytes(study: Study, windows: Windows) -> int:
    """Of the setting with the most of everything that takes memory, whether or not it is ever proposed."""
    search, experiment = study.search, study.experiment
    changes = {name: _largest(search.get(f"model.{name}"), getattr(experiment.model, name)) for name in WIDTH}
    try:
        model = dataclasses.replace(
            experiment.model, **{name: type(getattr(experiment.model, name))(value) for name, value in changes.items()}
        )
    except PlaygroundError:  # they do not go together: the trials say so
        model = experiment.model
    batch = int(_largest(search.get("train.batch_size"), experiment.train.batch_size))
    seq_len = int(_largest(search.get("data.seq_len"), experiment.data.seq_len))
    batch = min(batch, max(1, len(windows.starts["train"])))
    return estimate_training_bytes(model, windows.input_size, windows.output_size, batch, seq_len)


def _largest(values: Values | None, otherwise: float) -> float:
    if values is None:
        return otherwise
    return values.high if isinstance(values, Range) else max(values)


def _smallest(values: Values | None, otherwise: float) -> float:
    if values is None:
        return otherwise
    return values.low if isinstance(values, Range) else min(values)
