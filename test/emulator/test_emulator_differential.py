"""The same random calls to our emulator and to Google's, where that is installed: the same answers, but for what KNOWN lists.

Where the two differ, ours follows the service's documentation; the list says in what.
"""

import random
import shutil
import socket
import subprocess
import time

import grpc
import pytest
from google.api_core import exceptions
from google.protobuf import field_mask_pb2
from google.pubsub_v1 import PublisherClient, SubscriberClient, types
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from conftest import Emulator

PROJECT = "projects/p1"


def google_emulator():
    if not shutil.which("dpkg"):
        return None
    listed = subprocess.run(["dpkg", "-L", "google-cloud-cli-pubsub-emulator"], capture_output=True, text=True)
    return next((line for line in listed.stdout.splitlines() if line.endswith("/bin/cloud-pubsub-emulator")), None)


class Google:
    def __init__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.host = f"127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [google_emulator(), "--host=127.0.0.1", f"--port={port}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                assert time.monotonic() < deadline, "Google's emulator does not start"
                time.sleep(0.2)

    def stop(self):
        import os

        os.killpg(self.process.pid, 15)
        self.process.wait(timeout=20)


class Side:
    """One of the two, with clients and the ack ids it has given out."""

    def __init__(self, host):
        channel = grpc.insecure_channel(host)
        self.channel = channel
        self.publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        self.subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        self.held = {}  # subscription -> [(data, ack id)]

    def call(self, function, *arguments):
        """("OK", what) or (the status,)."""
        try:
            return "OK", function(self, *arguments)
        except exceptions.GoogleAPICallError as problem:
            return (problem.grpc_status_code.name,)


def topic(i):
    return f"{PROJECT}/topics/" + ("x" if i == 9 else f"topic{i}")


def subscription(i):
    return f"{PROJECT}/subscriptions/" + ("9bad" if i == 9 else f"sub{i}")


def short(text):
    return text.rsplit("/", 1)[-1]


def shown_topic(config):
    return short(config.name), dict(config.labels), config.message_retention_duration.total_seconds() if config.message_retention_duration else 0


def shown_subscription(config):
    return (
        short(config.name), short(config.topic), config.ack_deadline_seconds, dict(config.labels), config.filter,
        config.enable_message_ordering, config.retain_acked_messages, config.dead_letter_policy.max_delivery_attempts,
    )


# Each takes a Side and arguments made by `choose`, and returns what is to be equal.
def create_topic(side, i, labels):
    return shown_topic(side.publisher.create_topic(request=types.Topic(name=topic(i), labels=labels)))


def get_topic(side, i):
    return shown_topic(side.publisher.get_topic(topic=topic(i)))


def update_topic(side, i, labels, path):
    request = {"topic": types.Topic(name=topic(i), labels=labels), "update_mask": field_mask_pb2.FieldMask(paths=[path] if path else [])}
    return shown_topic(side.publisher.update_topic(request=request))


def delete_topic(side, i):
    side.publisher.delete_topic(topic=topic(i))


def list_topics(side):
    return sorted(short(t.name) for t in side.publisher.list_topics(project=PROJECT))


def list_topic_subscriptions(side, i):
    return sorted(map(short, side.publisher.list_topic_subscriptions(topic=topic(i))))


def create_subscription(side, i, t, deadline, filter, ordering, retain):
    config = types.Subscription(
        name=subscription(i), topic=topic(t), ack_deadline_seconds=deadline, filter=filter, enable_message_ordering=ordering,
        retain_acked_messages=retain,
    )
    out = shown_subscription(side.subscriber.create_subscription(request=config))
    side.held[i] = []
    return out


def get_subscription(side, i):
    return shown_subscription(side.subscriber.get_subscription(subscription=subscription(i)))


def update_subscription(side, i, deadline, path):
    config = types.Subscription(name=subscription(i), ack_deadline_seconds=deadline, labels={"k": "v"})
    request = {"subscription": config, "update_mask": field_mask_pb2.FieldMask(paths=[path] if path else [])}
    return shown_subscription(side.subscriber.update_subscription(request=request))


