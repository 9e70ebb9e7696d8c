"""Runs trained elsewhere: the folder here is what a session here would have made, whatever gets lost on the way."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
import torch

from lstm_core.experiment import Experiment, PlaygroundError
from lstm_core.runs import pool
from lstm_core.runs.cluster import address, mirrored_session, ray_cluster
from lstm_core.runs.cluster.mirrored_session import LostError, MirroredSession
from lstm_core.runs.cluster.remote_run import News, RemoteRun
from lstm_core.runs.folder import RunFolder
from lstm_core.runs.home import home, new_id
from lstm_core.runs.records import read_records
from lstm_core.runs.snapshot_log import SnapshotReader
from lstm_core.runs.worker import train as train_claimed
from lstm_core.training.trainer import Trainer
from tests.factories import DROPS, ENDLESS, TABLE, trainer_of, until
from tests.runs.conftest import WINDOWS
from tests.runs.sessions import TRAIN, train, weights

EPOCHS = 40  # of four steps


class FakeRemote:
    """A RemoteRun of this process behind a wire that may break; absent: no machine ever takes it."""

    def __init__(self, id: str, files: dict[str, bytes], breaks_after: int | None, absent: bool) -> None:
        self.run = None if absent else RemoteRun(id, files)
        self._left, self._answer = breaks_after, None

    def exchange(self, commands: bytes, should_yield: bool) -> None:
        if self._left is not None:
            self._left -= 1
        self._answer = None if self.run is None else self.run.exchange(commands, should_yield)

    def news(self, seconds: float) -> News | None:
        if self._left is not None and self._left < 0:
            raise LostError("the node is gone")
        if self._answer is None:
            time.sleep(seconds)
        return self._answer

    def score(self) -> None:
        self.run.score()

    def end(self) -> None:
        if self.run is not None:
            self.run.leave()


class Cluster:
    """Starts FakeRemotes; breaks: after how many exchanges each of the next ones is lost."""

    def __init__(self, *breaks: int, absent: bool = False) -> None:
        self.breaks, self.absent, self.remotes = list(breaks), absent, []

    def start(self, id: str, experiment: Experiment, files: dict[str, bytes]) -> FakeRemote:
        after = self.breaks.pop(0) if self.breaks else None
        self.remotes.append(FakeRemote(id, files, after, self.absent))
        return self.remotes[-1]


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    monkeypatch.setattr(mirrored_session, "EXCHANGE_SECONDS", 0.02)
    monkeypatch.setattr(mirrored_session, "WAIT_SECONDS", 0.002)


@pytest.fixture
def make() -> Callable[..., RunFolder]:
    def make_folder(epochs: int = EPOCHS) -> RunFolder:
        made = RunFolder(home() / "runs" / new_id())
        made.create(trainer_of(WINDOWS, DROPS, epochs=epochs).experiment, TABLE, {})
        return made

    return make_folder


def mirrored(folder: RunFolder, cluster: Cluster, *commands, should_yield=lambda: False) -> MirroredSession:
    for do, fields in commands:
        folder.ask(do, **fields)
    return MirroredSession(folder, should_yield, cluster.start)


def assert_same(one: RunFolder, two: RunFolder) -> None:
    mine, its = weights(one), weights(two)
    assert set(mine) == set(its) and all(np.array_equal(mine[name], its[name]) for name in mine)
    a, b = (read_records(each.file("records.bin")) for each in (one, two))
    assert len(a) == 4 * EPOCHS
    for name in ("step", "valid_loss", "train_loss", "grad_norm"):
        assert a[name].tobytes() == b[name].tobytes()


def test_what_comes_back_is_what_a_session_here_makes(make):
    here, there = make(), make()
    assert train(here, TRAIN) == "finished"
    session = mirrored(there, cluster := Cluster(), TRAIN)
    assert session.run() == "finished" and session.has_obeyed_all
    assert_same(here, there)
    ours, theirs = here.status(), there.status()
    assert {k: v for k, v in ours.items() if k not in ("time", "seconds")} == {
        k: v for k, v in theirs.items() if k not in ("time", "seconds")
    }
    kept, its = (SnapshotReader(each.file("snapshots.bin")).read() for each in (here, there))
    assert kept.steps == its.steps
    assert all(torch.equal(kept.nearest(step).weights, its.nearest(step).weights) for step in kept.steps)
    assert there.file("model.safetensors").exists()
    session.score()
    assert there.file("score.json").exists()
    place = cluster.remotes[0].run.folder.path.parent
    assert place.exists()
    session.close()
    assert not place.exists()


@pytest.mark.slow
def test_lost_again_and_again_it_goes_on_elsewhere_and_ends_with_the_same_weights(make, monkeypatch):
    plain = Trainer.__next__

    def slow(trainer):
        time.sleep(0.004)
        return plain(trainer)

    here, there = make(), make()
    assert train(here, TRAIN) == "finished"
    monkeypatch.setattr(Trainer, "__next__", slow)
    assert mirrored(there, cluster := Cluster(9, 12, 7), TRAIN).run() == "finished"
    assert len(cluster.remotes) == 4
    assert_same(here, there)


def test_lost_where_it_began_each_time_it_fails_with_the_reason(make):
    session = mirrored(folder := make(), cluster := Cluster(0, 0, 0, 0), TRAIN)
    assert session.run() == "failed" and session.has_obeyed_all
    assert len(cluster.remotes) == 3
    assert folder.status()["message"] == "The cluster lost this run 3 times at step 0: the node is gone"
    assert pool.current_status(folder, folder.status()) == "failed"


@pytest.mark.parametrize(("do", "end"), [("pause", "paused"), ("stop", "stopped")])
def test_a_command_reaches_it_there(do: str, end: str, make):
    session = mirrored(folder := make(ENDLESS), Cluster(), TRAIN)
    timer = threading.Thread(target=lambda: (until(lambda: folder.status().get("step", 0) > 5), folder.ask(do)))
    timer.start()
    assert session.run() == end and session.has_obeyed_all
    timer.join()
    session.close()
    assert folder.status()["status"] == end
    assert len(read_records(folder.file("records.bin"))) == folder.status()["step"] > 5


def test_where_another_is_next_it_saves_itself_and_waits(make):
    turn = threading.Event()
    session = mirrored(folder := make(ENDLESS), Cluster(), TRAIN, should_yield=turn.is_set)
    timer = threading.Thread(target=lambda: (until(lambda: folder.status().get("step", 0) > 5), turn.set()))
    timer.start()
    assert session.run() == "waiting"
    timer.join()
    session.close()
    step = folder.status()["step"]
    assert folder.status()["status"] == "waiting" and step > 5
    assert len(read_records(folder.file("records.bin"))) == step


@pytest.mark.parametrize(("do", "end"), [("pause", "paused"), ("stop", "stopped")])
def test_a_run_that_no_machine_has_taken_yet_can_be_called_off(do: str, end: str, make):
    session = mirrored(folder := make(), Cluster(absent=True), TRAIN, (do, {}))
    assert session.run() == end and session.has_obeyed_all
    assert folder.status()["status"] == end and folder.status()["step"] == 0


def test_a_deleted_run_ends(make):
    session = mirrored(folder := make(ENDLESS), Cluster(), TRAIN)
    timer = threading.Thread(
        target=lambda: (until(lambda: folder.status().get("step", 0) > 5), shutil.rmtree(folder.path))
    )
    timer.start()
    assert session.run() == "deleted"
    timer.join()
    session.close()


# ---- which runs go where


def test_a_run_that_is_wanted_there_is_no_worker_s_here_while_somebody_brings_it(make):
    folder = make()
    folder.ask("train", steps=None)
    with pool.manned("a:1") as is_mine:
        assert is_mine
        with pool.manned("a:1") as again:
            assert not again
        pool.want(folder, "a:1")
        assert pool.claim() is None and pool.claim("b:2") is None
        pool.want(folder)  # at the queue's end
        claim = pool.claim("a:1")
        session = MirroredSession(claim.folder, lambda: False, Cluster().start)
        train_claimed(claim, session, lambda: False)
        assert folder.status()["status"] == "finished" and folder.file("score.json").exists()
        assert not pool.is_wanted(folder) and not folder.is_locked
    with folder.locked(5.0):  # so that no worker of this process takes it
        pool.want(folder, "a:1")
        assert pool.address_of(folder) == "a:1" and pool.wanted_at(folder) == ""  # nobody is left to bring it there
        pool.unwant(folder)


# ---- addresses


@pytest.mark.parametrize("text", ["", "host:port", "http://host:1", ":6379", "ray://"])
def test_what_is_no_address_is_refused(text: str):
    with pytest.raises(PlaygroundError, match="is no address: give HOST:PORT, ray://HOST:PORT or auto"):
        address.check_address(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a:1", ("a", 1)),
        ("ray://a", ("a", 10001)),
        ("ray://a:7", ("a", 7)),
        ("[::1]:5", ("::1", 5)),
        ("auto", ("auto", 0)),
    ],
)
def test_addresses_are_read(text: str, found: tuple[str, int]):
    assert address.host_and_port(text) == found


def test_a_missing_package_and_a_missing_token_are_a_sentence_each(monkeypatch, tmp_path):
    monkeypatch.setattr(address, "find_spec", lambda name: None)
    with pytest.raises(PlaygroundError, match="needs the package ray: .* installs it"):
        address.check_address("a:1")
    monkeypatch.setattr(address, "find_spec", lambda name: name)
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(address, "TOKEN_FILE", str(tmp_path / "none"))
    with pytest.raises(PlaygroundError, match="needs its token: set RAY_AUTH_TOKEN"):
        address.check_address("a:1")
    (tmp_path / "none").write_text("token")
    address.check_address("a:1")


def test_where_nobody_listens_it_is_said_at_once(monkeypatch):
    monkeypatch.setattr(ray_cluster, "check_address", lambda address: None)
    with pytest.raises(PlaygroundError, match=r"The Ray cluster 127\.0\.0\.1:1 cannot be reached"):
        ray_cluster.RayCluster("127.0.0.1:1")
