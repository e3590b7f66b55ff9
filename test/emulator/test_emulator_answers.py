"""What other people's clients and suites expect of the server: orders of checks, names, defaults, deadlines."""

import contextlib
import datetime
import subprocess
import time

import grpc
import pytest
from google.api_core import exceptions
from google.cloud.pubsub_v1 import SchemaServiceClient
from google.protobuf import duration_pb2
from google.pubsub_v1 import PublisherClient, SubscriberClient, types
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.schema_service.transports import SchemaServiceGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from conftest import EMULATOR, until

P = "projects/p1"
TOPIC, SUBSCRIPTION, SNAPSHOT = f"{P}/topics/topic1", f"{P}/subscriptions/sub1", f"{P}/snapshots/snap1"


class Clients:
    def __init__(self, host):
        self.channel = grpc.insecure_channel(host)
        self.publisher = PublisherClient(transport=PublisherGrpcTransport(channel=self.channel))
        self.subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=self.channel))
        self.schemas = SchemaServiceClient(transport=SchemaServiceGrpcTransport(channel=self.channel))

    def publish(self, *texts, topic=TOPIC, **attributes):
        messages = [{"data": text.encode(), "attributes": attributes} for text in texts]
        return self.publisher.publish(topic=topic, messages=messages).message_ids

    def pull(self, name=SUBSCRIPTION, count=100):
        request = {"subscription": name, "max_messages": count, "return_immediately": True}
        return self.subscriber.pull(request=request).received_messages

    def create(self, name=SUBSCRIPTION, **config):
        return self.subscriber.create_subscription(request=types.Subscription(name=name, topic=TOPIC, **config))

    def update(self, path, **config):
        request = {"subscription": {"name": SUBSCRIPTION, **config}, "update_mask": {"paths": [path]}}
        return self.subscriber.update_subscription(request=request)


@pytest.fixture
def clients(emulator):
    made = Clients(emulator.host)
    made.publisher.create_topic(name=TOPIC)
    made.create()
    yield made
    made.channel.close()


@contextlib.contextmanager
def refused(code, text=""):
    with pytest.raises(exceptions.GoogleAPICallError) as error:
        yield
    assert error.value.grpc_status_code == grpc.StatusCode[code] and text in str(error.value), error.value


# ---- deadlines ----


@pytest.mark.parametrize("seconds", [2, 5])
def test_a_pull_is_answered_empty_before_its_clients_deadline(clients, seconds):
    start = time.monotonic()
    request = {"subscription": SUBSCRIPTION, "max_messages": 1}
    assert not clients.subscriber.pull(request=request, timeout=seconds, retry=None).received_messages
    assert time.monotonic() - start > seconds / 3  # … and not at once


def test_a_pull_gets_what_comes_before_its_clients_deadline(clients):
    call = clients.channel.unary_unary(
        "/google.pubsub.v1.Subscriber/Pull",
        request_serializer=types.PullRequest.serialize,
        response_deserializer=types.PullResponse.deserialize,
    )
    waiting = call.future(types.PullRequest(subscription=SUBSCRIPTION, max_messages=1), timeout=20)
    time.sleep(0.3)
    clients.publish("late")
    assert [m.message.data for m in waiting.result().received_messages] == [b"late"]


def test_a_call_that_is_stalled_ends_at_its_deadline(emulator, clients):
    """On the server too: raw, by a client that does not end it by itself."""
    import socket

    from test_emulator_hostile import DATA, END_HEADERS, END_STREAM, HEADERS, PREFACE, SETTINGS, frame, request

    emulator.command("fault GetTopic stall")
    host, port = emulator.host.rsplit(":", 1)
    body = types.GetTopicRequest.serialize(types.GetTopicRequest(topic=TOPIC))
    with socket.create_connection((host, int(port)), 10) as client:
        client.sendall(PREFACE + frame(SETTINGS, 0, 0))
        client.sendall(frame(HEADERS, END_HEADERS, 1, request("/google.pubsub.v1.Publisher/GetTopic", ("grpc-timeout", "200m"))))
        client.sendall(frame(DATA, END_STREAM, 1, b"\0" + len(body).to_bytes(4, "big") + body))
        got = b""
        while b"grpc-status" not in got and b"the%20deadline" not in got and b"the deadline" not in got:
            piece = client.recv(65536)
            assert piece
            got += piece
            if any(kind == HEADERS for kind in kinds(got)):
                break
    assert HEADERS in kinds(got)


