"""Chaos with a seed: random faults of executors, tasks, connections and the driver while messages are published and read.
They die, pause for longer than the ack deadline, are forgotten as after a failed fetch, cannot start, and outlive their session.

    chaos.py [--seed N] [--events N] [--messages N] [--only EVENT,EVENT]

Passes when nothing is lost, nothing was acknowledged before the batch that contains it had committed (the emulator's record
against the checkpoint's commit log), and no more came twice than was lent out when the faults struck.
"""

import argparse
import os
import random
import signal
import time

from world import Publisher, World, children, executors

CONF = {
    "spark.executor.memory": "512m",
    "spark.sql.shuffle.partitions": 2,
    "spark.task.maxFailures": 20,
    "spark.deploy.maxExecutorRetries": -1,
    "spark.speculation": "true",
    "spark.speculation.multiplier": "1.1",
    "spark.speculation.quantile": "0.5",
    "spark.speculation.minTaskRuntime": "50ms",
    "spark.excludeOnFailure.enabled": "false",
}
SIZE = 200
ACK_DEADLINE_S = 10
PAUSE_S = ACK_DEADLINE_S + 3
NO_START_S = 4
# About one task of ten fails: not the same one when it is tried again.
FAILING = "if(cast(reflect('java.lang.Math', 'random') as double) < 0.00001, raise_error('a task is made to fail'), data)"


class Chaos:
    def __init__(self, world, seed, only=()):
        self.world, self.random = world, random.Random(seed)
        self.spark, self.lent, self.told = None, 0, {}
        self.turns = [getattr(self, name) for name in only]
        self.native = world.work / "native"  # where executors put the native library: without it they cannot start to read
        self.native.mkdir()

    def start(self):
        if self.spark is None:
            native = {"spark.executor.extraJavaOptions": f"-Dpubsub.native.tempdir={self.native}"}
            self.spark = self.world.spark("local-cluster[3,1,1024]", **CONF, **native)
        source = self.world.source(
            self.spark, numPartitions=4, ackDeadlineSeconds=ACK_DEADLINE_S, maxRowsPerTrigger=15000, batchSize=1000
        )
        for attempt in range(5):
            try:
                self.world.collect(source.selectExpr("message_id", f"{FAILING} as data", "publish_time"))
                return
            except Exception:  # noqa: BLE001: the emulator was disturbed at just that moment
                if attempt == 4:
                    raise
                time.sleep(1)

    def restart_if_failed(self):
        """A user's orchestration starts a failed query again."""
        if not self.world.query.isActive:
            self.world.say(f"the query failed: {str(self.world.query.exception())[:150]!r}; started again")
            self.told["query_failures"] = self.told.get("query_failures", 0) + 1
            self.start()

    def kill_executor(self):
        self.signal_executor(signal.SIGKILL)

    def stop_executor(self):
        self.signal_executor(signal.SIGTERM)

    def signal_executor(self, number):
        running = executors()
        if running:
            os.kill(self.random.choice(running), number)

    def pause(self, pids):
        """What they held, and what comes for them meanwhile, is lent to others before they go on."""
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(PAUSE_S)
            self.count_lent()
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def pause_executor(self):
        running = executors()
        self.pause(running and [self.random.choice(running)])

    def pause_driver(self):
        from pyspark import SparkContext

        self.pause([SparkContext._gateway.proc.pid])

    def fail_a_fetch(self):
        """Spark forgets the blocks of an executor whose shuffle files it could not fetch; the executor lives."""
        context = self.spark.sparkContext._jsc.sc()
        living = [name for name in context.getExecutorIds().mkString(",").split(",") if name]
        if living:
            context.env().blockManager().master().removeExecutorAsync(self.random.choice(living))

    def fail_starts(self):
        """An executor is replaced, and the new one cannot start to read for a while."""
        away = self.native.with_name("away")
        self.native.rename(away)
        try:
            self.kill_executor()
            time.sleep(NO_START_S)
        finally:
            away.rename(self.native)

    def stop_session(self):
        """Nobody stops its query, and the driver's process goes on with another session."""
        self.spark.stop()
        self.spark = None
        self.start()

    def reset_connections(self):
        self.world.control.command("disconnect")

    def end_streams(self):
        self.world.control.command("end-streams INTERNAL")

    def lose_acknowledgements(self):
        self.world.control.command("fault Acknowledge drop-acks count=1")

    def restart_query(self):
        self.world.query.stop()
        self.start()

    def kill_driver(self):
        """The driver's process dies at some point of a batch; its executors follow. A new one starts from the checkpoint."""
        from pyspark import SparkContext
        from pyspark.sql import SparkSession

        gateway = SparkContext._gateway
        gateway.proc.kill()
        gateway.proc.wait()
        self.world.sessions.clear()
        SparkContext._gateway = SparkContext._jvm = SparkContext._active_spark_context = None
        SparkSession._instantiatedSession = None
        try:
            SparkSession._activeSession = None
        except AttributeError:
            pass
        for pid in children(os.getpid()):
            if pid != self.world.emulator.process.pid:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        self.spark = None
        self.start()

    def strike(self):
        events = [
            (6, self.kill_executor),
            (5, self.stop_executor),
            (5, self.reset_connections),
            (4, self.end_streams),
            (3, self.lose_acknowledgements),
            (3, self.restart_query),
            (2, self.kill_driver),
            (3, self.pause_executor),
            (2, self.pause_driver),
            (3, self.fail_a_fetch),
            (2, self.fail_starts),
            (2, self.stop_session),
        ]
        event = self.random.choices([e for _, e in events], [w for w, _ in events])[0]
        if self.turns:
            event = self.turns[sum(self.told.get(turn.__name__, 0) for turn in self.turns) % len(self.turns)]
        name = event.__name__
        self.told[name] = self.told.get(name, 0) + 1
        self.count_lent()
        self.world.say(name.replace("_", " "))
        event()

    def count_lent(self):
        self.lent += self.world.control.stats(self.world.subscription)["lent"]


