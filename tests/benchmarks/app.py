"""What a person feels: start-up, the click on Train, the live curve, and what watching costs the training.

    python -m tests.benchmarks.app

Drives the app in Chromium, as the browser tests do. Training speed is that of the example on Start, in three ways
that take turns: a bare PyTorch loop, a Run without any page, and the app's own run with its page attached.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser

from lstm_core.data.samples import EXAMPLE_MODEL, load_sample
from lstm_core.data.windows import make_windows
from lstm_core.runs.run import Run
from lstm_core.training.checkpoint import load_checkpoint
from lstm_core.training.trainer import Trainer
from tests.benchmarks.engine import best_bare, rate
from tests.browser.conftest import chromium, server
from tests.browser.tab import Tab, wait_until

START_UPS, CLICKS, ROUNDS, SECONDS = 5, 7, 5, 5.0
ENDLESS = 1_000_000  # epochs

FIRST_PICTURE = "() => document.querySelector('.st-key-loss_curve .live-plot')?.plot?.redraws > 0"
# Milliseconds from the click on Train to the frame that shows the new run's first point; the old run has stopped.
CLICK_TO_POINT = """() => new Promise((done) => {
  const plot = document.querySelector('.st-key-loss_curve .live-plot');
  const last = () => plot.plot.lines[0].x.at(-1);
  const before = last();
  const look = () => (last() !== before ? done(performance.now() - begin) : requestAnimationFrame(look));
  const begin = performance.now();
  document.querySelector('.st-key-train button').click();
  look();
})"""
# [redraws a second that brought new points, steps a second], watched for so many milliseconds.
WATCH = """(duration) => new Promise((done) => {
  const plot = document.querySelector('.st-key-loss_curve .live-plot');
  const words = document.querySelector('[data-testid=stProgress]');
  const begin = performance.now(), seen = [];
  const before = plot.plot.redraws; // it is drawn only when there are new points
  new MutationObserver(() => {
    const step = Number(/step\\s+([\\d,]+)/.exec(words.innerText)[1].replaceAll(',', ''));
    if (!seen.length || step > seen.at(-1)[1]) seen.push([performance.now(), step]);
  }).observe(words, { subtree: true, childList: true, characterData: true });
  setTimeout(() => {
    const [[t0, s0], [t1, s1]] = [seen[0], seen.at(-1)];
    done([1000 * (plot.plot.redraws - before) / (performance.now() - begin), 1000 * (s1 - s0) / (t1 - t0)]);
  }, duration);
})"""


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


def example() -> tuple[Run, Iterator[None]]:
    """The run that the app's Train button starts for a new visitor, without the app; and the same as a bare loop."""
    table = load_sample("sunspots")
    spec = load_checkpoint(EXAMPLE_MODEL.read_bytes()).experiment
    windows = make_windows(table, spec.data)
    trainer = Trainer(windows, spec)
    trainer.change(epochs=ENDLESS)
    bare, _ = best_bare(windows, spec)
    return Run(trainer, table), bare


def unwatched(run: Run) -> float:
    """Steps a second of a run that no page looks at."""
    run.start()
    time.sleep(0.5)
    begin, step = time.perf_counter(), run.step
    time.sleep(SECONDS)
    pace = (run.step - step) / (time.perf_counter() - begin)
    run.pause()
    return pace


def watched(tab: Tab) -> tuple[float, float]:
    """(redraws, steps) a second of the app's own run, on Train."""
    tab.button("pause").click()  # it says Resume
    tab.wait_for_live()
    result = tab.page.evaluate(WATCH, 1000 * SECONDS)
    tab.press("pause")
    return tuple(result)


def clicks(tab: Tab) -> list[float]:
    """Seconds from click to first point, on a server that has trained before."""
    seconds = []
    for _ in range(CLICKS):
        tab.wait_for_points(20)
        tab.press("stop")
        seconds.append(tab.page.evaluate(CLICK_TO_POINT) / 1000)
        tab.wait_for_live()
    return seconds


def row(name: str, values: list[float], unit: str, aim: str) -> None:
    middle, low, high = statistics.median(values), min(values), max(values)
    print(f"{name:52}{middle:9.2f}{low:9.2f}{high:9.2f}  {unit:9} {aim}", flush=True)


def main() -> None:
    print(f"{os.cpu_count()} cores; Chromium without a GPU on the same machine\n")
    print(f"{'':52}{'median':>9}{'least':>9}{'most':>9}")
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        log = Path(folder) / "log.txt"
        row("launch to the first picture on Start", [start_up(browser, log) for _ in range(START_UPS)], "s", "aim 3")
        with server(log) as address:
            tab = Tab(browser.new_page(viewport={"width": 1280, "height": 720}), address)
            tab.open().go("Train").train(ENDLESS)
            row("click on Train to the first point drawn", clicks(tab), "s", "aim 0.5")
            tab.press("pause")
            run, bare = example()
            rounds = [(rate(bare), unwatched(run), *watched(tab)) for _ in range(ROUNDS)]
    loop, alone, redraws, steps = (list(column) for column in zip(*rounds, strict=True))
    row("updates of the loss curve while it trains", redraws, "a second", "aim 4")
    row("steps of a bare PyTorch loop", loop, "a second", "")
    row("steps of a run without a page", alone, "a second", "")
    row("steps of a run with its page attached", steps, "a second", "")
    row("page attached / no page", [a / b for a, b in zip(steps, alone, strict=True)], "", "aim 0.85")
    row("page attached / bare loop", [a / b for a, b in zip(steps, loop, strict=True)], "", "aim 0.85")


if __name__ == "__main__":
    main()
