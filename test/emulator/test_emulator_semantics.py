"""What the service promises of subscriptions, with Google's own Python client."""

import datetime
import time

import pytest
from google.api_core import exceptions
from google.cloud import pubsub_v1
from google.pubsub_v1.types import Schema
from google.cloud.pubsub_v1 import SchemaServiceClient

from conftest import PROJECT, until


class World:
    """A topic, a subscription with settings, and short ways to call."""

    def __init__(self, emulator, **config):
        self.emulator = emulator
        self.publisher = pubsub_v1.PublisherClient(
            publisher_options=pubsub_v1.types.PublisherOptions(enable_message_ordering=True)
        )
        self.subscriber = pubsub_v1.SubscriberClient()
        self.topic = self.publisher.topic_path(PROJECT, "topic1")
        self.subscription = self.subscriber.subscription_path(PROJECT, "sub1")
        self.publisher.create_topic(name=self.topic)
        self.create(self.subscription, **config)

    def create(self, name, **config):
        return self.subscriber.create_subscription(request={"name": name, "topic": self.topic, **config})

    def publish(self, *texts, **attributes):
        key = attributes.pop("ordering_key", "")
        return [
            self.publisher.publish(self.topic, text.encode(), ordering_key=key, **attributes).result(timeout=20)
            for text in texts
        ]

    def pull(self, count=100, subscription=None):
        response = self.subscriber.pull(
            subscription=subscription or self.subscription, max_messages=count, return_immediately=True
        )
        return response.received_messages

    def texts(self, count=100, subscription=None):
        return [m.message.data.decode() for m in self.pull(count, subscription)]

    def ack(self, received):
        self.subscriber.acknowledge(subscription=self.subscription, ack_ids=[m.ack_id for m in received])

    def nack(self, received):
        self.subscriber.modify_ack_deadline(
            subscription=self.subscription, ack_ids=[m.ack_id for m in received], ack_deadline_seconds=0
        )

    def close(self):
        self.publisher.stop()
        self.subscriber.close()


@pytest.fixture
def world(emulator):
    made = []

    def make(**config):
        made.append(World(emulator, **config))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_a_key_comes_in_order_and_its_tail_comes_again(world):
    w = world(enable_message_ordering=True)
    w.publish("a1", "a2", "a3", ordering_key="a")
    w.publish("b1", "b2", ordering_key="b")
    first = w.pull()
    order = [m.message.data.decode() for m in first]
    assert [t for t in order if t[0] == "a"] == ["a1", "a2", "a3"]
    assert [t for t in order if t[0] == "b"] == ["b1", "b2"]
    by_text = {m.message.data.decode(): m for m in first}
    w.ack([by_text["a1"], by_text["a3"]])
    w.nack([by_text["a2"]])
    again = w.texts()
    assert again == ["a2", "a3"]  # a3 too, although it was acknowledged: it is behind a2
    assert w.texts() == []


def test_a_key_goes_to_one_stream_at_a_time(world):
    w = world(enable_message_ordering=True, ack_deadline_seconds=10)
    w.publish("a1", ordering_key="a")
    held = w.pull()
    w.publish("a2", ordering_key="a")
    w.publish("free")
    assert w.texts() == ["free"]  # a2 waits for what another has of its key
    w.ack(held)
    assert w.texts() == ["a2"]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("attributes:lang", {"en", "de", "deutsch"}),
        ('attributes.lang = "en"', {"en"}),
        ('attributes.lang != "en"', {"de", "deutsch", "none"}),
        ('hasPrefix(attributes.lang, "de")', {"de", "deutsch"}),
        ("NOT attributes:lang", {"none"}),
        ("-attributes:lang", {"none"}),
        ('attributes.lang = "en" OR attributes.lang = "de"', {"en", "de"}),
        ('attributes:lang AND NOT attributes.lang="en"', {"de", "deutsch"}),
        ('attributes:lang AND (attributes.lang="en" OR attributes."lang"="de")', {"en", "de"}),
    ],
)
def test_filters(world, text, expected):
    w = world(filter=text)
    for value in ("en", "de", "deutsch"):
        w.publish(value, lang=value)
    w.publish("none")
    assert set(w.texts()) == expected


@pytest.mark.parametrize(
    "text", ["lang", "attributes.lang", 'attributes.lang = en', 'attributes:a AND attributes:b OR attributes:c', "(attributes:a", "attributes:" + "k" * 300]
)
def test_bad_filters_are_refused(world, text):
    w = world()
    with pytest.raises(exceptions.InvalidArgument):
        w.create(w.subscription + "2", filter=text)


