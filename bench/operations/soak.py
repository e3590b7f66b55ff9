"""Soak: publish and read for a long time while the emulator misbehaves every few seconds; nothing is lost, no lease is forgotten, nothing
grows.

    soak.py [--seconds N] [--seed N] [--rate MESSAGES_PER_SECOND]

Three clients run all the time, each a process that must neither fail nor grow: a publisher (`pubsub publish`), a subscriber in C alone
(`pubsub tail`), and a streaming query of Spark with two executors. Memory, threads and open files are sampled after a warm-up.
"""

import argparse
import json
import os
import pathlib
import random
import signal
import statistics
import subprocess
import threading
import time

from world import COMMAND, World, children

SIZE = 300
ACK_DEADLINE = 10
CODES = ("UNAVAILABLE", "ABORTED", "CANCELLED", "DEADLINE_EXCEEDED", "INTERNAL", "RESOURCE_EXHAUSTED", "UNKNOWN")
REOPENED = "end-streams UNAVAILABLE"  # the next fault is for streams that open
# The emulator's commands, one fault an entry; CODE is any of those above.
FAULTS = {
    "publish status": ["fault Publish status=CODE count=3"],
    "publish reset": ["fault Publish reset count=2"],
    "publish disconnect": ["fault Publish disconnect count=1"],
    "publish late": ["fault Publish latency=400ms count=5"],
    "acknowledge status": ["fault Acknowledge status=UNAVAILABLE count=3"],
    "acknowledge reset": ["fault Acknowledge reset count=2"],
    "extension status": ["fault ModifyAckDeadline status=UNAVAILABLE count=2"],
    "drop-acks": ["fault Acknowledge drop-acks count=1"],
    "duplicate": ["fault StreamingPull duplicate count=5"],
    "expire": ["fault StreamingPull expire=100ms count=5"],
    "end of streams": ["end-streams CODE"],
    "goaway": ["goaway"],
    "disconnect": ["disconnect"],
    "stall": ["fault StreamingPull stall count=1", REOPENED],
    "silent": ["fault StreamingPull silent count=2", REOPENED],
    "late-headers": ["fault StreamingPull late-headers count=2", REOPENED],
    "lifetime": ["fault StreamingPull lifetime=2s count=3", REOPENED],
    "stream reset": ["fault StreamingPull reset count=1", REOPENED],
}
# What a process may grow by after its warm-up: bytes, threads, open files. A JVM loads classes and compiles for long, and Spark's pools
# grow to a hundred threads: of its threads, only those of the connector count.
NATIVE, JVM = (8 << 20, 0, 4), (64 << 20, 0, 24)


class Process:
    """Samples of one process: memory, threads, open files."""

    def __init__(self, name, pid, limits):
        self.name, self.pid, self.limits, self.samples = name, pid, limits, []

    def sample(self, at):
        try:
            status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
            fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
            files = len(os.listdir(f"/proc/{self.pid}/fd"))
            names = [(task / "comm").read_text() for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir()]
            threads = sum(1 for name in names if self.limits is NATIVE or name.startswith("pubsub"))
            self.samples.append((at, int(fields["VmRSS"].split()[0]) << 10, threads, files))
        except (OSError, KeyError):
            pass  # it has ended: whoever waits for it says so

    def verdict(self, warm_up):
        """Rows for the table, and what has grown."""
        samples = [s for s in self.samples if s[0] >= warm_up]
        if len(samples) < 8:
            return {}, [f"{self.name}: {len(samples)} samples after the warm-up"]
        rows, wrong, quarter = {}, [], len(samples) // 4
        for index, (what, limit) in enumerate(zip(("rss_mb", "threads", "files"), self.limits), 1):
            values = [s[index] for s in samples]
            first, last = statistics.median(values[:quarter]), statistics.median(values[-quarter:])
            scale = 1 << 20 if what == "rss_mb" else 1
            slope = (last - first) / (samples[-1][0] - samples[0][0]) * 4 / 3 * 3600
            rows[f"{self.name} {what}"] = "first {:.1f}  last {:.1f}  peak {:.1f}  slope {:+.1f}/h".format(
                *(v / scale for v in (first, last, max(values), slope))
            )
            if last - first > limit:
                wrong.append(f"{self.name}: {what} grew from {first / scale:.1f} to {last / scale:.1f}; allowed: {limit / scale:.1f}")
        return rows, wrong


