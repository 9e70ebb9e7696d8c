"""Sweep: proposes settings, lets workers train them, writes down what became of them: the only writer of a sweep.

Killed at any moment and begun again, it goes on: a trial that was proposed is in optuna.db, its run folder is where its
number says, and what a worker did meanwhile counts. First all trials, some pruned; then the best ones from further
seeds, since one seed is luck; then the winner, the best median, once more as an ordinary run. The workers score no
trial, so that the test windows are looked at once, for the winner.

When it ends early, as where somebody asks for a pause, its trials are paused: nothing trains on that nobody would prune
or count.
"""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from lstm_core.architecture.memory import check_memory
from lstm_core.data.windows import Windows, make_windows
from lstm_core.experiment import DataSpec, Experiment, PlaygroundError
from lstm_core.model.devices import free_memory
from lstm_core.runs import launcher, pool
from lstm_core.runs.cluster import starter as cluster
from lstm_core.runs.folder import read_json, replace_file
from lstm_core.runs.sweeps.files import SweepFolder
from lstm_core.runs.sweeps.history import History, Trial
from lstm_core.runs.sweeps.outcome import FAILED, Outcome
from lstm_core.runs.sweeps.progress import Finalist, described, seed_loss, trial_text
from lstm_core.runs.sweeps.trial_run import NO_LOSS, TrialRun

LOOK_SECONDS, CARE_SECONDS = 0.05, 1.0  # between two looks at the trials, at the workers
SHOW_SECONDS = 0.5  # between two progress.json, at least
SHOW_FACTOR = 20  # so much longer than writing progress.json takes
PAUSE_SECONDS = 10.0  # a step of a huge model may take longer; it is paused all the same
NO_WINNER = "No trial is complete, so that there is no winner: see why each one failed, and change its values."


@dataclass
class Job:
    """A run under way. seed: 0 of the trial itself, 1 … of a finalist; None of the winner."""

    trial: Trial
    seed: int | None
    run: TrialRun


class _PauseError(Exception):
    """Somebody asks for a pause."""


