"""What a person feels: start-up, the click on Train, the live curve, and what watching costs the training.

    python -m tests.benchmarks.app [--rounds 9] [--hidden 16 64]

Drives the app in Chromium, as the browser tests do. Training speed is that of the example's data with hidden_size 16
and 64, in rounds: a bare PyTorch loop in this process, while the page's run is paused, and the app's own run with its
page attached; then both again beside a process that keeps one core busy all the time. The bare loop records nothing,
validates nothing and clips nothing; a second one clips and validates as the run does.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from playwright.sync_api import Browser

from lstm_core.data.samples import EXAMPLE_MODEL, load_sample
from lstm_core.data.windows import make_windows
from lstm_core.runs.records import HEADER, RECORD
from lstm_core.training.checkpoint import load_checkpoint
from tests.benchmarks.engine import bare_steps
from tests.benchmarks.live_curves import cpu_seconds, family
from tests.browser.conftest import chromium, home_of, server
from tests.browser.tab import Tab, wait_until

START_UPS, CLICKS, SECONDS, WARM_UP = 5, 7, 4.0, 200
HIDDEN, PAGES = (16, 64), ("Train", "Start")
ENDLESS = 1_000_000  # epochs
BUSY = (sys.executable, "-c", "while True: pass")

FIRST_PICTURE = "() => document.querySelector('.st-key-loss_curve .live-plot')?.plot?.redraws > 0"
# Milliseconds from the click on Train to the frame that shows the new run's first point; the old run has stopped.
CLICK_TO_POINT = """() => new Promise((done) => {
  const plot = () => document.querySelector('.st-key-loss_curve .live-plot').plot;
  const last = () => plot().lines[0]?.x.at(-1);
  const before = last();
  const look = () => {
    const now = last();
    if (now !== undefined && now !== before) done(performance.now() - begin); else requestAnimationFrame(look);
  };
  const begin = performance.now();
  document.querySelector('.st-key-train button').click();
  look();
})"""
REDRAWS = "() => document.querySelector('.st-key-loss_curve .live-plot').plot.redraws"


def start_up(browser: Browser, log: Path) -> float:
    """Seconds from the launch of the process to the first picture on Start."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    begin = time.perf_counter()
    with server(log) as address:
        page.goto(address)
        wait_until(page, FIRST_PICTURE)
        seconds = time.perf_counter() - begin
        page.close()
    return seconds


def cold_click(browser: Browser, log: Path) -> float:
    """Seconds from a click on Train, as soon as a new server's first page shows it, to the first point."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    with server(log) as address:
        page.goto(f"{address}/train")
        wait_until(page, FIRST_PICTURE)
        wait_until(page, "() => document.querySelector('.st-key-train button')?.disabled === false")
        seconds = page.evaluate(CLICK_TO_POINT) / 1000
        page.close()
    return seconds


def clicks(tab: Tab) -> list[float]:
    """Seconds from click to first point, on a server that has trained before."""
    seconds = []
    for _ in range(CLICKS):
        tab.wait_for_points(20)
        tab.press("stop")
        tab.page.wait_for_timeout(2000)  # the model that was stopped is scored and saved
        seconds.append(tab.page.evaluate(CLICK_TO_POINT) / 1000)
        tab.wait_for_live()
    return seconds


def bare_loop(hidden: int, alike: bool) -> Iterator[None]:
    """The example's training as a bare loop on one thread, as the run has it."""
    spec = load_checkpoint(EXAMPLE_MODEL.read_bytes()).experiment
    spec = dataclasses.replace(spec, model=dataclasses.replace(spec.model, hidden_size=hidden))
    loop = bare_steps(make_windows(load_sample("sunspots"), spec.data), spec, threads=1, alike=alike)
    for _ in range(WARM_UP):
        next(loop)
    return loop


def bare_pace(loop: Iterator[None]) -> float:
    """Steps a second."""
    begin, count = time.perf_counter(), 0
    while (passed := time.perf_counter() - begin) < SECONDS:
        next(loop)
        count += 1
    return count / passed


def newest_run(home: Path) -> Path:
    """The folder of the run that was written to last."""
    return max((home / "runs").glob("*/records.bin"), key=lambda file: file.stat().st_mtime_ns).parent


