"""Google's own Python client against the emulator, unchanged."""

import threading
import time

import pytest
from google.api_core import exceptions
from google.cloud import pubsub_v1

from conftest import PROJECT, until


@pytest.fixture
def clients(emulator):
    publisher, subscriber = pubsub_v1.PublisherClient(), pubsub_v1.SubscriberClient()
    yield publisher, subscriber
    publisher.stop()
    subscriber.close()


@pytest.fixture
def names(emulator, clients):
    emulator.create()
    publisher, subscriber = clients
    return publisher.topic_path(PROJECT, "topic1"), subscriber.subscription_path(PROJECT, "sub1")


def test_create_get_list_delete(clients, names):
    publisher, subscriber = clients
    topic, subscription = names
    assert publisher.get_topic(topic=topic).name == topic
    assert [t.name for t in publisher.list_topics(project=f"projects/{PROJECT}")] == [topic]
    assert list(publisher.list_topic_subscriptions(topic=topic)) == [subscription]
    assert subscriber.get_subscription(subscription=subscription).ack_deadline_seconds == 10
    with pytest.raises(exceptions.AlreadyExists):
        publisher.create_topic(name=topic)
    subscriber.delete_subscription(subscription=subscription)
    publisher.delete_topic(topic=topic)
    with pytest.raises(exceptions.NotFound):
        publisher.get_topic(topic=topic)
    with pytest.raises(exceptions.NotFound):
        publisher.publish(topic, b"x").result(timeout=20)


def test_update_masks(clients, names):
    publisher, subscriber = clients
    topic, subscription = names
    publisher.update_topic(request={"topic": {"name": topic, "labels": {"a": "b"}}, "update_mask": {"paths": ["labels"]}})
    assert publisher.get_topic(topic=topic).labels == {"a": "b"}

    def update(paths, **fields):
        return subscriber.update_subscription(
            request={"subscription": {"name": subscription, **fields}, "update_mask": {"paths": paths}}
        )

    updated = update(["ack_deadline_seconds"], ack_deadline_seconds=33, labels={"not": "named"})
    assert updated.ack_deadline_seconds == 33 and not updated.labels and updated.topic == topic
    update(["labels", "retry_policy"], labels={"x": "y"}, retry_policy={"minimum_backoff": {"seconds": 5}})
    stored = subscriber.get_subscription(subscription=subscription)
    assert stored.labels == {"x": "y"} and stored.retry_policy.minimum_backoff.seconds == 5
    for paths, fields in ((["topic"], {"topic": "x"}), (["nonsense"], {}), ([], {}), (["ack_deadline_seconds"], {"ack_deadline_seconds": 5})):
        with pytest.raises(exceptions.InvalidArgument):
            update(paths, **fields)
    assert subscriber.get_subscription(subscription=subscription).ack_deadline_seconds == 33


def test_a_detached_subscription_gets_nothing(clients, names):
    publisher, subscriber = clients
    topic, subscription = names
    publisher.publish(topic, b"x").result(timeout=20)
    publisher.detach_subscription(request={"subscription": subscription})
    assert subscriber.get_subscription(subscription=subscription).detached
    with pytest.raises(exceptions.FailedPrecondition):
        subscriber.pull(subscription=subscription, max_messages=1)


def test_listing_in_pages(clients, emulator):
    publisher, _ = clients
    made = [publisher.create_topic(name=publisher.topic_path(PROJECT, f"topic{i:03}")).name for i in range(25)]
    pages = publisher.list_topics(request={"project": f"projects/{PROJECT}", "page_size": 10}).pages
    assert [[t.name for t in page.topics] for page in pages] == [made[:10], made[10:20], made[20:]]


@pytest.mark.parametrize("name", ["projects/p1/topics/ab", "projects/p1/topics/1abc", "projects/p1/topics/goog-x", "nonsense"])
def test_bad_names(clients, emulator, name):
    with pytest.raises(exceptions.InvalidArgument):
        clients[0].create_topic(name=name)


def test_streaming_pull_gets_every_message_once(clients, names):
    publisher, subscriber = clients
    topic, subscription = names
    futures = [publisher.publish(topic, b"%d" % i, number=str(i)) for i in range(5000)]
    ids = {future.result(timeout=20) for future in futures}
    assert len(ids) == 5000
    got, lock = [], threading.Lock()

    def callback(message):
        with lock:
            got.append((message.message_id, message.data, message.attributes["number"]))
        message.ack()

    pull = subscriber.subscribe(subscription, callback)
    until(lambda: len(got) >= 5000, 30)
    time.sleep(0.3)
    pull.cancel()
    pull.result()
    assert len(got) == 5000 and {g[0] for g in got} == ids
    assert all(data == number.encode() for _, data, number in got)


def test_pull_acknowledge_and_redelivery(clients, names):
    publisher, subscriber = clients
    topic, subscription = names
    publisher.publish(topic, b"one").result(timeout=20)
    publisher.publish(topic, b"two").result(timeout=20)
    first = subscriber.pull(subscription=subscription, max_messages=1).received_messages[0]
    assert first.message.data == b"one"
    subscriber.acknowledge(subscription=subscription, ack_ids=[first.ack_id])
    second = subscriber.pull(subscription=subscription, max_messages=10).received_messages
    assert [m.message.data for m in second] == [b"two"]
    # Given back: comes again at once, under another ack id.
    subscriber.modify_ack_deadline(subscription=subscription, ack_ids=[second[0].ack_id], ack_deadline_seconds=0)
    again = subscriber.pull(subscription=subscription, max_messages=10).received_messages
    assert [m.message.data for m in again] == [b"two"] and again[0].ack_id != second[0].ack_id
    # An old ack id does nothing.
    subscriber.acknowledge(subscription=subscription, ack_ids=[second[0].ack_id])
    # The deadline passes: it comes again.
    start = time.monotonic()
    later = subscriber.pull(subscription=subscription, max_messages=10, timeout=30).received_messages
    assert [m.message.data for m in later] == [b"two"] and time.monotonic() - start > 5


def test_publish_limits(clients, names):
    publisher, _ = clients
    topic, _ = names
    for message in (
        {},
        {"data": b"x", "attributes": {"": "v"}},
        {"data": b"x", "attributes": {"k" * 257: "v"}},
        {"data": b"x", "attributes": {"k": "v" * 1025}},
        {"data": b"x", "attributes": {f"k{i}": "v" for i in range(101)}},
    ):
        with pytest.raises(exceptions.InvalidArgument):

            publisher.api.publish(topic=topic, messages=[message])
