"""Typed rows: a hash of every field that is read, of payloads decoded natively, and by Spark's from_json behind both sources."""

from reading import TUNED_OURS, consume, kafka_frame, pubsub_frame

FLAT = "concat('{\"id\":', id, ',\"name\":\"customer-', id % 977, '\",\"amount\":', id % 500, '.25,\"paid\":true,\"country\":\"CH\",\"pad\":\"', id + 1000000, '\"}')"
NESTED = (
    "concat('{\"id\":', id, ',\"user\":{\"name\":\"user-', id % 977, '\",\"age\":', id % 90, ',\"mail\":\"user', id, '@example.com\"},\"amount\":', id % 10000,"
    " '.25,\"currency\":\"EUR\",\"ok\":true,\"time\":\"2026-01-31T12:', 10 + id % 50, ':', 10 + id % 50, '.123Z\",\"tags\":[\"red\",\"green\",\"b', id % 10,"
    " '\"],\"score\":', id % 100, '.5e-1,\"note\":\"a text of no great length\",\"count\":', id % 7, '}')"
)
WIDE = "concat('{', " + ", ',', ".join(f"'\"field{i:02}\":\"value-', (id + {i}) % 10000, '\"'" for i in range(50)) + ", '}')"

# A name, the JSON of row `id`, its schema, the fields that are read.
SHAPES = [
    ("flat", 100, FLAT, "id INT, name STRING, amount DOUBLE, paid BOOLEAN, country STRING, pad STRING", None),
    (
        "nested",
        260,
        NESTED,
        "id BIGINT, user STRUCT<name: STRING, age: INT, mail: STRING>, amount DOUBLE, currency STRING, ok BOOLEAN, time TIMESTAMP, tags ARRAY<STRING>,"
        " score DOUBLE, note STRING, count INT",
        None,
    ),
    ("3 of 50", 1150, WIDE, ", ".join(f"field{i:02} STRING" for i in range(50)), ["field03", "field20", "field40"]),
]


def fields_of(schema):
    from pyspark.sql.types import _parse_datatype_string

    return [field.name for field in _parse_datatype_string(schema).fields]


def hashed(frame, fields):
    return frame.selectExpr(f"xxhash64({', '.join('payload.`' + name + '`' for name in fields)}) as hash")


def by_function(frame, schema, fields):
    from pyspark.sql import functions as F

    return hashed(frame.select(F.from_json(F.col("data").cast("string"), schema).alias("payload")), fields)


def typed_frame(session, name, schema, fields):
    more = {"payloadFormat": "json", "payloadSchema": schema, **TUNED_OURS}
    source = session.spark.readStream.format("pubsub").option("subscriptionId", name + "-sub")
    return hashed(source.options(**{**session.connection(), **more}).load(), fields)


def consume_published(session, rows, count, frame):
    """Publishes to a new subscription, outside what is measured, and consumes it."""
    name = session.fresh()
    session.subscribe(name)
    rows.write.format("pubsub").options(**session.connection()).option("topicId", name + "-topic").mode("append").save()
    result = consume(session, frame(name), "as it is", count)
    session.world.run("subscription", "delete", name + "-sub")
    session.world.run("topic", "delete", name + "-topic")
    return result


def measure(session):
    for shape, payload, row, schema, fields in SHAPES:
        count = 1_000_000 if payload < 1000 else 200_000
        fields = fields or fields_of(schema)
        rows = session.spark.range(count).selectExpr(f"cast({row} as binary) as data")
        sides = {
            "payloadFormat": lambda: consume_published(session, rows, count, lambda name: typed_frame(session, name, schema, fields)),
            "from_json": lambda: consume_published(session, rows, count, lambda name: by_function(pubsub_frame(session, name, **TUNED_OURS), schema, fields)),
        }
        if session.broker:
            topic = session.fresh()
            session.broker.create(topic)
            rows.selectExpr("data as value").write.format("kafka").option("kafka.bootstrap.servers", session.broker.servers).option("topic", topic).save()
            sides["kafka from_json"] = lambda: consume(session, by_function(kafka_frame(session, topic), schema, fields), "as it is", count)
        runs = {side: [] for side in sides}
        for run in range(-session.options.warmups, session.options.runs):
            for side, once in sides.items():
                result = once()
                if run >= 0:
                    runs[side].append(result)
        for side in sides:
            session.note("typed", side, payload, count, runs[side], shape=shape)
