"""Push: to a server of Python's on loopback that answers well, badly, late or never."""

import base64
import contextlib
import http.server
import json
import subprocess
import threading
import time

import grpc
import pytest
from google.protobuf import duration_pb2
from google.pubsub_v1 import PublisherClient, SubscriberClient, types
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from conftest import EMULATOR, Emulator

TOPIC, SUBSCRIPTION = "projects/p/topics/orders", "projects/p/subscriptions/pushed"


class Endpoint:
    """Keeps what it is sent; `answer(request)` gives a status, or None: hangs up."""

    def __init__(self, answer=lambda request: 200):
        self.answer, self.requests, self.lock, self.under_way, self.most = answer, [], threading.Lock(), 0, 0
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                request = {"path": self.path, "headers": dict(self.headers), "body": body, "at": time.monotonic()}
                with endpoint.lock:
                    endpoint.requests.append(request)
                    endpoint.under_way += 1
                    endpoint.most = max(endpoint.most, endpoint.under_way)
                status = endpoint.answer(request)
                with endpoint.lock:
                    endpoint.under_way -= 1
                if status is None:
                    self.close_connection = True
                    return
                with contextlib.suppress(OSError):
                    if status == 102:
                        self.wfile.write(b"HTTP/1.1 102 Processing\r\n\r\n")
                        return
                    self.send_response(status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 256  # connections that wait to be accepted; more would be answered late

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def texts(self):
        with self.lock:
            return [base64.b64decode(json.loads(request["body"])["message"]["data"]).decode() for request in self.requests]

    def wait(self, count, seconds=20):
        deadline = time.monotonic() + seconds
        while len(self.requests) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(self.requests) >= count, f"{len(self.requests)} of {count} requests"
        return self.requests

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Pushing(Emulator):
    def __enter__(self):
        self.channel = grpc.insecure_channel(self.host)
        self.publisher = PublisherClient(transport=PublisherGrpcTransport(channel=self.channel))
        self.subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=self.channel))
        self.publisher.create_topic(name=TOPIC)
        return self

    def __exit__(self, *what):
        self.channel.close()
        super().__exit__(*what)

    def subscribe(self, url, *, push=None, **fields):
        config = types.PushConfig(push_endpoint=url, **(push or {}))
        return self.subscriber.create_subscription(request=types.Subscription(name=SUBSCRIPTION, topic=TOPIC, push_config=config, **fields))

    def publish(self, *texts, **fields):
        messages = [types.PubsubMessage(data=text.encode(), **fields) for text in texts]
        return list(self.publisher.publish(topic=TOPIC, messages=messages).message_ids)

    def settled(self, seconds=20):
        """Everything was acknowledged."""
        deadline = time.monotonic() + seconds
        while self.stats(SUBSCRIPTION)["backlog"] and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.stats(SUBSCRIPTION)["backlog"] == 0


@pytest.fixture
def emulator():
    with Pushing() as emulator:
        yield emulator


def test_a_wrapped_message(emulator):
    with Endpoint() as endpoint:
        emulator.subscribe(endpoint.url + "/a/path?x=1")
        (id_,) = emulator.publish("hello", attributes={"kind": 'a "greeting"', "é": "ü"})
        (request,) = endpoint.wait(1)
        body = json.loads(request["body"])
        assert request["path"] == "/a/path?x=1"
        assert request["headers"]["Content-Type"] == "application/json"
        assert request["headers"]["Host"] == endpoint.url[7:]
        assert body["subscription"] == SUBSCRIPTION and "deliveryAttempt" not in body
        message = body["message"]
        assert base64.b64decode(message["data"]) == b"hello"
        assert message["attributes"] == {"kind": 'a "greeting"', "é": "ü"}
        assert message["messageId"] == message["message_id"] == id_
        assert message["publishTime"] == message["publish_time"] and message["publishTime"].endswith("Z")
        assert emulator.settled() and len(endpoint.requests) == 1


def test_an_unwrapped_message(emulator):
    with Endpoint() as endpoint:
        emulator.subscribe(endpoint.url, push={"no_wrapper": types.PushConfig.NoWrapper(write_metadata=True)})
        evil = {"kind": "greeting", "Content-Length": "7", "a b": "c", "break": "x\r\nEvil: yes"}
        (id_,) = emulator.publish("hello", attributes=evil)
        (request,) = endpoint.wait(1)
        headers = request["headers"]
        assert request["body"] == b"hello" and headers["kind"] == "greeting"
        assert headers["x-goog-pubsub-subscription-name"] == SUBSCRIPTION
        assert headers["x-goog-pubsub-message-id"] == id_ and headers["x-goog-pubsub-publish-time"].endswith("Z")
        assert "break" not in headers and "Evil" not in headers and headers["Content-Length"] == "5"
        assert emulator.settled()


