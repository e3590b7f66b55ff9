"""A driver that kills itself: a query whose sink is a file a batch, written under another name and renamed (the sink's commit).

    killed_driver.py ENDPOINT CHECKPOINT SINK [WINDOW BATCH]

WINDOW says when batch BATCH's process dies, with SIGKILL. Without it the query runs until its input ends.
"""

import os
import pathlib
import signal
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from conftest import PROJECT, session  # noqa: E402

WINDOWS = (
    "before the offset log",
    "after the offset log",
    "before the sink's commit",
    "after the sink's commit",
    "after the commit log",
)


def die(spark):
    """The whole process tree of this driver, at once: Python, and the JVM with its native threads."""
    os.kill(spark.sparkContext._gateway.proc.pid, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def die_when(spark, path):
    def watch():
        while not path.exists():
            time.sleep(0.0005)
        die(spark)

    threading.Thread(target=watch, daemon=True).start()


def main():
    endpoint, checkpoint, sink = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    window, at = (sys.argv[4], int(sys.argv[5])) if len(sys.argv) > 4 else (None, -1)
    spark = session("local[2]")
    sink.mkdir(exist_ok=True)

    def store(batch, number):
        if number == at and window == "after the offset log":
            time.sleep(60)  # until the watcher has seen the log
        ids = [row.message_id for row in batch.collect()]
        if number == at and window == "before the sink's commit":
            die(spark)
        (sink / f"{number}.part").write_text("\n".join(ids))
        (sink / f"{number}.part").rename(sink / f"{number}.ids")
        if number == at and window == "after the sink's commit":
            die(spark)

    frame = (
        spark.readStream.format("pubsub")
        .options(endpoint=endpoint, plaintext="true", projectId=PROJECT, subscriptionId="sub1")
        .options(maxRowsPerTrigger="500", batchSize="100", ackDeadlineSeconds="60")
        .load()
    )
    log = {"before the offset log": checkpoint / f"commits/{at - 1}", "after the offset log": checkpoint / f"offsets/{at}"}
    log["after the commit log"] = checkpoint / f"commits/{at}"
    if window in log:
        die_when(spark, log[window])
    query = frame.select("message_id").writeStream.foreachBatch(store).option("checkpointLocation", str(checkpoint)).start()
    sys.stdin.read()
    query.stop()
    spark.stop()


if __name__ == "__main__":
    main()
