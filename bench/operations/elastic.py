"""Dynamic allocation, 0 -> 10 -> 0 -> 10 executors of a standalone cluster, while messages are published all the time.

    elastic.py [--executors N] [--idle SECONDS]

Another job asks for executors and lets them go; Spark takes the idle ones away, all but the one that the query keeps, and then its
worker ends. Passes when nothing is lost, nothing comes twice, and the slots follow the cluster each time.
"""

import argparse
import os
import pathlib
import re
import subprocess
import threading
import time

from world import Publisher, World

SIZE = 200
FAST, SLOW = 200, 1  # messages a second


class Standalone:
    """A master, and workers that come and go."""

    def __init__(self, world):
        self.world, self.processes = world, []
        self.environment = {**os.environ, "SPARK_DAEMON_MEMORY": "256m", "SPARK_WORKER_DIR": str(world.work / "workers")}
        self.environment["SPARK_LOCAL_DIRS"] = str(world.work / "local")
        log = self._daemon("master.Master", "--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
        pattern = re.compile(r"Starting Spark master at (spark://\S+)")
        world.wait(lambda: pattern.search(log.read_text()), 60)
        self.master = pattern.search(log.read_text()).group(1)

    def _daemon(self, kind, *arguments):
        log = self.world.work / f"daemon-{len(self.processes)}.log"
        command = [str(pathlib.Path(self.world._spark_home()) / "bin/spark-class"), f"org.apache.spark.deploy.{kind}", *arguments]
        with open(log, "w") as out:
            self.processes.append(subprocess.Popen(command, env=self.environment, stdout=out, stderr=out))
        return log

    def worker(self, cores):
        """Its cores need not be there: most executors are idle."""
        self._daemon("worker.Worker", "--host", "127.0.0.1", "--cores", str(cores), "--memory", f"{cores}g", "--webui-port", "0", self.master)

    def end_worker(self):
        self.processes[-1].terminate()
        self.processes[-1].wait(timeout=60)

    def end(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.terminate()
                process.wait(timeout=60)


class Load(threading.Thread):
    """Another job of the same application, with a task for each core that is wanted."""

    def __init__(self, spark, tasks):
        super().__init__(daemon=True)
        self.spark, self.tasks, self.over = spark, tasks, threading.Event()

    def run(self):
        while not self.over.is_set():
            frame = self.spark.range(0, 4 * self.tasks, 1, 4 * self.tasks)
            frame.selectExpr("reflect('java.lang.Thread', 'sleep', 500L)").write.format("noop").mode("overwrite").save()

    def end(self):
        self.over.set()
        self.join(timeout=120)


class Elastic:
    def __init__(self, world, options):
        self.world, self.options = world, options
        self.cluster = Standalone(world)
        self.spark = world.spark(
            self.cluster.master,
            **{
                "spark.executor.cores": 1,
                "spark.executor.memory": "512m",
                "spark.scheduler.mode": "FAIR",
                "spark.sql.shuffle.partitions": 2,
                "spark.dynamicAllocation.enabled": "true",
                "spark.dynamicAllocation.shuffleTracking.enabled": "true",
                "spark.dynamicAllocation.maxExecutors": options.executors,
                "spark.dynamicAllocation.executorIdleTimeout": f"{options.idle}s",
            },
        )
        self.stages = []

    def executors(self):
        return self.spark.sparkContext._jsc.sc().getExecutorIds().size()

    def slots(self):
        progress = self.world.query.lastProgress
        return int(progress["sources"][0]["metrics"].get("slots", 0)) if progress else 0

    def reach(self, name, executors, slots, publisher, timeout=400):
        """Waits until the cluster and the slots are so."""
        publisher.per_second = FAST if executors else SLOW

        def state():
            return f"{name}: {self.executors()} executors, {self.slots()} slots, published {publisher.published}, read {self.world.read()}"

        def there():
            return self.executors() == executors and (slots is None or self.slots() == slots)

        begin = time.monotonic()
        if not self.world.wait(there, timeout, state, every=5):
            raise RuntimeError(f"not reached: {state()}")
        self.stages.append(f"{executors} after {time.monotonic() - begin:.0f} s")
        self.world.say(state())

    def run(self, publisher):
        most = self.options.executors
        self.reach("no worker yet", 0, None, publisher)
        for turn in (1, 2):
            load = Load(self.spark, most)
            load.start()
            self.cluster.worker(most)
            self.reach(f"up, {turn}", most, most, publisher)
            time.sleep(5)
            load.end()
            if turn == 1:
                publisher.per_second = SLOW
                self.down(publisher)

    def down(self, publisher):
        """Spark takes the idle ones away; the last one, which the query keeps, ends with its worker."""
        publisher.per_second = SLOW
        if not self.world.wait(lambda: self.executors() <= 2 and self.slots() <= 4, 400, lambda: f"down: {self.executors()} executors", every=5):
            raise RuntimeError(f"idle executors stay: {self.executors()}, slots {self.slots()}")
        self.stages.append(f"{self.executors()} that is kept")
        self.cluster.end_worker()
        self.reach("down", 0, None, publisher)
        time.sleep(5)


class Paced(Publisher):
    """A publisher whose rate may be changed while it runs."""

    def run(self):
        try:
            while not self.stopping:
                count = max(1, self.per_second // 2)
                self.published += self.world.publish(count, SIZE, self.published)
                time.sleep(count / self.per_second)
        except Exception as problem:  # noqa: BLE001: told by finish()
            self.error = problem


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--executors", type=int, default=10)
    parser.add_argument("--idle", type=int, default=6)
    options = parser.parse_args()
    with World("elastic", "--record") as world:
        world.create()
        elastic = Elastic(world, options)
        try:
            world.collect(world.source(elastic.spark))
            publisher = Paced(world, SIZE, SLOW)
            publisher.start()
            elastic.run(publisher)
            published = publisher.finish()
            complete = world.wait(lambda: world.control.stats(world.subscription)["backlog"] == 0, 120)
            source = world.query.lastProgress["sources"][0]["metrics"]
            world.query.stop()
            rows, ids, numbers = (
                world.stored(elastic.spark).selectExpr("count(*)", "count(distinct message_id)", "count(distinct number)").first()
            )
            world.result(
                {
                    "stages": ", ".join(elastic.stages),
                    "published": published,
                    "rows": rows,
                    "lost": published - numbers,
                    "duplicates": rows - ids,
                    **{key: int(source[key]) for key in ("givenBackRows", "abandonedRows", "executorsLeft", "executorsLost", "slots")},
                },
                complete and numbers == published and rows == ids,
            )
        finally:
            elastic.cluster.end()


main()
