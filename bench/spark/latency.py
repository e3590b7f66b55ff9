"""Latency: from publish_time (Kafka: timestamp) to the end of foreachBatch, 1000 messages a second of 1 KB, default trigger."""

import time

SIZE = 1000


def frame_of(session, side, name):
    if side == "pubsub":
        session.subscribe(name)
        source = session.spark.readStream.format("pubsub").options(**session.connection()).option("subscriptionId", name + "-sub")
        return source.load().selectExpr("unix_micros(publish_time) as at", "xxhash64(data) as hash")
    session.broker.create(name)
    source = session.spark.readStream.format("kafka").option("kafka.bootstrap.servers", session.broker.servers)
    source = source.option("subscribe", name).option("startingOffsets", "latest")
    return source.load().selectExpr("unix_micros(timestamp) as at", "xxhash64(value) as hash")


def send(session, side, name, per_second, seconds):
    if side == "kafka":
        session.broker.start_producing(name, SIZE, per_second, seconds).wait()
        return
    session.world.run("publish", name + "-topic", "--count", per_second * seconds, "--size", SIZE, "--rate", per_second)


def measure(session, seconds=20, skip=12, per_second=1000):
    for side in session.sides:
        name, delays = session.fresh(), []
        frame = frame_of(session, side, name)
        from_then_on = time.monotonic() + skip

        def take(batch, number):
            rows = [row.at for row in batch.select("at").collect()]
            now = time.time() * 1e6
            if time.monotonic() > from_then_on:
                delays.extend((now - at) / 1000 for at in rows)

        checkpoint = str(session.world.work / session.fresh())
        query = frame.writeStream.foreachBatch(take).option("checkpointLocation", checkpoint).start()
        cpu = session.cpu()
        send(session, side, name, per_second, skip + seconds)
        time.sleep(2)
        used = session.cpu() - cpu
        query.stop()
        delays.sort()
        result = {
            "what": "latency",
            "side": side,
            "rows": len(delays),
            "p50_ms": round(delays[len(delays) // 2], 1),
            "p99_ms": round(delays[len(delays) * 99 // 100], 1),
            "cpu_s_per_s": round(used / (skip + seconds), 3),
        }
        session.results.append(result)
        session.world.say(f"latency {side}: p50 {result['p50_ms']} ms, p99 {result['p99_ms']} ms, {result['cpu_s_per_s']} CPU s/s")