def kinds(data):
    """The types of the whole frames in it."""
    out = []
    while len(data) >= 9:
        size = int.from_bytes(data[:3], "big")
        out.append(data[3])
        data = data[9 + size :]
    return out


# ---- the order of checks: a malformed name, then the resource, then the rest ----

BAD_TOPIC, BAD_SUBSCRIPTION = f"{P}/topics/bad name", f"{P}/subscriptions/bad name"
NO_TOPIC, NO_SUBSCRIPTION = f"{P}/topics/missing", f"{P}/subscriptions/missing"


def calls(clients, topic, subscription):
    """Of each method that names one: a call whose content is wrong as well."""
    far = duration_pb2.Duration(seconds=1)
    yield "Publish", lambda: clients.publisher.publish(topic=topic, messages=[{}])
    yield "Publish", lambda: clients.publisher.publish(topic=topic, messages=[])
    yield "UpdateTopic", lambda: clients.publisher.update_topic(request={"topic": {"name": topic}})
    yield "GetTopic", lambda: clients.publisher.get_topic(topic=topic)
    yield "DeleteTopic", lambda: clients.publisher.delete_topic(topic=topic)
    yield "ListTopicSubscriptions", lambda: clients.publisher.list_topic_subscriptions(request={"topic": topic, "page_size": -1})
    yield "ListTopicSnapshots", lambda: clients.publisher.list_topic_snapshots(request={"topic": topic, "page_size": -1})
    yield "CreateSubscription", lambda: clients.subscriber.create_subscription(
        request=types.Subscription(name=f"{P}/subscriptions/new", topic=topic, message_retention_duration=far)
    )
    yield "DetachSubscription", lambda: clients.publisher.detach_subscription(request={"subscription": subscription})
    yield "GetSubscription", lambda: clients.subscriber.get_subscription(subscription=subscription)
    yield "UpdateSubscription", lambda: clients.subscriber.update_subscription(request={"subscription": {"name": subscription}})
    yield "DeleteSubscription", lambda: clients.subscriber.delete_subscription(subscription=subscription)
    yield "ModifyPushConfig", lambda: clients.subscriber.modify_push_config(
        request={"subscription": subscription, "push_config": {"push_endpoint": "nonsense"}}
    )
    yield "Acknowledge", lambda: clients.subscriber.acknowledge(subscription=subscription, ack_ids=[])
    yield "ModifyAckDeadline", lambda: clients.subscriber.modify_ack_deadline(
        subscription=subscription, ack_ids=[], ack_deadline_seconds=601
    )
    yield "Pull", lambda: clients.subscriber.pull(request={"subscription": subscription, "max_messages": 0})
    yield "StreamingPull", lambda: next(
        iter(clients.subscriber.streaming_pull(iter([types.StreamingPullRequest(subscription=subscription, stream_ack_deadline_seconds=1)])))
    )
    yield "Seek", lambda: clients.subscriber.seek(request={"subscription": subscription})
    yield "CreateSnapshot", lambda: clients.subscriber.create_snapshot(request={"name": SNAPSHOT, "subscription": subscription})


@pytest.mark.parametrize("index", range(19))
def test_the_resource_is_looked_up_first(clients, index):
    method, call = list(calls(clients, NO_TOPIC, NO_SUBSCRIPTION))[index]
    with refused("NOT_FOUND"):
        call()
    method, call = list(calls(clients, BAD_TOPIC, BAD_SUBSCRIPTION))[index]
    with refused("INVALID_ARGUMENT", "bad name"):
        call()


