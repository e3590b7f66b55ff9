"""Spark with real executor processes."""

from conftest import Reader, numbers, write

MASTER = "local-cluster[2,1,1024]"


def test_every_message_once_over_two_executors(spark, emulator, tmp_path):
    emulator.create()
    write(spark, emulator, numbers(spark, 50000))
    reader = Reader(spark, emulator, tmp_path / "checkpoint", numPartitions="4")
    reader.wait(50000)
    write(spark, emulator, numbers(spark, 1000))
    reader.wait(51000)
    executors = int(reader.query.lastProgress["sources"][0]["metrics"]["executors"])
    reader.stop()
    assert len(reader.rows) == 51000 and len({row.message_id for row in reader.rows}) == 51000
    assert executors == 2
    assert emulator.left() == 0
