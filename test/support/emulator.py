"""One pubsub-emulator process, and its control endpoint: for tests, benchmarks and demos.

    with Emulator(binary, "--record") as emulator:
        emulator.command("fault Publish status=UNAVAILABLE probability=0.3")
        emulator.record()  # → a list of Event
"""

import collections
import signal
import subprocess

Event = collections.namedtuple("Event", "time_us event resource message_id detail")


def _text(value):
    from google.protobuf import wrappers_pb2

    return wrappers_pb2.StringValue(value=value)


class Control:
    """The control endpoint of a running emulator."""

    def __init__(self, host):
        self.host = host

    def _channel(self):
        import grpc

        return grpc.insecure_channel(self.host, options=[("grpc.use_local_subchannel_pool", 1)])

    def _call(self, method, streaming=False):
        from google.protobuf import wrappers_pb2

        channel = self._channel()
        make = channel.unary_stream if streaming else channel.unary_unary
        return channel, make(
            f"/pubsub.emulator.v1.Control/{method}",
            request_serializer=wrappers_pb2.StringValue.SerializeToString,
            response_deserializer=wrappers_pb2.StringValue.FromString,
        )

    def command(self, text):
        """Runs one command; returns its answer. Raises grpc.RpcError when it is refused."""
        channel, call = self._call("Command")
        with channel:
            return call(_text(text), timeout=30).value

    def record(self, *events, clear=False):
        """What was recorded, only of these kinds if any are named. clear: it is forgotten then; nothing falls in between."""
        channel, call = self._call("Record", streaming=True)
        with channel:
            text = "".join(piece.value for piece in call(_text("clear" if clear else ""), timeout=120))
        out = []
        for line in text.splitlines()[1:]:
            time_us, event, resource, message_id, detail = line.split(",")
            if not events or event in events:
                out.append(Event(int(time_us), event, resource, message_id, int(detail)))
        return out

    def stats(self, subscription):
        """{"backlog": …, "ready": …, "lent": …, "streams": …} of a subscription, by its short or full name."""
        for line in self.command("stats").splitlines():
            name, *pairs = line.split()
            if name == subscription or name.endswith("/" + subscription):
                return {key: int(value) for key, value in (pair.split("=") for pair in pairs)}
        raise KeyError(subscription)


class Emulator(Control):
    """A process on a port of its own; ends with the block."""

    def __init__(self, binary, *arguments, port=0, own_group=False):
        """own_group: Ctrl-C reaches the starting process only, which stops the emulator last."""
        self.binary, self.arguments, self.own_group = str(binary), arguments, own_group
        self.start(port)

    def start(self, port=0):
        self.process = subprocess.Popen(
            [self.binary, "--port", str(port), *self.arguments],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=self.own_group,
        )
        line = self.process.stdout.readline().strip()
        if not line:
            raise RuntimeError(f"pubsub-emulator ended with {self.process.wait()}")
        super().__init__(line.rsplit(" ", 1)[1])
        self.port = int(self.host.rsplit(":", 1)[1])

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=10)
        self.process.stdout.close()
        if code != 0:
            raise RuntimeError(f"pubsub-emulator ended with {code}")

    def restart(self):
        self.stop()
        self.start(self.port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
