"""Publishing, delivery, flow control."""

import os
import threading
import time

import grpc
from google.cloud import pubsub_v1
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from support import case, check, data, equal, same


def round_trip(t, publisher, count):
    """So many messages by the library's publisher and subscriber."""
    topic, sub = t.world()

    def payload(i):
        return b"payload " * 50 + str(i).encode()

    futures = [publisher.publish(topic, payload(i), number=str(i)) for i in range(count)]
    want = {future.result(timeout=5): i for i, future in enumerate(futures)}
    equal(len(want), count, "ids")
    got, wrong = set(), []

    def handle(m):
        m.ack()
        i = want.get(m.message_id)
        if i is None or m.attributes["number"] != str(i) or m.data != payload(i):
            wrong.append(f"{m}")
        got.add(m.message_id)
        return len(got) == count

    t.receive(sub, handle)
    check(not wrong, f"{wrong[:1]}")
    equal(len(got), count, "messages that arrived")


@case("publish-subscribe-1000")
def publish_subscribe(t):
    round_trip(t, t.library_pub, 1000)


@case("publish-gzip")
def publish_gzip(t):
    # The library has no setting for it; gRPC's channel has.
    channel = grpc.insecure_channel(os.environ["PUBSUB_EMULATOR_HOST"], compression=grpc.Compression.Gzip)
    publisher = pubsub_v1.PublisherClient(transport=PublisherGrpcTransport(channel=channel))
    round_trip(t, publisher, 100)
    publisher.stop()


@case("publish-large")
def publish_large(t):
    # With PUBSUB_EMULATOR_HOST the library's channel accepts 4 MiB; this one is as it makes them for the service.
    options = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
    channel = grpc.insecure_channel(os.environ["PUBSUB_EMULATOR_HOST"], options=options)
    t.library_sub = pubsub_v1.SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
    topic, sub = t.world()
    large = b"0123456789abcde " * (9_000_000 // 16)
    t.publish(topic, {"data": large})
    whole = []

    def handle(m):
        m.ack()
        whole.append(m.data == large)
        return True

    t.receive(sub, handle)
    equal(whole, [True], "whole")
    t.library_sub.close()


@case("publish-many-bytes")
def publish_many_bytes(t):
    topic, sub = t.world()
    for future in [t.library_pub.publish(topic, str(i).encode() + b" " * 100_000) for i in range(80)]:
        future.result(timeout=5)
    got = set()

    def handle(m):
        m.ack()
        got.add(int(m.data))
        return len(got) == 80

    t.receive(sub, handle)
    equal(got, set(range(80)), "messages that arrived")


@case("delivery-two-subscriptions")
def two_subscriptions(t):
    topic, one = t.world()
    two = t.subscription(topic)
    t.texts(topic, "a", "b")
    for sub in (one, two):
        same(data(t.pull(sub, 2)), ["a", "b"], sub)


@case("delivery-two-streams")
def two_streams(t):
    topic, sub = t.world()
    streams = [t.stream(sub, max_outstanding_messages=10) for _ in range(2)]
    want, got = [str(i) for i in range(100)], []
    t.publish(topic, *want)
    end = time.monotonic() + 5
    while len(got) < len(want) and time.monotonic() < end:
        for stream in streams:
            some = stream.up_to(10, 0.05)
            if some:
                stream.ack(*some)
                got += data(some)
    same(got, want, "both together")


@case("delivery-shared")
def shared(t):
    topic, sub = t.world()
    streams = [t.stream(sub) for _ in range(2)]
    time.sleep(0.5)  # both are open
    t.publish(topic, *[str(i) for i in range(10)])
    equal([len(stream.up_to(5, 3)) for stream in streams], [5, 5], "messages of the two")


@case("delivery-nack")
def nack(t):
    topic, sub = t.world()
    t.texts(topic, "x")
    times = []

    def handle(m):
        times.append(time.monotonic())
        m.nack() if len(times) == 1 else m.ack()
        return len(times) == 2

    t.receive(sub, handle)
    equal(len(times), 2, "deliveries")
    check(times[1] - times[0] < 2, f"it came again after {times[1] - times[0]} s")


@case("delivery-deadline")
def deadline(t):
    topic, sub = t.world()
    t.texts(topic, "x")
    t.extend(sub, 2, *t.pull(sub, 1))
    since = time.monotonic()
    t.pull(sub, 1)
    took = time.monotonic() - since
    check(1.5 < took < 5, f"again after {took} s, with a deadline of 2 s")


@case("flow-control-messages")
def flow_control_messages(t):
    topic, sub = t.world()
    t.publish(topic, *(str(i) for i in range(20)))
    stream = t.stream(sub, max_outstanding_messages=5)
    for number in range(4):
        got = stream.take(5)
        check(not stream.up_to(1, 0.4), f"more than 5 messages at once, in round {number}")
        stream.ack(*got)


@case("flow-control-bytes")
def flow_control_bytes(t):
    topic, sub = t.world()
    t.publish(topic, *["x" * 400] * 10)
    stream = t.stream(sub, max_outstanding_bytes=1000)
    count = 0
    while count < 10:
        got = stream.take(1) + stream.up_to(9, 0.4)
        check(len(got) <= 3, f"{len(got)} messages of 400 bytes at once, for 1000 bytes")
        count += len(got)
        stream.ack(*got)


@case("flow-control-client")
def flow_control_client(t):
    topic, sub = t.world()
    t.publish(topic, *(str(i) for i in range(30)))
    lock, running, most, got = threading.Lock(), 0, 0, set()

    def handle(m):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1
            got.add(m.data)
        m.ack()
        return len(got) == 30

    t.receive(sub, handle, flow_control=pubsub_v1.types.FlowControl(max_messages=3))
    equal(len(got), 30, "messages that arrived")
    check(most <= 3, f"{most} handlers at once")
