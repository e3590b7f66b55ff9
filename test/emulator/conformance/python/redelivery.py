"""Dead letters, backoff, exactly-once delivery."""

import time

from google.api_core import exceptions
from google.cloud.pubsub_v1.subscriber.exceptions import AcknowledgeStatus

from support import case, check, equal, metadata_of, seconds

INVALID_ACK_ID = "PERMANENT_FAILURE_INVALID_ACK_ID"


def dead_lettered(t):
    """A subscription that gives a message up after 5 deliveries, and one on the topic where it goes then."""
    graves, dead = t.world()
    topic, sub = t.world(dead_letter_policy={"dead_letter_topic": graves, "max_delivery_attempts": 5})
    return topic, sub, dead


def old_and_new(t):
    """Two deliveries of a message, of which the first was given back."""
    topic, sub = t.world(enable_exactly_once_delivery=True)
    t.texts(topic, "x")
    before = t.pull(sub, 1)[0]
    t.extend(sub, 0, before)
    now = t.pull(sub, 1)[0]
    check(before.ack_id != now.ack_id, "both deliveries have the same ack id")
    return sub, before, now


def permanent(call, ack_id):
    try:
        call()
    except exceptions.GoogleAPICallError as problem:
        got = metadata_of(problem).get(ack_id)
        return check(got == INVALID_ACK_ID, f"the old delivery: {got!r}, not {INVALID_ACK_ID} ({problem})")
    check(False, "the old delivery: no error")


@case("dead-letter-attempts")
def dead_letter_attempts(t):
    topic, sub, _ = dead_lettered(t)
    t.texts(topic, "x")
    attempts = []

    def handle(m):
        attempts.append(m.delivery_attempt)
        m.nack()
        return len(attempts) == 5

    t.receive(sub, handle)
    equal(attempts, [1, 2, 3, 4, 5], "attempts")


@case("dead-letter-forward")
def dead_letter_forward(t):
    topic, sub, dead = dead_lettered(t)
    t.publish(topic, {"data": b"x", "attributes": {"k": "v"}})
    for _ in range(5):
        t.extend(sub, 0, *t.pull(sub, 1))
    got = t.pull(dead, 1)[0].message
    check(got.data == b"x" and got.attributes.get("k") == "v", f"forwarded: {got}")
    parts = ("Subscription", "SubscriptionProject", "DeliveryCount", "TopicPublishTime")
    source = {part: got.attributes.get("CloudPubSubDeadLetterSource" + part, "") for part in parts}
    check(
        source["Subscription"].split("/")[-1] == sub.split("/")[-1]
        and source["SubscriptionProject"] == t.project
        and source["DeliveryCount"] == "5"
        and source["TopicPublishTime"],
        f"attributes: {source}",
    )
    t.nothing(sub, 0.5, "where it came from")


@case("dead-letter-off")
def dead_letter_off(t):
    topic, sub = t.world()
    t.texts(topic, "x")
    t.extend(sub, 0, *t.pull(sub, 1))
    equal(t.pull(sub, 1)[0].delivery_attempt, 0, "delivery attempt")


@case("retry-policy-backoff")
def retry_policy_backoff(t):
    topic, sub = t.world(retry_policy={"minimum_backoff": seconds(2), "maximum_backoff": seconds(3)})
    t.texts(topic, "x")
    t.extend(sub, 0, *t.pull(sub, 1))
    since = time.monotonic()
    t.pull(sub, 1)
    took = time.monotonic() - since
    check(took > 1.5, f"again after {took} s, with a backoff of 2 to 3 s")


@case("exactly-once-ack-result")
def ack_result(t):
    topic, sub = t.world(enable_exactly_once_delivery=True)
    t.texts(topic, "a", "b", "c")
    futures = {}

    def handle(m):
        futures[m.data] = m.ack_with_response()
        futures[m.data].result(timeout=5)
        return len(futures) == 3 and all(f.done() for f in futures.values())

    t.receive(sub, handle)
    equal(len(futures), 3, "messages")
    for future in futures.values():
        equal(future.result(timeout=1), AcknowledgeStatus.SUCCESS, "result")
    t.nothing(sub, 1, "after the acknowledgement")


@case("exactly-once-nack-result")
def nack_result(t):
    topic, sub = t.world(enable_exactly_once_delivery=True)
    t.texts(topic, "x")
    deliveries, results = [], []

    def handle(m):
        deliveries.append(m.message_id)
        # The second may come before the result of the first.
        future = m.nack_with_response() if len(deliveries) == 1 else m.ack_with_response()
        try:
            results.append(future.result(timeout=5))
        except Exception as problem:
            results.append(problem)
        return len(results) == 2

    t.receive(sub, handle)
    equal(results, [AcknowledgeStatus.SUCCESS] * 2, "results")


@case("exactly-once-old-ack-id")
def old_ack_id(t):
    sub, before, now = old_and_new(t)
    permanent(lambda: t.ack(sub, before), before.ack_id)
    t.ack(sub, now)


@case("exactly-once-old-extension")
def old_extension(t):
    sub, before, now = old_and_new(t)
    permanent(lambda: t.extend(sub, 60, before), before.ack_id)
    t.extend(sub, 60, now)


@case("exactly-once-properties")
def properties(t):
    topic, sub = t.world(enable_exactly_once_delivery=True, enable_message_ordering=True)
    stream = t.stream(sub)
    t.texts(topic, "x")
    end = time.monotonic() + 5
    while (response := stream.response(end - time.monotonic())) is not None:
        got = response.subscription_properties
        if got or response.received_messages:
            check(got.exactly_once_delivery_enabled and got.message_ordering_enabled, f"properties: {got}")
            return
    check(False, "the stream brought nothing")
