#!/usr/bin/env python3
"""Lines that the seeds of the fuzz targets cover, of the code that reads what others send: the build of the preset
`fuzz-coverage` over fuzz/seeds. Fails below the floor of a folder; --show FILE prints the lines of a file that none reaches.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/fuzz-coverage"
SEEDS = ROOT / "fuzz/seeds"

# What is to be covered, and how much of its lines.
FLOORS = {
    "src/proto": 95,
    "src/batch": 95,
    "src/grpc/frame": 95,
    "emulator/(.*/)?filter": 95,
    "src/grpc/verdict": 95,
    "src/proto/ack_outcome": 95,
    "src/sub/ack_request": 95,
    "src/net/proxy": 95,
    "src/net/endpoint": 95,
    "src/net/tunnel": 95,
    "src/auth/(json|http_answer|url|credentials|token_request)": 75,
    "src/h2": 80,
    "src/grpc": 80,
    "src/sub": 75,
    "src/pub": 70,
    "emulator/": 70,
}


def run_seeds(folder):
    """Each target over its seeds; returns the merged profile and the programs."""
    programs = sorted(BUILD / f"fuzz_{path.stem}" for path in (ROOT / "fuzz/targets").glob("*.c"))
    profiles = []
    for program in programs:
        seeds = sorted(str(path) for path in (SEEDS / program.name[len("fuzz_") :]).glob("*"))
        if not seeds:
            continue
        profile = str(folder / f"{program.name}.profraw")
        done = subprocess.run(
            [str(program), *seeds], capture_output=True, text=True, errors="replace", env={**os.environ, "LLVM_PROFILE_FILE": profile}
        )
        if done.returncode != 0:
            sys.exit(f"{program.name} fails over its seeds:\n{done.stderr[-2000:]}")
        profiles.append(profile)
    merged = str(folder / "merged")
    subprocess.run(["llvm-profdata-14", "merge", "-sparse", *profiles, "-o", merged], check=True)
    return merged, programs


def counts_of(merged, programs):
    """{file of this tree: {line: how often it ran}}"""
    objects = [part for program in programs[1:] for part in ("-object", str(program))]
    export = ["llvm-cov-14", "export", "-format=lcov", str(programs[0]), *objects, f"-instr-profile={merged}"]
    out, lines = {}, {}
    for record in subprocess.run(export, check=True, capture_output=True, text=True).stdout.splitlines():
        kind, _, value = record.partition(":")
        if kind == "SF":
            path = pathlib.Path(os.path.normpath(value))
            lines = out.setdefault(str(path.relative_to(ROOT)), {}) if path.is_relative_to(ROOT) else {}
        elif kind == "DA":
            line, count = value.split(",")[:2]
            lines[int(line)] = int(count)
    return out


def show(counts, file):
    """The lines that no seed reaches."""
    for number, text in enumerate((ROOT / file).read_text().splitlines(), 1):
        if counts[file].get(number) == 0:
            print(f"{file}:{number}: {text}")


def report(counts):
    figures, low = {}, []
    print(f"{'':<26}{'lines':>8}{'covered':>9}{'':>9}{'floor':>7}")
    for prefix, floor in FLOORS.items():
        lines = [count for path, of_file in counts.items() if re.match(prefix, path) for count in of_file.values()]
        total, covered = len(lines), sum(count > 0 for count in lines)
        percent = 100 * covered / total if total else 0
        figures[prefix] = round(percent, 1)
        print(f"{prefix:<26}{total:>8,}{covered:>9,}{percent:>8.1f}%{f'{floor} %' if floor else '':>7}")
        if percent < floor:
            low.append(prefix)
    if low:
        print("below the floor:", ", ".join(low))
    print(json.dumps({"fuzz_coverage": figures, "ok": not low}))
    return 1 if low else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--show", metavar="FILE", help="the lines of this file that none reaches")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        merged, programs = run_seeds(pathlib.Path(folder))
        counts = counts_of(merged, programs)
    return show(counts, wanted.show) if wanted.show else report(counts)


if __name__ == "__main__":
    sys.exit(main())
