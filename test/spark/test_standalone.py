"""A standalone cluster of several hosts, with authentication and encryption on: speculation, decommissioning."""

import pathlib
import re
import subprocess
import time

import pyspark
import pytest

from conftest import PROJECT, Reader, session, source_metrics, until

SPARK = pathlib.Path(pyspark.__file__).parent
CONF = {
    "spark.authenticate": "true",
    "spark.authenticate.secret": "not-much-of-one",
    "spark.network.crypto.enabled": "true",
    "spark.io.encryption.enabled": "true",
    "spark.decommission.enabled": "true",
    "spark.speculation": "true",
    "spark.speculation.task.duration.threshold": "1s",
    "spark.speculation.multiplier": "1.05",
    "spark.speculation.quantile": "0.3",
    "spark.speculation.minTaskRuntime": "10ms",
    "spark.speculation.interval": "10ms",
    "spark.locality.wait": "0s",
    "spark.executor.memory": "512m",
}


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    """A master, and three workers with a host name each: speculative copies run on another host only."""
    work = tmp_path_factory.mktemp("standalone")
    secret = f"-Dspark.authenticate=true -Dspark.authenticate.secret={CONF['spark.authenticate.secret']}"
    environment = {
        "SPARK_HOME": str(SPARK),
        "PATH": "/usr/bin:/bin",
        "SPARK_DAEMON_JAVA_OPTS": f"{secret} -Dspark.network.crypto.enabled=true -Dspark.deploy.maxExecutorRetries=-1",
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_WORKER_DIR": str(work),
        "SPARK_LOCAL_DIRS": str(work),
    }
    daemons = []

    def daemon(kind, *arguments):
        log = open(work / f"{len(daemons)}.log", "w+")
        command = [str(SPARK / "bin/spark-class"), f"org.apache.spark.deploy.{kind}", *arguments]
        daemons.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
        return log.name

    log = daemon("master.Master", "--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
    pattern = re.compile(r"Starting Spark master at (spark://\S+)")
    until(lambda: pattern.search(pathlib.Path(log).read_text()))
    master = pattern.search(pathlib.Path(log).read_text()).group(1)
    for host in range(2, 5):
        daemon("worker.Worker", "--host", f"127.0.0.{host}", "--cores", "1", "--memory", "1g", "--webui-port", "0", master)
    running = session(master, **CONF)
    until(lambda: running.sparkContext._jsc.sc().getExecutorIds().size() == 3)
    yield running
    running.stop()
    for process in reversed(daemons):
        process.terminate()
        process.wait(timeout=20)


def publish(count):
    """Not with Spark: a speculative copy of a writing task publishes its rows again."""
    from google.cloud import pubsub_v1

    publisher = pubsub_v1.PublisherClient()
    topic = publisher.topic_path(PROJECT, "topic1")
    for future in [publisher.publish(topic, b"%d" % i) for i in range(count)]:
        future.result(timeout=60)
    publisher.stop()


class Sleepy(Reader):
    """The first attempt of the first partition sleeps."""

    copies = 0

    def take(self, batch, number):
        def sleep(rows):
            from pyspark import TaskContext

            context = TaskContext.get()
            if context.partitionId() == 0 and context.attemptNumber() == 0:
                time.sleep(5)
            for row in rows:
                yield row.message_id, context.attemptNumber()

        rows = batch.select("message_id").rdd.mapPartitions(sleep).collect()
        Sleepy.copies += sum(attempt > 0 for _, attempt in rows)
        self.rows += [message_id for message_id, _ in rows]
        self.batches.append(len(rows))


def test_speculative_and_remote_tasks_read_the_same_rows(spark, emulator, tmp_path):
    """One partition of every batch sleeps: its copy elsewhere fetches the chunk from its home."""
    emulator.create()
    publish(4000)
    reader = Sleepy(spark, emulator, tmp_path / "c", numPartitions="3", batchSize="300", maxRowsPerTrigger="2000")
    reader.wait(4000)
    until(lambda: emulator.stats("sub1")["backlog"] == 0, 20)
    metrics = [p["sources"][0]["metrics"] for p in reader.query.recentProgress]
    reader.stop()
    assert len(reader.rows) == 4000 and len(set(reader.rows)) == 4000
    assert Sleepy.copies > 0  # a speculative copy was the one that counted
    assert int(metrics[-1]["executors"]) == 3
    assert emulator.stats("sub1")["backlog"] == 0


def test_a_decommissioned_executor_gives_back_at_once(spark, emulator, tmp_path):
    """The deadline is ten minutes: what comes again within seconds was given back."""
    emulator.create()
    publish(100)
    reader = Reader(spark, emulator, tmp_path / "c", numPartitions="3", ackDeadlineSeconds="600", maxRowsPerTrigger="200", batchSize="100")
    until(lambda: emulator.stats("sub1")["streams"] == 3)
    publish(10000)
    until(lambda: len(reader.rows) >= 1000)
    context, jvm = spark.sparkContext._jsc.sc(), spark.sparkContext._jvm
    info = jvm.org.apache.spark.scheduler.ExecutorDecommissionInfo("a test", jvm.scala.Option.apply(None))
    context.schedulerBackend().decommissionExecutor(context.getExecutorIds().apply(0), info, False, False)
    until(lambda: len({row.message_id for row in reader.rows}) >= 10100 or not reader.query.isActive, 90)
    until(lambda: emulator.stats("sub1")["backlog"] == 0, 30)
    until(lambda: (source_metrics(reader)["executorsLeft"], source_metrics(reader)["acknowledgedRows"]) == (1, 10100))
    counted = source_metrics(reader)
    reader.stop()
    assert reader.query.exception() is None
    assert counted["givenBackRows"] > 0 and counted["executorsLost"] == counted["abandonedRows"] == 0
    assert counted["receivedRows"] == counted["acknowledgedRows"] + counted["givenBackRows"]
    assert len({row.message_id for row in reader.rows}) == 10100 and emulator.stats("sub1")["backlog"] == 0