def detach(side, i):
    side.publisher.detach_subscription(request={"subscription": subscription(i)})


def delete_subscription(side, i):
    side.subscriber.delete_subscription(subscription=subscription(i))


def list_subscriptions(side):
    return sorted(short(s.name) for s in side.subscriber.list_subscriptions(project=PROJECT))


def publish(side, i, messages):
    return len(side.publisher.publish(topic=topic(i), messages=[types.PubsubMessage(**m) for m in messages]).message_ids)


def pull(side, i, count):
    """Everything that is there, up to count: the two may cut it into different answers."""
    got = []
    while len(got) < count:
        request = {"subscription": subscription(i), "max_messages": count - len(got), "return_immediately": True}
        received = side.subscriber.pull(request=request, timeout=10).received_messages
        if not received:
            break
        got += [(m.message.data, dict(m.message.attributes), m.message.ordering_key, m.ack_id) for m in received]
    side.held.setdefault(i, []).extend((g[0], g[3]) for g in got)
    return sorted((g[0], sorted(g[1].items()), g[2]) for g in got)


def acknowledge(side, i, share):
    held = sorted(side.held.get(i, []))
    taken = held[: int(len(held) * share)]
    if not taken:  # an id that was never given: Google's emulator refuses it sometimes
        return get_subscription(side, i)
    side.subscriber.acknowledge(subscription=subscription(i), ack_ids=[a for _, a in taken])
    side.held[i] = held[len(taken) :]


def nack(side, i):
    out = extend(side, i, 0)
    side.held[i] = []
    return out


def extend(side, i, seconds):
    held = side.held.get(i, [])
    if not held:
        return get_subscription(side, i)
    return side.subscriber.modify_ack_deadline(subscription=subscription(i), ack_ids=[a for _, a in held], ack_deadline_seconds=seconds)


def extend_by_601(side, i):
    publish(side, 1, [{"data": b"x"}])
    pull(side, i, 1)
    extend(side, i, 601)


def filtered(side, i):
    """What a subscription gets that asks for red."""
    create_subscription(side, i, 1, 10, 'attributes.color = "red"', False, False)
    publish(side, 1, [{"data": color.encode(), "attributes": {"color": color}} for color in ("red", "blue")])
    return [data for data, _, _ in pull(side, i, 10)]


def make_message(choose, number):
    attributes = {} if choose.random() < 0.2 else {"color": choose.choice(["red", "blue", ""]), "n": str(number)}
    return {"data": b"message %d" % number, "attributes": attributes}


def sequence(seed, length):
    """[(function, arguments)], the same for both."""
    choose = random.Random(seed)
    small = lambda: choose.choice([1, 1, 2, 2, 3, 9])  # noqa: E731
    out, number = [], 0
    for _ in range(length):
        kind = choose.randrange(20)
        if kind < 2:
            out.append((create_topic, (small(), {"a": "b"} if choose.random() < 0.5 else {})))
        elif kind == 2:
            out.append((get_topic, (small(),)))
        elif kind == 3:
            out.append((update_topic, (small(), {"c": "d"}, choose.choice(["name", "nonsense", ""]))))
        elif kind == 4:
            out.append((choose.choice([delete_topic, get_topic, get_topic]), (small(),)))
        elif kind == 5:
            out.append(choose.choice([(list_topics, ()), (list_topic_subscriptions, (small(),)), (list_subscriptions, ())]))
        elif kind < 9:
            deadline = choose.choice([0, 10, 60, 600])
            out.append((create_subscription, (small(), small(), deadline, "", choose.random() < 0.2, choose.random() < 0.2)))
        elif kind == 9:
            out.append((choose.choice([get_subscription, get_subscription, delete_subscription]), (small(),)))
        elif kind == 10:
            path = choose.choice(["ack_deadline_seconds", "topic", "nonsense", ""])
            out.append((update_subscription, (small(), choose.choice([20, 600]), path)))
        elif kind < 15:
            messages = []
            for _ in range(choose.choice([1, 1, 2, 5])):
                number += 1
                messages.append(make_message(choose, number))
            out.append((publish, (small(), messages)))
        elif kind < 17:
            out.append((pull, (small(), choose.choice([1000, 1000, 0]))))
        else:
            out.append(choose.choice([(acknowledge, (small(), choose.choice([0.5, 1.0]))), (nack, (small(),)), (extend, (small(), choose.choice([10, 600, -1])))]))
    return out