def test_dead_letters_arrive_with_their_origin(world):
    w = world()
    dead = w.publisher.topic_path(PROJECT, "dead-topic")
    w.publisher.create_topic(name=dead)
    grave = w.subscriber.subscription_path(PROJECT, "grave")
    w.subscriber.create_subscription(request={"name": grave, "topic": dead})
    w.subscriber.update_subscription(
        request={
            "subscription": {
                "name": w.subscription,
                "dead_letter_policy": {"dead_letter_topic": dead, "max_delivery_attempts": 5},
            },
            "update_mask": {"paths": ["dead_letter_policy"]},
        }
    )
    w.publish("poison", colour="green")
    for attempt in range(1, 6):
        received = w.pull()
        assert [m.delivery_attempt for m in received] == [attempt]
        w.nack(received)
    assert w.pull() == []
    (buried,) = w.pull(subscription=grave)
    assert buried.message.data == b"poison" and buried.message.attributes["colour"] == "green"
    assert buried.message.attributes["CloudPubSubDeadLetterSourceSubscription"] == "sub1"
    assert buried.message.attributes["CloudPubSubDeadLetterSourceDeliveryCount"] == "5"


def test_a_retry_policy_makes_a_nacked_message_wait(world):
    w = world(retry_policy={"minimum_backoff": {"seconds": 20}, "maximum_backoff": {"seconds": 60}})
    w.publish("patience")
    w.nack(w.pull())
    assert w.pull() == []
    w.emulator.command("advance 19s")
    assert w.pull() == []
    w.emulator.command("advance 2s")
    w.nack(w.pull())  # the second wait is twice as long
    w.emulator.command("advance 30s")
    assert w.pull() == []
    w.emulator.command("advance 11s")
    assert len(w.pull()) == 1


def test_exactly_once_tells_the_outcome_of_each_ack_id(world):
    w = world(enable_exactly_once_delivery=True)
    w.publish("one", "two")
    first, second = w.pull()
    w.ack([first])
    with pytest.raises(exceptions.FailedPrecondition) as caught:
        w.ack([first, second])
    (info,) = caught.value.details
    assert dict(info.metadata) == {first.ack_id: "PERMANENT_FAILURE_INVALID_ACK_ID"}
    assert w.pull() == []  # the good one of that request was acknowledged
    w.publish("three")
    (third,) = w.pull()
    w.emulator.command("advance 11s")
    with pytest.raises(exceptions.FailedPrecondition):
        w.ack([third])
    assert w.texts() == ["three"]


def test_exactly_once_over_a_stream(world):
    w = world(enable_exactly_once_delivery=True)
    results, seen = [], []

    def callback(message):
        seen.append(message.data)
        results.append(message.ack_with_response())

    pulling = w.subscriber.subscribe(w.subscription, callback=callback)
    w.publish(*[f"m{i}" for i in range(50)])
    until(lambda: len(results) == 50)
    assert {r.result(timeout=20).name for r in results} == {"SUCCESS"}
    w.emulator.command("fault StreamingPull transient-acks count=3")
    w.emulator.command("fault Acknowledge transient-acks count=3")
    w.publish("again")
    until(lambda: len(results) == 51)
    assert results[-1].result(timeout=30).name == "SUCCESS"
    pulling.cancel()
    pulling.result(timeout=20)
    assert len(seen) == len(set(seen)) == 51


def test_seek_to_a_time_brings_acknowledged_messages_back(world):
    w = world(retain_acked_messages=True)
    w.publish("early")
    time.sleep(0.02)
    moment = datetime.datetime.now(datetime.timezone.utc)
    time.sleep(0.02)
    w.publish("late1", "late2")
    w.ack(w.pull())
    assert w.pull() == []
    w.subscriber.seek(request={"subscription": w.subscription, "time": moment})
    assert w.texts() == ["late1", "late2"]
    future = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
    w.subscriber.seek(request={"subscription": w.subscription, "time": future})
    assert w.pull() == []
    past = datetime.datetime(2000, 1, 1, tzinfo=datetime.timezone.utc)
    w.subscriber.seek(request={"subscription": w.subscription, "time": past})
    assert w.texts() == ["early", "late1", "late2"]


def test_a_topic_that_retains_serves_a_later_subscription(world):
    w = world()
    retaining = w.publisher.topic_path(PROJECT, "retaining")
    w.publisher.create_topic(request={"name": retaining, "message_retention_duration": {"seconds": 3600}})
    w.publisher.publish(retaining, b"before").result(timeout=20)
    late = w.subscriber.subscription_path(PROJECT, "late")
    made = w.subscriber.create_subscription(request={"name": late, "topic": retaining})
    assert made.topic_message_retention_duration.seconds == 3600
    assert w.pull(subscription=late) == []
    past = datetime.datetime(2000, 1, 1, tzinfo=datetime.timezone.utc)
    w.subscriber.seek(request={"subscription": late, "time": past})
    assert w.texts(subscription=late) == ["before"]
    w.emulator.command("advance 2h")
    w.subscriber.seek(request={"subscription": late, "time": past})
    assert w.texts(subscription=late) in ([], ["before"])  # still its own until acknowledged


