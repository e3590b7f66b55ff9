"""A subscription with exactly-once delivery: every message once, every acknowledgement confirmed, through transient failures."""

from conftest import Emulator, Reader, numbers, until, write


def test_every_message_once_through_transient_failures(spark, monkeypatch, tmp_path):
    with Emulator("--record") as emulator:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", emulator.host)
        emulator.create(ack_deadline_seconds=60, enable_exactly_once_delivery=True)
        emulator.command("fault Acknowledge transient-acks count=700")
        emulator.command("fault ModifyAckDeadline transient-acks count=500")
        write(spark, emulator, numbers(spark, 3000))
        reader = Reader(spark, emulator, tmp_path / "c")
        reader.wait(3000)
        until(lambda: emulator.stats("sub1")["backlog"] == 0, 60)
        write(spark, emulator, numbers(spark, 10))  # a last batch: its progress has the metrics of all before
        reader.wait(3010)
        metrics = reader.query.recentProgress[-1]["sources"][0]["metrics"]
        until(lambda: emulator.stats("sub1")["backlog"] == 0, 60)
        reader.stop()
        ids = [row.message_id for row in reader.rows]
        acknowledged = [event.message_id for event in emulator.record("acknowledge")]
        assert len(ids) == len(set(ids)) == 3010
        assert len(acknowledged) == len(set(acknowledged)) == 3010
        assert not emulator.record("expire") and not emulator.record("stale-ack")
        assert int(metrics["retriedRows"]) == 1200 and int(metrics["acknowledgedRows"]) >= 3000
        assert int(metrics["failedRows"]) == int(metrics["failedReceiptRows"]) == int(metrics["expiredRows"]) == 0
