"""A case for each RPC of google.pubsub.v1.Subscriber."""

from support import case, check, data, equal, now, refused, same, seconds


@case("Subscriber.CreateSubscription")
def create_subscription(t):
    sent = {"name": t.name("subscriptions"), "topic": t.topic()}
    got = t.sub.create_subscription(request=sent)
    equal({"name": got.name, "topic": got.topic}, sent, "answer")
    equal(got.ack_deadline_seconds, 10, "ack deadline")
    equal(got.message_retention_duration, seconds(7 * 86400), "retention")
    refused("ALREADY_EXISTS", lambda: t.sub.create_subscription(request=sent), "again")
    refused("NOT_FOUND", lambda: t.subscription(t.name("topics")), "unknown topic")


@case("Subscriber.GetSubscription")
def get_subscription(t):
    settings = {
        "ack_deadline_seconds": 33,
        "labels": {"team": "red"},
        "retain_acked_messages": True,
        "enable_message_ordering": True,
        "filter": "attributes:k",
    }
    _, name = t.world(**settings)
    got = t.get_subscription(name)
    for field, want in settings.items():
        equal(getattr(got, field), want, field)
    refused("NOT_FOUND", lambda: t.get_subscription(t.name("subscriptions")), "unknown subscription")


@case("Subscriber.UpdateSubscription")
def update_subscription(t):
    def update(name):
        subscription = {"name": name, "ack_deadline_seconds": 42}
        mask = {"paths": ["ack_deadline_seconds"]}
        return t.sub.update_subscription(request={"subscription": subscription, "update_mask": mask})

    _, name = t.world()
    equal(update(name).ack_deadline_seconds, 42, "answer")
    equal(t.get_subscription(name).ack_deadline_seconds, 42, "ack deadline")
    refused("NOT_FOUND", lambda: update(t.name("subscriptions")), "unknown subscription")


@case("Subscriber.ListSubscriptions")
def list_subscriptions(t):
    topic, first = t.world()
    want = [first, t.subscription(topic)]
    same([s.name for s in t.sub.list_subscriptions(project=t.parent)], want, "subscriptions")


@case("Subscriber.DeleteSubscription")
def delete_subscription(t):
    _, sub = t.world()
    t.sub.delete_subscription(subscription=sub)
    refused("NOT_FOUND", lambda: t.sub.delete_subscription(subscription=sub), "again")
    refused("NOT_FOUND", lambda: t.try_pull(sub, 1, 1), "Pull")


@case("Subscriber.ModifyAckDeadline")
def modify_ack_deadline(t):
    topic, sub = t.world()
    t.texts(topic, "x")
    first = t.pull(sub, 1)
    t.extend(sub, 600, *first)
    t.extend(sub, 0, *first)
    equal(data(t.pull(sub, 1)), ["x"], "after 0")
    refused("INVALID_ARGUMENT", lambda: t.extend(sub, 601, *first), "601 s")


@case("Subscriber.Acknowledge")
def acknowledge(t):
    topic, sub = t.world()
    t.texts(topic, "x")
    got = t.pull(sub, 1)
    t.ack(sub, *got)
    t.ack(sub, *got)
    t.extend(sub, 0, *got)
    t.nothing(sub, 1, "after the acknowledgement")
    refused("NOT_FOUND", lambda: t.ack(t.name("subscriptions"), *got), "unknown subscription")


@case("Subscriber.Pull")
def pull(t):
    topic, sub = t.world()
    t.texts(topic, "a", "b", "c")
    got = t.try_pull(sub, 2, 5)
    check(1 <= len(got) <= 2, f"{len(got)} messages for a maximum of 2")
    same(data(got + t.pull(sub, 3 - len(got))), ["a", "b", "c"], "all")
    refused("INVALID_ARGUMENT", lambda: t.try_pull(sub, 0, 1), "a maximum of 0")
    refused("NOT_FOUND", lambda: t.try_pull(t.name("subscriptions"), 1, 1), "unknown subscription")


@case("Subscriber.StreamingPull")
def streaming_pull(t):
    topic, sub = t.world()
    stream = t.stream(sub)
    t.texts(topic, "a", "b")
    got = stream.take(2)
    same(data(got), ["a", "b"], "messages")
    stream.ack(got[0])
    stream.nack(got[1])
    equal(data(stream.take(1)), data(got[1:]), "after the nack")
    check(not stream.up_to(1, 0.5), "an acknowledged message came again")
    t.stream(sub, stream_ack_deadline_seconds=5).ends("INVALID_ARGUMENT", "5 s")
    t.stream(t.name("subscriptions")).ends("NOT_FOUND", "unknown subscription")


@case("Subscriber.ModifyPushConfig")
def modify_push_config(t):
    _, sub = t.world()
    for endpoint in ["https://example.com/push", ""]:
        t.sub.modify_push_config(subscription=sub, push_config={"push_endpoint": endpoint})
        equal(t.get_subscription(sub).push_config.push_endpoint, endpoint, "endpoint")


@case("Subscriber.GetSnapshot")
def get_snapshot(t):
    topic, sub = t.world()
    name = t.snapshot(sub)
    got = t.sub.get_snapshot(snapshot=name)
    equal((got.name, got.topic), (name, topic), "snapshot")
    refused("NOT_FOUND", lambda: t.sub.get_snapshot(snapshot=t.name("snapshots")), "unknown snapshot")


@case("Subscriber.ListSnapshots")
def list_snapshots(t):
    _, sub = t.world()
    want = [t.snapshot(sub), t.snapshot(sub)]
    same([s.name for s in t.sub.list_snapshots(project=t.parent)], want, "snapshots")


@case("Subscriber.CreateSnapshot")
def create_snapshot(t):
    topic, sub = t.world()
    sent = {"name": t.name("snapshots"), "subscription": sub, "labels": {"a": "1"}}
    got = t.sub.create_snapshot(request=sent)
    equal((got.name, got.topic, dict(got.labels)), (sent["name"], topic, {"a": "1"}), "answer")
    life = (got.expire_time - now()).total_seconds()
    check(3600 < life < 7 * 86400 + 60, f"expires in {life} s")
    refused("ALREADY_EXISTS", lambda: t.sub.create_snapshot(request=sent), "again")
    refused("NOT_FOUND", lambda: t.snapshot(t.name("subscriptions")), "unknown subscription")


@case("Subscriber.UpdateSnapshot")
def update_snapshot(t):
    name = t.snapshot(t.world()[1])
    snapshot = {"name": name, "labels": {"a": "1"}}
    got = t.sub.update_snapshot(request={"snapshot": snapshot, "update_mask": {"paths": ["labels"]}})
    equal(dict(got.labels), {"a": "1"}, "answer")
    equal(dict(t.sub.get_snapshot(snapshot=name).labels), {"a": "1"}, "labels")


@case("Subscriber.DeleteSnapshot")
def delete_snapshot(t):
    name = t.snapshot(t.world()[1])
    t.sub.delete_snapshot(snapshot=name)
    refused("NOT_FOUND", lambda: t.sub.delete_snapshot(snapshot=name), "again")


@case("Subscriber.Seek")
def seek(t):
    _, sub = t.world()
    t.sub.seek(request={"subscription": sub, "time": now()})
    t.sub.seek(request={"subscription": sub, "snapshot": t.snapshot(sub)})
    unknown = {"subscription": sub, "snapshot": t.name("snapshots")}
    refused("NOT_FOUND", lambda: t.sub.seek(request=unknown), "unknown snapshot")
