"""How the tests run: quickly, or with --thorough all of them and every property on as many examples as it names."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from lstm_core.model.devices import limit_to_one_thread
from lstm_core.runs import launcher, pool, session
from lstm_core.runs.worker import work

# Before PyTorch loads, here and in what a test starts: the two workers have a core each.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Tests of a browser, of workers and of commands: another process may be starved on a busy machine. They are tried a
# second time, and the summary names each that needed it (RERUN): one that is named again and again hides a fault.
TRIED_TWICE = ("browser", "runs", "cli")
QUICK = 4  # without --thorough, so much less of the examples
settings.register_profile("thorough", max_examples=100, deadline=None)
settings.register_profile("quick", max_examples=100 // QUICK, deadline=None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--thorough", action="store_true", help="all tests, and all examples of each property")


def pytest_configure(config: pytest.Config) -> None:
    """Before any test module is imported: `examples` asks for the profile."""
    thorough = config.getoption("--thorough")
    settings.load_profile("thorough" if thorough else "quick")
    if not thorough and not config.option.markexpr:
        config.option.markexpr = "not slow"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.relative_to(here).parts[0] in TRIED_TWICE:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the first try of each such test failed on: it may be long before it fails again."""
    for report in terminalreporter.stats.get("rerun", []):
        lines = [line for line in report.longreprtext.splitlines() if line.startswith(("E ", ">"))]
        terminalreporter.write_line("\n".join([f"RERUN {report.nodeid}", *lines[:12]]))


@pytest.fixture(scope="session", autouse=True)
def runs_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """This process's runs have a home of their own, and are trained by threads of it: a worker's process takes seconds
    to start. Its loop is the same; tests of processes start their own."""
    home, ending = tmp_path_factory.mktemp("home"), threading.Event()
    os.environ["LSTM_PLAYGROUND_HOME"] = str(home)
    os.environ["LSTM_PLAYGROUND_SLOTS"] = "2"
    session.SAVE_SECONDS = 0.1  # what a page shows of a training is so old at most: no test waits for seconds
    threads: list[threading.Thread] = []

    def spawn() -> threading.Thread:
        mine = os.environ["LSTM_PLAYGROUND_HOME"]  # a test with a home of its own does not find its runs at work

        def should_end() -> bool:
            return ending.is_set() or os.environ.get("LSTM_PLAYGROUND_HOME") != mine

        threads.append(threading.Thread(target=work, args=(should_end,), name="worker", daemon=True))
        threads[-1].start()
        return threads[-1]

    launcher.spawn = spawn
    # A page's server looks after its workers for as long as the process lives, and would start some in later tests.
    launcher.watch_over = threading.Thread
    yield home
    ending.set()
    for thread in threads:
        thread.join(10)


@pytest.fixture(scope="module", autouse=True)
def no_run_left() -> Iterator[None]:
    """What a module's tests leave training does not hold up the next ones."""
    yield
    end_all_runs()


def end_all_runs() -> None:
    give_up = time.monotonic() + 20
    for folder in pool.wanted_runs():
        folder.ask("stop")
    launcher.ensure_workers()  # those of this process left when a test moved to another home
    while pool.wanted_runs() and time.monotonic() < give_up:
        time.sleep(0.01)
    assert not pool.wanted_runs(), "runs that do not end"


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """A training before this test may have taken all cores, which the other worker needs too."""
    limit_to_one_thread()


def quick(values: Iterable[object], *kept: object) -> list:
    """All values of a parametrised test; those that are not kept, for which these stand, are slow."""
    assert {*kept} <= {*values}
    return [value if value in kept else pytest.param(value, marks=pytest.mark.slow) for value in values]


def examples(full: int) -> settings:
    """Decorator of a property: it is tried on `full` examples with --thorough, on a quarter, but five, without."""
    thorough = settings.get_current_profile_name() == "thorough"
    return settings(max_examples=full if thorough else max(5, full // QUICK))
