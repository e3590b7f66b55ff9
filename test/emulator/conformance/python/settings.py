"""Update masks and limits."""

from support import case, check, equal, refused, seconds


def update_topic(t, name, *paths, **settings):
    return t.pub.update_topic(request={"topic": {"name": name, **settings}, "update_mask": {"paths": paths}})


def update_subscription(t, name, *paths, **settings):
    request = {"subscription": {"name": name, **settings}, "update_mask": {"paths": paths}}
    return t.sub.update_subscription(request=request)


@case("update-mask-topic")
def mask_topic(t):
    name = t.topic(labels={"a": "1"}, message_retention_duration=seconds(3600))
    update_topic(t, name, "labels", labels={"b": "2"}, message_retention_duration=seconds(7200))
    got = t.get_topic(name)
    equal(dict(got.labels), {"b": "2"}, "labels")
    equal(got.message_retention_duration, seconds(3600), "retention")


@case("update-mask-subscription")
def mask_subscription(t):
    _, name = t.world(labels={"a": "1"}, ack_deadline_seconds=20)
    update_subscription(t, name, "ack_deadline_seconds", ack_deadline_seconds=30)
    got = t.get_subscription(name)
    equal((got.ack_deadline_seconds, dict(got.labels)), (30, {"a": "1"}), "after the first")
    update_subscription(t, name, "labels")
    got = t.get_subscription(name)
    equal((got.ack_deadline_seconds, dict(got.labels)), (30, {}), "after the second")


@case("update-mask-snapshot")
def mask_snapshot(t):
    name = t.snapshot(t.world()[1])
    before = t.sub.get_snapshot(snapshot=name)
    snapshot = {"name": name, "labels": {"a": "1"}}
    t.sub.update_snapshot(request={"snapshot": snapshot, "update_mask": {"paths": ["labels"]}})
    before.labels = {"a": "1"}
    equal(t.sub.get_snapshot(snapshot=name), before, "snapshot")


@case("update-mask-empty")
def mask_empty(t):
    topic, sub = t.world()
    refused("INVALID_ARGUMENT", lambda: update_topic(t, topic), "topic")
    refused("INVALID_ARGUMENT", lambda: update_subscription(t, sub), "subscription")


@case("update-mask-unknown")
def mask_unknown(t):
    topic, sub = t.world()
    refused("INVALID_ARGUMENT", lambda: update_topic(t, topic, "colour"), "topic")
    refused("INVALID_ARGUMENT", lambda: update_subscription(t, sub, "colour"), "subscription")


@case("update-mask-immutable")
def mask_immutable(t):
    _, sub = t.world()
    other = t.topic()
    refused("INVALID_ARGUMENT", lambda: update_subscription(t, sub, "topic", topic=other), "the topic")


def not_published(t, **message):
    topic = t.topic()
    refused("INVALID_ARGUMENT", lambda: t.publish(topic, message), "Publish")


def not_created(t, what, *all_settings):
    """Tries a subscription with each of these settings."""
    topic = t.topic()
    for number, settings in enumerate(all_settings, 1):
        refused("INVALID_ARGUMENT", lambda: t.subscription(topic, **settings), f"{what}, {number}")


def attributes(count, key=5, value=1):
    return {f"k{i}".ljust(key, "k"): "v" * value for i in range(count)}


def filter_of(length):
    frame = 'attributes.k = ""'
    return frame[:-1] + "v" * (length - len(frame)) + '"'


@case("limit-accepted")
def accepted(t):
    topic, sub = t.world(enable_message_ordering=True)
    t.subscription(topic, filter=filter_of(256))
    sent = {"attributes": attributes(100, 256, 1024), "ordering_key": "o" * 1024}
    t.publish(topic, sent)
    got = t.pull(sub, 1)[0].message
    equal(got.ordering_key, sent["ordering_key"], "ordering key")
    check(dict(got.attributes) == sent["attributes"], "the attributes are not as sent")


@case("limit-attributes")
def limit_attributes(t):
    not_published(t, attributes=attributes(101))


@case("limit-attribute-key")
def limit_attribute_key(t):
    not_published(t, attributes=attributes(1, key=257))


@case("limit-attribute-value")
def limit_attribute_value(t):
    not_published(t, attributes=attributes(1, value=1025))


@case("limit-ordering-key")
def limit_ordering_key(t):
    not_published(t, data=b"x", ordering_key="o" * 1025)


@case("limit-empty-message")
def limit_empty_message(t):
    not_published(t)


@case("limit-messages")
def limit_messages(t):
    topic = t.topic()
    refused("INVALID_ARGUMENT", lambda: t.publish(topic, *["x"] * 1001), "1001 messages")
    t.publish(topic, *["x"] * 1000)


@case("limit-request-bytes")
def limit_request_bytes(t):
    not_published(t, data=b"x" * 10_000_001)


@case("limit-ack-deadline")
def limit_ack_deadline(t):
    not_created(t, "5 s, 601 s", {"ack_deadline_seconds": 5}, {"ack_deadline_seconds": 601})


@case("limit-filter")
def limit_filter(t):
    not_created(t, "257 bytes", {"filter": filter_of(257)})


@case("limit-retention")
def limit_retention(t):
    tried = [{"message_retention_duration": seconds(n)} for n in (300, 32 * 86400)]
    not_created(t, "5 min, 32 days", *tried)
    for settings in tried:
        refused("INVALID_ARGUMENT", lambda: t.topic(**settings), f"a topic with {settings}")


@case("limit-dead-letter-attempts")
def limit_dead_letter_attempts(t):
    graves = t.topic()
    tried = [{"dead_letter_topic": graves, "max_delivery_attempts": n} for n in (4, 101)]
    not_created(t, "4, 101", *({"dead_letter_policy": policy} for policy in tried))


@case("limit-retry-backoff")
def limit_retry_backoff(t):
    tried = [
        {"maximum_backoff": seconds(601)},
        {"minimum_backoff": seconds(601), "maximum_backoff": seconds(601)},
    ]
    not_created(t, "601 s", *({"retry_policy": policy} for policy in tried))


@case("limit-expiration")
def limit_expiration(t):
    not_created(t, "one hour", {"expiration_policy": {"ttl": seconds(3600)}})


@case("limit-names")
def limit_names(t):
    for name in ["ab", "a" + "b" * 255, "google", "a b"]:
        request = {"name": f"{t.parent}/topics/{name}"}
        refused("INVALID_ARGUMENT", lambda: t.pub.create_topic(request=request), f"topic {name[:20]}")
