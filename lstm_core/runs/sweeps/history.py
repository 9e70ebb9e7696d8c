"""History: which settings were proposed and what became of them, in Optuna's SQLite; the only module that knows Optuna.

A proposal is a function of the study's seed, the trial's number, and the outcomes that this number may know: those of
all trials but the last `parallel` before it, of which only the settings count (Optuna's constant liar). Optuna's own
sampler would depend on how many numbers it had drawn since the process began, and on which trials happen to have ended:
so each proposal comes from a sampler of its own and a study in memory, which is told what became of a trial when a
proposal may know it, and is written with all its settings in one transaction. Whatever the number of workers, the order
in which trials end, and the kills between, the same settings come.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_core.experiment import PARTS, PlaygroundError
from lstm_core.runs.sweeps.outcome import COMPLETE, FAILED, PRUNED, Outcome
from lstm_core.runs.sweeps.study import Range, Study
from lstm_core.settings import settings

if TYPE_CHECKING:
    import optuna

REDRAWS = 20  # where a proposal was there before
MIN_FOR_IMPORTANCE = 4  # complete trials
NAME = "sweep"  # of the only study in the file
_OUTCOME = "outcome"
INSTALL = "python -m pip install -r requirements-extras.txt"


@dataclass(frozen=True)
class Trial:
    """One proposal. params: the searched settings by name, as the experiment takes them."""

    number: int  # from 0
    params: dict[str, Any]
    outcome: Outcome | None  # None: not yet

    @property
    def is_complete(self) -> bool:
        return self.outcome is not None and self.outcome.state == COMPLETE


def check_optuna() -> None:
    """Raises PlaygroundError: it is not installed."""
    if find_spec("optuna") is None:
        raise PlaygroundError(f"A sweep needs the package optuna: run {INSTALL}, or pip install optuna.")


class History:
    """The trials of one study. One process at a time may have it."""

    def __init__(self, file: Path, study: Study) -> None:
        """Raises PlaygroundError: Optuna is missing, or the file is damaged."""
        check_optuna()
        import optuna  # an extra: it is asked for only here
        from sqlalchemy.engine import URL
        from sqlalchemy.exc import DatabaseError

        optuna.logging.disable_default_handler()
        url = URL.create("sqlite", database=str(file)).render_as_string()
        try:
            self._storage = optuna.storages.RDBStorage(url)
            self._stored = optuna.create_study(storage=self._storage, study_name=NAME, load_if_exists=True)
            self._trials = [_read(trial) for trial in self._stored.get_trials(deepcopy=False)]
        except (DatabaseError, optuna.exceptions.StorageInternalError):
            raise PlaygroundError(f"{file} is damaged: begin the sweep again in another folder.") from None
        self._study = study
        self._distributions = {name: _distribution(name, study) for name in study.search}
        self._in_memory = optuna.storages.InMemoryStorage()  # as the next proposal may know the trials
        self._memory = optuna.create_study(storage=self._in_memory, study_name=NAME)
        self._ids: list[int] = []  # in it, by number
        self._n_told = 0  # trials of which it knows what became
        self._proposed: set[str] = set()

    @property
    def trials(self) -> Sequence[Trial]:
        """In the order of their numbers."""
        return self._trials

    def known_to(self, number: int) -> Sequence[Trial]:
        """The trials whose outcomes count for the one of this number; they must have ended before it is proposed."""
        return self._trials[: max(0, number - self._study.parallel + 1)]

    @property
    def may_propose(self) -> bool:
        number = len(self._trials)
        return number < self._study.trials and all(trial.outcome for trial in self.known_to(number))

    def propose(self) -> Trial:
        """The next trial, written down; only if may_propose."""
        import optuna

        number = len(self._trials)
        params = self._proposal(number)
        state = optuna.trial.TrialState.RUNNING
        self._stored.add_trial(optuna.trial.create_trial(state=state, params=params, distributions=self._distributions))
        self._trials.append(Trial(number, _decoded(params), None))
        return self._trials[number]

    def tell(self, number: int, outcome: Outcome) -> None:
        """Write down what became of a trial."""
        import optuna

        assert self._trials[number].outcome is None, "a trial ends once"
        written = json.dumps({"curve": outcome.curve, "message": outcome.message, "seconds": outcome.seconds})
        storage, states = self._storage, optuna.trial.TrialState
        id = storage.get_trial_id_from_study_id_trial_number(storage.get_study_id_from_name(NAME), number)
        storage.set_trial_user_attr(id, _OUTCOME, written)
        if outcome.state == PRUNED:
            storage.set_trial_intermediate_value(id, len(outcome.curve), outcome.loss)
        state = {COMPLETE: states.COMPLETE, PRUNED: states.PRUNED, FAILED: states.FAIL}[outcome.state]
        storage.set_trial_state_values(id, state, [outcome.loss] if outcome.state == COMPLETE else None)
        self._trials[number] = Trial(number, self._trials[number].params, outcome)

    def importance(self) -> dict[str, float]:
        """Setting → its share in what distinguishes the best trials (PED-ANOVA), the largest first; {} where too few
        are complete."""
        from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

        losses = [trial.outcome.loss for trial in self._trials if trial.is_complete]
        if len(losses) < MIN_FOR_IMPORTANCE or len(set(losses)) < 2:
            return {}
        shares = get_param_importances(self._stored, evaluator=PedAnovaImportanceEvaluator())
        return dict(sorted(shares.items(), key=lambda share: (-share[1], share[0])))  # equal ones, too, in one order

    def _proposal(self, number: int) -> dict[str, Any]:
        """Optuna's params of the trial of this number; others than those before, where there are any."""
        import optuna

        self._catch_up(number)
        study, storage = self._memory, self._in_memory
        for redraw in range(REDRAWS):
            digest = hashlib.sha256(f"{self._study.seed}/{number}/{redraw}".encode()).digest()
            study.sampler = optuna.samplers.TPESampler(seed=int.from_bytes(digest[:4], "big"))
            asked = study.ask(self._distributions)
            if _key(asked.params) not in self._proposed or redraw == REDRAWS - 1:
                break
            study.tell(asked, state=optuna.trial.TrialState.FAIL)  # which no proposal sees
        study_id = storage.get_study_id_from_name(NAME)
        self._ids.append(storage.get_trial_id_from_study_id_trial_number(study_id, asked.number))
        self._proposed.add(_key(asked.params))
        return asked.params

    def _catch_up(self, number: int) -> None:
        """Let the study in memory have all trials before this one, and of those that it may know what became of them.

        A failed one is the worst of all, so that its like is avoided: one without an epoch, which Optuna ranks last.
        """
        import optuna

        states, storage = optuna.trial.TrialState, self._in_memory
        study_id = storage.get_study_id_from_name(NAME)
        if len(self._ids) < number:  # proposed before this process began
            for trial in self._stored.get_trials(deepcopy=False)[len(self._ids) : number]:
                fields = {"params": trial.params, "distributions": self._distributions}
                running = optuna.trial.create_trial(state=states.RUNNING, **fields)
                self._ids.append(storage.create_new_trial(study_id, running))
                self._proposed.add(_key(trial.params))
        known = self.known_to(number)
        for trial in known[self._n_told :]:
            id, outcome = self._ids[trial.number], trial.outcome
            if outcome.state == COMPLETE:
                storage.set_trial_state_values(id, states.COMPLETE, [outcome.loss])
                continue
            if outcome.state == PRUNED:
                storage.set_trial_intermediate_value(id, len(outcome.curve), outcome.loss)
            storage.set_trial_state_values(id, states.PRUNED)
        self._n_told = len(known)


