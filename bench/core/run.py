#!/usr/bin/env python3
"""CPU of the client per message, receive + acknowledge and publish, at four payloads, beside Google's Go client in the same run.

One connection; server and client in processes of their own, on cores of their own. Best of three by CPU time. Prints a table, then
one line of JSON.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/release"
PAYLOADS = {100: 1_000_000, 1000: 200_000, 10_000: 20_000, 100_000: 2_000}
PEER_MESSAGES = {100: 200_000, 1000: 100_000, 10_000: 20_000, 100_000: 2_000}
RUNS = 3
TIMEOUT_S = 300
PROJECT = "bench"


def on_core(core):
    """Pins the child, where there is more than one core."""
    cores = sorted(os.sched_getaffinity(0))
    return lambda: os.sched_setaffinity(0, {cores[core % len(cores)]})


class Server:
    """One emulator, fresh for every payload, so that no run pays for another's backlog."""

    def __enter__(self):
        self.process = subprocess.Popen(
            [BUILD / "pubsub-emulator", "--port", "0"], stdout=subprocess.PIPE, text=True, preexec_fn=on_core(0)
        )
        host = self.process.stdout.readline().strip().rsplit(" ", 1)[1]
        self.environment = {**os.environ, "PUBSUB_EMULATOR_HOST": host, "PUBSUB_PROJECT_ID": PROJECT}
        self.run(BUILD / "pubsub", "topic", "create", "bench")
        self.run(BUILD / "pubsub", "subscription", "create", "bench", "--topic", "bench", "--ack-deadline", "600")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def run(self, *command):
        done = subprocess.run(
            list(map(str, command)),
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            timeout=TIMEOUT_S,
            preexec_fn=on_core(1),
        )
        if done.returncode != 0:
            sys.exit(f"{command}: {done.stderr}")
        return done.stdout


def ours(server, what, count, size):
    return server.run(BUILD / "pubsub", "bench", what, "bench", "--count", count, "--size", size)


def gos(server, what, count, size):
    kind = "topics" if what == "publish" else "subscriptions"
    peer = ROOT / "build/peer-go"
    return server.run(
        peer, "-bench", what, "-name", f"projects/{PROJECT}/{kind}/bench", "-count", count, "-size", size
    )


def best(run, counts):
    """{"receive": {"100": {…}, …}, "publish": {…}}"""
    out = {"receive": {}, "publish": {}}
    for size, count in counts.items():
        with Server() as server:
            for _ in range(RUNS):
                for what in ("publish", "receive"):
                    figures = json.loads(run(server, what, count, size).splitlines()[-1])
                    keep = {k: figures[k] for k in ("cpu_us_per_message", "messages_per_s", "mb_per_s")}
                    known = out[what].get(str(size))
                    if not known or keep["cpu_us_per_message"] < known["cpu_us_per_message"]:
                        out[what][str(size)] = keep
    return out


def build_peer():
    if not shutil.which("go"):
        return "Go is not installed"
    built = subprocess.run(
        ["go", "build", "-o", str(ROOT / "build/peer-go"), "."],
        cwd=ROOT / "bench/peers/go",
        stderr=subprocess.PIPE,
        text=True,
    )
    return built.stderr.strip() if built.returncode else None


def table(clients):
    print(f"{'':9}{'payload':>9}{'client':>9}{'CPU µs/message':>17}{'messages/s':>13}{'MB/s':>9}")
    for what in ("receive", "publish"):
        for size in PAYLOADS:
            for name, figures in clients.items():
                row = figures[what][str(size)]
                print(
                    f"{what:9}{size:>8}B{name:>9}{row['cpu_us_per_message']:>17.3f}"
                    f"{row['messages_per_s']:>13,.0f}{row['mb_per_s']:>9,.0f}"
                )


def main():
    print("ours", flush=True)
    clients = {"ours": best(ours, PAYLOADS)}
    problem = build_peer()
    if problem:
        print(f"the peer in Go is left out: {problem}")
    else:
        print("Google's Go client", flush=True)
        clients["go"] = best(gos, PEER_MESSAGES)
    table(clients)
    print(json.dumps({**clients["ours"], "peers": {"go": clients["go"]} if "go" in clients else {}}))


if __name__ == "__main__":
    main()
