"""Lists in pages."""

import schema
from support import case, check, refused, same


def paged(pager, name, want):
    got, sizes = [], []
    for page in pager.pages:
        values = name(page)
        check(len(values) <= 2, f"a page of {len(values)}")
        sizes.append(len(values))
        got += values
    same(got, want, "all pages")
    check(len(sizes) >= 3, f"pages of {sizes}")


@case("page-topics")
def topics(t):
    want = [t.topic() for _ in range(5)]
    paged(t.pub.list_topics(request={"project": t.parent, "page_size": 2}), lambda p: [v.name for v in p.topics], want)


@case("page-subscriptions")
def subscriptions(t):
    topic = t.topic()
    want = [t.subscription(topic) for _ in range(5)]
    pager = t.sub.list_subscriptions(request={"project": t.parent, "page_size": 2})
    paged(pager, lambda p: [v.name for v in p.subscriptions], want)


@case("page-topic-subscriptions")
def topic_subscriptions(t):
    topic = t.topic()
    want = [t.subscription(topic) for _ in range(5)]
    pager = t.pub.list_topic_subscriptions(request={"topic": topic, "page_size": 2})
    paged(pager, lambda p: list(p.subscriptions), want)


@case("page-snapshots")
def snapshots(t):
    _, sub = t.world()
    want = [t.snapshot(sub) for _ in range(5)]
    pager = t.sub.list_snapshots(request={"project": t.parent, "page_size": 2})
    paged(pager, lambda p: [v.name for v in p.snapshots], want)


@case("page-topic-snapshots")
def topic_snapshots(t):
    topic, sub = t.world()
    want = [t.snapshot(sub) for _ in range(5)]
    pager = t.pub.list_topic_snapshots(request={"topic": topic, "page_size": 2})
    paged(pager, lambda p: list(p.snapshots), want)


@case("page-schemas")
def schemas(t):
    want = [schema.make(t).name for _ in range(5)]
    pager = t.schemas.list_schemas(request={"parent": t.parent, "page_size": 2})
    paged(pager, lambda p: [v.name for v in p.schemas], want)


@case("page-schema-revisions")
def schema_revisions(t):
    made = schema.make(t)
    want = [made.revision_id]
    for letter in "abcd":
        want.append(schema.commit(t, made.name, schema.AVRO_MORE.replace("note", "note" + letter)).revision_id)
    pager = t.schemas.list_schema_revisions(request={"name": made.name, "page_size": 2})
    paged(pager, lambda p: [v.revision_id for v in p.schemas], want)


@case("page-bad-token")
def bad_token(t):
    t.topic()
    request = {"project": t.parent, "page_token": "?"}
    refused("INVALID_ARGUMENT", lambda: list(t.pub.list_topics(request=request)), "token ?")
