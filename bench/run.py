#!/usr/bin/env python3
"""The whole table in one go: core, hand-over, Spark; ours and the peers, on this machine, in one run.

    run.py [--quick]      --quick: fewer runs of less, to see that it works

Shows each part's own output as it comes. Writes build/results/bench.json, then docs/performance.md and its pictures (report.py).
"""

import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys
import time

BENCH = pathlib.Path(__file__).resolve().parent
ROOT = BENCH.parent
RESULTS = ROOT / "build/results"
QUICK = ["--payloads", "1000,100000", "--megabytes", "200", "--runs", "1", "--warmups", "1", "--sinks", "touch"]


def part(title, *command):
    """Runs a part; returns the JSON of its last line."""
    print(f"== {title}", flush=True)
    last = ""
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        for line in process.stdout:
            if line.strip():
                last = line
            if not line.startswith(("[{", "{")):
                print(line, end="", flush=True)
    if process.returncode != 0:
        sys.exit(f"{title}: exit {process.returncode}")
    return json.loads(last)


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    started = time.time()
    results = {
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{len(os.sched_getaffinity(0))} cores, {processor()}",
        "core": part("core: the C client without Spark", BENCH / "core/run.py"),
        "handover": part("hand-over: from C to the JVM", BENCH / "handover/run.sh"),
        "spark": part("Spark", sys.executable, BENCH / "spark/run.py", *(QUICK if options.quick else [])),
    }
    results["minutes"] = round((time.time() - started) / 60, 1)
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / "bench.json"
    path.write_text(json.dumps(results, indent=1) + "\n")
    print(f"== report: {path}", flush=True)
    if not options.quick:
        subprocess.run([sys.executable, str(BENCH / "report.py"), str(path)], check=True)
    print(json.dumps(results))


if __name__ == "__main__":
    main()
