"""Soak: a query on two executors reads a steady stream of numbered messages while the emulator misbehaves every few seconds.

    soak.py [--seconds 1200] [--seed N] [--rate 500] [--size 1000] [--between 5]        SECONDS=90 shortens too

Passes when nothing is lost, every lease that the emulator's record knows has ended and is accounted for by the source's metrics, no
query or executor has failed, and memory, threads and descriptors of driver, executors and emulator are flat.
"""

import argparse
import os
import random
import re
import time

from leases import Leases
from vitals import Watch, print_rows
from world import Publisher, World, executors

EXECUTORS = 2
CONF = {
    "spark.sql.shuffle.partitions": 2,
    "spark.sql.streaming.noDataProgressEventInterval": 1000,
    # Heaps have their size from the start: what grows is something else.
    "spark.driver.memory": "512m",
    "spark.driver.extraJavaOptions": "-Xms512m -XX:+AlwaysPreTouch",
    "spark.executor.memory": "512m",
    "spark.executor.extraJavaOptions": "-Xms512m -XX:+AlwaysPreTouch",
    "spark.task.maxFailures": 4,
}
DEADLINE_S = 10

# Each is a line of commands. What is only drawn when a stream opens ends the streams as well.
FAULTS = {
    "disconnect": ["disconnect"],
    "goaway": ["goaway"],
    "end streams": ["end-streams UNAVAILABLE"],
    "refused acknowledgements": ["fault Acknowledge status=UNAVAILABLE count=3"],
    "refused extensions": ["fault ModifyAckDeadline status=INTERNAL count=2"],
    "lost acknowledgements": ["fault Acknowledge drop-acks count=1"],
    "stalled acknowledgements": ["fault Acknowledge stall count=1"],
    "stalled extension": ["fault ModifyAckDeadline stall count=1"],
    "late acknowledgements": ["fault Acknowledge latency=800ms count=4"],
    "reset acknowledgements": ["fault Acknowledge reset count=2"],
    "duplicates": ["fault StreamingPull duplicate count=40"],
    "leases that end early": ["fault StreamingPull expire=200ms count=40"],
    "refused streams": ["fault StreamingPull status=UNAVAILABLE count=3", "end-streams UNAVAILABLE"],
    "reset streams": ["fault StreamingPull reset count=2", "end-streams INTERNAL"],
    "stalled stream": ["fault StreamingPull stall count=1", "end-streams UNAVAILABLE"],
    "silent streams": ["fault StreamingPull silent count=2", "end-streams UNAVAILABLE"],
    "late headers": ["fault StreamingPull late-headers count=4", "end-streams UNAVAILABLE"],
    "short streams": ["fault StreamingPull lifetime=2s count=4", "end-streams UNAVAILABLE"],
}