def test_snapshots_and_schemas_are_looked_up_first(clients):
    for code, name in (("NOT_FOUND", f"{P}/snapshots/missing"), ("INVALID_ARGUMENT", f"{P}/snapshots/bad name")):
        for call in (
            lambda: clients.subscriber.get_snapshot(snapshot=name),
            lambda: clients.subscriber.delete_snapshot(snapshot=name),
            lambda: clients.subscriber.update_snapshot(request={"snapshot": {"name": name}}),
            lambda: clients.subscriber.seek(request={"subscription": SUBSCRIPTION, "snapshot": name}),
        ):
            with refused(code):
                call()
    for code, name in (("NOT_FOUND", f"{P}/schemas/missing"), ("INVALID_ARGUMENT", f"{P}/schemas/bad name")):
        for call in (
            lambda: clients.schemas.get_schema(name=name),
            lambda: clients.schemas.delete_schema(name=name),
            lambda: clients.schemas.commit_schema(request={"name": name}),
            lambda: clients.schemas.rollback_schema(request={"name": name}),
            lambda: clients.schemas.list_schema_revisions(request={"name": name, "page_size": -1}),
        ):
            with refused(code):
                call()


# ---- names ----


def test_names_are_assigned_where_none_is_given(clients):
    made = [clients.create("") for _ in range(3)]
    assert len({m.name for m in made}) == 3 and all(m.name.startswith(f"{P}/subscriptions/") for m in made)
    assert clients.subscriber.get_subscription(subscription=made[0].name).topic == TOPIC
    shots = [clients.subscriber.create_snapshot(request={"subscription": made[0].name}) for _ in range(2)]
    assert shots[0].name != shots[1].name and shots[0].name.startswith(f"{P}/snapshots/")
    assert clients.subscriber.get_snapshot(snapshot=shots[0].name).topic == TOPIC


@pytest.mark.parametrize("name", ["x", "xy", "x" * 256])
def test_a_name_of_a_wrong_length_is_told_the_right_one(clients, name):
    with refused("INVALID_ARGUMENT", "3 to 255"):
        clients.publisher.create_topic(name=f"{P}/topics/{name}")
    with refused("INVALID_ARGUMENT", "3 to 255"):
        clients.create(f"{P}/subscriptions/{name}")


def test_the_command_line_says_so_too():
    for arguments in (["--topic", f"{P}/topics/xy"], ["--subscription", f"{P}/subscriptions/xy={P}/topics/topic1"]):
        run = subprocess.run([EMULATOR, "--port", "0", *arguments], capture_output=True, text=True, timeout=20)
        assert run.returncode == 1 and "3 to 255" in run.stderr


@pytest.mark.parametrize("parent", ["proj", "", "projects/", "projects", "projects/p1/topics", "projects/p1/", "x/projects/p1"])
def test_a_project_must_be_one(clients, parent):
    for call in (
        lambda: clients.publisher.list_topics(project=parent),
        lambda: clients.subscriber.list_subscriptions(project=parent),
        lambda: clients.subscriber.list_snapshots(project=parent),
        lambda: clients.schemas.list_schemas(parent=parent),
    ):
        with refused("INVALID_ARGUMENT", "projects/"):
            call()


# ---- publishing, acknowledging ----


def test_attributes_of_googles_own_clients(clients):
    key = {"googclient_traceparent": "00-1-2-01", "googclient_schemaencoding": "JSON"}
    clients.publisher.publish(topic=TOPIC, messages=[{"data": b"x", "attributes": key}])
    assert dict(clients.pull()[0].message.attributes) == key
    for bad in ("goog", "google", "googclient", "googclientx_a"):
        with refused("INVALID_ARGUMENT"):
            clients.publish("x", **{bad: "v"})


@pytest.mark.parametrize("exactly_once", [False, True])
def test_settling_nothing_is_an_error(clients, exactly_once):
    name = f"{P}/subscriptions/other"
    clients.create(name, enable_exactly_once_delivery=exactly_once)
    clients.publish("x")
    held = clients.pull(name)[0].ack_id
    for ids in ([], [""], [held, ""]):
        with refused("INVALID_ARGUMENT"):
            clients.subscriber.acknowledge(subscription=name, ack_ids=ids)
        with refused("INVALID_ARGUMENT"):
            clients.subscriber.modify_ack_deadline(subscription=name, ack_ids=ids, ack_deadline_seconds=0)
    clients.subscriber.acknowledge(subscription=name, ack_ids=[held])  # nothing happened to it


