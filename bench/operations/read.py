"""Reads a number of messages with Spark and checks every one: run_scale_test.sh, run_throughput_test.sh, run_custom_throughput.sh."""

import os
import sys
import time

from world import World, parameter, positional

DEFAULTS = {"scale": (10, 1000, 10_000), "throughput": (0, 1024, 50_000), "custom-throughput": (0, 1024, 50_000)}


def main():
    name = sys.argv.pop(1)
    slots, size, count = DEFAULTS[name]
    size = positional(0, parameter("PUBSUB_PAYLOAD_SIZE", "pubsub.payload.size", size))
    count = positional(1, parameter("PUBSUB_MSG_COUNT", "pubsub.msg.count", count))
    master = parameter("TEST_MASTER", "spark.master", "local[4]")
    timeout = int(os.environ.get("PUBSUB_TIMEOUT_SECONDS", "600"))
    if size < 12 or size > 9_000_000 or count < 1:
        raise SystemExit(f"{name}: {count} messages of {size} bytes: the size must be 12 to 9000000, the count positive")
    with World(name) as world:
        world.create()
        world.say(f"publishing {count} messages of {size} bytes")
        begin = time.monotonic()
        published = world.publish(count, size)
        publish_s = time.monotonic() - begin
        if published != count:
            raise SystemExit(f"{name}: {published} were published where {count} are expected")
        world.say(f"starting Spark with master {master}")
        spark = world.spark(master, **({"spark.default.parallelism": slots} if slots else {}))
        frame = world.source(spark, **({"numPartitions": slots} if slots else {}))
        begin = time.monotonic()
        world.collect(frame)

        def told():
            return f"read {world.read()} of {count}"

        complete = world.wait(lambda: world.read() >= count, timeout, told)
        read_s = time.monotonic() - begin
        world.query.stop()
        if not complete:
            world.say(f"expected {count} messages, read {world.read()} within {timeout} s")
        if world.read() == 0:
            raise SystemExit(f"{name}: expected {count} messages, the sink has 0")
        rows = world.stored(spark)
        total, ids, numbers, length = rows.selectExpr(
            "count(*)", "count(distinct message_id)", "count(distinct number)", "sum(bytes)"
        ).first()
        left = world.control.stats(world.subscription)["backlog"] if world.control else "unknown"
        world.delete()
        wrong = False
        for what, expected, found in (
            ("messages by number", count, numbers), ("message ids", count, ids), ("bytes", total * size, length)
        ):
            if expected != found:
                wrong = True
                world.say(f"expected {expected} {what}, the sink has {found}")
        world.result(
            {
                "messages": count,
                "payload_bytes": size,
                "slots": slots or spark.sparkContext.defaultParallelism,
                "published_mb_per_s": round(count * size / publish_s / 1e6, 1),
                "rows": total,
                "distinct_message_ids": ids,
                "lost": count - numbers,
                "duplicates": total - numbers,
                "unacknowledged": left,
                "read_s_with_start": round(read_s, 2),
                "read_mb_per_s": round(count * size / read_s / 1e6, 1),
            },
            complete and not wrong,
        )


main()
