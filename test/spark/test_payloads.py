"""Payloads decoded natively, beside what Spark's own functions make of the same bytes."""

import os

import pytest

from conftest import PROJECT, Reader, until
from payload_rows import Rows, ddl

MASTER = "local[2]"
CONF = {"spark.sql.legacy.timeParserPolicy": "CORRECTED"}  # as from 4.0 on; before, from_json fails queries for some texts
SCHEMAS = int(os.environ.get("PAYLOAD_SCHEMAS", "12"))
ROWS = int(os.environ.get("PAYLOAD_ROWS", "400"))
SEED = int(os.environ.get("PAYLOAD_SEED", "1"))


def publish(rows):
    """Each with its number: a message may not be empty."""
    import grpc
    from google.pubsub_v1.services.publisher.client import PublisherClient
    from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

    host = os.environ["PUBSUB_EMULATOR_HOST"]
    publisher = PublisherClient(transport=PublisherGrpcTransport(channel=grpc.insecure_channel(host)))
    name = publisher.topic_path(PROJECT, "topic1")
    for start in range(0, len(rows), 500):
        messages = [{"data": row, "attributes": {"n": str(start + i)}} for i, row in enumerate(rows[start : start + 500])]
        publisher.publish(request={"topic": name, "messages": messages})
    publisher.transport.close()


def read(spark, emulator, checkpoint, count, *select, **options):
    reader = Reader(spark, emulator, checkpoint, select=select, payloadFormat="json", **options)
    try:
        reader.wait(count)
    finally:
        reader.stop()
    return reader.rows


def compare(rows, published, schema):
    wrong = [row for row in rows if repr(row.payload) != repr(row.expected)]
    for row in wrong[:5]:
        print(f"{bytes(row.data)!r}\n  ours:  {row.payload!r}\n  Spark: {row.expected!r}")
    assert not wrong, f"{len(wrong)} of {len(rows)} rows differ with the schema {schema}"
    assert len(rows) == published


def text(column):
    from pyspark.sql import functions as F

    return F.to_json(column, {"ignoreNullFields": "false"})


def from_json(schema, **options):
    from pyspark.sql import functions as F

    return F.from_json(F.col("data").cast("string"), schema, options)


@pytest.mark.parametrize("seed", range(SEED, SEED + SCHEMAS))
def test_json_is_what_from_json_makes_of_it(spark, emulator, tmp_path, seed):
    rows = Rows(seed)
    fields = rows.schema()
    schema = ddl(fields) + (", _corrupt_record STRING" if seed % 3 == 0 else "")
    zone = ["UTC", "Europe/Berlin", "America/Los_Angeles", "+05:30"][seed % 4]
    spark.conf.set("spark.sql.session.timeZone", zone)
    emulator.create()
    payloads = [rows.row(fields) for _ in range(ROWS)]
    publish(payloads)
    found = read(spark, emulator, tmp_path / "checkpoint", ROWS, "data", text("payload").alias("payload"), text(from_json(schema)).alias("expected"), payloadSchema=schema)
    compare(found, ROWS, schema)


@pytest.mark.parametrize("seed", [101, 102])
def test_fields_that_are_used_alone_are_the_same(spark, emulator, tmp_path, seed):
    """Each field is decoded when it is first used: in a plan of its own, without the others."""
    from pyspark.sql import functions as F

    rows = Rows(seed)
    fields = rows.schema()
    schema = ddl(fields)
    emulator.create()
    payloads = [rows.row(fields) for _ in range(ROWS)]
    publish(payloads)
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    name = fields[-1][0]
    wrapped = F.struct(F.col("payload").getField(name).alias("x"))
    # All options: Spark prunes from_json itself where there are none, and looks at less then.
    whole = F.struct(from_json(schema, mode="PERMISSIVE").getField(name).alias("x"))
    found = read(spark, emulator, tmp_path / "checkpoint", ROWS, "data", text(wrapped).alias("payload"), text(whole).alias("expected"), payloadSchema=schema)
    compare(found, ROWS, schema)


def test_json_options_mean_what_they_mean_in_from_json(spark, emulator, tmp_path):
    rows = [b"/**/{'a':'x', b: 007}", b'{"a":"\\q","b":NaN}', b'{"a":"\x01"}', b'{"a":1,"b":"INF"}', b"{\"b\":-INF}"] * 3
    schema = "a STRING, b DOUBLE, bad STRING"
    emulator.create()
    publish(rows)
    options = {
        "allowComments": "true",
        "allowUnquotedFieldNames": "true",
        "allowSingleQuotes": "true",
        "allowNumericLeadingZeros": "true",
        "allowBackslashEscapingAnyCharacter": "true",
        "allowUnquotedControlChars": "true",
        "columnNameOfCorruptRecord": "bad",
    }
    expected = text(from_json(schema, **options)).alias("expected")
    found = read(spark, emulator, tmp_path / "checkpoint", len(rows), "data", text("payload").alias("payload"), expected, payloadSchema=schema, **options)
    compare(found, len(rows), schema)
    assert {row.payload for row in found} >= {'{"a":"x","b":7.0,"bad":null}', '{"a":"q","b":"NaN","bad":null}'}


