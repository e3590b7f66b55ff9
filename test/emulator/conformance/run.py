#!/usr/bin/env python3
"""Runs the conformance cases with Google's Go, Java and Python clients against the emulator.

    test/emulator/conformance/run.py build/release/pubsub-emulator            # all; writes the matrix into docs/emulator.md
    test/emulator/conformance/run.py build/release/pubsub-emulator --client go --case filter-and --case filter-or

Builds the programs, gives each an emulator of its own on a free port, and prints the matrix as a Markdown table. Exits
with 1 when a case fails, or is not reported, that known_gaps.txt does not list. cases.txt says what each case checks.
What the programs wrote is left in build/conformance.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
OUT = ROOT / "build/conformance"
DOCUMENT = ROOT / "docs/emulator.md"
BEGIN, END = "<!-- conformance -->", "<!-- /conformance -->"
# Each case is bounded; this is for a program that hangs outside of them.
PROGRAM_SECONDS = 1500

sys.path.insert(0, str(ROOT / "test/support"))
from emulator import Emulator  # noqa: E402


class Client:
    def __init__(self, title, library, version, build, run, folder, **environment):
        self.title, self.library, self.version = title, library, version
        self.build, self.run, self.folder, self.environment = build, run, HERE / folder, environment


def version(path, pattern):
    return re.search(pattern, (ROOT / path).read_text()).group(1)


def all_clients():
    venv = str(ROOT / ".deps/venv/bin/python")
    return {
        "go": Client(
            "Go",
            "cloud.google.com/go/pubsub",
            version("test/emulator/conformance/go/go.mod", r"cloud\.google\.com/go/pubsub v(\S+)"),
            ["go", "build", "-mod=readonly", "-o", str(OUT / "go/conformance"), "."],
            [str(OUT / "go/conformance")],
            "go",
        ),
        "java": Client(
            "Java",
            "google-cloud-pubsub",
            version("test/emulator/conformance/java/pom.xml", r"google-cloud-pubsub</artifactId>\s*<version>([^<]+)"),
            ["mvn", "-B", "-q", "--no-transfer-progress", "package"],
            ["java", "-cp", f"{OUT}/java/classes:{OUT}/java/lib/*", "io.sparkpubsub.conformance.Main"],
            "java",
        ),
        "python": Client(
            "Python",
            "google-cloud-pubsub",
            version("test/support/requirements.txt", r"google-cloud-pubsub==(\S+)"),
            [venv, "-c", "import google.cloud.pubsub_v1"],
            [venv, "-W", "ignore", "main.py"],
            "python",
        ),
        "python-newest": Client(
            "Python, newest",
            "google-cloud-pubsub",
            version("test/emulator/conformance/python/requirements-newest.txt", r"google-cloud-pubsub==(\S+)"),
            [venv, "-m", "pip", "install", "-q", "--no-deps", "--upgrade", "--target", str(OUT / "newest"), "-r", "requirements-newest.txt"],
            [venv, "-W", "ignore", "main.py"],
            "python",
            PYTHONPATH=str(OUT / "newest"),
        ),
        "rest": Client(
            "REST",
            "google-cloud-pubsub's REST transport",
            version("test/support/requirements.txt", r"google-cloud-pubsub==(\S+)"),
            [venv, "-c", "import google.cloud.pubsub_v1"],
            [venv, "-W", "ignore", "main.py"],
            "python",
            CONFORMANCE_REST="1",
        ),
    }


def read_table(path):
    """{name: text} of the lines `name | text`; in cases.txt a [title] begins a section, kept as {title: None}."""
    out = {}
    for line in path.read_text().splitlines():
        if line.startswith("["):
            out[line.strip("[]")] = None
        elif line and not line.startswith("#"):
            name, text = line.split(" | ", 1)
            out[name] = text
    return out


def build(client):
    result = subprocess.run(client.build, cwd=client.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0:
        sys.exit(f"{result.stdout}\n{client.title}: the program was not built; see tools/bootstrap.sh")


def run(key, client, binary, names):
    """{case: (result, detail)} of a program, with an emulator of its own."""
    lines, errors = OUT / f"{key}.jsonl", OUT / f"{key}.err"
    emulator = Emulator(binary)
    try:
        with open(lines, "w") as out, open(errors, "w") as err:
            environment = {**os.environ, **client.environment, "PUBSUB_EMULATOR_HOST": emulator.host}
            command = client.run + names
            code = subprocess.run(
                command, cwd=client.folder, env=environment, stdout=out, stderr=err, timeout=PROGRAM_SECONDS
            ).returncode
        if code != 0:
            print(f"{client.title}: the program ended with {code}; see {errors}", file=sys.stderr)
        if emulator.process.poll() is not None:
            print(f"{client.title}: the emulator ended with {emulator.process.poll()}", file=sys.stderr)
    except subprocess.TimeoutExpired:
        print(f"{client.title}: not done after {PROGRAM_SECONDS} s", file=sys.stderr)
    finally:
        if emulator.process.poll() is None:
            emulator.stop()
    got = {}
    for line in lines.read_text().splitlines():
        report = json.loads(line)
        got[report["case"]] = (report["result"], report["detail"])
    return got


def matrix(cases, clients, results):
    def row(*cells):
        return "| " + " | ".join(cells) + " |"

    def cell(key, case):
        result = results[key].get(case, ("missing", ""))[0]
        return result if result in ("pass", "skip") else f"**{result}**"

    reports = {key: [results[key].get(case, ("", ""))[0] for case in cases if cases[case]] for key in clients}
    counts = [
        f"{c.title} ({c.library} {c.version}) {reports[key].count('pass')} of {len(reports[key])}"
        for key, c in clients.items()
    ]
    lines = ["Passed: " + ", ".join(counts) + ".", ""]
    lines += [row("case", "checks", *(c.title for c in clients.values())), "|---" * (2 + len(clients)) + "|"]
    for case, text in cases.items():
        if text is None:
            lines.append(row(f"**{case}**", "", *("" for _ in clients)))
        else:
            lines.append(row(f"`{case}`", text, *(cell(key, case) for key in clients)))
    return "\n".join(lines)


def write(table):
    document = DOCUMENT.read_text()
    before, rest = document.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    DOCUMENT.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}")


def verdict(cases, clients, results):
    """Prints what failed, and whether that is known; returns the exit code."""
    gaps = read_table(HERE / "known_gaps.txt")
    code = 0
    for gap in gaps.keys() - cases.keys():
        print(f"known_gaps.txt: there is no case {gap}", file=sys.stderr)
        code = 1
    for case in (name for name, text in cases.items() if text):
        failed = False
        for key, client in clients.items():
            result, detail = results[key].get(case, ("missing", "the program did not report it"))
            if result not in ("pass", "skip"):
                failed = True
                known = f" (known: {gaps[case]})" if case in gaps else ""
                print(f"{client.title}: {case}: {result}: {detail}{known}")
                code = code if known else 1
        if not failed and case in gaps:
            print(f"{case} passes: known_gaps.txt need not list it")
    for key, client in clients.items():
        for case in results[key].keys() - cases.keys():
            print(f"{client.title}: {case}: cases.txt does not list it", file=sys.stderr)
            code = 1
    return code


def main():
    every, cases = all_clients(), read_table(HERE / "cases.txt")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("emulator", type=pathlib.Path)
    parser.add_argument("--client", action="append", choices=every, help="only this one; may be repeated")
    parser.add_argument("--case", action="append", metavar="NAME", help="only this one; may be repeated")
    options = parser.parse_args()
    binary = options.emulator.resolve()
    clients = {key: client for key, client in every.items() if key in (options.client or every)}
    for name in options.case or []:
        if not cases.get(name):
            parser.error(f"there is no case {name}")
    OUT.mkdir(parents=True, exist_ok=True)
    for client in clients.values():
        build(client)
    results = {key: run(key, client, binary, options.case or []) for key, client in clients.items()}
    if options.case:
        cases = {name: text for name, text in cases.items() if name in options.case}
    table = matrix(cases, clients, results)
    print(table + "\n")
    if not options.case and not options.client:
        write(table)
    return verdict(cases, clients, results)


if __name__ == "__main__":
    sys.exit(main())
