#!/usr/bin/env python3
"""Runs the fuzz targets of build/fuzz, a few at a time, and says what came of it.

    fuzz/run.py [--seconds N] [--targets NAME…]   each over its seeds, then N seconds on its own
    fuzz/run.py --keep [--targets NAME…]          the fewest inputs that cover all that is known become seeds

What a target finds goes on in build/fuzz/corpus/TARGET from run to run; an input that ends it, to build/fuzz/found. Such an
input becomes a seed (fuzz/seeds/TARGET) together with what it is a test for. The last line of the output is JSON.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/fuzz"
SEEDS = ROOT / "fuzz/seeds"
DICTIONARIES = ROOT / "fuzz/dictionaries"
FOUND = BUILD / "found"

# The longest input, where 4,096 bytes are not enough to reach everything.
MAX_BYTES = {"pull_decoder": 12000, "chunk": 12000, "packed_chunk": 20000, "publish_encoder": 20000, "tunnel": 20000}
ENVIRONMENT = {"ASAN_OPTIONS": "quarantine_size_mb=16:detect_leaks=1", "UBSAN_OPTIONS": "print_stacktrace=1"}


def targets():
    return sorted(path.stem for path in (ROOT / "fuzz/targets").glob("*.c"))


def corpus_of(target):
    folder = BUILD / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def command(target, *flags):
    out = [str(BUILD / f"fuzz_{target}"), "-timeout=20", "-rss_limit_mb=2048", f"-artifact_prefix={FOUND}/{target}-", *flags]
    dictionary = DICTIONARIES / f"{target}.dict"
    if dictionary.exists():
        out.append(f"-dict={dictionary}")
    return out + [f"-max_len={MAX_BYTES.get(target, 4096)}"]


def seeds_of(target):
    folder = SEEDS / target
    return [str(folder)] if folder.is_dir() else []


def run_target(target, seconds):
    FOUND.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    # 0 seconds are no limit to libFuzzer: the seeds alone are -runs=0.
    limit = f"-max_total_time={seconds}" if seconds else "-runs=0"
    arguments = command(target, limit, "-print_final_stats=1") + [str(corpus_of(target))] + seeds_of(target)
    done = subprocess.run(arguments, capture_output=True, text=True, errors="replace", env={**os.environ, **ENVIRONMENT})
    text = done.stdout + done.stderr
    executions = re.search(r"number_of_executed_units: (\d+)", text)
    coverage = re.findall(r"cov: (\d+)", text)
    return {
        "target": target,
        "ok": done.returncode == 0,
        "executions": int(executions.group(1)) if executions else 0,
        "edges": int(coverage[-1]) if coverage else 0,
        "seconds": round(time.monotonic() - start, 1),
        "text": text,
    }


def explain(result):
    """What went wrong, and how to see it again."""
    lines = [line for line in result["text"].splitlines() if not re.match(r"#\d+\s+(NEW|REDUCE|pulse|INITED)", line)]
    print("\n".join(lines[-60:]), file=sys.stderr)
    written = re.search(r"Test unit written to (\S+)", result["text"])
    if written:
        print(f"\nagain: {BUILD}/fuzz_{result['target']} {written.group(1)}", file=sys.stderr)


def run(names, seconds, jobs):
    results = []
    print(f"{'target':<18}{'executions':>12}{'a second':>10}{'edges':>8}{'seconds':>9}")
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for future in concurrent.futures.as_completed([pool.submit(run_target, name, seconds) for name in names]):
            result = future.result()
            rate = result["executions"] / max(result["seconds"], 0.1)
            state = "" if result["ok"] else "  FAILED"
            print(
                f"{result['target']:<18}{result['executions']:>12,}{rate:>10,.0f}{result['edges']:>8,}{result['seconds']:>9}{state}",
                flush=True,
            )
            if not result["ok"]:
                explain(result)
            results.append(result)
    failed = sorted(result["target"] for result in results if not result["ok"])
    print(f"{len(results)} targets, {sum(r['executions'] for r in results):,} executions, {len(failed)} failed {' '.join(failed)}")
    figures = {r["target"]: {key: r[key] for key in ("executions", "edges", "seconds", "ok")} for r in results}
    print(json.dumps({"fuzz": figures, "ok": not failed}))
    return 1 if failed else 0


def keep(names):
    """Seeds with a name stay; of the others, those that cover something that no smaller input does."""
    for name in names:
        named = [path for path in (SEEDS / name).glob("*") if not re.fullmatch(r"[0-9a-f]{40}", path.name)]
        with tempfile.TemporaryDirectory() as chosen, tempfile.TemporaryDirectory() as first:
            for path in named:
                (pathlib.Path(first) / path.name).write_bytes(path.read_bytes())
            folders = [chosen, first, str(corpus_of(name))] + seeds_of(name)
            done = subprocess.run(
                command(name, "-set_cover_merge=1", "-use_counters=0") + folders,
                capture_output=True, text=True, errors="replace", env={**os.environ, **ENVIRONMENT},
            )
            if done.returncode != 0:
                print(done.stderr[-3000:], file=sys.stderr)
                return 1
            contents = {path.read_bytes() for path in named}
            for path in (SEEDS / name).glob("*"):
                if path not in named:
                    path.unlink()
            for path in pathlib.Path(chosen).iterdir():
                if path.read_bytes() not in contents:
                    (SEEDS / name).mkdir(parents=True, exist_ok=True)
                    (SEEDS / name / path.name).write_bytes(path.read_bytes())
        files = list((SEEDS / name).glob("*"))
        print(f"{name:<18}{len(files):>6} seeds {sum(path.stat().st_size for path in files):>10,} bytes", flush=True)
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="of each target, after its seeds; 0: the seeds alone")
    parser.add_argument("--targets", nargs="+", choices=targets(), default=targets(), metavar="NAME", help=", ".join(targets()))
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--keep", action="store_true", help="make seeds of what was found")
    arguments = parser.parse_args()
    if arguments.keep:
        return keep(arguments.targets)
    return run(arguments.targets, arguments.seconds, arguments.jobs)


if __name__ == "__main__":
    sys.exit(main())
