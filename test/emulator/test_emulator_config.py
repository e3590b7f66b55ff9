"""What the emulator holds when it starts: a configuration file, and the environment of the popular images."""

import base64
import json
import subprocess

import grpc
import pytest
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from conftest import EMULATOR, ROOT, Emulator

CONFIG = {
    "topics": [
        {"name": "projects/p/topics/orders", "labels": {"team": "a"}, "messageRetentionDuration": "600s"},
        {"name": "projects/p/topics/dead"},
    ],
    "subscriptions": [
        {
            "name": "projects/p/subscriptions/orders-all",
            "topic": "projects/p/topics/orders",
            "ackDeadlineSeconds": 60,
            "enableMessageOrdering": True,
            "filter": 'attributes.kind = "order"',
            "deadLetterPolicy": {"deadLetterTopic": "projects/p/topics/dead", "maxDeliveryAttempts": 7},
            "retryPolicy": {"minimumBackoff": "1s", "maximumBackoff": "2.5s"},
            "expirationPolicy": {},
        }
    ],
    "schemas": [
        {"parent": "projects/p", "schemaId": "order", "schema": {"type": "AVRO", "definition": '{"type":"record","name":"A","fields":[]}'}}
    ],
    "messages": [
        {
            "topic": "projects/p/topics/orders",
            "messages": [
                {"data": base64.b64encode(b"one").decode(), "attributes": {"kind": "order"}, "orderingKey": "k"},
                {"data": base64.b64encode(b"two").decode(), "attributes": {"kind": "order"}, "orderingKey": "k"},
            ],
        }
    ],
}


def clients(emulator):
    channel = grpc.insecure_channel(emulator.host)
    return (
        PublisherClient(transport=PublisherGrpcTransport(channel=channel)),
        SubscriberClient(transport=SubscriberGrpcTransport(channel=channel)),
    )


def fails(tmp_path, text):
    """The error of a start with this configuration."""
    path = tmp_path / "config.json"
    path.write_text(text)
    run = subprocess.run([EMULATOR, "--port", "0", "--config", str(path)], capture_output=True, text=True, timeout=20)
    assert run.returncode == 1 and run.stdout == ""
    return run.stderr


@pytest.mark.parametrize("turned", [False, True])
def test_a_configuration_is_there_at_the_start(tmp_path, turned):
    path = tmp_path / "config.json"
    sections = list(CONFIG.items())
    path.write_text(json.dumps(dict(reversed(sections) if turned else sections), indent=2))
    with Emulator("--config", str(path)) as emulator:
        publisher, subscriber = clients(emulator)
        topic = publisher.get_topic(topic="projects/p/topics/orders")
        assert dict(topic.labels) == {"team": "a"} and topic.message_retention_duration.total_seconds() == 600
        name = "projects/p/subscriptions/orders-all"
        got = subscriber.get_subscription(subscription=name)
        assert got.ack_deadline_seconds == 60 and got.filter and got.dead_letter_policy.max_delivery_attempts == 7
        assert got.retry_policy.maximum_backoff.total_seconds() == 2.5 and got.enable_message_ordering
        received = subscriber.pull(subscription=name, max_messages=10).received_messages
        assert [m.message.data for m in received] == [b"one", b"two"] and received[0].message.ordering_key == "k"


def test_the_configuration_of_the_documentation(tmp_path):
    path = tmp_path / "config.json"
    path.write_text((ROOT / "docs/emulator.md").read_text().split("```json\n")[1].split("```")[0])
    with Emulator("--config", str(path)) as emulator:
        received = clients(emulator)[1].pull(subscription="projects/shop/subscriptions/orders-all", max_messages=10).received_messages
        assert [m.message.data for m in received] == [b"hello"]


@pytest.mark.parametrize(
    "text, says",
    [
        ("", "line 1, column 1: expected {"),
        ('{\n "topics": [{"nam": "x"}]}', "line 2, column 20: Topic has no 'nam'"),
        ('{"queues": []}', "'queues' is not schemas, topics, subscriptions or messages"),
        ('{"topics": [{"name": "projects/p/topics/xy"}]}', "3 to 255"),
        ('{"subscriptions": [{"name": "projects/p/subscriptions/abc", "topic": "projects/p/topics/none"}]}', "not found (resource=none)"),
        ('{"topics": [{"name": "projects/p/topics/abc"}, {"name": "projects/p/topics/abc"}]}', "already exists"),
        ('{"topics": []} []', "unexpected text at the end"),
    ],
)
def test_a_configuration_that_cannot_be(tmp_path, text, says):
    said = fails(tmp_path, text)
    assert says in said and "config.json" in said, said


def test_a_configuration_that_is_not_there(tmp_path):
    run = subprocess.run([EMULATOR, "--port", "0", "--config", str(tmp_path / "none")], capture_output=True, text=True, timeout=20)
    assert run.returncode == 1 and "cannot open" in run.stderr


def test_the_projects_of_the_environment(monkeypatch):
    monkeypatch.setenv("PUBSUB_PROJECT1", "dev,orders:one:two,plain")
    monkeypatch.setenv("PUBSUB_PROJECT2", "test,orders:one")
    monkeypatch.setenv("PUBSUB_PROJECT4", "never,reached")
    with Emulator() as emulator:
        publisher, subscriber = clients(emulator)
        assert sorted(t.name for t in publisher.list_topics(project="projects/dev")) == ["projects/dev/topics/orders", "projects/dev/topics/plain"]
        assert sorted(s.name for s in subscriber.list_subscriptions(project="projects/dev")) == [
            "projects/dev/subscriptions/one", "projects/dev/subscriptions/two",
        ]
        assert subscriber.get_subscription(subscription="projects/test/subscriptions/one").topic == "projects/test/topics/orders"
        assert not list(publisher.list_topics(project="projects/never"))


def test_a_project_of_the_environment_that_cannot_be(monkeypatch):
    monkeypatch.setenv("PUBSUB_PROJECT1", "dev,ab")
    run = subprocess.run([EMULATOR, "--port", "0"], capture_output=True, text=True, timeout=20)
    assert run.returncode == 1 and "3 to 255" in run.stderr


def test_a_file_without_end_is_not_read_into_memory():
    run = subprocess.run([EMULATOR, "--port", "0", "--config", "/dev/zero"], capture_output=True, text=True, timeout=60)
    assert run.returncode == 1 and "/dev/zero" in run.stderr and "larger than" in run.stderr, run
