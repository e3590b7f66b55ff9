"""What the cases work with: the clients, short ways to call them, and checks."""

import datetime
import functools
import os
import queue
import secrets
import threading
import time

from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import pubsub_v1
from google.pubsub_v1 import PublisherClient as GeneratedPublisher
from google.pubsub_v1 import SchemaServiceClient as GeneratedSchemas
from google.pubsub_v1 import SubscriberClient as GeneratedSubscriber
from google.pubsub_v1 import types

cases = []
# Unary calls by REST, as the generated clients make them; StreamingPull, which REST has not, and the library's publisher and
# subscriber by gRPC.
REST = os.environ.get("CONFORMANCE_REST") == "1"


def case(name):
    def add(function):
        cases.append((name, function))
        return function

    return add


class Failure(Exception):
    pass


def check(good, what):
    if not good:
        raise Failure(what)


def equal(got, want, what):
    check(got == want, f"{what}: {got!r}, not {want!r}")


def same(got, want, what):
    """Compares without order."""
    equal(sorted(got), sorted(want), what)


def code_of(call):
    """The name of the status that a call ends with."""
    try:
        call()
    except exceptions.GoogleAPICallError as problem:
        if problem.grpc_status_code:
            return problem.grpc_status_code.name
        return problem.response.json()["error"]["status"] if problem.response is not None else repr(problem)
    return "OK"


def refused(code, call, what):
    got = code_of(call)
    check(got == code, f"{what}: {got}, not {code}")


def metadata_of(problem):
    """Of the ErrorInfo in an error."""
    return problem.response.json()["error"]["details"][0]["metadata"] if REST else problem.metadata or {}


def bounded(wait):
    """Arguments of a call whose client waits so long. HTTP has no deadline of its own: a header tells it."""
    if REST:
        return {"timeout": wait + 2, "metadata": [("x-server-timeout", str(wait))]}
    return {"timeout": wait}


def seconds(count):
    return datetime.timedelta(seconds=count)


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def random(prefix):
    return f"{prefix}-{secrets.token_hex(6)}"


def data(received):
    return [r.message.data.decode() for r in received]


def ack_ids(received):
    return [r.ack_id for r in received]


@functools.cache
def publisher_client():
    return pubsub_v1.PublisherClient()


@functools.cache
def subscriber_client():
    return pubsub_v1.SubscriberClient()


@functools.cache
def schema_client():
    return pubsub_v1.SchemaServiceClient()


def rest(client):
    transport = client.get_transport_class("rest")
    return client(transport=transport(host=os.environ["PUBSUB_EMULATOR_HOST"], url_scheme="http", credentials=AnonymousCredentials()))


@functools.cache
def rest_clients():
    return rest(GeneratedPublisher), rest(GeneratedSubscriber), rest(GeneratedSchemas)


class Stream:
    """A StreamingPull of the generated client."""

    def __init__(self, sub, **first):
        self.requests, self.received = queue.Queue(), queue.Queue()
        self.left, self.call = [], None
        self.requests.put(types.StreamingPullRequest(**{"subscription": sub, "stream_ack_deadline_seconds": 60, **first}))
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            self.call = subscriber_client().streaming_pull(requests=iter(self.requests.get, None))
            for response in self.call:
                self.received.put(response)
            self.received.put(None)
        except Exception as problem:
            self.received.put(problem)

    def response(self, wait):
        """The next one; None when the time is over. Fails when the stream ends."""
        try:
            response = self.received.get(timeout=max(wait, 0))
        except queue.Empty:
            return None
        check(isinstance(response, types.StreamingPullResponse), f"the stream ended: {response!r}")
        return response

    def up_to(self, count, wait):
        """What comes until there are so many or the time is over."""
        end = time.monotonic() + wait
        while len(self.left) < count:
            response = self.response(end - time.monotonic())
            if response is None:
                break
            self.left.extend(response.received_messages)
        out, self.left = self.left[:count], self.left[count:]
        return out

    def take(self, count):
        got = self.up_to(count, 5)
        check(len(got) == count, f"the stream brought {len(got)} of {count} messages: {data(got)}")
        return got

    def ack(self, *received):
        self.requests.put(types.StreamingPullRequest(ack_ids=ack_ids(received)))

    def nack(self, *received):
        ids = ack_ids(received)
        self.requests.put(
            types.StreamingPullRequest(modify_deadline_ack_ids=ids, modify_deadline_seconds=[0] * len(ids))
        )

    def ends(self, code, what):
        end = time.monotonic() + 5
        while True:
            try:
                got = self.received.get(timeout=max(end - time.monotonic(), 0))
            except queue.Empty:
                raise Failure(f"{what}: the stream is still open")
            if isinstance(got, exceptions.GoogleAPICallError):
                return equal(got.grpc_status_code.name, code, what)
            check(isinstance(got, types.StreamingPullResponse), f"{what}: {got!r}, not {code}")

    def close(self):
        self.requests.put(None)
        if self.call is not None:
            self.call.cancel()