def _key(params: dict[str, Any]) -> str:
    return json.dumps(params, sort_keys=True)


def _distribution(name: str, study: Study) -> optuna.distributions.BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    values = study.search[name]
    if not isinstance(values, Range):
        return CategoricalDistribution([json.dumps(value) for value in values])
    part, _, field = name.partition(".")
    if settings(PARTS[part])[field].type is int:
        step = int(values.step or 1)
        low, high = int(values.low), int(values.high)
        return IntDistribution(low, high - (high - low) % step, log=values.log, step=step)
    if values.step is None:
        return FloatDistribution(values.low, values.high, log=values.log)
    low, high, step = (Decimal(str(value)) for value in (values.low, values.high, values.step))
    return FloatDistribution(values.low, float(high - (high - low) % step), step=values.step)  # exact, as Optuna asks


def _decoded(params: dict[str, Any]) -> dict[str, Any]:
    """As the experiment takes them: of a list its value, which Optuna knows as JSON."""
    read = {name: json.loads(value) if isinstance(value, str) else value for name, value in params.items()}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in read.items()}


def _read(trial: optuna.trial.FrozenTrial) -> Trial:
    if not trial.state.is_finished():
        return Trial(trial.number, _decoded(trial.params), None)
    said = json.loads(trial.user_attrs[_OUTCOME])
    state = {"COMPLETE": COMPLETE, "PRUNED": PRUNED, "FAIL": FAILED}[trial.state.name]
    curve = tuple(said["curve"])
    loss = trial.value if state == COMPLETE else min(curve, default=None)
    outcome = Outcome(state, loss, curve, said["message"], said["seconds"])
    return Trial(trial.number, _decoded(trial.params), outcome)
