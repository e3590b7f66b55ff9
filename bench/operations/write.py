"""Writes with Spark and checks that every row arrives: run_write_scaling_test.sh (stages of 2, 10, 2 cores, against an emulator that
refuses and cuts) and run_custom_write_load.sh SIZE_BYTES MSG_COUNT."""

import collections
import os
import statistics
import sys
import time

from world import World, parameter, positional

SIZES = (100, 400, 1000)
FAULTS = (
    "Publish status=UNAVAILABLE:Service_not_ready probability=0.33",
    "Publish disconnect probability=0.02",
    "Publish reset probability=0.02",
)


# Retries wait 100 ms, doubled each time up to 60 s, and up to a quarter more by chance.
FIRST_MS, MOST_MS, JITTER = 100, 60_000, 1.25
# A refusal on a busy machine is seen, and sent again, a little later.
SLACK_MS = 75
# So few delays of a retry say nothing about their middle.
ENOUGH = 5


def retry_delays(events):
    """Of each disturbed request, the time between its first and second disturbance, second and third, …: what the client waited, between
    two times of the emulator. `from_ms` and `to_ms` are where it is expected. A request that was lost with another's connection
    has no event of its own: its next delay is counted as an earlier retry than it is, and is longer. So no delay may be shorter than
    `from_ms`, none longer than the most, and the middle one must be inside."""
    seen = collections.defaultdict(list)
    for event in events:
        seen[event.message_id].append(event.time_us)
    delays = collections.defaultdict(list)
    for times in seen.values():
        for attempt, (before, after) in enumerate(zip(times, times[1:])):
            delays[attempt].append((after - before) / 1000)
    table = []
    for attempt, v in sorted(delays.items()):
        base = min(FIRST_MS * 2**attempt, MOST_MS)
        row = {"retry": attempt + 1, "count": len(v), "from_ms": base, "to_ms": round(min(base * JITTER, MOST_MS) + SLACK_MS)}
        row.update(min_ms=round(min(v)), median_ms=round(statistics.median(v)), max_ms=round(max(v)))
        row["as_expected"] = (
            row["min_ms"] >= base
            and row["max_ms"] <= MOST_MS + 1000
            and (len(v) < ENOUGH or row["median_ms"] <= row["to_ms"])
        )
        table.append(row)
    return table


def main():
    name = sys.argv.pop(1)
    scaling = name == "write-scaling"
    master = parameter("TEST_MASTER", "spark.master", "local[10]" if scaling else "local[4]")
    count = parameter("PUBSUB_MSG_COUNT", "pubsub.msg.count", 60_000 if scaling else 100_000)
    if scaling:
        stages = [(cores, count // 3, size) for cores, size in zip((2, 10, 2), SIZES)]
    else:
        size = positional(0, parameter("PUBSUB_PAYLOAD_SIZE", "pubsub.payload.size", 1024))
        count = positional(1, count)
        stages = [(0, count, size)]
    for _, rows, size in stages:
        if size < 12 or size > 9_000_000 or rows < 1:
            raise SystemExit(f"{name}: {rows} rows of {size} bytes: the size must be 12 to 9000000, the count positive")
    with World(name, "--record") as world:
        world.create()
        spark = world.spark(master)
        if world.control and scaling:
            for fault in FAULTS:
                world.control.command("fault " + fault)
            world.say("the emulator refuses a third of the requests and cuts connections")
        start, rates = 0, []
        for number, (cores, rows, size) in enumerate(stages):
            cores = cores or spark.sparkContext.defaultParallelism
            world.say(f"stage {number + 1}: {cores} cores, {rows} rows of {size} bytes")
            frame = spark.range(start, start + rows, 1, cores).selectExpr(
                f"rpad(concat(cast(id as string), ' '), {size}, 'x') as data"
            )
            begin = time.monotonic()
            # Small requests: there are enough of them to be refused, also several times.
            writer = world.sink(frame).option("publishBatchBytes", "20000" if scaling else "5000000")
            writer.save()
            seconds = time.monotonic() - begin
            rates.append({"cores": cores, "rows": rows, "bytes": size, "seconds": round(seconds, 2), "mb_per_s": round(rows * size / seconds / 1e6, 2)})
            world.say(f"  {seconds:.1f} s, {rows / seconds:.0f} rows/s, {rows * size / seconds / 1e6:.1f} MB/s")
            start += rows
        delays, refused = [], 0
        if world.control:
            events = world.control.record("fault")
            refused, delays = len(events), retry_delays(events)
            world.control.command("faults clear")
            world.control.command("record off")
            world.control.command("record clear")
        world.say("reading back")
        world.collect(world.source(spark))

        def stored():
            return world.stored(spark).selectExpr("count(*)", "count(distinct number)").first()

        def quiet():
            backlog = world.control.stats(world.subscription)["backlog"] if world.control else 0
            return world.read() >= start and backlog == 0

        complete = world.wait(quiet, 180, lambda: f"read back {world.read()} of {start}")
        if world.control is None:
            time.sleep(5)
        world.query.stop()
        rows, numbers = stored()
        world.delete()
        if delays:
            print("\n  retry  count  expected ms       min ms  median ms  max ms")
            for row in delays:
                print("  {retry:5d}  {count:5d}  {from_ms:6d} to {to_ms:<6d}  {min_ms:6d}  {median_ms:9d}  {max_ms:6d}".format(**row))
        in_bounds = all(row["as_expected"] for row in delays) and (bool(delays) or not (world.control and scaling))
        if not in_bounds:
            world.say(f"retries did not wait as expected: {[row for row in delays if not row['as_expected']]}")
        if numbers != start:
            world.say(f"{start} rows were written, {numbers} of them arrived")
        world.result(
            {
                "rows": start,
                "arrived": numbers,
                "lost": start - numbers,
                "duplicates": rows - numbers,
                "requests_disturbed": refused,
                "mb_per_s": [rate["mb_per_s"] for rate in rates],
            },
            complete and numbers == start and in_bounds,
            stages=rates,
            retry_delays=delays,
        )


main()