def test_an_unwrapped_message_without_metadata(emulator):
    with Endpoint() as endpoint:
        emulator.subscribe(endpoint.url, push={"no_wrapper": types.PushConfig.NoWrapper()})
        emulator.publish("hello", attributes={"kind": "greeting"})
        (request,) = endpoint.wait(1)
        assert request["body"] == b"hello" and "kind" not in request["headers"]
        assert not any(name.lower().startswith("x-goog") for name in request["headers"])


@pytest.mark.parametrize("status", [102, 200, 201, 202, 204])
def test_what_acknowledges(emulator, status):
    with Endpoint(lambda request: status) as endpoint:
        emulator.subscribe(endpoint.url)
        emulator.publish("once")
        endpoint.wait(1)
        assert emulator.settled()
        time.sleep(0.3)
        assert endpoint.texts() == ["once"]


@pytest.mark.parametrize("status", [None, 203, 301, 400, 404, 429, 500, 503])
def test_what_does_not(emulator, status):
    with Endpoint(lambda request: status if len(endpoint.requests) < 3 else 200) as endpoint:
        emulator.subscribe(endpoint.url)
        emulator.publish("again")
        first, second, third = endpoint.wait(3)[:3]
        assert emulator.settled()
        assert second["at"] - first["at"] > 0.08 and third["at"] - second["at"] > 0.16  # slower each time
        assert endpoint.texts() == ["again"] * 3


def test_nobody_listens_and_then_somebody_does(emulator):
    endpoint = Endpoint()
    port = endpoint.server.server_port
    endpoint.__exit__()
    emulator.subscribe(f"http://localhost:{port}/")
    emulator.publish("waits")
    time.sleep(0.3)
    assert emulator.stats(SUBSCRIPTION)["backlog"] == 1
    with Endpoint() as other:
        config = types.PushConfig(push_endpoint=other.url)
        emulator.subscriber.modify_push_config(subscription=SUBSCRIPTION, push_config=config)
        other.wait(1)
        assert emulator.settled()


def test_a_retry_policy(emulator):
    policy = types.RetryPolicy(minimum_backoff=duration_pb2.Duration(seconds=600), maximum_backoff=duration_pb2.Duration(seconds=600))
    with Endpoint(lambda request: 500 if len(endpoint.requests) < 2 else 200) as endpoint:
        emulator.subscribe(endpoint.url, retry_policy=policy)
        emulator.publish("slow")
        endpoint.wait(1)
        time.sleep(0.5)
        assert len(endpoint.requests) == 1
        emulator.command("advance 601s")
        endpoint.wait(2)
        assert emulator.settled()


def test_an_answer_that_comes_too_late(emulator):
    hold = threading.Event()
    with Endpoint(lambda request: (hold.wait(30), 200)[1] if len(endpoint.requests) < 2 else 200) as endpoint:
        emulator.subscribe(endpoint.url, ack_deadline_seconds=10)
        emulator.publish("late")
        endpoint.wait(1)
        emulator.command("advance 11s")  # the lease ends: sent again, while the first is under way
        endpoint.wait(2)
        assert emulator.settled()
        hold.set()
        time.sleep(0.2)
        assert emulator.stats(SUBSCRIPTION)["backlog"] == 0


def test_dead_letters(emulator):
    emulator.publisher.create_topic(name="projects/p/topics/dead")
    emulator.subscriber.create_subscription(name="projects/p/subscriptions/dead", topic="projects/p/topics/dead")
    policy = types.DeadLetterPolicy(dead_letter_topic="projects/p/topics/dead", max_delivery_attempts=5)
    with Endpoint(lambda request: 500) as endpoint:
        emulator.subscribe(endpoint.url, dead_letter_policy=policy)
        emulator.publish("mortal")
        requests = endpoint.wait(5)
        assert [json.loads(request["body"])["deliveryAttempt"] for request in requests] == [1, 2, 3, 4, 5]
        assert emulator.settled()
        assert emulator.stats("projects/p/subscriptions/dead")["backlog"] == 1


def test_ordering_keys(emulator):
    failed = set()

    def answer(request):
        body = json.loads(request["body"])["message"]
        time.sleep(0.005)
        if body["messageId"].endswith("3") and body["messageId"] not in failed:
            failed.add(body["messageId"])
            return 500
        return 200

    with Endpoint(answer) as endpoint:
        emulator.subscribe(endpoint.url, enable_message_ordering=True)
        for i in range(10):
            emulator.publish(f"a{i}", ordering_key="a")
            emulator.publish(f"b{i}", ordering_key="b")
        assert emulator.settled()
        for key in "ab":
            seen = []
            for text in [text for text in endpoint.texts() if text[0] == key]:
                if text in seen:
                    seen = seen[: seen.index(text)]
                assert int(text[1:]) == len(seen), endpoint.texts()
                seen.append(text)
            assert len(seen) == 10
        assert failed


