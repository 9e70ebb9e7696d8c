"""Workspaces: each person's table, experiment and run, under unguessable ids, in bounded number.

Nothing here imports torch before a run is asked for: Start shows the example's curves while torch still loads.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import secrets
import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_core.architecture.memory import check_memory, largest_batch
from lstm_core.data.table import Table
from lstm_core.data.windows import Windows, make_windows
from lstm_core.experiment import LIVE_FIELDS, DataSpec, Experiment, PlaygroundError, resolve_loss
from lstm_core.forecasting.recipe import DECIDING, AutomaticSettings
from lstm_core.model.devices import free_memory
from lstm_core.runs.folder import RunFolder, read_json, replace_file
from lstm_core.runs.home import folder_of, home
from lstm_core.runs.link import Link
from lstm_core.training.checkpoint import Checkpoint, load_checkpoint
from lstm_core.training.history import MetricCurve

if TYPE_CHECKING:
    from lstm_core.runs.run import Run
    from lstm_core.training.snapshots import ModelSnapshot

MAX_WORKSPACES = 64  # workspaces; the least recently used is dropped first


class Workspace:
    """One person's table, experiment and run; the same in every tab that has its id."""

    def __init__(self, id: str, owner: str, table: Table, checkpoint: Checkpoint) -> None:
        """Open on a trained model, which is built when it is first asked for; owner: "" for everybody's."""
        self.id = id
        self.owner = owner
        self.table = table
        self.experiment = self._example = checkpoint.experiment
        self._automatic: AutomaticSettings | None = None  # None: of a lesson, a link or a loaded model, left as it is
        self.upload: tuple[Table, DataSpec] | None = None  # the person's file, while another table is used
        self.awaited: Link | None = None  # whose file is still to come; given up as soon as other data is chosen
        self.previous_model: tuple[Experiment, ModelSnapshot] | None = None  # the last model of the run before this one
        self.lesson: Any = None  # the OpenLesson whose first run this workspace holds
        self._loaded = (checkpoint, table)
        self._run: Run | None = None
        self._building = threading.Lock()
        self._windows: tuple[Table, Windows] | None = None

    def windows(self) -> Windows:
        """The table cut as the experiment says, made once.

        Raises:
            PlaygroundError: it cannot be cut so.
        """
        table, spec, cached = self.table, self.experiment.data, self._windows
        if cached is None or cached[0] is not table or cached[1].spec != spec:
            self._windows = cached = (table, make_windows(table, spec))
        return cached[1]

    @property
    def batch_size(self) -> int:
        """Windows in the largest training batch."""
        return largest_batch(self.experiment.train, self.windows())

    @property
    def run(self) -> Run:
        """The run of this workspace: at first, the loaded model's."""
        from lstm_core.runs.run import Run

        with self._building:
            if self._run is None:
                checkpoint, table = self._loaded
                self._run = Run.from_checkpoint(checkpoint, make_windows(table, checkpoint.experiment.data), table)
            return self._run

    @property
    def example(self) -> tuple[Table, Checkpoint]:
        """What it was opened on."""
        return self._loaded[1], self._loaded[0]

    @property
    def loaded_run(self) -> Run | None:
        """The run, unless it has not been asked for yet."""
        return self._run

    @property
    def is_active(self) -> bool:
        """Whether the run trains or waits to."""
        return self._run is not None and self._run.is_active

    @property
    def run_table(self) -> Table:
        """The table that the run was trained on."""
        return self._loaded[1] if self._run is None else self._run.table

    @property
    def loss_name(self) -> str:
        """The loss that the run is trained with."""
        if self._run is not None:
            return self._run.loss_name
        checkpoint = self._loaded[0]
        return resolve_loss(checkpoint.experiment.train.loss, "classification" if checkpoint.classes else "regression")

    @property
    def curves(self) -> dict[str, MetricCurve]:
        """The run's curves, without building it."""
        if self._run is not None:
            return self._run.curves
        return {name: MetricCurve(*line) for name, line in self._loaded[0].curves.items()}

    def use_table(self, table: Table, **data: Any) -> None:
        """Another table, used with its suggested roles. The trained run stays until the next training.

        data: further fields of the DataSpec, such as where the table is from.
        """
        shares = {name: getattr(self.experiment.data, name) for name in ("train_share", "valid_share")}
        spec = DataSpec(**(dataclasses.asdict(table.roles) | shares | data))
        self._put(dataclasses.replace(self.experiment, data=spec), table)
        self._automatic = self._automatic or AutomaticSettings(self.experiment)
        self._automatic.note(self.experiment.data)
        self.experiment = self._automatic.applied(self.experiment, table)

    def restore_upload(self) -> None:
        """The person's own file again, its columns used as they were left."""
        table, spec = self.upload
        self._put(dataclasses.replace(self.experiment, data=spec), table)

    def change(self, spec_name: str, **fields: Any) -> None:
        """Change fields of one spec of the experiment: data, model or train; a training run obeys at once where it can.

        Raises:
            PlaygroundError: the experiment refuses a value; nothing has changed then.
        """
        spec = dataclasses.replace(getattr(self.experiment, spec_name), **fields)
        if spec_name == "train" and set(fields) <= set(LIVE_FIELDS) and not self.run.watch_only:
            self.run.change(**fields)
        experiment = dataclasses.replace(self.experiment, **{spec_name: spec})
        if self._automatic is not None and spec_name == "data" and set(fields) & DECIDING:
            experiment = self._automatic.applied(experiment, self.table)
        self.experiment, self.awaited = experiment, None

    def changed_settings(self) -> list[str]:
        """Settings that differ from those that the run was made with: they take effect at the next training."""
        mine, its = (dataclasses.asdict(e) for e in (self.experiment, self.run.experiment))
        names = [name for part in mine for name in mine[part] if mine[part][name] != its[part][name]]
        if self.table is not self.run.table and self.experiment.data.source == "csv":
            names.insert(0, "data")  # the settings of other sources differ themselves
        return list(dict.fromkeys("data" if name in ("name", "source") else name for name in names))

    def revert_settings(self) -> None:
        """Put the settings and the data of the run back."""
        self._put(self.run.experiment, self.run.table)

    def use_settings(self, experiment: Experiment, table: Table) -> None:
        """An experiment from elsewhere, left as it is, and its table; the trained run stays until the next training."""
        same = (experiment.data.source, table.sha256) == (self.experiment.data.source, self.table.sha256)
        self._put(experiment, self.table if same else table)
        self._automatic = None

    def _put(self, experiment: Experiment, table: Table) -> None:
        if self.experiment.data.source == "csv" and table is not self.table:
            self.upload = (self.table, self.experiment.data)
        self.table, self.experiment, self.awaited = table, experiment, None

    def start_training(self) -> Run:
        """A new run of the experiment as it is now, not started yet, in place of the old run.

        Raises:
            PlaygroundError: the data cannot be cut so, the model would not fit in memory, the loss does not fit
                the task, or the device is not available. The old run is untouched then.
        """
        return self.new_run(self.windows(), self.experiment)

    def new_run(self, windows: Windows, experiment: Experiment, table: Table | None = None) -> Run:
        """Make a new, untrained run the workspace's one run; table: None for the current one.

        Raises:
            PlaygroundError: as start_training, but where the data cannot be cut. The old run stays then.
        """
        from lstm_core.runs.run import Run

        check_memory(experiment, windows, free_memory())
        return self.set_run(Run.new(windows, experiment, table or self.table))

    def load(self, checkpoint: Checkpoint, windows: Windows, table: Table) -> Run:
        """Make a saved run, and the table that it resumes with, the workspace's one run.

        Raises:
            PlaygroundError: the windows do not fit the model, or the model not the memory. The old run stays then.
        """
        from lstm_core.runs.run import Run

        return self.set_run(Run.from_checkpoint(checkpoint, windows, table))

    def set_run(self, run: Run) -> Run:
        """Make this run, and its table, the workspace's one run; the old run is stopped."""
        if self._run is not None and not self._run.watch_only:
            self._run.stop()
        return self.show_run(run)

    def show_run(self, run: Run) -> Run:
        """The same, and the old run goes on as it is: it is on Runs, from where it can be opened again."""
        run.about.setdefault("owner", self.owner)
        if self._run is not None and self._run.step:
            self.previous_model = (self._run.experiment, self._run.snapshot_at())
        if run.experiment != self.experiment:
            self._automatic = None
        self._put(run.experiment, run.table)
        self._run = run
        return run


