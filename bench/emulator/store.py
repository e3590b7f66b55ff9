#!/usr/bin/env python3
"""What the emulator's store costs: CPU of the server per message published, beside memory alone, and how soon 1 GB is back.

The folder lies below TMPDIR. Best of five, in turns. A table, then one line of JSON.
"""

import json
import os
import tempfile
import time

from run import admin, client
from servers import Ours

SIZES = {100: 1_000_000, 1000: 300_000}
WAYS = {"memory": (), "interval": ("--sync", "interval"), "always": ("--sync", "always")}
RUNS = 5


def arguments(way, folder):
    return ("--data-dir", folder, *WAYS[way]) if WAYS[way] else ()


def publish(way, size, count):
    """µs of the server's CPU a message, with a subscription that keeps them all."""
    with tempfile.TemporaryDirectory() as folder:
        server = Ours(*arguments(way, folder))
        try:
            admin(server.host, "topic", "create", "kept")
            admin(server.host, "subscription", "create", "kept", "--topic", "kept")
            before = server.cpu()
            client("C", server.host, "publish", "kept", count, size)
            return 1e6 * (server.cpu() - before) / count
        finally:
            server.stop()


def back(count=1_000_000, size=1000):
    """Seconds of wall and of CPU until a killed emulator is ready again over so much."""
    with tempfile.TemporaryDirectory() as folder:
        server = Ours(*arguments("interval", folder))
        admin(server.host, "topic", "create", "kept")
        admin(server.host, "subscription", "create", "kept", "--topic", "kept")
        client("C", server.host, "publish", "kept", count, size)
        os.kill(server.pid, 9)
        server.emulator.process.wait()
        begin = time.monotonic()
        again = Ours(*arguments("interval", folder))
        try:
            took = time.monotonic() - begin
            there = again.emulator.stats("kept")["backlog"]
            if there != count:
                raise RuntimeError(f"{there} of {count} messages are back")
            return took, again.cpu()
        finally:
            again.stop()


def main():
    out = {}
    print(f"{'publish':>10} {'memory':>10} {'interval':>10} {'always':>10}   µs of CPU a message")
    for size, count in SIZES.items():
        best = {way: float("inf") for way in WAYS}
        for _ in range(RUNS):
            for way in WAYS:
                best[way] = min(best[way], publish(way, size, count))
        print(f"{size:>8} B " + " ".join(f"{best[way]:>10.3f}" for way in WAYS) + f"   interval / memory {best['interval'] / best['memory']:.2f}")
        out[str(size)] = {way: round(value, 3) for way, value in best.items()}
    took, cpu = min(back() for _ in range(3))
    print(f"1 GB in 1,000,000 messages is back after {took:.2f} s ({cpu:.2f} s of CPU)")
    print(json.dumps({"store": {**out, "back_s": round(took, 2), "back_cpu_s": round(cpu, 2)}}))


if __name__ == "__main__":
    main()
