"""What the operational scripts share: parameters, an emulator, Spark, a publisher, progress, results, and leaving nothing behind.

    with World("scale") as world:
        world.create(); world.publish(count, size); …
        world.result({...}, passed)

Parameters come from the environment, or as Java system properties (-Dpubsub.msg.count=…) among the arguments.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test/support"))
import emulator as emulator_process  # noqa: E402

EMULATOR = ROOT / "build/release/pubsub-emulator"
COMMAND = ROOT / "build/release/pubsub"
JAR = ROOT / "spark/target/spark-pubsub.jar"
REQUEST_BYTES = 5_000_000


class Stopped(BaseException):
    """SIGINT or SIGTERM came."""


def parameter(variable, name, default):
    """The environment first, then -Dname=value."""
    if os.environ.get(variable):
        return type(default)(os.environ[variable])
    for argument in sys.argv[1:]:
        if argument.startswith(f"-D{name}="):
            return type(default)(argument.split("=", 1)[1])
    return default


def positional(index, default):
    values = [a for a in sys.argv[1:] if not a.startswith("-")]
    return type(default)(values[index]) if len(values) > index else default


def children(pid):
    """All descendants of a process."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                pass
    found, frontier = [], [pid]
    while frontier:
        frontier = [child for child, parent in parents.items() if parent in frontier]
        found += frontier
    return found


def executors():
    """Processes of the executors that this script's Spark has started."""
    found = []
    for pid in children(os.getpid()):
        try:
            if b"CoarseGrainedExecutorBackend" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
        except OSError:
            pass
    return found


