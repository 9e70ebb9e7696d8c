"""Many at once: browser sessions that each keep their own work, and viewers of one training.

    python -m tests.benchmarks.visitors [--sessions 30] [--viewers 1,20,50,200]

A session is a browser context of its own: it sets its own hidden_size, trains two epochs, and is asked again when all
others have done so. A viewer is simulated, without a browser, in a process beside the server: "records" reads what is
new of the run's records four times a second, as the browser's curves do; "page" also has Train open over Streamlit's
WebSocket and has its fragment run each second. All are on this machine and take its cores from the training, too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import websockets
from playwright.sync_api import Browser, expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from lstm_core.runs.records import RECORD
from tests.benchmarks.app import newest_run, steps_done
from tests.benchmarks.live_curves import cpu_seconds, family
from tests.browser.conftest import ROOT, chromium, home_of, server
from tests.browser.tab import Tab

SECONDS, READ_SECONDS, TICK_SECONDS = 15.0, 0.25, 1.0


# ---- browser sessions


def sessions(browser: Browser, address: str, count: int) -> tuple[int, float]:
    """How many of so many sessions still have their own model and run at the end; seconds for all of it."""
    begin, tabs, runs = time.perf_counter(), [], []
    for k in range(count):
        tab = Tab(browser.new_context(viewport={"width": 1280, "height": 720}).new_page(), address)
        tab.open("model").fill("hidden_size", 3 + k).go("Train").train(2).wait_for_end(2)
        tab.page.wait_for_url(re.compile("run="))
        tabs.append(tab)
        runs.append(run_of(tab))
    kept = 0
    for k, tab in enumerate(tabs):
        tab.page.reload()
        expect(tab.progress).to_contain_text("Trained")
        same_run = run_of(tab) == runs[k]
        hidden = tab.go("Model").widget("hidden_size").locator("input").first.input_value()
        kept += same_run and hidden == str(3 + k)
        tab.page.context.close()
    return kept if len(set(runs)) == count else 0, time.perf_counter() - begin


def run_of(tab: Tab) -> str:
    return re.search(r"run=([\w-]+)", tab.page.url)[1]


# ---- viewers, in a process of their own


async def read_records(host: str, run: str, end: float, seconds: list[float]) -> None:
    """One viewer's curves: a connection that is kept, and each time what is new."""
    name, port = host.split(":")
    reader, writer = await asyncio.open_connection(name, int(port))
    known = 0
    while (begin := time.perf_counter()) < end:
        writer.write(f"GET /run/{run}/records?from={known} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        body = await reader.readexactly(int(re.search(r"content-length: (\d+)", head, re.IGNORECASE)[1]))
        if not head.startswith("HTTP/1.1 200"):
            raise RuntimeError(head)
        known += len(body) // RECORD.itemsize
        seconds.append(time.perf_counter() - begin)
        await asyncio.sleep(max(0.0, begin + READ_SECONDS - time.perf_counter()))
    writer.close()


async def keep_page(host: str, run: str, end: float, seconds: list[float]) -> None:
    """One viewer's page: Train is drawn once, then its polling fragment each second."""
    async with websockets.connect(f"ws://{host}/_stcore/stream", subprotocols=["streamlit"], max_size=None) as socket:
        message = BackMsg()
        message.rerun_script.query_string, message.rerun_script.page_name = f"run={run}", "train"
        fragment = await answer(socket, message)
        while (begin := time.perf_counter()) < end:
            message = BackMsg()
            state = message.rerun_script
            state.query_string, state.page_script_hash, state.fragment_id = f"run={run}", *fragment
            state.is_auto_rerun = True
            await answer(socket, message)
            seconds.append(time.perf_counter() - begin)
            await asyncio.sleep(max(0.0, begin + TICK_SECONDS - time.perf_counter()))


async def answer(socket: websockets.ClientConnection, message: BackMsg) -> tuple[str, str]:
    """Send a message; when its script has finished: the page and the fragment that is to be run again and again."""
    await socket.send(message.SerializeToString())
    page, fragment = "", ""
    while True:
        said = ForwardMsg.FromString(await socket.recv())
        kind = said.WhichOneof("type")
        if kind == "new_session":
            page = said.new_session.page_script_hash
        elif kind == "auto_rerun" and said.auto_rerun.interval <= TICK_SECONDS:
            fragment = said.auto_rerun.fragment_id
        elif kind == "script_finished":
            return page, fragment


async def simulate(host: str, run: str, count: int, pages: bool) -> None:
    """Print what so many viewers waited for."""
    reads, ticks = [], []
    end = time.perf_counter() + 5 + SECONDS
    viewers = [read_records(host, run, end, reads) for _ in range(count)]
    if pages:
        viewers += [keep_page(host, run, end, ticks) for _ in range(count)]
    await asyncio.gather(*viewers)
    print(json.dumps({"reads": reads, "ticks": ticks}))


def watch(host: str, home: Path, count: int, kind: str) -> None:
    """A row: so many viewers of the run that trains."""
    arguments = ["--simulate", host, newest_run(home).name, str(count), kind]
    command = [sys.executable, "-m", "tests.benchmarks.visitors", *arguments]
    simulated = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) if count else None
    time.sleep(6)  # they have come
    group = family("streamlit run")
    used, step, begin = cpu_seconds(group), steps_done(home), time.perf_counter()
    time.sleep(SECONDS - 4)
    passed = time.perf_counter() - begin
    pace, cores = (steps_done(home) - step) / passed, (cpu_seconds(group) - used) / passed
    said = json.loads(simulated.communicate(timeout=300)[0]) if simulated else {"reads": [], "ticks": []}
    texts = [f"{milliseconds(said[name], 50):>9}{milliseconds(said[name], 95):>9}" for name in ("reads", "ticks")]
    print(f"{kind:10}{count:8}{pace:10.0f}{cores:9.2f}{texts[0]}{texts[1]}", flush=True)


def milliseconds(seconds: list[float], percent: int) -> str:
    if len(seconds) < 2:
        return "–"
    return f"{1000 * statistics.quantiles(seconds, n=100)[percent - 1]:.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sessions", type=int, default=30)
    parser.add_argument("--viewers", default="1,20,50,200")
    parser.add_argument("--simulate", nargs=4, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.simulate:
        host, run, count, kind = chosen.simulate
        asyncio.run(simulate(host, run, int(count), kind == "page"))
        return
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        log = Path(folder) / "log.txt"
        with server(log) as address:
            home = home_of(log, address)
            if chosen.sessions:
                kept, seconds = sessions(browser, address, chosen.sessions)
                text = f"{kept} of {chosen.sessions} browser sessions kept their own work"
                print(f"{text} ({seconds:.0f} s)\n", flush=True)
            tab = Tab(browser.new_page(viewport={"width": 1280, "height": 720}), address)
            tab.open("train").train_on_and_on()
            print(f"{'':28}{'server':>9}{'records, ms':>18}{'page, ms':>18}")
            print(f"{'viewers':10}{'':8}{'steps/s':>10}{'cores':>9}" + 2 * f"{'p50':>9}{'p95':>9}")
            host = address.removeprefix("http://")
            watch(host, home, 0, "none")
            for count in map(int, filter(None, chosen.viewers.split(","))):
                for kind in ("records", "page"):
                    watch(host, home, count, kind)
            tab.end_run()
        assert "Traceback" not in log.read_text(errors="replace"), log.read_text(errors="replace")[-3000:]


if __name__ == "__main__":
    main()
