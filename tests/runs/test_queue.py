"""Runs in a queue: who waits, who starts, and that no more train at once than may. Nothing here asserts on time."""

from __future__ import annotations

import threading

from lstm_core.runs.queue import FairLock, RunQueue
from tests.factories import trainer_of, until, wave
from tests.runs.conftest import Watched


def test_a_second_run_waits_says_its_place_and_starts_when_the_first_pauses(make):
    slots = RunQueue(1)
    first, second, third = make(slots), make(slots), make(slots)
    first.start()
    until(lambda: first.status == "running")
    second.start()
    until(lambda: second.queue_position == 1)
    third.start()
    until(lambda: third.queue_position == 2)
    assert (second.status, second.step, first.queue_position) == ("waiting", 0, 0)
    second.start()  # pressed again: it keeps its one place
    assert third.queue_position == 2
    first.pause()
    until(lambda: second.step > 0)
    assert (second.queue_position, third.queue_position, third.status) == (0, 1, "waiting")
    first.start()  # has to queue anew
    until(lambda: first.queue_position == 2)
    second.stop()
    until(lambda: third.step > 0)
    assert first.queue_position == 1


def test_the_next_starts_when_the_first_ends(make):
    slots = RunQueue(1)
    first, second = make(slots), make(slots, epochs=2)
    first.start()
    until(lambda: first.status == "running")
    second.start()
    until(lambda: second.queue_position == 1)
    first.change(epochs=1)
    until(lambda: second.status == "finished")
    assert first.status == "finished"


def test_a_waiting_run_can_be_paused_or_stopped_and_leaves_the_queue(make):
    slots = RunQueue(1)
    first, second, third = make(slots), make(slots), make(slots)
    first.start()
    until(lambda: first.status == "running")
    for k, run in enumerate((second, third), start=1):
        run.start()
        until(lambda k=k, run=run: run.queue_position == k)
    second.pause()
    assert (second.status, second.queue_position, third.queue_position) == ("paused", 0, 1)
    third.stop()
    assert (third.status, third.queue_position, third.step) == ("stopped", 0, 0)
    assert first.status == "running"


def test_never_more_at_once_than_there_are_places(make):
    slots, lock, now, most = RunQueue(2), threading.Lock(), set(), []

    class Counted(Watched):
        def __next__(self) -> dict:
            with lock:
                now.add(id(self))
                most.append(len(now))
            try:
                return super().__next__()
            finally:
                with lock:
                    now.discard(id(self))

    several = [make(slots, Counted(epochs=3)) for _ in range(6)]
    for run in several:
        run.start()
    until(lambda: all(run.status == "finished" for run in several))
    assert max(most) <= 2
    assert all(run.step == 12 for run in several)


def test_a_fair_lock_lets_one_in_at_a_time_and_none_starve():
    lock, holders, peak, stop = FairLock(trainer_of(wave())), [], [], threading.Event()

    def work_again_and_again() -> None:
        while not stop.is_set():
            with lock:
                holders.append(1)
                peak.append(len(holders))
                holders.pop()

    worker = threading.Thread(target=work_again_and_again)
    worker.start()
    for _ in range(50):
        with lock as trainer:
            holders.append(1)
            peak.append(len(holders))
            assert trainer.step == 0
            holders.pop()
    stop.set()
    worker.join()
    assert max(peak) == 1