def cpu_seconds(pid):
    """User and system time of a process."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class World:
    def __init__(self, name, *emulator_arguments):
        self.name = name
        self.emulator_arguments = emulator_arguments
        self.project = os.environ.get("PUBSUB_PROJECT_ID", "throughput-test-project")
        suffix = f"{name}-{os.getpid()}"
        self.topic, self.subscription = f"topic-{suffix}", f"sub-{suffix}"
        self.sessions, self.emulator, self.work, self.query = [], None, None, None
        self.entering, self.asked = True, None
        self.worker_dirs = []
        self.created = []  # on an emulator that others use too
        self.started = time.monotonic()

    def __enter__(self):
        """Whatever happens in here, what was begun is ended again: a signal waits until the emulator is known."""
        self._take_signals()
        try:
            self._begin()
            self.entering = False
            if self.asked:
                raise Stopped(self.asked)
        except BaseException as problem:
            self.__exit__(type(problem), problem, None)
            raise
        return self

    def _take_signals(self):
        def stop(number, frame):
            self.asked = number
            if not self.entering:
                raise Stopped(number)

        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGTERM, stop)

    def _begin(self):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix=f"pubsub-{self.name}-"))
        given = os.environ.get("PUBSUB_EMULATOR_HOST")
        if given:
            self.host, self.control = given, None
        else:
            self.emulator = self.control = emulator_process.Emulator(EMULATOR, *self.emulator_arguments, own_group=True)
            self.host = self.emulator.host
        self.say(f"emulator on {self.host}" + (" (given)" if given else ""))

    def __exit__(self, kind, error, trace):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # once is enough
        for step in (self._stop_query, self._stop_spark, self.delete, self._stop_emulator):
            try:
                step()
            except Exception as problem:  # noqa: BLE001: the next step must run
                print(f"while stopping: {problem}", file=sys.stderr)
        self._end_children()
        if self.work is not None:
            shutil.rmtree(self.work, ignore_errors=True)
        for folder in self.worker_dirs:
            shutil.rmtree(folder, ignore_errors=True)
        if kind is Stopped:
            self.say("stopped")
            os._exit(128 + error.args[0])
        return False

    def _stop_query(self):
        if self.query is not None and self.query.isActive:
            self.query.stop()

    def _stop_spark(self):
        from pyspark import SparkContext

        for session in self.sessions:
            session.stop()
        gateway = SparkContext._gateway
        if gateway is not None:
            gateway.shutdown()
            gateway.proc.stdin.close()
            gateway.proc.wait(timeout=20)
            SparkContext._gateway = SparkContext._jvm = None

    def _stop_emulator(self):
        if self.emulator is not None:
            self.emulator.stop()

    def _end_children(self):
        """Whatever is still there of what this script started."""
        for sent in (signal.SIGTERM, signal.SIGKILL):
            left = children(os.getpid())
            for pid in left:
                try:
                    os.kill(pid, sent)
                except ProcessLookupError:
                    pass
            deadline = time.monotonic() + 5
            while left and time.monotonic() < deadline:
                try:
                    while os.waitpid(-1, os.WNOHANG)[0] > 0:
                        pass
                except ChildProcessError:
                    pass
                left = children(os.getpid())
                time.sleep(0.05)

    # ---- talking ----

    def say(self, text):
        print(f"[{time.monotonic() - self.started:6.1f} s] {text}", flush=True)

    def result(self, rows, passed, **more):
        """A table, then one line of JSON. Exits non-zero where it did not pass."""
        values = {"test": self.name, "passed": bool(passed), **rows, **more}
        width = max(len(key) for key in rows)
        print()
        for key, value in rows.items():
            print(f"  {key:<{width}}  {value}")
        print(f"\n{self.name}: {'passed' if passed else 'FAILED'}")
        print(json.dumps(values), flush=True)
        if not passed:
            raise SystemExit(1)

    # ---- Pub/Sub ----

    def run(self, *arguments, endpoint=None):
        """Runs the pubsub command; returns what it prints. Another endpoint than the emulator is one with TLS."""
        where = ["--endpoint", endpoint] if endpoint else ["--endpoint", self.host, "--plaintext"]
        done = subprocess.run(
            [str(COMMAND), *map(str, arguments), *where, "--project", self.project],
            capture_output=True, text=True,
        )
        if done.returncode != 0:
            raise RuntimeError(f"pubsub {arguments[0]}: {done.stderr.strip()}")
        return done.stdout

    def create(self, ack_deadline=60):
        for kind, name, more in (
            ("topic", self.topic, ()),
            ("subscription", self.subscription, ("--topic", self.topic, "--ack-deadline", ack_deadline)),
        ):
            self.created.append((kind, name))
            self.run(kind, "create", name, *more)

    def delete(self):
        """On an emulator that others use too, nothing stays."""
        while self.created and self.emulator is None:
            kind, name = self.created.pop()
            self.run(kind, "delete", name)

    def publish(self, count, size, start=0):
        """Numbered messages: "N xxx…"; batches of about 5 MB a request. Returns how many the service confirmed."""
        out = self.run(
            "publish", self.topic, "--count", count, "--size", size, "--start", start, "--batch-bytes", REQUEST_BYTES
        )
        return int(out.split()[-1])

    # ---- Spark ----

    def spark(self, master, **conf):
        from pyspark.sql import SparkSession

        builder = SparkSession.builder.master(master).appName(self.name)
        settings = {
            "spark.jars": JAR,
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.memory": "2g",
            "spark.local.dir": self.work / "local",
            "spark.sql.warehouse.dir": self.work / "warehouse",
            "spark.sql.streaming.minBatchesToRetain": "1000000",
            "spark.sql.streaming.numRecentProgressUpdates": "20",
            "spark.executorEnv.PYSPARK_PYTHON": sys.executable,
            **conf,
        }
        for key, value in settings.items():
            builder = builder.config(key, str(value))
        session = builder.getOrCreate()
        self._take_signals()  # PySpark has set a handler of its own
        session.sparkContext.setLogLevel("ERROR")
        self.sessions.append(session)
        if master.startswith("local-cluster"):  # its workers write there, wherever SPARK_WORKER_DIR is
            self.worker_dirs.append(pathlib.Path(self._spark_home()) / "work" / session.sparkContext.applicationId)
        return session

    @staticmethod
    def _spark_home():
        from pyspark.find_spark_home import _find_spark_home

        return _find_spark_home()

    def source(self, spark, **options):
        return (
            spark.readStream.format("pubsub")
            .option("endpoint", self.host)
            .option("plaintext", "true")
            .option("projectId", self.project)
            .option("subscriptionId", self.subscription)
            .options(**{key: str(value) for key, value in options.items()})
            .load()
        )

    def sink(self, frame):
        return (
            frame.write.format("pubsub")
            .option("endpoint", self.host)
            .option("plaintext", "true")
            .option("projectId", self.project)
            .option("topicId", self.topic)
            .mode("append")
        )

    def collect(self, frame, name="out", trigger=None):
        """Starts a query that stores message id, number and length of every row, a folder a batch: written again, not added,
        when a batch is repeated. `read` tells how many there are."""
        out = self.work / name
        columns = frame.selectExpr(
            "message_id",
            "cast(substring_index(cast(substring(data, 1, 20) as string), ' ', 1) as bigint) as number",
            "length(data) as bytes",
            "publish_time",
        )

        def store(batch, identity):
            batch.write.mode("overwrite").parquet(str(out / f"batch={identity}"))

        self.batches = {}
        writer = columns.writeStream.foreachBatch(store).option("checkpointLocation", str(self.work / "checkpoint"))
        self.query = (writer.trigger(**trigger) if trigger else writer).start()

    def read(self):
        """Rows of the batches that have committed."""
        for progress in self.query.recentProgress:
            self.batches[progress["runId"], progress["batchId"]] = progress["numInputRows"]
        return sum(self.batches.values())

    def stored(self, spark, name="out"):
        return spark.read.parquet(str(self.work / name))

    def wait(self, condition, timeout, progress=None, every=2.0):
        """Until the condition holds; raises the query's own error. False: it took too long."""
        deadline, told = time.monotonic() + timeout, time.monotonic()
        while not condition():
            if self.query is not None and not self.query.isActive:
                raise self.query.exception() or RuntimeError("the query has ended")
            if time.monotonic() > deadline:
                return False
            if progress and time.monotonic() - told > every:
                told = time.monotonic()
                self.say(progress())
            time.sleep(0.1)
        return True


class Publisher(threading.Thread):
    """Publishes numbered messages at a rate, until it is told to stop."""

    def __init__(self, world, size, per_second):
        super().__init__(daemon=True)
        self.world, self.size, self.per_second = world, size, per_second
        self.published, self.stopping, self.error = 0, False, None

    def run(self):
        start = time.monotonic()
        piece = max(1, self.per_second // 2)
        try:
            while not self.stopping:
                self.published += self.world.publish(piece, self.size, self.published)
                ahead = self.published / self.per_second - (time.monotonic() - start)
                time.sleep(max(0, ahead))
        except Exception as problem:  # noqa: BLE001: told by finish()
            self.error = problem

    def finish(self):
        self.stopping = True
        self.join(timeout=60)
        if self.error:
            raise self.error
        return self.published