# ---- settings ----


def test_a_dead_letter_topic_must_exist(clients):
    policy = {"dead_letter_topic": NO_TOPIC, "max_delivery_attempts": 5}
    with refused("NOT_FOUND"):
        clients.create(f"{P}/subscriptions/new", dead_letter_policy=policy)
    with refused("NOT_FOUND"):
        clients.update("dead_letter_policy", dead_letter_policy=policy)
    with refused("INVALID_ARGUMENT"):
        clients.create(f"{P}/subscriptions/new", dead_letter_policy={**policy, "dead_letter_topic": BAD_TOPIC})
    assert not clients.subscriber.get_subscription(subscription=SUBSCRIPTION).dead_letter_policy.dead_letter_topic
    clients.create(f"{P}/subscriptions/new", dead_letter_policy={**policy, "dead_letter_topic": TOPIC})
    clients.publisher.delete_topic(topic=TOPIC)  # it may go afterwards
    clients.subscriber.update_subscription(
        request={"subscription": {"name": f"{P}/subscriptions/new", "ack_deadline_seconds": 20}, "update_mask": {"paths": ["ack_deadline_seconds"]}}
    )


@pytest.mark.parametrize("endpoint", ["nonsense", "localhost:80", "ftp://x/y", "http://", "https:///path", "https://a b/", "//x"])
def test_a_push_endpoint_must_be_a_url(clients, endpoint):
    config = {"push_endpoint": endpoint}
    with refused("INVALID_ARGUMENT"):
        clients.create(f"{P}/subscriptions/new", push_config=config)
    with refused("INVALID_ARGUMENT"):
        clients.update("push_config", push_config=config)
    with refused("INVALID_ARGUMENT"):
        clients.subscriber.modify_push_config(request={"subscription": SUBSCRIPTION, "push_config": config})


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:8080/push", "https://example.com", "https://example.com/a?b=c"])
def test_push_endpoints(clients, endpoint):
    made = clients.create(f"{P}/subscriptions/new", push_config={"push_endpoint": endpoint})
    assert made.push_config.push_endpoint == endpoint


def test_a_pull_subscription_has_an_empty_push_config(emulator, clients):
    def present(subscription):
        return types.Subscription.pb(subscription).HasField("push_config")

    name = f"{P}/subscriptions/new"
    assert present(clients.create(name))
    assert present(clients.subscriber.get_subscription(subscription=SUBSCRIPTION))
    assert all(present(s) for s in clients.subscriber.list_subscriptions(project=P))
    clients.subscriber.modify_push_config(request={"subscription": name, "push_config": {"push_endpoint": "https://example.com"}})
    clients.subscriber.modify_push_config(request={"subscription": name})
    assert present(clients.subscriber.get_subscription(subscription=name))
    assert present(clients.update("push_config"))


# ---- filters ----


@pytest.mark.parametrize(
    "text, value",
    [
        (r"\u0063", "c"), (r"\u307F", "み"), (r"\U0001F600", "😀"), (r"\x63", "c"), (r"\x7e", "~"), (r"\143", "c"), (r"a\tb", "a\tb"),
        (r"a\nb", "a\nb"), (r"a\rb", "a\rb"), (r"\"", '"'), (r"\\", "\\"), (r"\\n", "\\n"), (r"\1433", "c3"), (r"\'", "'"),
    ],
)
def test_escapes_of_filters(clients, text, value):
    name = f"{P}/subscriptions/filtered"
    clients.create(name, filter=f'attributes.k = "{text}"')
    clients.publish("other", k="other")
    clients.publish("wanted", k=value)
    assert [m.message.data for m in clients.pull(name)] == [b"wanted"]


@pytest.mark.parametrize("text", [r"\q", r"\u12", r"\u12G4", r"\x1", r"\xg1", r"\18", r"\ud800", r"\U00110000", r"\400", "\\"])
def test_escapes_that_are_none(clients, text):
    with refused("INVALID_ARGUMENT"):
        clients.create(f"{P}/subscriptions/filtered", filter=f'attributes.k = "{text}"')


# ---- snapshots ----


