"""Spark read and write, local[2], emulator on the same cores, beside Spark's own Kafka source and sink (tuned) in the same run.

    run.py [--payloads 100,1000,10000,100000] [--megabytes 400] [--runs 3] [--no-kafka] [--only read,write,latency]

CPU is that of the Spark process, client library included. A table, then one line of JSON, also in build/results/spark.json.
"""

import argparse
import json
import pathlib
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench/operations"), str(ROOT / "bench/peers/kafka")]
from broker import Broker  # noqa: E402
from world import World, cpu_seconds  # noqa: E402

TUNED_READ = {
    "kafka.max.poll.records": "10000",
    "kafka.max.partition.fetch.bytes": "16777216",
    "kafka.receive.buffer.bytes": "1048576",
}
TUNED_WRITE = {"kafka.batch.size": "262144", "kafka.linger.ms": "5", "kafka.buffer.memory": "67108864"}


class Bench:
    def __init__(self, world, options):
        self.world, self.options, self.results = world, options, []
        jars = [str(ROOT / "spark/target/spark-pubsub.jar")]
        self.broker = None
        if not options.no_kafka:
            jars += [str(jar) for jar in (ROOT / ".deps/kafka/spark").glob("*.jar") if "slf4j" not in jar.name]
            self.broker = Broker(world.work)
        conf = {"spark.jars": ",".join(jars), "spark.driver.memory": "4g", "spark.sql.shuffle.partitions": 2}
        if options.conf:
            conf.update(pair.split("=", 1) for pair in options.conf)
        self.spark = world.spark("local[2]", **conf)
        self.pid = self.spark.sparkContext._gateway.proc.pid
        self.number = 0

    def cpu(self):
        return cpu_seconds(self.pid)

    def fresh(self):
        self.number += 1
        return f"b{self.number}"

    # ---- reading ----

    def pubsub_frame(self, name, **extra):
        return (
            self.spark.readStream.format("pubsub")
            .option("endpoint", self.world.host)
            .option("plaintext", "true")
            .option("projectId", self.world.project)
            .option("subscriptionId", name)
            .options(**dict(pair.split("=") for pair in self.options.option), **extra)
            .load()
            .select("data")
        )

    def kafka_frame(self, topic):
        return (
            self.spark.readStream.format("kafka")
            .option("kafka.bootstrap.servers", self.broker.servers)
            .option("subscribe", topic)
            .option("startingOffsets", "earliest")
            .options(**TUNED_READ)
            .load()
            .selectExpr("value as data")
        )

    def consume(self, frame, what, count):
        """Runs a query until all rows are read. Seconds from the start of the first batch with rows to the end of the last one."""
        if what == "touch":
            writer = frame.selectExpr("xxhash64(data) as h").writeStream.format("noop")
        elif what == "length":
            writer = frame.selectExpr("length(data) as n").writeStream.format("noop")
        else:
            writer = frame.writeStream.format("parquet").option("path", str(self.world.work / self.fresh()))
        checkpoint = str(self.world.work / self.fresh())
        self.spark._jvm.System.gc()
        time.sleep(0.3)
        cpu, begin = self.cpu(), time.monotonic()
        query = writer.option("checkpointLocation", checkpoint).start()
        done = {}
        while sum(done.values()) < count:
            time.sleep(0.02)
            if not query.isActive:
                raise query.exception()
            progress = query.lastProgress
            if progress:
                done[progress["batchId"]] = progress["numInputRows"]
            if time.monotonic() - begin > 300:
                raise RuntimeError(f"only {sum(done.values())} of {count} after 300 s")
        wall, used = time.monotonic() - begin, self.cpu() - cpu
        query.stop()
        return wall, used, len(done)

    def read(self, payload):
        count = max(2000, self.options.megabytes * 1_000_000 // payload)
        sides = ["pubsub"] + (["kafka"] if self.broker else [])
        if self.broker:
            topic = self.fresh()
            self.broker.create(topic)
            self.broker.produce(topic, count, payload)
        for what in self.options.sinks.split(","):
            best = {}
            for run in range(-self.options.warmups, self.options.runs):
                for side in sides:
                    if side == "pubsub":
                        name = self.fresh()
                        self.world.run("topic", "create", name + "-topic")
                        self.world.run("subscription", "create", name + "-sub", "--topic", name + "-topic")
                        self.world.run("publish", name + "-topic", "--count", count, "--size", payload)
                        wall, cpu, batches = self.consume(self.pubsub_frame(name + "-sub"), what, count)
                        self.world.run("subscription", "delete", name + "-sub")
                    else:
                        wall, cpu, batches = self.consume(self.kafka_frame(topic), what, count)
                    if run >= 0:
                        best.setdefault(side, []).append((cpu, wall, batches))
            for side in sides:
                self.note("read", side, what, payload, count, best[side])

    # ---- writing ----

    def write(self, payload):
        count = max(2000, self.options.megabytes * 1_000_000 // payload // 2)
        frame = self.spark.range(0, count, 1, 2).selectExpr(
            f"concat(lpad(cast(id as string), 12, '0'), repeat('x', {payload - 12})) as value"
        )
        frame = frame.selectExpr("cast(value as binary) as value")
        sides = ["generate", "pubsub"] + (["kafka"] if self.broker else [])
        best = {}
        topic = self.fresh() + "-topic"
        self.world.run("topic", "create", topic)
        if self.broker:
            self.broker.create(topic)
        for run in range(-self.options.warmups, self.options.runs):
            for side in sides:
                self.spark._jvm.System.gc()
                time.sleep(0.3)
                cpu, begin = self.cpu(), time.monotonic()
                if side == "generate":
                    frame.write.format("noop").mode("overwrite").save()
                elif side == "pubsub":
                    (
                        frame.selectExpr("value as data").write.format("pubsub")
                        .option("endpoint", self.world.host).option("plaintext", "true")
                        .option("projectId", self.world.project).option("topicId", topic).mode("append").save()
                    )
                else:
                    (
                        frame.write.format("kafka").option("kafka.bootstrap.servers", self.broker.servers)
                        .option("topic", topic).options(**TUNED_WRITE).save()
                    )
                if run >= 0:
                    best.setdefault(side, []).append((self.cpu() - cpu, time.monotonic() - begin, 1))
        for side in sides:
            self.note("write", side, "", payload, count, best[side])

    # ---- latency ----

    def latency(self, seconds=20, skip=12, per_second=1000):
        """From publish_time (Kafka: timestamp) to the end of foreachBatch, 1 KB, default trigger."""
        for side in ["pubsub"] + (["kafka"] if self.broker else []):
            name = self.fresh()
            if side == "pubsub":
                self.world.run("topic", "create", name + "-topic")
                self.world.run("subscription", "create", name + "-sub", "--topic", name + "-topic")
                frame = (
                    self.spark.readStream.format("pubsub").option("endpoint", self.world.host).option("plaintext", "true")
                    .option("projectId", self.world.project).option("subscriptionId", name + "-sub").load()
                    .selectExpr("unix_micros(publish_time) as at", "xxhash64(data) as h")
                )
            else:
                self.broker.create(name)
                frame = (
                    self.spark.readStream.format("kafka").option("kafka.bootstrap.servers", self.broker.servers)
                    .option("subscribe", name).option("startingOffsets", "latest").load()
                    .selectExpr("unix_micros(timestamp) as at", "xxhash64(value) as h")
                )
            delays = []

            def take(batch, number):
                rows = [row.at for row in batch.select("at").collect()]
                now = time.time() * 1e6
                if time.monotonic() > self.measuring:
                    delays.extend((now - at) / 1000 for at in rows)

            self.measuring = time.monotonic() + skip
            query = frame.writeStream.foreachBatch(take).option("checkpointLocation", str(self.world.work / self.fresh())).start()
            cpu = self.cpu()
            if side == "pubsub":
                end = time.monotonic() + skip + seconds
                start, sent = time.monotonic(), 0
                while time.monotonic() < end:
                    self.world.run("publish", name + "-topic", "--count", per_second // 50, "--size", 1000)
                    sent += per_second // 50
                    time.sleep(max(0, start + sent / per_second - time.monotonic()))
            else:
                producer = self.broker.start_producing(name, 1000, per_second, skip + seconds)
                producer.wait()
            time.sleep(2)
            used = self.cpu() - cpu
            query.stop()
            delays.sort()
            result = {
                "what": "latency", "side": side, "rows": len(delays),
                "p50_ms": round(delays[len(delays) // 2], 1), "p99_ms": round(delays[len(delays) * 99 // 100], 1),
                "cpu_s_per_s": round(used / (skip + seconds), 3),
            }
            self.results.append(result)
            self.world.say(f"latency {side}: p50 {result['p50_ms']} ms, p99 {result['p99_ms']} ms, {result['cpu_s_per_s']} CPU s/s")

    def note(self, what, side, sink, payload, count, runs):
        cpu, wall = min(r[0] for r in runs), min(r[1] for r in runs)
        result = {
            "what": what, "side": side, "sink": sink, "payload": payload, "rows": count,
            "cpu_us_per_row": round(cpu / count * 1e6, 3), "cpu_s_per_gb": round(cpu / (count * payload / 1e9), 3),
            "rows_per_s": round(count / wall), "mb_per_s": round(count * payload / wall / 1e6, 1),
            "median_cpu_us": round(statistics.median(r[0] for r in runs) / count * 1e6, 3),
        }
        self.results.append(result)
        self.world.say(
            f"{what} {side} {sink} {payload} B: {result['rows_per_s']} rows/s, {result['mb_per_s']} MB/s, "
            f"{result['cpu_us_per_row']} us/row, {result['cpu_s_per_gb']} CPU s/GB, {runs[-1][2]} batches"
        )

    def table(self):
        print("\n| | payload | side | rows/s | MB/s | CPU us/row | CPU s/GB |\n|---|---|---|---|---|---|---|")
        for r in self.results:
            if r["what"] != "latency":
                print(
                    f"| {r['what']} {r['sink']} | {r['payload']} | {r['side']} | {r['rows_per_s']} | {r['mb_per_s']} "
                    f"| {r['cpu_us_per_row']} | {r['cpu_s_per_gb']} |"
                )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--payloads", default="100,1000,10000,100000")
    parser.add_argument("--megabytes", type=int, default=400)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--warmups", type=int, default=3, help="runs before, for the JVM to compile")
    parser.add_argument("--sinks", default="touch,length,parquet")
    parser.add_argument("--only", default="read,write,latency")
    parser.add_argument("--no-kafka", action="store_true")
    parser.add_argument("--conf", action="append")
    parser.add_argument("--option", action="append", default=[])
    options = parser.parse_args()
    with World("bench-spark") as world:
        bench = Bench(world, options)
        for payload in map(int, options.payloads.split(",")):
            # Small rows are many: less of them, or the run takes long.
            full, options.megabytes = options.megabytes, min(options.megabytes, payload * 4)
            if "read" in options.only:
                bench.read(payload)
            if "write" in options.only:
                bench.write(payload)
            options.megabytes = full
        if "latency" in options.only:
            bench.latency()
        if bench.broker:
            bench.broker.stop()
        bench.table()
        results = ROOT / "build/results"
        results.mkdir(parents=True, exist_ok=True)
        (results / "spark.json").write_text(json.dumps(bench.results, indent=1) + "\n")
        print(json.dumps(bench.results), flush=True)


main()
