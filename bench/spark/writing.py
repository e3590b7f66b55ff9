"""Writing: rows that Spark makes up go through the sink. `generate` is the same job without it, to be taken off."""

import time

TUNED = {"kafka.batch.size": "262144", "kafka.linger.ms": "5", "kafka.buffer.memory": "67108864", "kafka.max.request.size": "2097152"}


def save(session, side, frame, topic):
    if side == "generate":
        frame.write.format("noop").mode("overwrite").save()
    elif side == "pubsub":
        sink = frame.selectExpr("value as data").write.format("pubsub").option("topicId", topic + "-topic")
        sink.options(**session.connection()).mode("append").save()
    else:
        sink = frame.write.format("kafka").option("kafka.bootstrap.servers", session.broker.servers)
        sink.option("topic", topic).options(**TUNED).save()


def beside_kafka(session, payload, count):
    text = f"concat(lpad(cast(id as string), 12, '0'), repeat('x', {payload - 12}))"
    frame = session.spark.range(0, count, 1, 2).selectExpr(f"cast({text} as binary) as value")
    sides = ["generate", *session.sides]
    runs = {side: [] for side in sides}
    topic = session.fresh()
    session.world.run("topic", "create", topic + "-topic")
    if session.broker:
        session.broker.create(topic)
    for run in range(-session.options.warmups, session.options.runs):
        for side in sides:
            session.settle()
            cpu, begin = session.cpu(), time.monotonic()
            save(session, side, frame, topic)
            if run >= 0:
                runs[side].append((session.cpu() - cpu, time.monotonic() - begin, 1))
    for side in sides:
        session.note("write", side, payload, count, runs[side])
    session.world.run("topic", "delete", topic + "-topic")
    if session.broker:
        session.broker.delete(topic)