def test_a_snapshot_keeps_what_was_unacknowledged(world):
    w = world()
    w.publish("done")
    w.ack(w.pull())
    w.publish("open1", "open2")
    name = f"projects/{PROJECT}/snapshots/snap1"
    made = w.subscriber.create_snapshot(request={"name": name, "subscription": w.subscription, "labels": {"a": "b"}})
    assert made.topic == w.topic and made.labels["a"] == "b"
    w.publish("after")
    w.ack(w.pull())
    assert w.pull() == []
    w.subscriber.seek(request={"subscription": w.subscription, "snapshot": name})
    assert w.texts() == ["open1", "open2", "after"]
    assert [s.name for s in w.subscriber.list_snapshots(project=f"projects/{PROJECT}")] == [name]
    assert list(w.publisher.list_topic_snapshots(topic=w.topic)) == [name]
    updated = w.subscriber.update_snapshot(
        request={"snapshot": {"name": name, "labels": {"c": "d"}}, "update_mask": {"paths": ["labels"]}}
    )
    assert dict(updated.labels) == {"c": "d"}
    w.subscriber.delete_snapshot(snapshot=name)
    with pytest.raises(exceptions.NotFound):
        w.subscriber.seek(request={"subscription": w.subscription, "snapshot": name})


def test_retention_drops_what_is_too_old(world):
    w = world(message_retention_duration={"seconds": 600})
    w.publish("old")
    w.emulator.command("advance 9m")
    w.publish("young")
    w.emulator.command("advance 2m")
    assert w.texts() == ["young"]


def test_settling_requests_of_at_most_512_kib(world):
    """Refused as a whole: nothing of a request that is too large is settled."""
    world = world()
    world.publish("a")
    received = list(world.pull())
    fits = 520_000 // (len(received[0].ack_id) + 2)
    for settle in (world.ack, world.nack):
        with pytest.raises(exceptions.InvalidArgument, match="524288"):
            settle(received * (fits + 1000))
    assert world.emulator.stats("sub1")["lent"] == 1
    world.ack(received * fits)
    assert world.emulator.stats("sub1")["backlog"] == 0



@pytest.mark.parametrize(
    "config",
    [
        {"ack_deadline_seconds": 5},
        {"ack_deadline_seconds": 601},
        {"message_retention_duration": {"seconds": 60}},
        {"message_retention_duration": {"seconds": 32 * 86400}},
        {"retry_policy": {"minimum_backoff": {"seconds": 601}}},
        {"dead_letter_policy": {"dead_letter_topic": "projects/p1/topics/t", "max_delivery_attempts": 4}},
        {"dead_letter_policy": {"dead_letter_topic": "projects/p1/topics/t", "max_delivery_attempts": 101}},
    ],
)
def test_settings_beyond_their_limits_are_refused(world, config):
    w = world()
    with pytest.raises(exceptions.InvalidArgument):
        w.create(w.subscription + "2", **config)
    with pytest.raises(exceptions.InvalidArgument):
        w.subscriber.update_subscription(
            request={"subscription": {"name": w.subscription, **config}, "update_mask": {"paths": list(config)}}
        )
    assert w.subscriber.get_subscription(subscription=w.subscription).ack_deadline_seconds == 10


def test_iam_is_permissive(world):
    w = world()
    asked = ["pubsub.topics.publish", "pubsub.topics.get"]
    granted = w.publisher.test_iam_permissions(request={"resource": w.topic, "permissions": asked})
    assert list(granted.permissions) == asked
    policy = {"bindings": [{"role": "roles/pubsub.viewer", "members": ["user:a@example.com"]}]}
    w.publisher.set_iam_policy(request={"resource": w.topic, "policy": policy})
    assert w.publisher.get_iam_policy(request={"resource": w.topic}).bindings[0].role == "roles/pubsub.viewer"


def test_schemas_are_stored(world):
    world()
    client = SchemaServiceClient()
    parent = f"projects/{PROJECT}"
    definition = '{"type":"record","name":"A","fields":[]}'
    made = client.create_schema(
        request={"parent": parent, "schema_id": "avro-one", "schema": Schema(type_=Schema.Type.AVRO, definition=definition)}
    )
    assert made.name == f"{parent}/schemas/avro-one" and made.revision_id
    second = client.commit_schema(
        request={"name": made.name, "schema": Schema(type_=Schema.Type.AVRO, definition=definition + " ")}
    )
    assert client.get_schema(request={"name": made.name}).revision_id == second.revision_id
    assert client.get_schema(request={"name": f"{made.name}@{made.revision_id}"}).definition == definition
    assert len(list(client.list_schema_revisions(request={"name": made.name}))) == 2
    rolled = client.rollback_schema(request={"name": made.name, "revision_id": made.revision_id})
    assert rolled.definition == definition
    assert [s.name for s in client.list_schemas(request={"parent": parent})] == [made.name]
    client.delete_schema(request={"name": made.name})
    with pytest.raises(exceptions.NotFound):
        client.get_schema(request={"name": made.name})
