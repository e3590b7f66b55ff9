"""Seek, snapshots; what happens when a subscription is detached or deleted."""

import time

from support import case, data, equal, now, refused, same, seconds


def seek_back(t, sub):
    """To before everything that a case publishes."""
    t.sub.seek(request={"subscription": sub, "time": now() - seconds(60)})


@case("seek-time-past")
def seek_time_past(t):
    topic, sub = t.world(retain_acked_messages=True)
    t.texts(topic, "a", "b")
    t.ack(sub, *t.pull(sub, 2))
    t.nothing(sub, 0.3, "after the acknowledgement")
    seek_back(t, sub)
    same(data(t.pull(sub, 2)), ["a", "b"], "after the seek")


@case("seek-time-now")
def seek_time_now(t):
    topic, sub = t.world()
    t.texts(topic, "a", "b")
    time.sleep(0.05)
    t.sub.seek(request={"subscription": sub, "time": now()})
    time.sleep(0.05)
    t.texts(topic, "c")
    got = t.pull(sub, 1)
    t.ack(sub, *got)
    equal(data(got), ["c"], "after the seek")
    t.nothing(sub, 0.5, "what was before")


@case("seek-not-retained")
def seek_not_retained(t):
    topic, sub = t.world()
    t.texts(topic, "a")
    t.ack(sub, *t.pull(sub, 1))
    seek_back(t, sub)
    t.nothing(sub, 1, "after the seek")


@case("seek-topic-retention")
def seek_topic_retention(t):
    topic = t.topic(message_retention_duration=seconds(3600))
    t.texts(topic, "a")
    sub = t.subscription(topic)
    seek_back(t, sub)
    equal(data(t.pull(sub, 1)), ["a"], "after the seek")


@case("seek-snapshot")
def seek_snapshot(t):
    topic, sub = t.world()
    t.texts(topic, "a")
    t.ack(sub, *t.pull(sub, 1))
    t.texts(topic, "b")
    snapshot = t.snapshot(sub)
    t.texts(topic, "c")
    t.ack(sub, *t.pull(sub, 2))
    t.sub.seek(request={"subscription": sub, "snapshot": snapshot})
    got = t.pull(sub, 2)
    t.ack(sub, *got)
    same(data(got), ["b", "c"], "after the seek")
    t.nothing(sub, 0.5, "what was acknowledged before the snapshot")


@case("detach-pull")
def detach_pull(t):
    topic, sub = t.world()
    t.texts(topic, "x")
    t.detach(sub)
    refused("FAILED_PRECONDITION", lambda: t.try_pull(sub, 1, 2), "Pull")


@case("detach-stream")
def detach_stream(t):
    topic, sub = t.world()
    stream = t.stream(sub)
    t.texts(topic, "x")
    stream.take(1)
    t.detach(sub)
    stream.ends("FAILED_PRECONDITION", "the open stream")


@case("detach-list")
def detach_list(t):
    topic, sub = t.world()
    other = t.subscription(topic)
    t.detach(sub)
    equal(list(t.pub.list_topic_subscriptions(topic=topic)), [other], "subscriptions of the topic")


@case("delete-stream")
def delete_stream(t):
    topic, sub = t.world()
    stream = t.stream(sub)
    t.texts(topic, "x")
    stream.take(1)
    t.sub.delete_subscription(subscription=sub)
    stream.ends("NOT_FOUND", "the open stream")


@case("delete-topic-backlog")
def delete_topic_backlog(t):
    topic, sub = t.world()
    t.texts(topic, "x")
    t.pub.delete_topic(topic=topic)
    equal(data(t.pull(sub, 1)), ["x"], "afterwards")
