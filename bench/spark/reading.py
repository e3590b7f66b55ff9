"""Reading: a backlog is consumed by a query, from its start until its last batch has committed."""

import time

from session import TlsEmulator

TUNED_OURS = {"maxReservoirBytes": str(1 << 30)}
TUNED = {
    "kafka.max.poll.records": "10000",
    "kafka.max.partition.fetch.bytes": "16777216",
    "kafka.receive.buffer.bytes": "1048576",
}
TIMEOUT_S = 300


def pubsub_frame(session, name, **more):
    source = session.spark.readStream.format("pubsub").option("subscriptionId", name + "-sub")
    return source.options(**{**session.connection(), **more}).load().select("data")


def kafka_frame(session, topic):
    source = session.spark.readStream.format("kafka").option("kafka.bootstrap.servers", session.broker.servers)
    return source.option("subscribe", topic).option("startingOffsets", "earliest").options(**TUNED).load().selectExpr("value as data")


def writer(session, frame, sink):
    if sink == "touch":  # every byte of every payload
        return frame.selectExpr("xxhash64(data) as hash").writeStream.format("noop")
    if sink == "length":
        return frame.selectExpr("length(data) as bytes").writeStream.format("noop")
    if sink == "as it is":
        return frame.writeStream.format("noop")
    return frame.writeStream.format("parquet").option("path", str(session.world.work / session.fresh()))


def consume(session, frame, sink, count):
    """CPU seconds, wall seconds, batches."""
    checkpoint = str(session.world.work / session.fresh())
    query = writer(session, frame, sink).option("checkpointLocation", checkpoint)
    session.settle()
    cpu, begin = session.cpu(), time.monotonic()
    query = query.start()
    done = {}
    while sum(done.values()) < count:
        time.sleep(0.02)
        if not query.isActive:
            raise query.exception()
        progress = query.lastProgress
        if progress:
            done[progress["batchId"]] = progress["numInputRows"]
        if time.monotonic() - begin > TIMEOUT_S:
            raise RuntimeError(f"only {sum(done.values())} of {count} after {TIMEOUT_S} s")
    result = session.cpu() - cpu, time.monotonic() - begin, len(done)
    query.stop()
    return result


def consume_fresh(session, payload, count, sink, publish_options=(), **options):
    """Publishes to a new subscription, and consumes it."""
    name = session.fresh()
    session.subscribe(name)
    session.world.run("publish", name + "-topic", "--count", count, "--size", payload, "--batch-bytes", 5_000_000, *publish_options)
    result = consume(session, pubsub_frame(session, name, **options), sink, count)
    session.world.run("subscription", "delete", name + "-sub")
    session.world.run("topic", "delete", name + "-topic")
    return result


def beside_kafka(session, payload, count, sinks):
    if session.broker:
        topic = session.fresh()
        session.broker.create(topic)
        session.broker.produce(topic, count, payload)
    for sink in sinks:
        runs = {side: [] for side in session.sides}
        for run in range(-session.options.warmups, session.options.runs):
            for side in session.sides:
                if side == "pubsub":
                    result = consume_fresh(session, payload, count, sink, **TUNED_OURS)
                else:
                    result = consume(session, kafka_frame(session, topic), sink, count)
                if run >= 0:
                    runs[side].append(result)
        for side in session.sides:
            session.note("read", side, payload, count, runs[side], sink=sink)
    if session.broker:
        session.broker.delete(topic)


def slots(session, payload=1000, count=1_000_000):
    """1 to 64 slots; the cap of twice the default parallelism is out of the way."""
    for number in (1, 2, 4, 16, 64):
        runs = [consume_fresh(session, payload, count, "touch", numPartitions=str(number)) for _ in range(session.options.runs)]
        session.note("slots", "pubsub", payload, count, runs, slots=number)


def backlog(session, payload=100):
    """Growth with what waits: the cost of a message stays the same."""
    for count in (10_000, 100_000, 1_000_000, 10_000_000):
        runs = [consume_fresh(session, payload, count, "touch") for _ in range(1 if count > 1_000_000 else session.options.runs)]
        session.note("backlog", "pubsub", payload, count, runs, backlog=count)


def tls(session, payload=1000, count=1_000_000):
    world, plain = session.world, session.world.host
    server = TlsEmulator(world.work)
    trusted = ["--ca-file", server.certificate, "--access-token-file", world.work / "token"]
    (world.work / "token").write_text("token")
    try:
        runs = []
        for _ in range(session.options.runs):
            name = session.fresh()
            for arguments in (
                ("topic", "create", name + "-topic"),
                ("subscription", "create", name + "-sub", "--topic", name + "-topic"),
                ("publish", name + "-topic", "--count", count, "--size", payload),
            ):
                world.run(*arguments, *trusted, endpoint=server.host)
            secure = {"endpoint": server.host, "plaintext": "false", "caFile": str(server.certificate), "accessToken": "token"}
            runs.append(consume(session, pubsub_frame(session, name, **secure), "touch", count))
            world.run("subscription", "delete", name + "-sub", *trusted, endpoint=server.host)
        session.note("transport", "pubsub", payload, count, runs, transport="TLS")
        runs = [consume_fresh(session, payload, count, "touch") for _ in range(session.options.runs)]
        session.note("transport", "pubsub", payload, count, runs, transport="plaintext")
    finally:
        server.stop()
        assert world.host == plain
