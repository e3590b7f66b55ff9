"""Executors that are taken for lost, cannot start, come late, pause, or outlive their query: messages keep flowing."""

import os
import pathlib
import re
import signal
import subprocess
import time

import pyspark
import pytest
from google.cloud import pubsub_v1

from conftest import PROJECT, Reader, session, source_metrics, until

SPARK = pathlib.Path(pyspark.__file__).parent
HOUR = {"processingTime": "1 hour"}


@pytest.fixture
def sessions():
    """Makes sessions, one at a time; the last one is stopped."""
    running = []

    def make(master, **conf):
        running.append(session(master, **conf))
        return running[-1]

    yield make
    running[-1].stop()


def publish(count):
    publisher = pubsub_v1.PublisherClient()
    topic = publisher.topic_path(PROJECT, "topic1")
    for future in [publisher.publish(topic, b"%d" % i) for i in range(count)]:
        future.result(timeout=60)
    publisher.stop()


def executors(spark):
    """Process ids of this session's executors."""
    driver = f":{spark.conf.get('spark.driver.port')}\0".encode()
    found = []
    for process in pathlib.Path("/proc").iterdir():
        try:
            command = (process / "cmdline").read_bytes() if process.name.isdigit() else b""
        except OSError:
            continue
        if b"CoarseGrainedExecutorBackend" in command and driver in command:
            found.append(int(process.name))
    return found


def test_a_missing_block_manager_is_not_a_lost_executor(sessions, emulator, tmp_path):
    """As after a failed fetch of a shuffle: Spark forgets an executor's blocks, and the executor lives."""
    spark = sessions("local-cluster[2,1,1024]")
    emulator.create()
    reader = Reader(spark, emulator, tmp_path / "c", numPartitions="4")
    until(lambda: emulator.stats("sub1")["streams"] == 4)
    publish(1000)
    reader.wait(1000)
    for executor in ("0", "1"):
        spark.sparkContext._jsc.sc().env().blockManager().master().removeExecutorAsync(executor)
    time.sleep(3)
    publish(1000)
    reader.wait(2000, 45)
    streams = emulator.stats("sub1")["streams"]
    reader.stop()
    assert streams == 4 and len(reader.rows) == 2000


def native_folder(folder):
    return {"spark.executor.extraJavaOptions": f"-Dpubsub.native.tempdir={folder}"}


def test_an_agent_that_could_not_start_is_started_again(sessions, emulator, tmp_path):
    spark = sessions("local-cluster[1,1,1024]", **native_folder(tmp_path / "later"))
    emulator.create()
    publish(500)
    reader = Reader(spark, emulator, tmp_path / "c")
    time.sleep(8)
    assert reader.query.isActive and reader.rows == []
    (tmp_path / "later").mkdir()
    reader.wait(500, 45)
    reader.stop()


def test_a_query_that_no_executor_can_read_for_fails_with_the_reason(sessions, emulator, tmp_path):
    spark = sessions("local-cluster[1,1,1024]", **native_folder(tmp_path / "never"))
    emulator.create()
    publish(1)
    begin = time.monotonic()
    reader = Reader(spark, emulator, tmp_path / "c")
    until(lambda: not reader.query.isActive, 75)
    failure = str(reader.query.exception())
    assert "cannot write its native library" in failure and "no executor can read" in failure
    assert time.monotonic() - begin < 70


def test_what_a_paused_executor_held_comes_back_when_it_goes_on(sessions, emulator, tmp_path):
    """Its query has stopped meanwhile: it is told so at its next word, and does not keep what it has until a lease ends."""
    spark = sessions("local-cluster[2,1,1024]")
    emulator.create()
    reader = Reader(spark, emulator, tmp_path / "c", numPartitions="2", ackDeadlineSeconds="600", trigger=HOUR)
    until(lambda: emulator.stats("sub1")["streams"] == 2)
    publish(1000)
    until(lambda: emulator.stats("sub1")["lent"] == 1000)
    paused = executors(spark)
    for process in paused:
        os.kill(process, signal.SIGSTOP)
    try:
        reader.stop()
    finally:
        for process in paused:
            os.kill(process, signal.SIGCONT)
    until(lambda: emulator.stats("sub1")["lent"] == 0, 20)
    assert emulator.stats("sub1")["lent"] == 0 and emulator.stats("sub1")["streams"] == 0