REFUSED = [("INVALID_ARGUMENT",), ("NOT_FOUND",), ("ALREADY_EXISTS",)]


def agree(name, ours, theirs):
    if ours in REFUSED and theirs in REFUSED:
        return True  # where two things are wrong with a call, either may be said
    if name == "list_topic_subscriptions" and ours == ("NOT_FOUND",):
        return theirs == ("OK", [])  # Google's emulator knows no missing topic here; the service does
    return ours == theirs


# A call, what ours answers as the service's documentation says, and what Google's emulator does instead.
DIFFERENT = {
    "a filter that cannot be parsed": (create_subscription, (2, 1, 10, "nonsense", False, False), "INVALID_ARGUMENT", "OK"),
    "a filter": (filtered, (4,), ("OK", [b"red"]), ("OK", [b"blue", b"red"])),
    "an ack deadline under 10 s": (create_subscription, (3, 1, 5, "", False, False), "INVALID_ARGUMENT", "OK"),
    "101 attributes": (publish, (1, [{"data": b"x", "attributes": {f"k{i}": "v" for i in range(101)}}]), "INVALID_ARGUMENT", "OK"),
    "an attribute key of 257 bytes": (publish, (1, [{"data": b"x", "attributes": {"k" * 257: "v"}}]), "INVALID_ARGUMENT", "OK"),
    "an attribute value of 1025 bytes": (publish, (1, [{"data": b"x", "attributes": {"k": "v" * 1025}}]), "INVALID_ARGUMENT", "OK"),
    "two ordering keys in a request": (
        publish, (1, [{"data": b"x", "ordering_key": "a"}, {"data": b"x", "ordering_key": "b"}]), "INVALID_ARGUMENT", "OK",
    ),
    "two messages, one with an ordering key": (publish, (1, [{"data": b"x", "ordering_key": "a"}, {"data": b"x"}]), "INVALID_ARGUMENT", "OK"),
    "an extension by 601 s": (extend_by_601, (1,), "INVALID_ARGUMENT", "OK"),
    "other labels of a topic": (update_topic, (1, {"k": "v"}, "labels"), "OK", "INVALID_ARGUMENT"),
    "other labels of a subscription": (update_subscription, (1, 10, "labels"), "OK", "INVALID_ARGUMENT"),
    "the subscriptions of a topic that does not exist": (list_topic_subscriptions, (3,), "NOT_FOUND", "OK"),
    "detaching a subscription": (detach, (1,), "OK", "UNIMPLEMENTED"),
}


@pytest.fixture
def both():
    own, google = Emulator(), Google()
    sides = Side(own.host), Side(google.host)
    yield sides
    for side in sides:
        side.channel.close()
    google.stop()
    own.stop()


def compare(both, calls):
    for step, (function, arguments) in enumerate(calls):
        ours, theirs = (side.call(function, *arguments) for side in both)
        assert agree(function.__name__, ours, theirs), f"{step} {function.__name__}{arguments}: {ours}, Google's: {theirs}"


@pytest.mark.skipif(google_emulator() is None, reason="Google's emulator is not installed")
@pytest.mark.parametrize("seed", range(6))
def test_the_same_answers(both, seed):
    compare(both, sequence(seed, 200))


@pytest.mark.skipif(google_emulator() is None, reason="Google's emulator is not installed")
def test_known_differences(both):
    compare(both, [(create_topic, (1, {})), (create_subscription, (1, 1, 10, "", False, False))])
    wrong = []
    for what, (function, arguments, right, other) in DIFFERENT.items():
        ours, theirs = (side.call(function, *arguments) for side in both)
        if isinstance(right, str):  # only the status
            ours, theirs = ours[0], theirs[0]
        if (ours, theirs) != (right, other):
            wrong.append(f"{what}: {ours}, Google's: {theirs}; listed as {right} and {other}")
    assert not wrong, "\n".join(wrong)
