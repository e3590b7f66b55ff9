"""A cluster with authentication and encryption on, speculation, and executors that are decommissioned."""

import time

from conftest import Reader, numbers, until, write

MASTER = "local-cluster[3,1,1024]"
CONF = {
    "spark.authenticate": "true",
    "spark.authenticate.secret": "not much of one",
    "spark.network.crypto.enabled": "true",
    "spark.io.encryption.enabled": "true",
    "spark.decommission.enabled": "true",
    "spark.speculation": "true",
    "spark.speculation.multiplier": "1.05",
    "spark.speculation.quantile": "0.3",
    "spark.speculation.minTaskRuntime": "10ms",
    "spark.speculation.interval": "10ms",
    "spark.locality.wait": "0s",
    "spark.deploy.maxExecutorRetries": "-1",
}


class Sleepy(Reader):
    """The first attempt of the first partition sleeps."""

    copies = 0

    def take(self, batch, number):
        def sleep(rows):
            from pyspark import TaskContext

            context = TaskContext.get()
            if context.partitionId() == 0 and context.attemptNumber() == 0:
                time.sleep(1.5)
            for row in rows:
                yield row.message_id, context.attemptNumber()

        rows = batch.select("message_id").rdd.mapPartitions(sleep).collect()
        Sleepy.copies += sum(attempt > 0 for _, attempt in rows)
        self.rows += [message_id for message_id, _ in rows]
        self.batches.append(len(rows))


def test_speculative_and_remote_tasks_read_the_same_rows(spark, emulator, tmp_path):
    """One partition of every batch sleeps: its copy elsewhere fetches the chunk from its home."""
    emulator.create()
    write(spark, emulator, numbers(spark, 9000))
    reader = Sleepy(spark, emulator, tmp_path / "c", numPartitions="3", batchSize="500", maxRowsPerTrigger="3000")
    reader.wait(9000)
    until(lambda: emulator.stats("sub1")["backlog"] == 0, 20)
    metrics = [p["sources"][0]["metrics"] for p in reader.query.recentProgress]
    reader.stop()
    assert len(reader.rows) == 9000 and len(set(reader.rows)) == 9000
    assert Sleepy.copies > 0  # a speculative copy was the one that counted
    assert int(metrics[-1]["executors"]) == 3
    assert emulator.stats("sub1")["backlog"] == 0


def test_a_decommissioned_executor_gives_back_at_once(spark, emulator, tmp_path):
    """The deadline is ten minutes: what comes again within seconds was given back."""
    emulator.create()
    write(spark, emulator, numbers(spark, 20000))
    reader = Reader(spark, emulator, tmp_path / "c", numPartitions="3", ackDeadlineSeconds="600", maxRowsPerTrigger="2000", batchSize="500")
    until(lambda: len(reader.rows) >= 2000)
    context, jvm = spark.sparkContext._jsc.sc(), spark.sparkContext._jvm
    info = jvm.org.apache.spark.scheduler.ExecutorDecommissionInfo("a test", jvm.scala.Option.apply(None))
    context.schedulerBackend().decommissionExecutor(context.getExecutorIds().apply(0), info, False, False)
    until(lambda: len({row.message_id for row in reader.rows}) >= 20000 or not reader.query.isActive, 90)
    until(lambda: emulator.stats("sub1")["backlog"] == 0, 30)
    reader.stop()
    assert reader.query.exception() is None
    assert len({row.message_id for row in reader.rows}) == 20000 and emulator.stats("sub1")["backlog"] == 0