def test_a_stopped_session_gives_back(sessions, emulator, tmp_path):
    """Nobody stopped its query, and the process goes on."""
    spark = sessions("local[2]")
    emulator.create()
    Reader(spark, emulator, tmp_path / "c", numPartitions="2", ackDeadlineSeconds="600", trigger=HOUR)
    until(lambda: emulator.stats("sub1")["streams"] == 2)
    publish(1000)
    until(lambda: emulator.stats("sub1")["lent"] == 1000)
    spark.stop()
    until(lambda: emulator.stats("sub1")["lent"] == 0, 20)
    assert emulator.stats("sub1")["lent"] == 0
    reader = Reader(sessions("local[2]"), emulator, tmp_path / "d")
    reader.wait(1000, 30)
    reader.stop()


@pytest.fixture
def standalone(tmp_path):
    """A master, and a way to add workers."""
    environment = {
        "SPARK_HOME": str(SPARK),
        "PATH": "/usr/bin:/bin",
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_WORKER_DIR": str(tmp_path / "work"),
        "SPARK_LOCAL_DIRS": str(tmp_path / "local"),
    }
    daemons = []

    def daemon(kind, *arguments):
        log = open(tmp_path / f"{len(daemons)}.log", "w+")
        command = [str(SPARK / "bin/spark-class"), f"org.apache.spark.deploy.{kind}", *arguments]
        daemons.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
        return pathlib.Path(log.name)

    log = daemon("master.Master", "--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
    pattern = re.compile(r"Starting Spark master at (spark://\S+)")
    until(lambda: pattern.search(log.read_text()))
    master = pattern.search(log.read_text()).group(1)

    def worker(cores):
        host = f"127.0.0.{len(daemons) + 1}"
        daemon("worker.Worker", "--host", host, "--cores", str(cores), "--memory", "1g", "--webui-port", "0", master)

    yield master, worker
    for process in reversed(daemons):
        process.terminate()
        process.wait(timeout=20)


def test_dynamic_allocation_from_nothing(standalone, sessions, emulator, tmp_path):
    """Spark starts no executor where no task waits, and takes away those that have nothing to do."""
    master, worker = standalone
    worker(1)
    spark = sessions(
        master,
        **{
            "spark.executor.memory": "512m",
            "spark.dynamicAllocation.enabled": "true",
            "spark.dynamicAllocation.shuffleTracking.enabled": "true",
            "spark.dynamicAllocation.executorIdleTimeout": "4s",
        },
    )
    emulator.create()
    publish(500)
    reader = Reader(spark, emulator, tmp_path / "c")
    reader.wait(500, 240)
    time.sleep(15)  # idle
    publish(500)
    reader.wait(1000, 240)
    reader.stop()
    assert len({row.message_id for row in reader.rows}) == 1000


def test_slots_follow_the_cluster(standalone, sessions, emulator, tmp_path):
    master, worker = standalone
    worker(1)
    spark = sessions(master, **{"spark.executor.memory": "512m"})
    emulator.create()
    reader = Reader(spark, emulator, tmp_path / "c", numPartitions="6", ackDeadlineSeconds="600")
    until(lambda: emulator.stats("sub1")["streams"] == 4, 240)  # twice the cores that Spark counts
    assert emulator.stats("sub1")["streams"] == 4
    publish(500)
    reader.wait(500)
    worker(2)
    until(lambda: emulator.stats("sub1")["streams"] == 6, 240)
    assert emulator.stats("sub1")["streams"] == 6
    publish(500)
    reader.wait(1000)
    published, end = 1000, time.monotonic() + 120
    while source_metrics(reader)["executors"] < 2 and time.monotonic() < end:  # a query's progress is of its last batch
        publish(1)
        published += 1
        reader.wait(published)
    counted = source_metrics(reader)
    reader.stop()
    assert counted["slots"] == 6 and counted["executors"] == 2
    assert len(reader.rows) == published and counted["givenBackRows"] == 0