class Soak:
    def __init__(self, world, options):
        self.world, self.options = world, options
        self.random = random.Random(options.seed)
        self.leases, self.watch = Leases(), Watch()
        self.told, self.lent_at_faults, self.bag = {}, 0, []
        self.processes = {}

    def start(self):
        spark = self.world.spark(f"local-cluster[{EXECUTORS},1,1024]", **CONF)
        self.world.collect(
            self.world.source(spark, numPartitions=4, ackDeadlineSeconds=DEADLINE_S, maxReservoirBytes=64 << 20),
            trigger={"processingTime": "1 second"},
        )
        self.world.publish(200, self.options.size)
        if not self.world.wait(lambda: self.world.read() >= 200 and len(executors()) == EXECUTORS, 300):
            raise SystemExit("soak: the first messages were not read within five minutes")
        self.processes = {"driver": spark.sparkContext._gateway.proc.pid}
        self.processes.update({f"executor {i}": pid for i, pid in enumerate(sorted(executors()))})
        self.processes["emulator"] = self.world.emulator.process.pid
        return spark

    def strike(self):
        """The next fault: all of them come once before any comes again."""
        if not self.bag:
            self.bag = self.random.sample(sorted(FAULTS), len(FAULTS))
        name = self.bag.pop()
        self.told[name] = self.told.get(name, 0) + 1
        self.world.say(f"fault: {name}")
        self.lent_at_faults += self.stats()["lent"]
        for command in FAULTS[name]:
            self.world.control.command(command)

    def stats(self):
        return self.world.control.stats(self.world.subscription)

    def take(self):
        """Reads the record and clears it, so that it stays small."""
        self.leases.take(self.world.control.record(clear=True))

    def copies(self):
        """How many messages the emulator has delivered twice."""
        rules = self.world.control.command("faults")
        return sum(int(hits) for hits in re.findall(r"duplicate .*hits=(\d+)", rules))

    def tell(self, publisher):
        last = self.watch.samples
        rss = ", ".join(f"{name} {samples[-1][1]['rss_mb']:.0f}" for name, samples in last.items())
        read, backlog = self.world.read(), self.stats()["backlog"]
        self.world.say(f"published {publisher.published}, read {read}, backlog {backlog}; MB: {rss}")

    def run(self, publisher):
        begin = time.monotonic()
        pause, take, tell = begin + self.random.uniform(1, self.options.between), begin, begin + 5
        while time.monotonic() < begin + self.options.seconds and not publisher.error:
            if not self.world.query.isActive:
                raise self.world.query.exception() or RuntimeError("the query has ended")
            now = time.monotonic()
            if now >= pause:
                self.strike()
                pause = now + self.random.uniform(0.4, 1.6) * self.options.between
            if now >= take:
                self.take()
                self.watch.sample(self.processes)
                take = now + min(2, self.options.seconds / 40)
            if now >= tell:
                self.tell(publisher)
                tell = now + max(5, self.options.seconds / 60)
            time.sleep(0.1)

    def drain(self, publisher):
        """Until everything is acknowledged and the source's metrics say so. What is stalled for good ends with its connection."""
        deadline = renew = time.monotonic()
        while time.monotonic() < deadline + 180:
            self.take()
            source = self.source()
            if self.stats()["backlog"] == 0 and source["backlogRows"] == 0:
                time.sleep(3)  # a progress more: what was counted last is in it
                self.take()
                return True
            if time.monotonic() > renew:
                self.lent_at_faults += self.stats()["lent"]
                self.world.control.command("disconnect")
                renew = time.monotonic() + 15
                self.tell(publisher)
            if not self.world.query.isActive:
                raise self.world.query.exception() or RuntimeError("the query has ended")
            time.sleep(0.5)
        return False

    def source(self):
        """The source's own metrics, as its query's last progress has them."""
        progress = self.world.query.lastProgress
        metrics = progress["sources"][0]["metrics"]
        return {key: int(value) for key, value in metrics.items() if key != "lastReopenReason"}  # a text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("SECONDS") or 1200))
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--rate", type=int, default=500)
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--between", type=float, default=5)
    options = parser.parse_args()
    with World("soak", "--record", "--seed", str(options.seed)) as world:
        world.say(f"seed {options.seed}, {options.seconds:.0f} s")
        if world.control is None:
            raise SystemExit("soak needs an emulator of its own: unset PUBSUB_EMULATOR_HOST")
        world.create(ack_deadline=DEADLINE_S)
        soak = Soak(world, options)
        spark = soak.start()
        publisher = Publisher(world, options.size, options.rate)
        publisher.published = 200
        publisher.start()
        soak.run(publisher)
        published = publisher.finish()
        world.say(f"published {published}; waiting for the rest")
        drained = soak.drain(publisher)
        source, stats, copies = soak.source(), soak.stats(), soak.copies()
        problems = soak.leases.problems(copies, stats["lent"], source, soak.lent_at_faults)
        alive = sorted(executors())
        if alive != sorted(pid for name, pid in soak.processes.items() if name.startswith("executor")):
            problems.append("executors have been replaced")
        world.query.stop()
        rows, ids, numbers = world.stored(spark).selectExpr("count(*)", "count(distinct message_id)", "count(distinct number)").first()
        vitals = soak.watch.rows()
        print_rows(vitals)
        print()
        for problem in problems:
            print(f"  PROBLEM: {problem}")
        counts = soak.leases.counts
        world.result(
            {
                "seed": options.seed,
                "seconds": options.seconds,
                "faults": sum(soak.told.values()),
                "published": published,
                "rows": rows,
                "lost": published - numbers,
                "duplicates": rows - ids,
                "unacknowledged": stats["backlog"],
                "leases": counts["deliver"],
                "leases_acknowledged": counts["acknowledge"],
                "leases_given_back": counts["nack"],
                "leases_expired": counts["expire"],
                "leases_open": stats["lent"],
                "stale_acknowledgements": counts["stale_ack"],
                "copies_by_the_emulator": copies,
                **{f"source_{key}": source[key] for key in ("receivedRows", "acknowledgedRows", "givenBackRows", "expiredRows", "streamReopens")},
                "problems": len(problems),
                "grows": sum(not row["flat"] for row in vitals),
            },
            drained and numbers == published and stats["backlog"] == 0 and not problems and all(row["flat"] for row in vitals),
            struck=soak.told,
            vitals=vitals,
            told=problems,
        )


if __name__ == "__main__":
    main()
