"""Train the example that Start opens on and write its model file: python -m lstm_core.lessons.train_example"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from lstm_core.data.load import load_table
from lstm_core.data.samples import EXAMPLE_MODEL
from lstm_core.data.windows import make_windows
from lstm_core.experiment import DataSpec, Experiment, ModelSpec, TrainSpec
from lstm_core.forecasting.metrics import score_with_baselines, summarize
from lstm_core.forecasting.predict import predict
from lstm_core.runs.queue import RunQueue
from lstm_core.runs.run import Run


def main() -> None:
    data = DataSpec(source="sample", name="sunspots")
    table = load_table(data)
    data = dataclasses.replace(data, **dataclasses.asdict(table.roles))
    model, train = ModelSpec(hidden_size=16), TrainSpec(lr=0.003, batch_size=16, epochs=100)
    windows = make_windows(table, data)
    run = Run.new(windows, Experiment(data, model, train), table, RunQueue(1))
    run.train_here()
    trained = run.current_model()
    file = Path(str(EXAMPLE_MODEL))
    file.write_bytes(run.checkpoint(points=800))
    for part in ("valid", "test"):
        starts = windows.starts[part]
        print(f"{part}: {summarize(score_with_baselines(windows, starts, predict(trained, windows, starts)))}")
    print(f"{file.name}: {file.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main()
