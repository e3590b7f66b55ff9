"""What the Spark benchmarks share: one Spark, the emulator and a Kafka broker on the same cores, measured processes, results."""

import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench/operations"), str(ROOT / "bench/peers/kafka"), str(ROOT / "test/support")]
from broker import Broker  # noqa: E402
from emulator import Emulator  # noqa: E402
from world import EMULATOR, cpu_seconds  # noqa: E402

KAFKA = ROOT / ".deps/kafka/spark"


class Session:
    def __init__(self, world, options):
        self.world, self.options, self.results = world, options, []
        jars = [str(ROOT / "spark/target/spark-pubsub.jar")]
        self.broker = None
        if not options.no_kafka:
            jars += [str(jar) for jar in KAFKA.glob("*.jar") if "slf4j" not in jar.name]
            self.broker = Broker(world.work)
        conf = {
            "spark.jars": ",".join(jars),
            "spark.driver.memory": "4g",
            "spark.sql.shuffle.partitions": 2,
            **dict(pair.split("=", 1) for pair in options.conf),
        }
        self.spark = world.spark("local[2]", **conf)
        self.pid = self.spark.sparkContext._gateway.proc.pid
        self.number = 0

    def close(self):
        if self.broker:
            self.broker.stop()

    def fresh(self):
        """A name that nothing has yet."""
        self.number += 1
        return f"b{self.number}"

    @property
    def sides(self):
        return ["pubsub"] + (["kafka"] if self.broker else [])

    def settle(self):
        """What ran before is not to be paid for by what comes."""
        self.spark._jvm.System.gc()
        time.sleep(0.3)

    def cpu(self):
        """Seconds of user and system time of the Spark process, client library included."""
        return cpu_seconds(self.pid)

    def connection(self):
        given = dict(pair.split("=", 1) for pair in self.options.option)
        return {"endpoint": self.world.host, "plaintext": "true", "projectId": self.world.project, **given}

    def subscribe(self, name):
        self.world.run("topic", "create", name + "-topic")
        self.world.run("subscription", "create", name + "-sub", "--topic", name + "-topic", "--ack-deadline", 600)

    def note(self, what, side, payload, count, runs, **more):
        """runs: CPU seconds, wall seconds, batches of each; the best of either counts."""
        cpu, wall = min(r[0] for r in runs), min(r[1] for r in runs)
        result = {
            "what": what,
            "side": side,
            **more,
            "payload": payload,
            "rows": count,
            "cpu_us_per_row": round(cpu / count * 1e6, 3),
            "cpu_s_per_gb": round(cpu / (count * payload / 1e9), 3),
            "rows_per_s": round(count / wall),
            "mb_per_s": round(count * payload / wall / 1e6, 1),
            "median_cpu_us_per_row": round(statistics.median(r[0] for r in runs) / count * 1e6, 3),
            "batches": runs[-1][2],
        }
        self.results.append(result)
        label = " ".join(str(part) for part in (what, side, *more.values()))
        self.world.say(
            f"{label} {payload} B: {result['rows_per_s']:,} rows/s, {result['mb_per_s']} MB/s, "
            f"{result['cpu_us_per_row']} CPU us/row, {result['cpu_s_per_gb']} CPU s/GB, {result['batches']} batches"
        )


class TlsEmulator:
    """A second emulator, behind TLS, with a certificate made on the spot."""

    def __init__(self, work):
        self.key, self.certificate = pathlib.Path(work) / "tls.key", pathlib.Path(work) / "tls.pem"
        command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
        subprocess.run(
            [*command.split(), "-keyout", str(self.key), "-out", str(self.certificate)], check=True, capture_output=True
        )
        self.process = Emulator(EMULATOR, "--tls-cert", str(self.certificate), "--tls-key", str(self.key))
        self.host = self.process.host

    def stop(self):
        self.process.stop()