class Feeder(threading.Thread):
    """Writes numbered lines at a rate to one long-lived `pubsub publish`."""

    def __init__(self, world, rate):
        super().__init__(daemon=True)
        where = ["--endpoint", world.host, "--plaintext", "--project", world.project]
        self.process = subprocess.Popen(
            [str(COMMAND), "publish", world.topic, *where], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.rate, self.fed, self.stopping, self.error = rate, 0, False, None

    def run(self):
        start = time.monotonic()
        try:
            while not self.stopping:
                due = int((time.monotonic() - start) * self.rate)
                lines = (f"{n} ".ljust(SIZE, "x") + "\n" for n in range(self.fed, due))
                self.process.stdin.write("".join(lines))
                self.process.stdin.flush()
                self.fed = max(self.fed, due)
                time.sleep(0.1)
        except OSError as problem:
            self.error = problem

    def finish(self):
        """How many messages the service confirmed."""
        self.stopping = True
        self.join(timeout=120)
        out = self.process.communicate(timeout=180)[0] if self.error is None else ""
        if self.process.wait() != 0 or self.error:
            raise RuntimeError(f"pubsub publish ended with {self.process.returncode}: {self.error}")
        return int(out.split()[-1])


class Tail(threading.Thread):
    """A subscriber in C alone; counts what it prints."""

    def __init__(self, world, subscription):
        super().__init__(daemon=True)
        where = ["--endpoint", world.host, "--plaintext", "--project", world.project]
        self.process = subprocess.Popen([str(COMMAND), "tail", subscription, "--json", *where], stdout=subprocess.PIPE, text=True)
        self.numbers, self.rows = set(), 0

    def run(self):
        for line in self.process.stdout:
            self.numbers.add(int(json.loads(line)["data"].split()[0]))
            self.rows += 1

    def finish(self):
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(timeout=30)
        self.join(timeout=30)
        self.process.stdout.close()
        if code != 0:
            raise RuntimeError(f"pubsub tail ended with {code}")


def executors():
    found = []
    for pid in children(os.getpid()):
        try:
            if b"CoarseGrainedExecutorBackend" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
        except OSError:
            pass
    return sorted(found)


def start_query(world):
    spark = world.spark(
        "local-cluster[2,1,1024]",
        **{
            "spark.executor.memory": "512m",
            # The heap is there from the start: what grows then is not the heap.
            "spark.executor.extraJavaOptions": "-Xms512m -XX:+AlwaysPreTouch",
            "spark.sql.shuffle.partitions": 2,
            "spark.sql.parquet.compression.codec": "uncompressed",
        },
    )
    world.collect(world.source(spark, numPartitions=2, ackDeadlineSeconds=ACK_DEADLINE), every="1 second")
    return spark


def leases(world, record, subscription):
    """What became of each delivery: acknowledged, given back or expired, or it is still lent."""
    short = [e for e in record if e.resource.endswith(subscription)]
    count = {kind: sum(1 for e in short if e.event == kind) for kind in ("deliver", "acknowledge", "nack", "expire", "stale_ack")}
    count["lent"] = world.control.stats(subscription)["lent"]
    count["messages"] = len({e.message_id for e in short if e.event == "acknowledge"})
    count["open"] = count["deliver"] - count["acknowledge"] - count["nack"] - count["expire"]
    return count


def soak(world, options):
    second = world.subscription + "-c"
    world.create(ACK_DEADLINE)
    world.run("subscription", "create", second, "--topic", world.topic, "--ack-deadline", ACK_DEADLINE)
    chance = random.Random(options.seed)
    spark = start_query(world)
    feeder, tail = Feeder(world, options.rate), Tail(world, second)
    feeder.start()
    tail.start()
    if not world.wait(lambda: world.read() > 0 and tail.rows > 0, 120):
        raise SystemExit(f"soak: within 120 s Spark read {world.read()} messages, C {tail.rows}, of {feeder.fed}")
    processes = [Process("publisher", feeder.process.pid, NATIVE), Process("subscriber", tail.process.pid, NATIVE)]
    processes += [Process(f"executor-{n}", pid, JVM) for n, pid in enumerate(executors())]
    begin = time.monotonic()
    struck, told, next_fault, next_sample, next_word = {}, 0, begin + 1, begin, begin
    while (now := time.monotonic()) < begin + options.seconds:
        if not world.query.isActive:
            raise world.query.exception() or RuntimeError("the query has ended")
        if feeder.error or feeder.process.poll() is not None or tail.process.poll() is not None:
            raise SystemExit(f"soak: a client has ended: publisher {feeder.process.poll()}, subscriber {tail.process.poll()}")
        if now >= next_sample:
            next_sample = now + max(0.5, options.seconds / 400)
            for process in processes:
                process.sample(now - begin)
        if now >= next_fault:
            next_fault = now + chance.uniform(1, 2 * options.every - 1)
            # Each kind once before any comes again.
            fewest = min(struck.get(kind, 0) for kind in FAULTS)
            kind = chance.choice([k for k in FAULTS if struck.get(k, 0) == fewest])
            struck[kind] = struck.get(kind, 0) + 1
            for command in FAULTS[kind]:
                world.control.command(command.replace("CODE", chance.choice(CODES)))
            told += 1
        if now >= next_word:
            next_word = now + max(5, options.seconds / 60)
            world.say(f"fed {feeder.fed}, Spark read {world.read()}, C read {tail.rows}, {told} faults")
        time.sleep(0.1)
    world.control.command("faults clear")
    published = feeder.finish()
    world.say(f"published {published}; waiting for the rest")

    def done():
        return all(world.control.stats(name)["backlog"] == 0 for name in (world.subscription, second))

    drained = world.wait(done, 180, lambda: world.control.command("stats").strip().replace("\n", "; "))
    still_there = [p.name for p in processes if not pathlib.Path(f"/proc/{p.pid}").exists()][1:]  # the publisher has ended
    world.query.stop()
    tail.finish()
    rows, numbers = world.stored(spark).selectExpr("count(*)", "count(distinct number)").first()
    record = world.control.record()
    of_spark, of_c = leases(world, record, world.subscription), leases(world, record, second)
    table = {
        "seed": options.seed,
        "seconds": options.seconds,
        "faults": told,
        "published": published,
        "lost by Spark": published - numbers,
        "lost by C": published - len(tail.numbers),
        "duplicates in Spark": rows - numbers,
        "duplicates in C": tail.rows - len(tail.numbers),
        "leases of Spark": of_spark,
        "leases of C": of_c,
    }
    wrong = []
    if published != feeder.fed:
        wrong.append(f"{feeder.fed} messages were fed, {published} confirmed")
    if numbers != published or len(tail.numbers) != published:
        wrong.append(f"{published} messages were published, Spark has {numbers}, C has {len(tail.numbers)}")
    if not drained:
        wrong.append("not everything was acknowledged within 180 s")
    for name, count in (("Spark", of_spark), ("C", of_c)):
        if count["messages"] != published or count["lent"] != 0 or count["open"] != 0:
            wrong.append(f"leases of {name}: {count}, with {published} published")
    if still_there:
        wrong.append(f"ended before the end: {still_there}")
    for process in processes:
        more, grown = process.verdict(options.seconds / 4)
        table.update(more)
        wrong += grown
    for problem in wrong:
        world.say(f"WRONG: {problem}")
    world.result(table, not wrong, wrong=wrong, struck=struck)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=1200)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--rate", type=int, default=400)
    parser.add_argument("--every", type=float, default=3.0, help="seconds between faults, on average")
    options = parser.parse_args()
    if os.environ.get("PUBSUB_EMULATOR_HOST"):
        raise SystemExit("soak needs an emulator of its own: unset PUBSUB_EMULATOR_HOST")
    with World("soak", "--record", "--seed", str(options.seed)) as world:
        world.say(f"seed {options.seed}, {options.seconds:.0f} s")
        soak(world, options)


main()
