"""Memory of the server and its workers over many page reruns and many runs: it must stay flat.

    python -m tests.benchmarks.soak [--reruns 500] [--runs 20]

One browser tab switches a setting of Train back and forth and goes round all pages; then it trains one run after
another. Memory is resident, in MB, after garbage that the first fifth leaves behind.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.benchmarks.live_curves import family
from tests.browser.conftest import chromium, home_of, server
from tests.browser.tab import TITLES, Tab


def megabytes(processes: list[psutil.Process]) -> float:
    return sum(process.memory_info().rss for process in processes) / 1e6


def measured(name: str, tab: Tab, home: Path, count: int, once: Callable[[int], None]) -> None:
    """Rows: memory after every fifth of so many rounds."""
    for k in range(count):
        once(k)
        if (k + 1) % max(1, count // 5) == 0:
            tab.page.wait_for_timeout(1000)
            workers = [process for process in psutil.process_iter() if is_worker(process, home)]
            print(
                f"{k + 1:6} {name:14}{megabytes(family('streamlit run')):10.0f}{megabytes(workers):12.0f}", flush=True
            )


def is_worker(process: psutil.Process, home: Path) -> bool:
    try:
        mine = process.environ().get("LSTM_PLAYGROUND_HOME") == str(home)
        return mine and process.cmdline()[-1] == "lstm_core.runs.worker"
    except (psutil.NoSuchProcess, psutil.AccessDenied, IndexError):
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--reruns", type=int, default=500)
    parser.add_argument("--runs", type=int, default=20)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        log = Path(folder) / "log.txt"
        with server(log) as address:
            home = home_of(log, address)
            tab = Tab(browser.new_page(viewport={"width": 1280, "height": 720}), address)
            tab.open("train").train(2).wait_for_end(2)
            print(f"{'':21}{'server, MB':>10}{'workers, MB':>12}")

            def rerun(k: int) -> None:
                if k % 10 == 9:
                    tab.go(TITLES[k // 10 % len(TITLES)]).go("Train")
                tab.widget("log_scale").locator("label").first.click()
                tab.settle()

            measured("reruns", tab, home, chosen.reruns, rerun)
            measured("runs", tab, home, chosen.runs, lambda k: tab.train(2 + k % 3).wait_for_end(2 + k % 3))
        assert "Traceback" not in log.read_text(errors="replace")


if __name__ == "__main__":
    main()
