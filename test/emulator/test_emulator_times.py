"""Times of requests and of the control commands, however far they reach: an error or an answer, never a wrong clock."""

import grpc
import pytest
from google.api_core import exceptions
from google.cloud import pubsub_v1
from google.protobuf import duration_pb2, timestamp_pb2

from conftest import PROJECT

FAR = 2**60
SUBSCRIPTION, TOPIC = f"projects/{PROJECT}/subscriptions/sub1", f"projects/{PROJECT}/topics/topic1"


@pytest.fixture
def clients(emulator):
    emulator.create()
    publisher, subscriber = pubsub_v1.PublisherClient(), pubsub_v1.SubscriberClient()
    yield publisher, subscriber
    publisher.stop()
    subscriber.close()


def raw(emulator, method, request):
    """A call whose message no client would make."""
    with grpc.insecure_channel(emulator.host) as channel:
        call = channel.unary_unary(
            f"/google.pubsub.v1.{method}", request_serializer=lambda r: r, response_deserializer=lambda r: r
        )
        return call(request, timeout=20)


def encoded(message, number):
    """A message as field `number` of another one."""
    body = message.SerializeToString()
    return bytes([number << 3 | 2, len(body)]) + body


def name(text):
    return bytes([1 << 3 | 2, len(text)]) + text.encode()


WRONG = [
    duration_pb2.Duration(seconds=FAR),
    duration_pb2.Duration(seconds=-FAR),
    duration_pb2.Duration(seconds=2**63 - 1, nanos=2**31 - 1),
    duration_pb2.Duration(seconds=-(2**63), nanos=-(2**31)),
    duration_pb2.Duration(seconds=315576000001),
    duration_pb2.Duration(seconds=5, nanos=-1),
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda d: f"{d.seconds}s{d.nanos}")
def test_durations_out_of_range_are_refused(emulator, clients, wrong):
    other = TOPIC.replace("topic1", "other")
    for method, request in [
        ("Publisher/CreateTopic", name(other) + encoded(wrong, 8)),
        ("Publisher/UpdateTopic", nested(1, name(TOPIC) + encoded(wrong, 8)) + mask("message_retention_duration")),
        ("Subscriber/CreateSubscription", name(SUBSCRIPTION + "2") + topic_of(2) + encoded(wrong, 8)),
        ("Subscriber/CreateSubscription", name(SUBSCRIPTION + "2") + topic_of(2) + nested(11, encoded(wrong, 1))),
        ("Subscriber/CreateSubscription", name(SUBSCRIPTION + "2") + topic_of(2) + nested(14, encoded(wrong, 1))),
        ("Subscriber/CreateSubscription", name(SUBSCRIPTION + "2") + topic_of(2) + nested(14, encoded(wrong, 2))),
    ]:
        with pytest.raises(grpc.RpcError) as refused:
            raw(emulator, method, request)
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT, method
    emulator.command("advance 11s")  # what sweeps
    assert emulator.stats("sub1")["backlog"] == 0


def topic_of(number):
    return bytes([number << 3 | 2, len(TOPIC)]) + TOPIC.encode()


def nested(number, body):
    return bytes([number << 3 | 2, len(body)]) + body


def mask(path):
    return nested(2, nested(1, path.encode()))


@pytest.mark.parametrize(
    "wrong",
    [
        timestamp_pb2.Timestamp(seconds=FAR),
        timestamp_pb2.Timestamp(seconds=-FAR),
        timestamp_pb2.Timestamp(seconds=253402300800),
        timestamp_pb2.Timestamp(seconds=-62135596801),
        timestamp_pb2.Timestamp(seconds=5, nanos=-1),
        timestamp_pb2.Timestamp(seconds=5, nanos=1_000_000_000),
    ],
    ids=lambda t: f"{t.seconds}s{t.nanos}",
)
def test_times_out_of_range_are_refused(emulator, clients, wrong):
    with pytest.raises(grpc.RpcError) as refused:
        raw(emulator, "Subscriber/Seek", name(SUBSCRIPTION) + encoded(wrong, 2))
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_seeking_to_the_last_second_of_all(emulator, clients):
    publisher, _ = clients
    publisher.publish(TOPIC, b"x").result(timeout=20)
    raw(emulator, "Subscriber/Seek", name(SUBSCRIPTION) + encoded(timestamp_pb2.Timestamp(seconds=253402300799), 2))
    assert emulator.stats("sub1")["backlog"] == 0


@pytest.mark.parametrize("text", ["999999999d", "1e30d", "-1s", "1", "1x", "", "h", "5m ", "1s-1s", "36526d"])
def test_the_clock_refuses_what_is_no_duration(emulator, text):
    with pytest.raises(grpc.RpcError) as refused:
        emulator.command(f"advance {text}")
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert emulator.command("advance 0s") == "0 us ahead\n"


def test_the_clock_stops_at_a_century(emulator, clients):
    publisher, subscriber = clients
    forever = {"subscription": {"name": SUBSCRIPTION, "expiration_policy": {}}, "update_mask": {"paths": ["expiration_policy"]}}
    subscriber.update_subscription(request=forever)
    assert emulator.command("advance 36525d") == f"{36525 * 86400 * 10**6} us ahead\n"
    for text in ("1us", "36525d", "100000000d"):
        with pytest.raises(grpc.RpcError):
            emulator.command(f"advance {text}")
    publisher.publish(TOPIC, b"x").result(timeout=20)  # it works then, too
    assert subscriber.pull(subscription=SUBSCRIPTION, max_messages=1).received_messages[0].message.data == b"x"


@pytest.mark.parametrize("text, us", [("7h30m", 27_000_000_000), ("1d1h1m1s1ms1us", 90_061_001_001), ("1.5h", 5_400_000_000)])
def test_the_clock_understands_durations_in_parts(emulator, text, us):
    assert emulator.command(f"advance {text}") == f"{us} us ahead\n"


def test_a_latency_beyond_reason_is_refused(emulator):
    with pytest.raises(grpc.RpcError):
        emulator.command("fault * latency=999999999d")


def test_masks_that_name_what_is_missing(emulator, clients):
    """Each field of each resource, named and not given: cleared, defaulted or refused; the server goes on, also after its sweep."""
    publisher, subscriber = clients
    snapshot = f"projects/{PROJECT}/snapshots/nnn"
    subscriber.create_snapshot(request={"name": snapshot, "subscription": SUBSCRIPTION})
    for kind, call, resource in [
        ("topic", publisher.update_topic, pubsub_v1.types.Topic(name=TOPIC)),
        ("subscription", subscriber.update_subscription, pubsub_v1.types.Subscription(name=SUBSCRIPTION)),
        ("snapshot", subscriber.update_snapshot, pubsub_v1.types.Snapshot(name=snapshot)),
    ]:
        for path in type(resource).pb(resource).DESCRIPTOR.fields_by_name:
            try:
                call(request={kind: resource, "update_mask": {"paths": [path]}})
            except exceptions.InvalidArgument:
                pass
    with pytest.raises(exceptions.InvalidArgument):
        subscriber.update_snapshot(request={"snapshot": {"name": snapshot}, "update_mask": {"paths": ["expire_time"]}})
    emulator.command("advance 11s")
    publisher.publish(TOPIC, b"still here").result(timeout=20)
    assert subscriber.get_snapshot(snapshot=snapshot).expire_time
    assert subscriber.pull(subscription=SUBSCRIPTION, max_messages=1).received_messages[0].message.data == b"still here"