class Sweep:
    """One sweep in this process."""

    def __init__(
        self,
        folder: SweepFolder,
        workers: int | None = None,
        say: Callable[[str], None] = lambda sentence: None,
        show: Callable[[dict[str, Any]], None] = lambda progress: None,
        address: str = "",
    ) -> None:
        """workers: trials that train at once, at most the study's `parallel`; say: hears a sentence about each trial
        that ends; show: sees what progress.json has, now and then; address: of the cluster that trains them."""
        self.folder, self._say, self._show = folder, say, show
        self._study = folder.study()
        self._owner = {"owner": owner} if (owner := folder.about().get("owner")) else {}
        self._address = address
        places = cluster.slots(address) if address else pool.cpu_slots()
        self._workers = min(self._study.parallel, workers or places)
        self._active: list[Job] = []
        self._finalists: list[Finalist] = []
        self._winner: Job | None = None
        self._status, self._message = "running", NO_WINNER
        self._care_at = self._show_at = 0.0
        self._waiting_for: set[str] = set()  # runs that somebody else paused
        self._windows = functools.lru_cache(maxsize=1)(self._make_windows)

    def run(self) -> dict[str, Any]:
        """Train until the winner is scored; what progress.json then has: status "finished", or "failed" where no trial
        is complete, with a message, or "interrupted" where somebody asked for a pause. Of a sweep that has ended, at
        once.

        Raises:
            PlaygroundError: Optuna is missing, the folder is damaged, or another process is at work on it.
            OSError: the disk is full.
        """
        lock = self.folder.lock()
        try:
            self.folder.obeyed()
            if self.folder.progress().get("status") == "finished":
                return self.folder.progress()
            self._table = self.folder.table()
            self._history = History(self.folder.file("optuna.db"), self._study)
            return self._run()
        except _PauseError:
            self.folder.obeyed()
            self._pause()
            self._status = "interrupted"
            return self._report(now=True)
        finally:
            self._pause()
            lock.release()

    def _run(self) -> dict[str, Any]:
        waiting = [trial for trial in self._history.trials if trial.outcome is None]
        self._drive(self._trials(waiting), self._end_trial)
        self._finalists = self._choose_finalists()
        if self._finalists:
            self._drive(self._seeds(), self._end_seed)
            best = min(self._finalists, key=lambda one: (one.median, one.trial.outcome.loss, one.trial.number))
            self._drive(iter([(best.trial, None)]), self._end_winner)
        self._status = "failed" if self._winner is None else "finished"
        return self._report(now=True)

    # ---- the three rounds: which runs, and what becomes of each

    def _trials(self, waiting: list[Trial]) -> Iterator[tuple[Trial, int] | None]:
        """Those that were proposed before a kill, then new ones; None: not before another one has ended."""
        yield from ((trial, 0) for trial in waiting)
        while len(self._history.trials) < self._study.trials:
            yield (self._history.propose(), 0) if self._history.may_propose else None

    def _end_trial(self, job: Job, outcome: Outcome) -> None:
        self._history.tell(job.trial.number, outcome)
        self._say(trial_text(self._history.trials, job.trial.number))

    def _choose_finalists(self) -> list[Finalist]:
        complete = [trial for trial in self._history.trials if trial.is_complete]
        different: dict[str, Trial] = {}
        for trial in sorted(complete, key=lambda one: (one.outcome.loss, one.number)):
            different.setdefault(repr(trial.params), trial)
        chosen = list(different.values())[: self._study.finalists]
        return [Finalist(trial, {0: trial.outcome.loss}) for trial in chosen]

    def _seeds(self) -> Iterator[tuple[Trial, int]]:
        for finalist in self._finalists:
            yield from ((finalist.trial, seed) for seed in range(1, self._study.seeds))

    def _end_seed(self, job: Job, outcome: Outcome) -> None:
        finalist = next(one for one in self._finalists if one.trial.number == job.trial.number)
        finalist.losses[job.seed] = seed_loss(outcome)
        if len(finalist.losses) == self._study.seeds:
            self._say(finalist.text())

    def _end_winner(self, job: Job, outcome: Outcome) -> None:
        if outcome.state == FAILED:  # as a refit may, which no trial does
            self._message = f"The winner could not be trained again: {outcome.message}"
            return
        self._winner = job
        folder = job.run.folder
        if not folder.file("score.json").exists():  # whoever was to score it was killed
            self._score(job)
        replace_file(self.folder.file("experiment.json"), folder.export().encode())

    def _score(self, job: Job) -> None:
        from lstm_core.runs.saved_state import load_trainer, write_score  # PyTorch, which nothing else here needs

        folder = job.run.folder
        with folder.locked(PAUSE_SECONDS) as is_mine:
            if is_mine:
                trainer, _ = load_trainer(folder, self._table)
                write_score(folder, trainer.scored_models(), trainer.windows, trainer.step, lambda: False)

    # ---- what trains them

    def _drive(self, wanted: Iterator[tuple[Trial, int | None] | None], end: Callable[[Job, Outcome], None]) -> None:
        """Train all wanted runs, so many at a time."""
        is_all = False
        while True:
            while not is_all and len(self._active) < self._workers:
                following = next(wanted, self)
                is_all = following is self
                if is_all or following is None:
                    break
                self._begin(*following, end)
            if is_all and not self._active:
                return
            if self.folder.asked == "pause":
                raise _PauseError
            self._care()
            for job in list(self._active):
                outcome = job.run.look()
                if outcome is not None:
                    self._active.remove(job)
                    end(job, outcome)
                elif job.run.is_paused:
                    self._wait_for(job)
            self._report()
            time.sleep(LOOK_SECONDS)

    def _begin(self, trial: Trial, seed: int | None, end: Callable[[Job, Outcome], None]) -> None:
        """Begin a run. Settings that do not go together, or do not fit the data, end it at once."""
        job = Job(trial, seed, self._run_of(trial, seed, self._study.experiment))
        try:
            experiment = self._experiment(trial, seed, is_new=not job.run.folder.exists)
        except PlaygroundError as error:
            end(job, Outcome(FAILED, message=str(error)))
            return
        job.run = self._run_of(trial, seed, experiment)
        self._active.append(job)
        job.run.begin()

    def _experiment(self, trial: Trial, seed: int | None, is_new: bool) -> Experiment:
        study = self._study
        experiment = study.winner(trial.params) if seed is None else study.with_params(trial.params, seed)
        windows = self._windows(experiment.data)
        if not len(windows.starts["valid"]):
            raise PlaygroundError(NO_LOSS)
        if is_new:
            self._check_memory(experiment, windows)
        return experiment

    def _check_memory(self, experiment: Experiment, windows: Windows) -> None:
        if not self._address:  # what a node has free, nobody here knows
            check_memory(experiment, windows, free_memory())

    def _make_windows(self, data: DataSpec) -> Windows:
        return make_windows(self._table, data)

    def _run_of(self, trial: Trial, seed: int | None, experiment: Experiment) -> TrialRun:
        about = {"sweep": self.folder.id, "trial": trial.number, "seed": seed} | self._owner
        name = self._study.name or "Sweep"
        if seed is None:
            id = self.folder.run_id(trial.number, 0, "winner")
            about |= {"name": f"{name}: winner, trial {trial.number}"}
            return TrialRun(id, experiment, self._table, about, address=self._address)
        about |= {"name": f"{name}: trial {trial.number}", "hidden": True, "unscored": True}
        table = dataclasses.replace(self._table, upload=None)  # the sweep's folder has the file
        references = [one.outcome.curve for one in self._history.known_to(trial.number) if one.is_complete]
        is_pruned = self._study.prune and not seed
        run_id = self.folder.run_id(trial.number, seed)
        pruned_by = references if is_pruned else ()
        return TrialRun(run_id, experiment, table, about, pruned_by, self._study.warmup_epochs, self._address)

    def _wait_for(self, job: Job) -> None:
        id = job.run.folder.id
        if id not in self._waiting_for:
            self._waiting_for.add(id)
            self._say(
                f"Trial {job.trial.number} was paused: python -m lstm_core resume {id} --detach goes on with it, "
                f"stop {id} counts it as it is."
            )

    def _care(self) -> None:
        """Let there be workers."""
        now = time.monotonic()
        if now >= self._care_at:
            self._care_at = now + CARE_SECONDS
            pool.be_present()
            if self._address:
                cluster.ensure_worker(self._address)
            launcher.ensure_workers()

    def _pause(self) -> None:
        """Nothing trains on unseen."""
        runs = [job.run for job in self._active]
        for run in runs:
            run.pause()
        give_up = time.monotonic() + PAUSE_SECONDS
        while any(run.is_at_work for run in runs) and time.monotonic() < give_up:
            time.sleep(LOOK_SECONDS)
        if runs:
            self._status = "interrupted"
            self._report(now=True)

    def _report(self, now: bool = False) -> dict[str, Any]:
        """Write progress.json and show it; what is in it."""
        if not now and time.monotonic() < self._show_at:
            return {}
        began = time.monotonic()
        under_way = {job.run.folder.id: job.run.losses for job in self._active}
        progress = described(self.folder, self._study, self._history.trials, under_way, self._finalists)
        progress |= {"status": self._status, "message": self._message if self._status == "failed" else ""}
        if self._status in ("finished", "failed"):
            progress["importance"] = self._history.importance()
        if self._winner is not None:
            folder = self._winner.run.folder
            number = self._winner.trial.number
            score = read_json(folder.file("score.json"))
            progress["winner"] = {"trial": number, "run": folder.id, "score": score}
        self.folder.write_progress(progress)
        self._show(progress)
        ended = time.monotonic()
        self._show_at = ended + max(SHOW_SECONDS, SHOW_FACTOR * (ended - began))  # of 10,000 trials it takes 0.4 s
        return progress