def acknowledged_too_early(world, spark):
    """Acknowledgements of the record that came before the commit of the batch that holds their message."""
    commits = {}
    for path in (world.work / "checkpoint" / "commits").iterdir():
        if path.name.isdigit():
            commits[int(path.name)] = path.stat().st_mtime_ns // 1000
    committed = {}
    for row in world.stored(spark).select("message_id", "batch").toLocalIterator():
        at = commits.get(row.batch)
        if at is not None:
            committed[row.message_id] = min(at, committed.get(row.message_id, at))
    early = [e for e in world.control.record("acknowledge") if committed.get(e.message_id, 1 << 62) > e.time_us]
    for event in early[:5]:
        world.say(f"{event} was committed at {committed.get(event.message_id)}")
    return len(early)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--events", type=int, default=30)
    parser.add_argument("--messages", type=int, default=500_000)
    parser.add_argument("--seconds-between", type=float, default=4)
    parser.add_argument("--only", default="", help="names of events, with commas between them: those, in turns")
    options = parser.parse_args()
    with World("chaos", "--record", "--seed", str(options.seed)) as world:
        world.say(f"seed {options.seed}")
        if world.control is None:
            raise SystemExit("chaos needs an emulator of its own: unset PUBSUB_EMULATOR_HOST")
        world.create(ack_deadline=ACK_DEADLINE_S)
        chaos = Chaos(world, options.seed, [name for name in options.only.split(",") if name])
        chaos.start()
        world.publish(1000, SIZE)
        world.wait(lambda: world.read() > 0, 60)
        publisher = Publisher(world, SIZE, int(options.messages / (options.events * options.seconds_between * 1.3)))
        publisher.published = 1000
        publisher.start()
        for _ in range(options.events):
            pause = time.monotonic() + chaos.random.uniform(0.5, 2 * options.seconds_between - 0.5)
            while time.monotonic() < pause:
                chaos.restart_if_failed()
                time.sleep(0.1)
            chaos.strike()
        while publisher.published < options.messages and not publisher.error:
            chaos.restart_if_failed()
            time.sleep(0.1)
        published = publisher.finish()
        world.say(f"published {published}; waiting for the rest")
        deadline = time.monotonic() + 400
        told = 0
        while world.control.stats(world.subscription)["backlog"] > 0 and time.monotonic() < deadline:
            chaos.restart_if_failed()
            if time.monotonic() - told > 10:
                told = time.monotonic()
                stats = world.control.stats(world.subscription)
                world.say(f"{stats['backlog']} wait, {stats['lent']} are lent on {stats['streams']} streams, {len(executors())} executors")
            time.sleep(0.2)
        backlog = world.control.stats(world.subscription)["backlog"]
        world.query.stop()
        rows, ids, numbers = (
            world.stored(chaos.spark)
            .selectExpr("count(*)", "count(distinct message_id)", "count(distinct number)")
            .first()
        )
        early = acknowledged_too_early(world, chaos.spark)
        world.result(
            {
                "seed": options.seed,
                "events": sum(chaos.told.get(k, 0) for k in chaos.told if k != "query_failures"),
                **chaos.told,
                "published": published,
                "rows": rows,
                "lost": published - numbers,
                "acknowledged_before_commit": early,
                "duplicates": rows - ids,
                "lent_when_faults_struck": chaos.lent,
                "unacknowledged": backlog,
            },
            numbers == published and early == 0 and backlog == 0 and rows - ids <= chaos.lent,
        )


main()