def steps_done(home: Path) -> int:
    """Of the newest run: its records lie one after the other."""
    records = newest_run(home) / "records.bin"
    return (records.stat().st_size - HEADER.size) // RECORD.itemsize


def watched(tab: Tab, home: Path) -> dict[str, float]:
    """Of the app's own run with its page attached: steps and redraws a second, cores of browser and server."""
    tab.button("pause").click()  # it says Resume
    tab.wait_for_live()
    tab.page.wait_for_timeout(1000)
    groups = family("chromium"), family("streamlit run")
    used, step, redraws = [cpu_seconds(group) for group in groups], steps_done(home), tab.page.evaluate(REDRAWS)
    begin = time.perf_counter()
    tab.page.wait_for_timeout(1000 * SECONDS)
    passed, steps = time.perf_counter() - begin, steps_done(home) - step
    shares = [(cpu_seconds(group) - was) / passed for group, was in zip(groups, used, strict=True)]
    redraws = tab.page.evaluate(REDRAWS) - redraws
    tab.press("pause")
    return {"steps": steps / passed, "redraws": redraws / passed, "browser": shares[0], "server": shares[1]}


@contextmanager
def busy_process() -> Iterator[None]:
    with subprocess.Popen(BUSY) as process:
        yield
        process.kill()


def rounds(tab: Tab, loops: dict[str, Iterator[None]], home: Path, count: int, busy: bool) -> list[dict[str, float]]:
    """The bare loops and the watched run in turn; which is first changes from round to round."""
    found = []
    with busy_process() if busy else nullcontext():
        for k in range(count):
            tasks = [lambda name=name: {name: bare_pace(loops[name])} for name in loops]
            tasks.insert(k % (len(tasks) + 1), lambda: watched(tab, home))
            found.append({name: value for task in tasks for name, value in task().items()})
    return found


def row(name: str, values: list[float], unit: str, aim: str) -> None:
    middle, low, high = statistics.median(values), min(values), max(values)
    print(f"{name:58}{middle:9.2f}{low:9.2f}{high:9.2f}  {unit:9} {aim}", flush=True)


def report(name: str, found: list[dict[str, float]], busy: bool) -> None:
    row(f"{name}: bare loop", [one["bare"] for one in found], "steps/s", "")
    aim = "aim 0.85" if busy else "aim 0.95"
    row(f"{name}: page attached / bare loop", [one["steps"] / one["bare"] for one in found], "", aim)
    row(f"{name}: page attached / loop that does as much", [one["steps"] / one["alike"] for one in found], "", "")
    if not busy:
        row(f"{name}: browser", [one["browser"] for one in found], "cores", "aim 0.25")
        row(f"{name}: server", [one["server"] for one in found], "cores", "aim 0.05")
        row(f"{name}: updates of the loss curve", [one["redraws"] for one in found], "a second", "aim 4")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--hidden", type=int, nargs="+", default=HIDDEN, help="hidden_size of the models")
    chosen = parser.parse_args()
    print(f"{os.cpu_count()} cores; Chromium without a GPU on the same machine\n")
    print(f"{'':58}{'median':>9}{'least':>9}{'most':>9}")
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        log = Path(folder) / "log.txt"
        row("launch to the first picture on Start", [start_up(browser, log) for _ in range(START_UPS)], "s", "aim 3")
        cold = [cold_click(browser, log) for _ in range(3)]
        row("a new server: click on Train to the first point", cold, "s", "aim 6")
        with server(log) as address:
            home = home_of(log, address)
            tab = Tab(browser.new_page(viewport={"width": 1280, "height": 720}), address)
            tab.open("train").fill("patience", 0).train(ENDLESS)
            row("click on Train to the first point drawn", clicks(tab), "s", "aim 0.3")
            for hidden in chosen.hidden:
                tab.go("Train").press("stop").go("Model").fill("hidden_size", hidden)
                tab.go("Train").train(ENDLESS).wait_for_live()
                tab.wait_for_points(20)
                tab.press("pause")
                loops = {"bare": bare_loop(hidden, alike=False), "alike": bare_loop(hidden, alike=True)}
                for page in PAGES:
                    tab.go(page)
                    for busy in (False, True):
                        name = f"hidden {hidden}, {page}{', one core busy' if busy else ''}"
                        report(name, rounds(tab, loops, home, chosen.rounds, busy), busy)


if __name__ == "__main__":
    main()
