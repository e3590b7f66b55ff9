#!/usr/bin/env python3
"""run.py H2SPECD COMMAND: h2spec's cases for clients, strict, against the pubsub command. Compared with known_gaps.txt."""

import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
CASES = 57  # h2specd ends at a case that got no connection, and says nothing of those behind it


def known_gaps():
    lines = (HERE / "known_gaps.txt").read_text().splitlines()
    return {tuple(line.split()[:2]) for line in lines if line and not line.startswith("#")}


def run(h2specd, command, crashes):
    """Its output. Ports are taken from a place where nobody listens, as a rule."""
    for _ in range(5):
        arguments = [h2specd, "--strict", "--timeout", "1", "--from-port", str(random.randint(10000, 30000))]
        arguments += ["--exec", f"{HERE}/once.py {command}"]
        output = subprocess.run(arguments, capture_output=True, text=True, timeout=300, env={**os.environ, "H2SPEC_CRASHES": crashes})
        if "address already in use" not in output.stdout + output.stderr:
            return output.stdout
    raise SystemExit("no ports are free")


def verdicts(output):
    """{(section, case): passed}"""
    section, seen = None, {}
    for line in output.split("Failures:")[0].splitlines():
        if heading := re.match(r"\s*([\d.]+)\. \S", line):
            section = heading.group(1)
        elif case := re.match(r"\s*(✔|×) (\d+): ", line):
            seen[section, case.group(2)] = case.group(1) == "✔"
    return seen


def main():
    with tempfile.NamedTemporaryFile("r") as crashes:
        output = run(sys.argv[1], sys.argv[2], crashes.name)
        crashed = crashes.read()
    seen, gaps = verdicts(output), known_gaps()
    failed = {case for case, passed in seen.items() if not passed}
    print(f"{len(seen)} cases: {len(seen) - len(failed)} passed, {len(failed & gaps)} known gaps")
    problems = [f"{' '.join(case)} failed" for case in sorted(failed - gaps)]
    problems += [f"{' '.join(case)} passes: it is no gap any more" for case in sorted(gaps - failed)]
    if len(seen) != CASES:
        problems.append(f"{CASES} cases were expected")
    if crashed:
        problems.append("the command crashed:\n" + crashed)
    if problems:
        print(output[-8000:], *problems, sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
