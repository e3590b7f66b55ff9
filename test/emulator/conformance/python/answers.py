"""What is answered to a request with something wrong in it, and what is filled in."""

import time

from google.pubsub_v1 import types

from support import bounded, case, check, equal, random, refused, seconds


@case("answer-resource-first")
def resource_first(t):
    topic, sub = t.name("topics"), t.name("subscriptions")
    refused("NOT_FOUND", lambda: t.publish(topic, {}), "Publish of an empty message")
    refused("NOT_FOUND", lambda: t.sub.acknowledge(subscription=sub, ack_ids=[]), "Acknowledge of nothing")
    refused("NOT_FOUND", lambda: t.sub.modify_ack_deadline(subscription=sub, ack_ids=[], ack_deadline_seconds=601), "ModifyAckDeadline")
    refused("NOT_FOUND", lambda: t.sub.pull(subscription=sub, max_messages=0), "Pull of no message")
    refused("NOT_FOUND", lambda: t.sub.seek(request={"subscription": sub}), "Seek to nothing")
    refused("NOT_FOUND", lambda: t.subscription(topic, ack_deadline_seconds=1), "CreateSubscription")


@case("answer-malformed-name")
def malformed_name(t):
    topic, sub = f"{t.parent}/topics/bad name", f"{t.parent}/subscriptions/bad name"
    refused("INVALID_ARGUMENT", lambda: t.publish(topic, "x"), "Publish")
    refused("INVALID_ARGUMENT", lambda: t.sub.acknowledge(subscription=sub, ack_ids=["x"]), "Acknowledge")
    refused("INVALID_ARGUMENT", lambda: t.sub.pull(subscription=sub, max_messages=1), "Pull")
    refused("INVALID_ARGUMENT", lambda: t.sub.seek(request={"subscription": sub, "time": "1970-01-01T00:00:00Z"}), "Seek")


@case("answer-pull-deadline")
def pull_deadline(t):
    _, sub = t.world()
    start = time.monotonic()
    got = t.sub.pull(subscription=sub, max_messages=1, retry=None, **bounded(2))
    check(not got.received_messages and time.monotonic() - start > 1, "an answer at once, or with messages")


@case("answer-assigned-names")
def assigned_names(t):
    made = [t.sub.create_subscription(request=types.Subscription(topic=t.topic())) for _ in range(2)]
    check(made[0].name.startswith(f"{t.parent}/subscriptions/") and made[0].name != made[1].name, f"{made}")
    shot = t.sub.create_snapshot(request={"subscription": made[0].name})
    check(shot.name.startswith(f"{t.parent}/snapshots/"), f"{shot}")
    equal(t.sub.get_snapshot(snapshot=shot.name).topic, made[0].topic, "its topic")


@case("answer-project")
def project(t):
    for name in (t.project, "", f"{t.parent}/topics"):
        refused("INVALID_ARGUMENT", lambda: list(t.pub.list_topics(project=name)), f"topics of {name}")
        refused("INVALID_ARGUMENT", lambda: list(t.sub.list_subscriptions(project=name)), f"subscriptions of {name}")
        refused("INVALID_ARGUMENT", lambda: list(t.sub.list_snapshots(project=name)), f"snapshots of {name}")
        refused("INVALID_ARGUMENT", lambda: list(t.schemas.list_schemas(parent=name)), f"schemas of {name}")


@case("answer-googclient")
def googclient(t):
    topic, sub = t.world()
    sent = {"googclient_traceparent": "00-1-2-01"}
    t.publish(topic, {"data": b"x", "attributes": sent})
    equal(dict(t.pull(sub, 1)[0].message.attributes), sent, "attributes")
    for key in ("google", "googclient"):
        refused("INVALID_ARGUMENT", lambda: t.publish(topic, {"data": b"x", "attributes": {key: "v"}}), key)


@case("answer-no-ack-ids")
def no_ack_ids(t):
    _, sub = t.world()
    for ids in ([], [""]):
        refused("INVALID_ARGUMENT", lambda: t.sub.acknowledge(subscription=sub, ack_ids=ids), f"Acknowledge of {ids}")
        call = lambda: t.sub.modify_ack_deadline(subscription=sub, ack_ids=ids, ack_deadline_seconds=10)  # noqa: E731
        refused("INVALID_ARGUMENT", call, f"ModifyAckDeadline of {ids}")


@case("answer-dead-letter-topic")
def dead_letter_topic(t):
    policy = {"dead_letter_topic": f"{t.parent}/topics/{random('c')}", "max_delivery_attempts": 5}
    refused("NOT_FOUND", lambda: t.subscription(t.topic(), dead_letter_policy=policy), "CreateSubscription")


@case("answer-push-endpoint")
def push_endpoint(t):
    topic, sub = t.world()
    for endpoint in ("nonsense", "https://"):
        config = {"push_endpoint": endpoint}
        refused("INVALID_ARGUMENT", lambda: t.subscription(topic, push_config=config), f"CreateSubscription, {endpoint}")
        request = {"subscription": sub, "push_config": config}
        refused("INVALID_ARGUMENT", lambda: t.sub.modify_push_config(request=request), f"ModifyPushConfig, {endpoint}")


@case("answer-defaults")
def defaults(t):
    got = t.get_subscription(t.world()[1])
    check("push_config" in got, "there is no push configuration")
    equal(got.push_config.push_endpoint, "", "endpoint")
    equal(got.expiration_policy.ttl, seconds(31 * 86400), "expiration")