def flat_reader(spark, emulator, schema, **options):
    source = spark.readStream.format("pubsub").schema(schema)
    return source.options(subscriptionId="sub1", projectId=PROJECT, endpoint=emulator.host, plaintext="true", **options).load()


def test_a_readers_own_schema_is_the_payloads_and_the_messages(spark, emulator, tmp_path):
    """Fields of the payload, columns of the message by their names, attributes where the payload lacks a text."""
    emulator.create()
    publish([b'{"a":1,"s":{"x":"y"},"n":"in the payload"}', b'{"a":2}', b"{", b""])
    schema = "a INT, message_id STRING, s STRUCT<x: STRING>, n STRING, attributes MAP<STRING, STRING>, none STRING"
    frame = flat_reader(spark, emulator, schema, payloadFormat="json")
    assert frame.columns == ["a", "message_id", "s", "n", "attributes", "none"]
    rows = []
    query = frame.writeStream.foreachBatch(lambda batch, number: rows.extend(batch.collect())).option("checkpointLocation", str(tmp_path / "c")).start()
    until(lambda: len(rows) == 4 or not query.isActive)
    query.stop()
    found = sorted((row.attributes["n"], row.a, row.s and row.s.x, row.n, row.none) for row in rows)
    assert found == [("0", 1, "y", "in the payload", None), ("1", 2, None, "1", None), ("2", None, None, "2", None), ("3", None, None, "3", None)]
    assert all(row.message_id for row in rows)


@pytest.mark.parametrize(
    "schema,options,words",
    [
        ("a INT", {}, "'payloadFormat' does not say"),
        ("a INT, data STRING", {"payloadFormat": "json"}, "'data' is a STRING, and the message's own column 'data' a BINARY"),
        ("a INT", {"payloadFormat": "json", "payloadSchema": "a INT"}, "give one of them"),
    ],
)
def test_a_schema_in_conflict_is_an_error(spark, emulator, schema, options, words):
    with pytest.raises(Exception) as error:
        flat_reader(spark, emulator, schema, **options)
    assert words in str(error.value)


MISFITS = [b'{"a":1}', b'{"a":"x"}', b"", b'{"a":3', b'{"a":4}']


def test_malformed_rows_are_dropped_counted_and_acknowledged(spark, emulator, tmp_path):
    emulator.create()
    publish(MISFITS)
    reader = Reader(spark, emulator, tmp_path / "checkpoint", select=("data", "attributes", "payload"), payloadFormat="json", payloadSchema="a INT", mode="dropMalformed")
    reader.wait(3)
    reader.stop()
    assert sorted((bytes(row.data), row.attributes["n"], row.payload and row.payload.a) for row in reader.rows) == [(b"", "2", None), (b'{"a":1}', "0", 1), (b'{"a":4}', "4", 4)]
    assert emulator.left() == 0


def test_failfast_names_the_message_and_what_is_wrong(spark, emulator, tmp_path):
    emulator.create()
    publish([b'{"a":1}', b'{"a":"x"}', b""])
    reader = Reader(spark, emulator, tmp_path / "checkpoint", select=("payload.a",), payloadFormat="json", payloadSchema="a INT", mode="FAILFAST")
    until(lambda: not reader.query.isActive)
    error = str(reader.query.exception())
    assert "the payload of message '" in error and "at its field 'a': a value of another kind, where the schema has a INT" in error
    assert emulator.left() == 3


@pytest.mark.parametrize(
    "options,words",
    [
        ({"payloadFormat": "xml"}, "json"),
        ({"payloadFormat": "json"}, "payloadSchema"),
        ({"payloadSchema": "a INT"}, "payloadFormat"),
        ({"payloadFormat": "json", "payloadSchema": "a INTT"}, "payloadSchema"),
        ({"payloadFormat": "json", "payloadSchema": "a MAP<INT, INT>"}, "keys must be STRING"),
        ({"payloadFormat": "json", "payloadSchema": "a INTERVAL DAY TO SECOND"}, "not supported"),
        ({"payloadFormat": "json", "payloadSchema": "a DATE", "dateFormat": "dd.MM.yyyy"}, "'dateFormat' of from_json is not supported"),
        ({"payloadFormat": "json", "payloadSchema": "a INT", "mode": "lenient"}, "permissive or failfast or dropmalformed"),
    ],
)
def test_what_is_not_supported_says_so(spark, emulator, options, words):
    with pytest.raises(Exception) as error:
        spark.readStream.format("pubsub").options(subscriptionId="sub1", projectId=PROJECT, endpoint=emulator.host, plaintext="true", **options).load()
    assert words in str(error.value)