def test_many_messages_and_few_connections(emulator):
    with Endpoint() as endpoint:
        emulator.subscribe(endpoint.url)
        emulator.publish(*[f"m{i}" for i in range(500)])
        endpoint.wait(500, 60)
        assert emulator.settled()
        assert set(endpoint.texts()) == {f"m{i}" for i in range(500)}
        assert endpoint.most <= 100


def test_from_pull_to_push_and_back(emulator):
    with Endpoint() as endpoint:
        emulator.subscriber.create_subscription(name=SUBSCRIPTION, topic=TOPIC)
        emulator.publish("first")
        emulator.subscriber.modify_push_config(subscription=SUBSCRIPTION, push_config=types.PushConfig(push_endpoint=endpoint.url))
        endpoint.wait(1)
        assert emulator.settled()
        emulator.subscriber.modify_push_config(subscription=SUBSCRIPTION, push_config=types.PushConfig())
        emulator.publish("second")
        received = emulator.subscriber.pull(subscription=SUBSCRIPTION, max_messages=10).received_messages
        assert [one.message.data for one in received] == [b"second"]
        assert endpoint.texts() == ["first"]
        with Endpoint() as other:
            emulator.subscriber.modify_push_config(subscription=SUBSCRIPTION, push_config=types.PushConfig(push_endpoint=other.url))
            emulator.subscriber.modify_ack_deadline(subscription=SUBSCRIPTION, ack_ids=[received[0].ack_id], ack_deadline_seconds=0)
            other.wait(1)
            assert emulator.settled() and other.texts() == ["second"]


def test_a_signed_token(emulator):
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding

    token = types.PushConfig.OidcToken(service_account_email="push@p.iam.gserviceaccount.com", audience="my-service")
    with Endpoint() as endpoint:
        emulator.subscribe(endpoint.url, push={"oidc_token": token})
        emulator.publish("signed")
        (request,) = endpoint.wait(1)
        kind, text = request["headers"]["Authorization"].split()
        assert kind == "Bearer"
        head, claims, signature = text.split(".")
        decode = lambda part: base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))  # noqa: E731
        key = serialization.load_pem_public_key(emulator.command("push-key").encode())
        key.verify(decode(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
        assert json.loads(decode(head))["alg"] == "RS256"
        claims = json.loads(decode(claims))
        assert claims["aud"] == "my-service" and claims["email"] == token.service_account_email and claims["email_verified"]
        assert claims["iat"] <= time.time() < claims["exp"]


def test_a_subscription_that_is_deleted_meanwhile(emulator):
    hold = threading.Event()
    with Endpoint(lambda request: (hold.wait(10), 200)[1]) as endpoint:
        emulator.subscribe(endpoint.url)
        emulator.publish("one", "two", "three", "four", "five")
        endpoint.wait(3)
        emulator.subscriber.delete_subscription(subscription=SUBSCRIPTION)
        hold.set()
        emulator.publish("nobody")
        time.sleep(0.2)
        assert len(endpoint.requests) == 3


def test_other_hosts_are_left_alone():
    process = subprocess.Popen([EMULATOR, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        channel = grpc.insecure_channel(process.stdout.readline().split()[-1])
        publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        publisher.create_topic(name=TOPIC)
        for i, url in enumerate(["http://192.0.2.1/x", "http://127.0.0.1.example.com/", "https://127.0.0.1/"]):
            config = types.PushConfig(push_endpoint=url)
            subscriber.create_subscription(request=types.Subscription(name=f"{SUBSCRIPTION}{i}", topic=TOPIC, push_config=config))
        channel.close()
    finally:
        process.terminate()
    words = process.communicate(timeout=10)[1].splitlines()
    assert len(words) == 3 and "and --push-anywhere was not given" in words[0] and "not http://" in words[2]


def test_pushes_go_on_after_a_restart(tmp_path):
    with Endpoint() as endpoint:
        with Pushing("--data-dir", str(tmp_path / "data")) as emulator:
            emulator.subscribe("http://127.0.0.1:1/")
            emulator.publish("kept")
        with Emulator("--data-dir", str(tmp_path / "data")) as again:
            channel = grpc.insecure_channel(again.host)
            subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
            subscriber.modify_push_config(subscription=SUBSCRIPTION, push_config=types.PushConfig(push_endpoint=endpoint.url))
            endpoint.wait(1)
            assert endpoint.texts() == ["kept"]
            channel.close()