UNSENDABLE = "matches at least one accepted HTTP binding"  # what the REST client will not send


class T:
    """One case. Its project is its own, so that lists hold nothing else."""

    def __init__(self):
        self.project = random("conf")
        self.parent = f"projects/{self.project}"
        self.pub, self.sub, self.schemas = rest_clients() if REST else (publisher_client(), subscriber_client(), schema_client())
        self.library_pub, self.library_sub = publisher_client(), subscriber_client()
        self.streams = []

    def close(self):
        for stream in self.streams:
            stream.close()

    def name(self, kind):
        return f"{self.parent}/{kind}/{random('c')}"

    def topic(self, **settings):
        name = self.name("topics")
        self.pub.create_topic(request={"name": name, **settings})
        return name

    def subscription(self, topic, **settings):
        name = self.name("subscriptions")
        self.sub.create_subscription(request={"name": name, "topic": topic, **settings})
        return name

    def snapshot(self, sub):
        name = self.name("snapshots")
        self.sub.create_snapshot(request={"name": name, "subscription": sub})
        return name

    def world(self, **settings):
        """A topic and a subscription of it."""
        topic = self.topic()
        return topic, self.subscription(topic, **settings)

    def publish(self, topic, *messages):
        """Messages are dictionaries or, where there is only data, strings."""
        messages = [m if isinstance(m, dict) else {"data": m.encode()} for m in messages]
        # The library's publish() takes one message; this is the call below it.
        ids = GeneratedPublisher.publish(self.pub, topic=topic, messages=messages).message_ids
        equal(len(ids), len(messages), "ids for the messages")
        return list(ids)

    def texts(self, topic, *texts):
        for text in texts:
            self.publish(topic, text)

    def try_pull(self, sub, count, wait):
        return list(self.sub.pull(subscription=sub, max_messages=count, **bounded(max(wait, 0.01))).received_messages)

    def pull(self, sub, count):
        """Waits for so many messages and leaves them unacknowledged."""
        got, end = [], time.monotonic() + 5
        while len(got) < count:
            try:
                got += self.try_pull(sub, count - len(got), end - time.monotonic())
            except exceptions.GoogleAPICallError as problem:
                raise Failure(f"Pull: {len(got)} of {count} messages: {problem}")
        return got

    def nothing(self, sub, wait, what):
        try:
            got = self.try_pull(sub, 10, wait)
        except exceptions.DeadlineExceeded:
            return
        check(not got, f"{what}: there is {data(got)}")

    def ack(self, sub, *received):
        self.sub.acknowledge(subscription=sub, ack_ids=ack_ids(received))

    def extend(self, sub, deadline, *received):
        self.sub.modify_ack_deadline(subscription=sub, ack_ids=ack_ids(received), ack_deadline_seconds=deadline)

    def stream(self, sub, **first):
        self.streams.append(Stream(sub, **first))
        return self.streams[-1]

    def receive(self, sub, handle, **settings):
        """Runs the library's subscriber until the handler says that it has all, or for 8 s."""
        done = threading.Event()
        future = self.library_sub.subscribe(sub, callback=lambda m: handle(m) and done.set(), **settings)
        end = time.monotonic() + 8
        while not done.wait(0.02) and time.monotonic() < end and not future.done():
            pass
        future.cancel()
        future.result(timeout=5)

    def get_topic(self, name):
        return self.pub.get_topic(topic=name)

    def get_subscription(self, name):
        return self.sub.get_subscription(subscription=name)

    def detach(self, sub):
        self.pub.detach_subscription(request={"subscription": sub})
