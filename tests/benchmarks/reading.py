"""What reading costs: CPU time over pandas.read_csv with dates left as text, and memory over what was there before.

Run it with `python -m tests.benchmarks.reading [--json]`. Each case runs in a process of its own, on one
thread; memory is read from Linux's /proc.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import time

import numpy as np
import pandas as pd

ROWS = 1_000_000
AIMS = {"numbers": 2.0, "iso dates": 2.0, "dotted dates": 2.0, "quoted": 2.0, "200 columns": 2.6}
MAX_MIB = 300


def make(case: str) -> bytes:
    """The CSV of a case: a million rows of ten columns, or 50,000 of 200."""
    rng = np.random.default_rng(0)
    rows, width = (50_000, 200) if case == "200 columns" else (ROWS, 10 if case in ("numbers", "quoted") else 3)
    frame = pd.DataFrame(rng.normal(size=(rows, width)).round(4)).add_prefix("c")
    if "dates" in case:
        times = pd.Timestamp("1990-01-01") + pd.to_timedelta(np.arange(rows), unit="min")
        form = "%Y-%m-%d %H:%M:%S" if case == "iso dates" else "%d.%m.%Y %H:%M"
        frame.insert(0, "time", times.strftime(form))
    return frame.to_csv(index=False, quoting=1 if case == "quoted" else 0).encode()


def measure(case: str, repeats: int = 3) -> dict[str, float]:
    """CPU seconds of both, the best of some runs, and the most memory that reading took, in MiB."""
    data = make(case)

    def seconds(read) -> float:
        best = np.inf
        for _ in range(repeats):
            start = time.process_time()
            read()
            best = min(best, time.process_time() - start)
        return best

    from lstm_core.data.ingest.read import read_table

    read_table(b"a,b\n1,2\n3,5\n")  # what is imported at first use
    memory = _memory(lambda: read_table(data, "x.csv"))
    ours, theirs = seconds(lambda: read_table(data, "x.csv")), seconds(lambda: pd.read_csv(io.BytesIO(data)))
    return {"ours": ours, "pandas": theirs, "ratio": ours / theirs, "mib": memory}


def _status_mib(field: str) -> float:
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field)) / 1024


def _memory(read) -> float:
    """MiB that reading takes at most, beyond what the process held before."""
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")  # the peak begins anew
    before = _status_mib("VmRSS")
    read()
    return _status_mib("VmHWM") - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON list")
    parser.add_argument("--case", choices=AIMS, help="one case, in this process")
    chosen = parser.parse_args()
    if chosen.case:
        print(json.dumps(measure(chosen.case)))
        return
    results = []
    for case, aim in AIMS.items():
        command = [sys.executable, "-m", "tests.benchmarks.reading", "--case", case]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        results.append({"name": case, "aim": aim, **json.loads(done.stdout)})
        if not chosen.json:
            one = results[-1]
            print(
                f"{case:13} {one['ours']:.2f} s, pandas {one['pandas']:.2f} s: {one['ratio']:.2f} (at most {aim}),",
                end="",
            )
            print(f" {one['mib']:.0f} MiB (at most {MAX_MIB})", flush=True)
    if chosen.json:
        print(json.dumps(results))


if __name__ == "__main__":
    main()
