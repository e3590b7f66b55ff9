"""The swing test, run_dynamic_scaling_test.sh: 2 -> 10 -> 2 executors while messages are published all the time.

The sink must contain every published message; what came twice is counted, and is at most what was lent to executors when they
were removed. A timeline (executors, backlog, rows a second) is written as CSV and as a picture.
"""

import os
import pathlib
import time

from world import Publisher, World, cpu_seconds, parameter, positional

CORES = 10


class Cluster:
    """Executors of one core each, asked for and given back."""

    def __init__(self, spark):
        self.context = spark.sparkContext._jsc.sc()
        self.jvm = spark.sparkContext._jvm

    def executors(self):
        ids = self.context.getExecutorIds()
        return [ids.apply(i) for i in range(ids.size())]

    def grow(self, count):
        nothing = getattr(getattr(self.jvm.scala.collection.immutable, "Map$EmptyMap$"), "MODULE$")
        self.context.requestTotalExecutors(count, 0, nothing)

    def shrink(self, count):
        """Tells the youngest to go, as dynamic allocation does."""
        going = sorted(self.executors(), key=int)[count:]
        buffer = self.jvm.java.util.ArrayList()
        for identity in going:
            buffer.add(identity)
        sequence = self.jvm.org.apache.spark.api.python.PythonUtils.toSeq(buffer)
        self.grow(count)
        self.context.schedulerBackend().killExecutors(sequence, False, False, True)


def picture(timeline, path):
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(3, 1, sharex=True, figsize=(9, 7))
    seconds = [row[0] for row in timeline]
    for axis, column, title in zip(axes, (1, 2, 3), ("executors", "backlog (messages)", "read (rows/s)")):
        axis.plot(seconds, [row[column] for row in timeline], drawstyle="steps-post" if column == 1 else "default")
        axis.set_ylabel(title)
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    axes[-1].set_xlabel("seconds")
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)


def main():
    size = positional(0, parameter("PUBSUB_PAYLOAD_SIZE", "pubsub.payload.size", 1000))
    rate = int(os.environ.get("PUBSUB_RATE_MB", "25")) * 1_000_000 // size
    stage_s = int(os.environ.get("PUBSUB_STAGE_SECONDS", "40"))
    results = pathlib.Path(os.environ.get("PUBSUB_RESULTS", "build/results")).resolve()
    results.mkdir(parents=True, exist_ok=True)
    with World("dynamic-scaling") as world:
        world.create(ack_deadline=60)
        spark = world.spark(
            f"local-cluster[1,{CORES},{CORES * 1024}]",
            **{
                "spark.executor.cores": 1,
                "spark.executor.memory": "640m",
                "spark.default.parallelism": CORES,
                "spark.sql.shuffle.partitions": 2,
                # Executors come and go by request of this program alone.
                "spark.dynamicAllocation.enabled": "true",
                "spark.dynamicAllocation.shuffleTracking.enabled": "true",
                "spark.dynamicAllocation.initialExecutors": 2,
                "spark.dynamicAllocation.minExecutors": 0,
                "spark.dynamicAllocation.maxExecutors": CORES,
                "spark.dynamicAllocation.schedulerBacklogTimeout": "100h",
                "spark.dynamicAllocation.executorIdleTimeout": "100h",
            },
        )
        cluster = Cluster(spark)
        cluster.grow(2)
        if not world.wait(lambda: len(cluster.executors()) >= 2, 60):
            raise SystemExit("no two executors within a minute")
        world.collect(world.source(spark, numPartitions=CORES, maxReservoirBytes=128 << 20, jitterMs=200))
        publisher = Publisher(world, size, rate)
        timeline, in_flight, most, last = [], 0, [0], [time.monotonic(), 0]
        begin = time.monotonic()
        publisher.start()

        def sample():
            now, read = time.monotonic(), world.read()
            backlog = world.control.stats(world.subscription)["backlog"] if world.control else 0
            per_second = (read - last[1]) / (now - last[0])
            last[:] = [now, read]
            timeline.append((round(now - begin, 1), len(cluster.executors()), backlog, round(per_second)))
            return (
                f"executors {timeline[-1][1]}, published {publisher.published}, read {read}, "
                f"backlog {backlog}, {per_second:.0f} rows/s"
            )

        for stage, executors in enumerate((2, CORES, 2)):
            world.say(f"stage {stage + 1}: {executors} executors")
            if executors < len(cluster.executors()):
                in_flight += world.control.stats(world.subscription)["lent"] if world.control else 0
                cluster.shrink(executors)
            else:
                cluster.grow(executors)
            until = time.monotonic() + stage_s

            def over():
                most[0] = max(most[0], len(cluster.executors()))
                return publisher.error or (time.monotonic() > until and len(cluster.executors()) == executors)

            world.wait(over, stage_s + 120, sample, every=1)
        published = publisher.finish()
        publish_s = time.monotonic() - begin

        def done():
            return world.read() >= published and (
                not world.control or world.control.stats(world.subscription)["backlog"] == 0
            )

        complete = world.wait(done, 180, sample, every=1)
        whole_s = time.monotonic() - begin
        jvm_pids = [p for p in [spark.sparkContext._gateway.proc.pid] if p]
        driver_cpu = sum(cpu_seconds(p) for p in jvm_pids)
        source = world.query.lastProgress["sources"][0]["metrics"]
        world.query.stop()
        rows, ids, numbers = (
            world.stored(spark).selectExpr("count(*)", "count(distinct message_id)", "count(distinct number)").first()
        )
        if numbers != published:
            world.say(f"expected {published} messages, the sink has {numbers}")
        world.delete()
        with open(results / "dynamic-scaling.csv", "w") as out:
            out.write("seconds,executors,backlog,rows_per_s\n")
            out.writelines(",".join(map(str, row)) + "\n" for row in timeline)
        picture(timeline, results / "dynamic-scaling.svg")
        duplicates = rows - ids
        world.result(
            {
                "published": published,
                "payload_bytes": size,
                "rows": rows,
                "lost": published - numbers,
                "redelivered": duplicates,
                "in_flight_at_removals": in_flight,
                **{key: int(source[key]) for key in ("givenBackRows", "abandonedRows", "executorsLeft", "executorsLost")},
                "most_executors": most[0],
                "seconds": round(whole_s, 1),
                "publishing_s": round(publish_s, 1),
                "mb_per_s": round(published * size / whole_s / 1e6, 1),
                "driver_cpu_s": round(driver_cpu, 1),
                "timeline": str(results / "dynamic-scaling.csv"),
                "picture": str(results / "dynamic-scaling.svg"),
            },
            complete and numbers == published and most[0] >= CORES and (not world.control or duplicates <= in_flight),
        )


main()
