"""Ordering keys."""

import collections

from google.cloud import pubsub_v1

from support import case, check, data, equal


def keyed(key, text):
    return {"data": text.encode(), "ordering_key": key}


def four_of_a_key(t):
    """They are on a stream, unacknowledged."""
    topic, sub = t.world(enable_message_ordering=True)
    t.publish(topic, *(keyed("k", text) for text in "1234"))
    stream = t.stream(sub)
    got = stream.take(4)
    equal(data(got), list("1234"), "first")
    return stream, got


@case("ordering-in-order")
def in_order(t):
    keys, each = 5, 40
    topic, sub = t.world(enable_message_ordering=True)
    options = pubsub_v1.types.PublisherOptions(enable_message_ordering=True)
    publisher = pubsub_v1.PublisherClient(publisher_options=options)
    futures = [
        publisher.publish(topic, str(i).encode(), ordering_key=f"key{k}") for i in range(each) for k in range(keys)
    ]
    for future in futures:
        future.result(timeout=5)
    publisher.stop()
    got = collections.defaultdict(list)

    def handle(m):
        got[m.ordering_key].append(int(m.data))
        m.ack()
        return sum(map(len, got.values())) == keys * each

    t.receive(sub, handle)
    equal(len(got), keys, "keys")
    for key, values in got.items():
        equal(values, list(range(each)), key)


@case("ordering-nack-tail")
def nack_tail(t):
    stream, got = four_of_a_key(t)
    stream.ack(got[0])
    stream.nack(got[1])
    equal(data(stream.take(3)), list("234"), "after a nack of 2")


@case("ordering-acknowledged-tail")
def acknowledged_tail(t):
    stream, got = four_of_a_key(t)
    stream.ack(got[0], got[2], got[3])
    stream.nack(got[1])
    equal(data(stream.take(3)), list("234"), "after a nack of 2, with 3 and 4 acknowledged")


@case("ordering-keys-independent")
def keys_independent(t):
    topic, sub = t.world(enable_message_ordering=True)
    stream = t.stream(sub)
    t.publish(topic, keyed("a", "a1"), keyed("a", "a2"))
    stream.take(1)
    t.publish(topic, keyed("b", "b1"))
    t.publish(topic, "none")
    got = []
    while len(got) < 3 and not {"b1", "none"} <= set(got):
        got += data(stream.take(1))
    check({"b1", "none"} <= set(got), f"while a1 is out: {got}")
