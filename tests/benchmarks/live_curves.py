"""What the live curves cost the browser and the server: CPU while a run trains on Train, and while records grow.

    python -m tests.benchmarks.live_curves [folder of another checkout …]

Every folder's own app is started in turn, three times; "records" is one page whose browser reads a run's records by
itself, at 700 steps a second, and scripts rest. Shares are of one core, over SECONDS each.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page, expect

from lstm_core.runs.records import RecordWriter
from tests.browser.conftest import ROOT, chromium, server
from tests.browser.tab import Tab

SECONDS, ROUNDS = 20.0, 3
STEPS = 700  # records a second
SIZE = {"width": 1280, "height": 900}


def cpu_seconds(processes: list[psutil.Process]) -> float:
    """User and system time of these processes so far."""
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:  # it has ended: its time is lost, which is little
            continue
        total += times.user + times.system
    return total


def family(word: str) -> list[psutil.Process]:
    """Our own child processes with this word in their command."""
    found = []
    for child in psutil.Process().children(recursive=True):
        try:
            if word in " ".join(child.cmdline()):
                found.append(child)
        except (psutil.NoSuchProcess, psutil.AccessDenied):  # it ended while we looked
            continue
    return found


def shares(page: Page) -> tuple[float, float]:
    """(browser, server) CPU as shares of one core while the page is watched."""
    page.wait_for_timeout(3000)
    groups, begin = (family("chromium"), family("streamlit")), time.perf_counter()
    before = [cpu_seconds(group) for group in groups]
    page.wait_for_timeout(1000 * SECONDS)
    passed = time.perf_counter() - begin
    return tuple((cpu_seconds(group) - was) / passed for group, was in zip(groups, before, strict=True))


def train(browser: Browser, root: Path, log: Path) -> tuple[float, float]:
    """Of Train while the example trains."""
    page = browser.new_page(viewport=SIZE)
    with server(log, root=root) as address:
        tab = Tab(page, address).open("train")
        tab.fill("epochs", 1_000_000).button("train").click()
        expect(tab.progress).to_contain_text("Training")
        result = shares(page)
        page.close()
    return result


@contextmanager
def growing(home: Path) -> Iterator[str]:
    """The id of a run whose records grow by STEPS a second, after a minute of them."""
    id, end = "benchmark-run-01", threading.Event()
    folder = home / "runs" / id
    folder.mkdir(parents=True, exist_ok=True)
    writer = RecordWriter(folder / "records.bin", 0)

    def append(step: int) -> None:
        valid = 0.5 if step % 12 == 0 else None
        loss = 0.1 + 0.05 * (step * 7919 % 100) / 100
        writer.append({"step": step, "train_loss": loss, "grad_norm": 10 * loss, "lr": 0.003, "valid_loss": valid})

    def work() -> None:
        step, begin = 60 * STEPS, time.perf_counter()
        while not end.wait(0.03):
            while step < 60 * STEPS + STEPS * (time.perf_counter() - begin):
                step += 1
                append(step)
        writer.close()

    for step in range(1, 60 * STEPS + 1):
        append(step)
    thread = threading.Thread(target=work)
    thread.start()
    yield id
    end.set()
    thread.join()
    (folder / "records.bin").unlink()


def records(browser: Browser, home: Path, log: Path) -> tuple[float, float]:
    """Of the page of tests/browser/records_app.py."""
    page = browser.new_page(viewport=SIZE)
    environment = {"LSTM_PLAYGROUND_HOME": str(home)}
    with growing(home) as id, server(log, "tests/browser/records_app.py", **environment) as address:
        Tab(page, address).open(f"?run={id}")
        result = shares(page)
        page.close()
    return result


def main() -> None:
    roots = [*(Path(name).resolve() for name in sys.argv[1:]), ROOT]
    results: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        log = Path(folder) / "log.txt"
        for _ in range(ROUNDS):
            for root in roots:
                results.setdefault(f"Train, {root}", []).append(train(browser, root, log))
            results.setdefault("records read by the browser", []).append(records(browser, Path(folder), log))
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; medians of {ROUNDS}, least and most\n")
    print(f"{'':42}{'browser':>22}{'server':>22}")
    for name, pairs in results.items():
        texts = [f"{statistics.median(of):.2f} ({min(of):.2f}–{max(of):.2f})" for of in zip(*pairs, strict=True)]
        print(f"{name:42}{texts[0]:>22}{texts[1]:>22}", flush=True)


if __name__ == "__main__":
    main()
