"""Faults on demand, the record and the virtual clock of the emulator, seen with Google's Python client."""

import subprocess

import grpc
import pytest
from google.api_core import exceptions
from google.cloud import pubsub_v1

from conftest import EMULATOR, PROJECT, Emulator, until


@pytest.fixture
def clients(emulator):
    emulator.create()
    publisher, subscriber = pubsub_v1.PublisherClient(), pubsub_v1.SubscriberClient()
    publisher.topic, subscriber.name = publisher.topic_path(PROJECT, "topic1"), subscriber.subscription_path(PROJECT, "sub1")
    yield publisher, subscriber
    publisher.stop()
    subscriber.close()


def test_a_status_with_a_probability_and_a_seed(emulator, clients):
    publisher, _ = clients

    def outcomes():
        emulator.command("seed 7")
        emulator.command("faults clear")
        emulator.command("fault GetTopic status=PERMISSION_DENIED:no_entry probability=0.5")
        out = []
        for _ in range(20):
            try:
                publisher.get_topic(topic=publisher.topic)
                out.append(True)
            except exceptions.PermissionDenied as e:
                assert "no entry" in str(e)
                out.append(False)
        return out

    first = outcomes()
    assert first == outcomes() and 3 < sum(first) < 17
    assert "GetTopic status" in emulator.command("faults")
    emulator.command("faults clear")
    publisher.get_topic(topic=publisher.topic)


def test_publishing_survives_every_fault_of_the_transport(emulator, clients):
    publisher, _ = clients
    for fault in ("status=UNAVAILABLE", "reset", "goaway", "disconnect", "latency=100ms"):
        emulator.command(f"fault Publish {fault} count=2")
    futures = [publisher.publish(publisher.topic, b"%d" % i) for i in range(20)]
    for future in futures:
        future.result(timeout=180)
    assert emulator.stats("sub1")["backlog"] >= 20


def test_a_stream_survives_being_cut(emulator, clients):
    publisher, subscriber = clients
    seen = []
    pulling = subscriber.subscribe(subscriber.name, callback=lambda m: (seen.append(m.data), m.ack()))
    for i, command in enumerate(["stats", "end-streams", "goaway", "disconnect", "end-streams INTERNAL"]):
        emulator.command(command)
        publisher.publish(publisher.topic, b"%d" % i).result(timeout=30)
        until(lambda: b"%d" % i in seen, timeout=30)
    pulling.cancel()
    pulling.result(timeout=20)


def test_dropped_acknowledgements_and_duplicates(emulator, clients):
    publisher, subscriber = clients
    emulator.command("fault Acknowledge drop-acks count=1")
    publisher.publish(publisher.topic, b"x").result(timeout=20)
    pulled = subscriber.pull(subscription=subscriber.name, max_messages=1).received_messages
    subscriber.acknowledge(subscription=subscriber.name, ack_ids=[pulled[0].ack_id])
    emulator.command("advance 11s")
    pulled = subscriber.pull(subscription=subscriber.name, max_messages=1).received_messages
    subscriber.acknowledge(subscription=subscriber.name, ack_ids=[pulled[0].ack_id])
    emulator.command("advance 11s")
    assert emulator.stats("sub1")["backlog"] == 0
    emulator.command("fault StreamingPull duplicate count=1")
    seen = []
    pulling = subscriber.subscribe(subscriber.name, callback=lambda m: (seen.append(m.message_id), m.ack()))
    publisher.publish(publisher.topic, b"twin").result(timeout=20)
    until(lambda: len(seen) == 2)
    assert seen[0] == seen[1]
    pulling.cancel()
    pulling.result(timeout=20)


def test_the_record_proves_what_was_acknowledged_when(emulator, clients):
    publisher, subscriber = clients
    emulator.command("record on")
    identity = publisher.publish(publisher.topic, b"x").result(timeout=20)
    (received,) = subscriber.pull(subscription=subscriber.name, max_messages=1).received_messages
    subscriber.modify_ack_deadline(subscription=subscriber.name, ack_ids=[received.ack_id], ack_deadline_seconds=42)
    subscriber.acknowledge(subscription=subscriber.name, ack_ids=[received.ack_id])
    subscriber.acknowledge(subscription=subscriber.name, ack_ids=[received.ack_id])
    events = emulator.record()
    assert [e.event for e in events] == ["publish", "deliver", "extend", "acknowledge", "stale_ack"]
    assert {e.message_id for e in events[:4]} == {identity}
    assert events[2].detail == 42 and events[0].resource == publisher.topic
    assert [e.time_us for e in events] == sorted(e.time_us for e in events)


def test_control_refuses_nonsense(emulator):
    for text in ("", "dance", "fault Publish", "fault Publish status=NOPE", "fault Publish stall probability=2", "advance x"):
        with pytest.raises(grpc.RpcError) as caught:
            emulator.command(text)
        assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_flags_furnish_the_emulator(monkeypatch):
    with Emulator(
        "--topic", "projects/p1/topics/one", "--subscription", "projects/p1/subscriptions/sub=projects/p1/topics/two",
        "--record", "--fault", "GetTopic status=ABORTED count=1",
    ) as running:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", running.host)
        publisher = pubsub_v1.PublisherClient()
        topics = {t.name for t in publisher.list_topics(project="projects/p1")}
        assert topics == {"projects/p1/topics/one", "projects/p1/topics/two"}
        publisher.publish("projects/p1/topics/two", b"x").result(timeout=20)
        assert running.stats("sub")["backlog"] == 1 and len(running.record("publish")) == 1
        publisher.stop()


@pytest.mark.parametrize(
    "arguments", [["--topic", "bad"], ["--subscription", "projects/p/subscriptions/sss"], ["--fault", "nonsense"], ["--port", "x"]]
)
def test_bad_flags_are_refused(arguments):
    done = subprocess.run([EMULATOR, "--port", "0", *arguments], capture_output=True, text=True, timeout=10)
    assert done.returncode != 0 and arguments[1] in done.stderr
