"""Writes with Spark and checks that every row arrives: run_write_scaling_test.sh (stages of 2, 10, 2 cores, against an emulator that
refuses and cuts) and run_custom_write_load.sh SIZE_BYTES MSG_COUNT."""

import sys
import time

import retries
from world import World, parameter, positional

SIZES = (100, 400, 1000)
FAULTS = (
    "Publish status=UNAVAILABLE:Service_not_ready probability=0.33",
    "Publish disconnect probability=0.02",
    "Publish reset probability=0.02",
)


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
            refused, delays = len(events), retries.judge(events)
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
        if world.read() == 0:
            raise SystemExit(f"{name}: expected {start} rows, 0 arrived")
        rows, numbers = stored()
        if numbers != start:
            world.say(f"expected {start} rows, {numbers} arrived")
        world.delete()
        if delays:
            retries.print_rows(delays)
        in_band = all(row["good"] for row in delays) and (refused > 0 or not (world.control and scaling))
        world.result(
            {
                "rows": start,
                "arrived": numbers,
                "lost": start - numbers,
                "duplicates": rows - numbers,
                "requests_disturbed": refused,
                "mb_per_s": [rate["mb_per_s"] for rate in rates],
            },
            complete and numbers == start and in_band,
            stages=rates,
            retry_delays=delays,
        )


main()
