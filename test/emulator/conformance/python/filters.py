"""Filters of subscriptions."""

from support import case, data, refused, same


def message(text, **attributes):
    return {"data": text.encode(), "attributes": attributes}


# What the filters choose from; the data names the attributes.
MESSAGES = [
    message("none"),
    message("a=1", a="1"),
    message("a=12", a="12"),
    message("b=1", b="1"),
    message("a=1 b=1", a="1", b="1"),
    message("quoted", **{"a key": 'say "hi"'}),
]


def add(name, text, *want):
    @case(name)
    def run(t):
        topic, sub = t.world(filter=text)
        t.publish(topic, *MESSAGES)
        got = t.pull(sub, len(want))
        t.ack(sub, *got)
        same(data(got), list(want), text)
        t.nothing(sub, 0.5, "more than " + text)


add("filter-has-key", "attributes:a", "a=1", "a=12", "a=1 b=1")
add("filter-equal", 'attributes.a = "1"', "a=1", "a=1 b=1")
add("filter-not-equal", 'attributes.a != "1"', "none", "a=12", "b=1", "quoted")
add("filter-has-prefix", 'hasPrefix(attributes.a, "1")', "a=1", "a=12", "a=1 b=1")
add("filter-and", 'attributes.a = "1" AND attributes:b', "a=1 b=1")
add("filter-or", 'attributes.a = "12" OR attributes:b', "a=12", "b=1", "a=1 b=1")
add("filter-not", "NOT attributes:a", "none", "b=1", "quoted")
add("filter-nested", '(attributes.a = "1" OR attributes:b) AND NOT hasPrefix(attributes.b, "1")', "a=1")
add("filter-quoted-key", r'attributes."a key" = "say \"hi\""', "quoted")


@case("filter-escapes")
def escapes(t):
    topic, value = t.topic(), 'c\tc"cc'
    sub = t.subscription(topic, filter=r'attributes.a = "\143\t\x63\"\u0063c"')
    t.publish(topic, message("other", a="c"), message("wanted", a=value))
    same(data(t.pull(sub, 1)), ["wanted"], "with escapes")
    for text in (r"\q", r"\x6", r"\u006", r"\18"):
        refused("INVALID_ARGUMENT", lambda: t.subscription(topic, filter=f'attributes.a = "{text}"'), text)


@case("filter-invalid")
def invalid(t):
    topic = t.topic()
    for text in [
        "attributes",
        "attributes.a = 1",
        'data = "x"',
        "attributes:a AND",
        "(attributes:a",
        "hasPrefix(attributes.a)",
        'attributes.a > "1"',
    ]:
        refused("INVALID_ARGUMENT", lambda: t.subscription(topic, filter=text), text)


@case("filter-immutable")
def immutable(t):
    _, sub = t.world(filter="attributes:a")
    changed = {"name": sub, "filter": "attributes:b"}
    request = {"subscription": changed, "update_mask": {"paths": ["filter"]}}
    refused("INVALID_ARGUMENT", lambda: t.sub.update_subscription(request=request), "update of the filter")