class WorkspaceStore:
    """All workspaces of this server. What has a run on disk is found again after a restart."""

    def __init__(self) -> None:
        self._workspaces: OrderedDict[str, Workspace] = OrderedDict()
        self._kept: dict[str, str] = {}  # workspace's id → what its file says
        self._lock = threading.Lock()

    def create(self, table: Table, checkpoint: Checkpoint, owner: str = "", id: str = "") -> Workspace:
        """A new workspace under a new unguessable id, with a trained model in it."""
        workspace = Workspace(id or secrets.token_urlsafe(12), owner, table, checkpoint)
        with self._lock:
            idle = [w for w in self._workspaces.values() if w.loaded_run is None or not w.loaded_run.is_active]
            for old in idle[: max(0, len(self._workspaces) + 1 - MAX_WORKSPACES)]:
                del self._workspaces[old.id]
            self._workspaces[workspace.id] = workspace
        return workspace

    def get(self, id: str | None) -> Workspace | None:
        """The workspace of this id, if it is still kept; finding it is a heartbeat."""
        with self._lock:
            workspace = self._workspaces.get(id or "")
            if workspace is not None:
                self._workspaces.move_to_end(workspace.id)
                if workspace.loaded_run is not None:
                    workspace.loaded_run.heartbeat()
        return workspace

    def watch(self, other: Workspace, owner: str, table: Table, checkpoint: Checkpoint) -> Workspace:
        """A workspace of one's own that shows another's run; table, checkpoint: of the example, to begin with.

        What has a folder is watched live; what was never trained here is copied.
        """
        from lstm_core.runs.run import Run

        run = other.loaded_run
        if run is None:
            return self.create(*other.example, owner)
        mine = self.create(table, checkpoint, owner)
        if run.folder is not None:
            mine.set_run(Run.open(run.folder, watch_only=True))
        else:
            mine.load(load_checkpoint(run.checkpoint()), run.windows, run.table)
        return mine

    def keep(self, workspace: Workspace) -> None:
        """Write down which run the workspace shows, so that its address outlives the server."""
        run = workspace.loaded_run
        if run is None or run.folder is None:
            return
        said = json.dumps({"run": run.id, "owner": workspace.owner, "watch": run.watch_only})
        if self._kept.get(workspace.id) != said:
            file = _workspace_file(workspace.id)
            file.parent.mkdir(mode=0o700, exist_ok=True)
            with contextlib.suppress(OSError):  # a full disk: the run's own page says so
                replace_file(file, said.encode())
                self._kept[workspace.id] = said

    def restore(self, id: str | None, table: Table, checkpoint: Checkpoint) -> Workspace | None:
        """The workspace that an earlier server kept under this id, which may come from a stranger; else None."""
        from lstm_core.runs.run import Run

        if not re.fullmatch(r"[A-Za-z0-9_-]{16}", id or ""):
            return None
        kept = read_json(_workspace_file(id))
        folder = folder_of(str(kept.get("run", "")))
        if folder is None:
            return None
        try:
            run = Run.open(RunFolder(folder), bool(kept.get("watch")))
        except PlaygroundError:
            return None
        workspace = self.create(table, checkpoint, str(kept.get("owner", "")), id)
        workspace.set_run(run)
        return workspace


def _workspace_file(id: str) -> Path:
    return home() / "workspaces" / f"{id}.json"
