"""A case for each RPC of google.pubsub.v1.Publisher."""

from google.pubsub_v1 import types

from support import case, check, equal, now, refused, same, seconds


@case("Publisher.CreateTopic")
def create_topic(t):
    sent = types.Topic(name=t.name("topics"), labels={"team": "red"}, message_retention_duration=seconds(3600))
    got = t.pub.create_topic(request=sent)
    check(
        got.name == sent.name
        and got.labels["team"] == "red"
        and got.message_retention_duration == seconds(3600),
        f"answer: {got}",
    )
    refused("ALREADY_EXISTS", lambda: t.pub.create_topic(request=sent), "again")


@case("Publisher.UpdateTopic")
def update_topic(t):
    def update(name):
        topic = {"name": name, "labels": {"a": "1"}}
        return t.pub.update_topic(request={"topic": topic, "update_mask": {"paths": ["labels"]}})

    name = t.topic()
    equal(dict(update(name).labels), {"a": "1"}, "answer")
    equal(dict(t.get_topic(name).labels), {"a": "1"}, "labels")
    refused("NOT_FOUND", lambda: update(t.name("topics")), "unknown topic")


@case("Publisher.Publish")
def publish(t):
    topic, sub = t.world()
    ids = t.publish(topic, {"data": b"x", "attributes": {"k": "v"}}, "y")
    check(all(ids) and len(set(ids)) == 2, f"ids: {ids}")
    seen = {r.message.message_id: r.message for r in t.pull(sub, 2)}
    same(list(seen), ids, "the ids that arrived")
    x, y = (seen[i] for i in ids)
    check(x.data == b"x" and dict(x.attributes) == {"k": "v"} and y.data == b"y", f"arrived: {x}, {y}")
    age = (now() - x.publish_time).total_seconds()
    check(-60 < age < 60, f"publish time: {age} s ago")
    refused("NOT_FOUND", lambda: t.publish(t.name("topics"), "z"), "unknown topic")


@case("Publisher.GetTopic")
def get_topic(t):
    sent = types.Topic(name=t.name("topics"), labels={"team": "red"}, message_retention_duration=seconds(1200))
    t.pub.create_topic(request=sent)
    got = t.get_topic(sent.name)
    got.state = sent.state
    equal(got, sent, "settings")
    refused("NOT_FOUND", lambda: t.get_topic(t.name("topics")), "unknown topic")


@case("Publisher.ListTopics")
def list_topics(t):
    want = [t.topic() for _ in range(3)]
    same([topic.name for topic in t.pub.list_topics(project=t.parent)], want, "topics")


@case("Publisher.ListTopicSubscriptions")
def list_topic_subscriptions(t):
    topic, first = t.world()
    want = [first, t.subscription(topic)]
    t.subscription(t.topic())
    same(list(t.pub.list_topic_subscriptions(topic=topic)), want, "subscriptions")


@case("Publisher.ListTopicSnapshots")
def list_topic_snapshots(t):
    topic, sub = t.world()
    want = [t.snapshot(sub), t.snapshot(sub)]
    t.snapshot(t.world()[1])
    same(list(t.pub.list_topic_snapshots(topic=topic)), want, "snapshots")


@case("Publisher.DeleteTopic")
def delete_topic(t):
    topic, sub = t.world()
    t.pub.delete_topic(topic=topic)
    refused("NOT_FOUND", lambda: t.pub.delete_topic(topic=topic), "again")
    equal(t.get_subscription(sub).topic, "_deleted-topic_", "the subscription's topic")


@case("Publisher.DetachSubscription")
def detach_subscription(t):
    _, sub = t.world()
    t.detach(sub)
    check(t.get_subscription(sub).detached, "the subscription is not detached")
    refused("NOT_FOUND", lambda: t.detach(t.name("subscriptions")), "unknown subscription")
