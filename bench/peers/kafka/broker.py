"""One real Kafka broker (KRaft, loopback, ports of its own), and its command-line producers."""

import pathlib
import shutil
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
LIBRARIES = ROOT / ".deps/kafka/broker"

PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
num.partitions=2
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
message.max.bytes=2097152
replica.fetch.max.bytes=2097152
num.network.threads=2
num.io.threads=4
auto.create.topics.enable=false
"""

LOGGING = """
rootLogger.level=error
rootLogger.appenderRef.stderr.ref=stderr
appender.stderr.type=Console
appender.stderr.name=stderr
appender.stderr.target=SYSTEM_ERR
appender.stderr.layout.type=PatternLayout
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Broker:
    def __init__(self, work):
        self.work = pathlib.Path(work) / "kafka"
        self.work.mkdir()
        self.port = free_port()
        self.servers = f"127.0.0.1:{self.port}"
        self.properties = self.work / "server.properties"
        self.properties.write_text(
            PROPERTIES.format(port=self.port, controller=free_port(), data=self.work / "data")
        )
        (self.work / "log4j2.properties").write_text(LOGGING)
        self._java("kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", str(self.properties))
        self.log = open(self.work / "broker.log", "w")
        self.process = subprocess.Popen(
            self._command("kafka.Kafka", str(self.properties), heap="1g"), stdout=self.log, stderr=self.log
        )
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                break
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError((self.work / "broker.log").read_text()[-2000:])
                time.sleep(0.2)

    def _command(self, program, *arguments, heap="256m"):
        options = [f"-Xmx{heap}", f"-Dlog4j2.configurationFile={self.work / 'log4j2.properties'}"]
        return ["java", *options, "-cp", f"{LIBRARIES}/*", program, *arguments]

    def _java(self, program, *arguments, heap="256m"):
        subprocess.run(self._command(program, *arguments, heap=heap), check=True, capture_output=True)

    def create(self, topic):
        self._java(
            "org.apache.kafka.tools.TopicCommand", "--bootstrap-server", self.servers, "--create", "--topic", topic,
            "--partitions", "2", "--replication-factor", "1",
        )

    def delete(self, topic):
        self._java("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", self.servers, "--delete", "--topic", topic)

    def produce(self, topic, count, size):
        self._java(
            "org.apache.kafka.tools.ProducerPerformance", "--topic", topic, "--num-records", str(count), "--record-size",
            str(size), "--throughput", "-1", "--producer-props", f"bootstrap.servers={self.servers}", "acks=1",
            "batch.size=262144", "linger.ms=5", "buffer.memory=67108864", "max.request.size=2097152", heap="1g",
        )

    def start_producing(self, topic, size, per_second, seconds):
        """In the background, at a rate."""
        return subprocess.Popen(
            self._command(
                "org.apache.kafka.tools.ProducerPerformance", "--topic", topic, "--num-records", str(per_second * seconds),
                "--record-size", str(size), "--throughput", str(per_second), "--producer-props",
                f"bootstrap.servers={self.servers}", "acks=1", "linger.ms=0",
            ),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)
        self.log.close()
        shutil.rmtree(self.work, ignore_errors=True)
