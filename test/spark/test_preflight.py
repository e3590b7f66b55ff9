"""What a query finds out on the driver before its streams open, each thing in its own words."""

import socket
import time

import pytest

from conftest import PROJECT, Reader, numbers, write

MASTER = "local[2]"
NAME = f"projects/{PROJECT}/subscriptions/sub1"


def start_error(spark, emulator, tmp_path, **options):
    with pytest.raises(Exception) as caught:
        reader = Reader(spark, emulator, tmp_path / "checkpoint", **options)
        reader.query.awaitTermination(90)
        raise reader.query.exception() or AssertionError("the query did not fail")
    return str(caught.value)


def test_a_missing_permission_is_named_before_anything_opens(spark, emulator, tmp_path):
    emulator.create()
    emulator.command("fault TestIamPermissions deny")
    emulator.command("record on")
    text = start_error(spark, emulator, tmp_path)
    assert f"no permission to read from '{NAME}'" in text
    assert "pubsub.subscriptions.consume" in text and "roles/pubsub.subscriber" in text
    assert emulator.stats("sub1")["streams"] == 0


def test_who_may_only_consume_reads(spark, emulator, tmp_path):
    """Neither looking at the subscription nor asking for permissions is needed."""
    emulator.create()
    for method in ("GetSubscription", "TestIamPermissions"):
        emulator.command(f"fault {method} status=PERMISSION_DENIED:not_allowed")
    write(spark, emulator, numbers(spark, 100))
    reader = Reader(spark, emulator, tmp_path / "checkpoint")
    reader.wait(100)
    reader.stop()
    assert emulator.left() == 0


def test_who_may_only_publish_writes(spark, emulator):
    emulator.create()
    emulator.command("fault GetTopic status=PERMISSION_DENIED:not_allowed")
    write(spark, emulator, numbers(spark, 100))
    assert emulator.left() == 100


def test_who_may_nothing_is_told_by_the_streams(spark, emulator, tmp_path):
    emulator.create()
    emulator.command("fault * status=PERMISSION_DENIED:not_allowed_at_all")
    text = start_error(spark, emulator, tmp_path)
    assert f"no permission to read subscription '{NAME}'" in text and "pubsub.subscriptions.consume" in text
    assert "not allowed at all" in text  # and what the service said


def test_no_permission_to_publish(spark, emulator):
    emulator.create()
    emulator.command("fault Publish status=PERMISSION_DENIED:not_allowed")
    with pytest.raises(Exception) as caught:
        write(spark, emulator, numbers(spark, 1))
    text = str(caught.value)
    assert f"projects/{PROJECT}/topics/topic1" in text and "pubsub.topics.publish" in text and "roles/pubsub.publisher" in text


@pytest.mark.parametrize(
    "method,options,permission",
    [
        ("CreateSubscription", {"subscription": "new-sub", "createSubscription": "true", "topicId": "topic1"}, "pubsub.subscriptions.create"),
        ("Seek", {"startingTimestamp": "2024-01-01T00:00:00Z"}, "pubsub.subscriptions.consume"),
    ],
)
def test_no_permission_for_what_an_option_asks(spark, emulator, tmp_path, method, options, permission):
    emulator.create()
    emulator.command(f"fault {method} status=PERMISSION_DENIED:not_allowed")
    text = start_error(spark, emulator, tmp_path, **options)
    assert "no permission" in text and permission in text and f"subscriptions/{options.get('subscription', 'sub1')}" in text


def test_a_subscription_is_not_created_of_a_topic_that_is_missing(spark, emulator, tmp_path):
    emulator.create()
    text = start_error(spark, emulator, tmp_path, subscription="new-sub", createSubscription="true", topicId="nosuch")
    assert f"projects/{PROJECT}/topics/nosuch" in text


def test_a_subscription_is_not_created_without_its_topics_name(spark, emulator, tmp_path):
    emulator.create()
    text = start_error(spark, emulator, tmp_path, subscription="new-sub", createSubscription="true")
    assert "'topicId'" in text


def test_a_detached_subscription(spark, emulator, tmp_path):
    from google.cloud import pubsub_v1

    emulator.create()
    publisher = pubsub_v1.PublisherClient()
    publisher.detach_subscription(request={"subscription": NAME})
    publisher.stop()
    assert "is detached" in start_error(spark, emulator, tmp_path)


def test_a_name_that_does_not_resolve(spark, tmp_path):
    class Nowhere:
        host = "nosuch.invalid:443"

    text = start_error(spark, Nowhere, tmp_path)
    assert "nosuch.invalid" in text and ("resolve" in text or "name" in text)


def test_an_endpoint_that_is_silent(spark, tmp_path):
    """It accepts connections, and says nothing: the query does not wait for ever."""
    with socket.create_server(("127.0.0.1", 0)) as silent:

        class Silent:
            host = "127.0.0.1:%d" % silent.getsockname()[1]

        text = start_error(spark, Silent, tmp_path)
    assert Silent.host in text and "takes connections, but says nothing" in text


def test_a_service_that_is_unavailable_for_a_moment(spark, emulator, tmp_path):
    """A query that starts just then waits for it."""
    emulator.create()
    write(spark, emulator, numbers(spark, 100))
    for method in ("GetSubscription", "TestIamPermissions", "StreamingPull"):
        emulator.command(f"fault {method} status=UNAVAILABLE count=2")
    reader = Reader(spark, emulator, tmp_path / "checkpoint")
    reader.wait(100)
    reader.stop()
    assert emulator.left() == 0


@pytest.mark.parametrize("method,options", [("GetSubscription", {}), ("Seek", {"startingTimestamp": "2024-01-01T00:00:00Z"})])
def test_a_quota_that_is_used_up_for_a_moment(spark, emulator, tmp_path, method, options):
    emulator.create()
    write(spark, emulator, numbers(spark, 100))
    emulator.command(f"fault {method} status=RESOURCE_EXHAUSTED:no_more_requests_this_minute count=3")
    reader = Reader(spark, emulator, tmp_path / "checkpoint", **options)
    reader.wait(100)
    reader.stop()
    assert emulator.left() == 0


def test_a_quota_that_stays_used_up(spark, emulator, tmp_path):
    """Not for ever: the query says what the service says."""
    emulator.create()
    emulator.command("fault GetSubscription status=RESOURCE_EXHAUSTED:no_more_requests_at_all")
    begin = time.monotonic()
    assert "no more requests at all" in start_error(spark, emulator, tmp_path)
    assert time.monotonic() - begin < 80
