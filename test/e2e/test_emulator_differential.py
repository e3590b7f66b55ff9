"""The same random calls to our emulator and to Google's, where that is installed: the same answers, but for what KNOWN lists.

Where the two differ, ours follows the service's documentation; the list says in what.
"""

import random
import shutil
import socket
import subprocess
import sys
import time

import grpc
import pytest
from google.api_core import exceptions
from google.protobuf import duration_pb2, field_mask_pb2
from google.pubsub_v1 import PublisherClient, SubscriberClient, types
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from conftest import Emulator

PROJECT = "projects/p1"
# What our emulator answers, what Google's answers, and why ours is right.
KNOWN = {}


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
    side.subscriber.acknowledge(subscription=subscription(i), ack_ids=[a for _, a in taken] or ["nonsense"])
    side.held[i] = held[len(taken) :]


def nack(side, i):
    held = side.held.get(i, [])
    side.subscriber.modify_ack_deadline(subscription=subscription(i), ack_ids=[a for _, a in held] or ["nonsense"], ack_deadline_seconds=0)
    side.held[i] = []


def extend(side, i, seconds):
    held = side.held.get(i, [])
    side.subscriber.modify_ack_deadline(
        subscription=subscription(i), ack_ids=[a for _, a in held] or ["nonsense"], ack_deadline_seconds=seconds
    )


def make_message(choose, number):
    kind = choose.random()
    out = {"data": b"message %d" % number, "attributes": {"color": choose.choice(["red", "blue", ""]), "n": str(number)}}
    if kind < 0.05:
        out = {}
    elif kind < 0.1:
        out["attributes"] = {f"k{i}": "v" for i in range(101)}
    elif kind < 0.15:
        out["attributes"] = {"k" * 257: "v"}
    elif kind < 0.2:
        out["attributes"] = {"k": "v" * 1025}
    elif kind < 0.3:
        out["attributes"] = {}
    return out


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
            out.append((update_topic, (small(), {"c": "d"}, choose.choice(["labels", "labels", "name", "nonsense", ""]))))
        elif kind == 4:
            out.append((choose.choice([delete_topic, get_topic, get_topic]), (small(),)))
        elif kind == 5:
            out.append(choose.choice([(list_topics, ()), (list_topic_subscriptions, (small(),)), (list_subscriptions, ())]))
        elif kind < 9:
            filter = choose.choice(["", "", "", 'attributes.color = "red"', 'attributes.color != "red"', "attributes:color", "nonsense"])
            deadline = choose.choice([0, 10, 60, 600, 5, 601])
            out.append((create_subscription, (small(), small(), deadline, filter, choose.random() < 0.2, choose.random() < 0.2)))
        elif kind == 9:
            out.append((choose.choice([get_subscription, get_subscription, delete_subscription]), (small(),)))
        elif kind == 10:
            path = choose.choice(["ack_deadline_seconds", "labels", "topic", "nonsense", ""])
            out.append((update_subscription, (small(), choose.choice([20, 5, 601]), path)))
        elif kind < 15:
            messages = []
            for _ in range(choose.choice([1, 1, 2, 5])):
                number += 1
                messages.append(make_message(choose, number))
            out.append((publish, (small(), messages)))
        elif kind < 17:
            out.append((pull, (small(), choose.choice([1000, 1000, 0]))))
        else:
            out.append(choose.choice([(acknowledge, (small(), choose.choice([0.5, 1.0]))), (nack, (small(),)), (extend, (small(), choose.choice([10, 600, 601, -1])))]))
    return out


def known(name, arguments, ours, theirs):
    return any(k[0] == name and k[1](arguments, ours, theirs) for k in KNOWN)


@pytest.mark.skipif(google_emulator() is None, reason="Google's emulator is not installed")
@pytest.mark.parametrize("seed", range(4))
def test_the_same_answers(seed):
    own, google = Emulator(), Google()
    ours, theirs = Side(own.host), Side(google.host)
    different = []
    try:
        for step, (function, arguments) in enumerate(sequence(seed, 150)):
            a, b = ours.call(function, *arguments), theirs.call(function, *arguments)
            if a != b and not known(function.__name__, arguments, a, b):
                different.append(f"{step} {function.__name__}{arguments}: {a}, Google's: {b}")
                break  # what follows would differ because of it
    finally:
        ours.channel.close()
        theirs.channel.close()
        google.stop()
        own.stop()
    assert not different, "\n".join(different)