def test_a_snapshot_lives_a_week_less_the_age_of_its_oldest_message(emulator, clients):
    def lives(name):
        request = {"name": name, "subscription": SUBSCRIPTION}
        made = clients.subscriber.create_snapshot(request=request)
        now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(microseconds=int(emulator.command("advance 0s").split()[0]))
        return (made.expire_time - now).total_seconds() / 86400

    clients.update("message_retention_duration", message_retention_duration=duration_pb2.Duration(seconds=31 * 86400))
    assert abs(lives(SNAPSHOT) - 7) < 0.01
    clients.publish("old")
    emulator.command("advance 6d")
    clients.publish("new")
    assert abs(lives(SNAPSHOT + "b") - 1) < 0.01
    emulator.command("advance 23h30m")
    with refused("FAILED_PRECONDITION"):
        lives(SNAPSHOT + "c")
    old = clients.pull(count=1)
    clients.subscriber.acknowledge(subscription=SUBSCRIPTION, ack_ids=[m.ack_id for m in old])
    assert 6 < lives(SNAPSHOT + "c") < 6.1  # the oldest is the new one now


# ---- expiry ----


def exists(clients, name):
    """Without being an operation on it."""
    return name in {s.name for s in clients.subscriber.list_subscriptions(project=P)}


def days(n):
    return {"ttl": duration_pb2.Duration(seconds=n * 86400)}


def test_subscriptions_expire(emulator, clients):
    short, forever, default = (f"{P}/subscriptions/{n}" for n in ("short", "forever", "default"))
    clients.create(short, expiration_policy=days(1))
    clients.create(forever, expiration_policy={})
    assert clients.create(default).expiration_policy.ttl.total_seconds() == 31 * 86400
    emulator.command("advance 23h")
    assert exists(clients, short)
    clients.pull(short)  # an operation on it: a day from now
    emulator.command("advance 23h")
    assert exists(clients, short)
    emulator.command("advance 1h1m")
    assert not exists(clients, short) and exists(clients, default)
    emulator.command("advance 31d")
    assert not exists(clients, default) and exists(clients, forever)
    with refused("NOT_FOUND"):
        clients.pull(default)


def test_a_subscription_with_a_stream_does_not_expire(emulator, clients):
    clients.update("expiration_policy", expiration_policy=days(1))
    requests = iter([types.StreamingPullRequest(subscription=SUBSCRIPTION, stream_ack_deadline_seconds=60)])

    def endless():
        yield from requests
        time.sleep(5)

    stream = clients.subscriber.streaming_pull(endless())
    until(lambda: emulator.stats("sub1")["streams"] == 1)
    emulator.command("advance 3d")
    assert exists(clients, SUBSCRIPTION)
    stream.cancel()
    until(lambda: emulator.stats("sub1")["streams"] == 0)
    emulator.command("advance 23h")
    assert exists(clients, SUBSCRIPTION)
    emulator.command("advance 2h")
    assert not exists(clients, SUBSCRIPTION)


# ---- sharing ----


@pytest.mark.parametrize("streams, messages", [(2, 2), (3, 3), (2, 100)])
def test_messages_are_shared_out_among_idle_streams(emulator, clients, streams, messages):
    import threading

    got, opened, done = [[] for _ in range(streams)], [], threading.Event()

    def requests():
        yield types.StreamingPullRequest(subscription=SUBSCRIPTION, stream_ack_deadline_seconds=60)
        done.wait(20)

    def read(i, stream):
        with contextlib.suppress(exceptions.GoogleAPICallError, grpc.RpcError):
            for response in stream:
                got[i].extend(m.message.data for m in response.received_messages)

    threads = []
    for i in range(streams):
        opened.append(clients.subscriber.streaming_pull(requests()))
        threads.append(threading.Thread(target=read, args=(i, opened[i]), daemon=True))
        threads[i].start()
    until(lambda: emulator.stats("sub1")["streams"] == streams)
    clients.publish(*(str(i) for i in range(messages)))
    until(lambda: sum(map(len, got)) == messages, timeout=20)
    done.set()
    for stream in opened:
        stream.cancel()
    for thread in threads:
        thread.join(20)
    assert [len(part) for part in got] == [messages // streams] * streams
