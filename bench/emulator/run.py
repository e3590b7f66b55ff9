#!/usr/bin/env python3
"""CPU of the server per message: publish and receive (with acknowledgement) at four payloads, with our C client and Google's Go
client, for our emulator, Google's Go fake (pstest) and, where it is installed, Google's emulator.

A table, then one line of JSON, also in build/results/emulator.json. One server at a time, fresh for every payload; one stream.
"""

import json
import os
import subprocess

from servers import BUILD, ROOT, Google, Ours, Pstest

PAYLOADS = (100, 1000, 10_000, 100_000)
MEGABYTES = 1000  # ours, of a run
MOST = {Ours: 3_000_000, Pstest: 400, Google: 5000}  # messages of a run: pstest delivers about 100 a second
PUBLISHED = {Pstest: 100_000, Google: 100_000}  # it publishes faster than it delivers
TIMEOUT_S = 300
PROJECT = "bench"


def client(kind, host, what, name, count, size):
    """Runs a client; its own figures."""
    environment = {**os.environ, "PUBSUB_EMULATOR_HOST": host, "PUBSUB_PROJECT_ID": PROJECT}
    if kind == "C":
        command = [BUILD / "pubsub", "bench", what, name, "--count", count, "--size", size]
    else:
        full = f"projects/{PROJECT}/{'topics' if what == 'publish' else 'subscriptions'}/{name}"
        command = [ROOT / "build/peer-go", "-bench", what, "-name", full, "-count", count, "-size", size]
    done = subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True, timeout=TIMEOUT_S)
    if done.returncode != 0:
        raise RuntimeError(f"{kind} {what}: {done.stderr.strip()[-300:]}")
    return json.loads(done.stdout.splitlines()[-1])


def admin(host, *arguments):
    command = [BUILD / "pubsub", *arguments, "--endpoint", host, "--plaintext", "--project", PROJECT]
    subprocess.run(list(map(str, command)), check=True, capture_output=True, timeout=60)


def measure(kind_of_server, kind, size):
    """A row for publish and one for receive."""
    count = max(200, min(MOST[kind_of_server], MEGABYTES * 1_000_000 // size))
    if kind == "Go":
        count = min(count, 200_000)
    server = kind_of_server()
    rows = []
    try:
        name = "bench-topic"
        admin(server.host, "topic", "create", name)
        published = min(PUBLISHED.get(kind_of_server, 0), MEGABYTES * 100_000 // size)
        for what, number, subscribed in (("publish", max(count, published), False), ("publish", count, True), ("receive", count, True)):
            if subscribed and what == "publish":
                admin(server.host, "subscription", "create", name, "--topic", name, "--ack-deadline", 600)
            before = server.cpu()
            figures = client(kind, server.host, what, name, number, size)
            used = server.cpu() - before
            if what == "receive" or not subscribed:  # published without a backlog to keep, then received
                rows.append(
                    {
                        "server": server.title, "client": kind, "what": what, "payload": size, "messages": number,
                        "server_cpu_us_per_message": round(used / number * 1e6, 3),
                        "messages_per_s": round(figures["messages_per_s"]), "mb_per_s": round(figures["mb_per_s"], 1),
                    }
                )
        rows[-1]["server_resident_mb"] = round(server.resident_mb())
    finally:
        server.stop()
    return rows


def main():
    subprocess.run(["go", "build", "-o", str(ROOT / "build/peer-go"), "."], cwd=ROOT / "bench/peers/go", check=True)
    results = []
    print("| server | client | | payload | server CPU us a message | messages/s | MB/s |\n|---|---|---|---:|---:|---:|---:|")
    for kind_of_server in (Ours, Pstest, Google):
        for kind in ("C", "Go"):
            for size in PAYLOADS:
                try:
                    rows = measure(kind_of_server, kind, size)
                except FileNotFoundError as missing:
                    print(f"({kind_of_server.title} is left out: {missing})", flush=True)
                    break
                except (RuntimeError, subprocess.SubprocessError) as problem:
                    print(f"| {kind_of_server.title} | {kind} | {type(problem).__name__}: {str(problem)[:150]} | {size} | | | |", flush=True)
                    continue
                results += rows
                for r in rows:
                    print(
                        f"| {r['server']} | {r['client']} | {r['what']} | {r['payload']} | {r['server_cpu_us_per_message']} "
                        f"| {r['messages_per_s']:,} | {r['mb_per_s']:,} |",
                        flush=True,
                    )
    (ROOT / "build/results").mkdir(parents=True, exist_ok=True)
    (ROOT / "build/results/emulator.json").write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results))


if __name__ == "__main__":
    main()
