"""REST with JSON: every method by Google's discovery-based client, unchanged, and what such clients and curl expect of an answer."""

import base64
import concurrent.futures
import gzip
import http.client
import json
import subprocess
import time

import httplib2
import pytest
from googleapiclient import discovery
from googleapiclient.discovery_cache import get_static_doc
from googleapiclient.errors import HttpError

from conftest import Emulator, until

P = "projects/p1"
TOPIC, SUBSCRIPTION, SNAPSHOT, SCHEMA = f"{P}/topics/topic1", f"{P}/subscriptions/sub1", f"{P}/snapshots/snap1", f"{P}/schemas/schema1"
STRING = {"type": "AVRO", "definition": '{"type": "string"}'}


class Rest:
    """The client, and which of its methods were called."""

    def __init__(self, emulator):
        self.http = httplib2.Http()
        service = discovery.build(
            "pubsub", "v1", http=self.http, static_discovery=True, client_options={"api_endpoint": f"http://{emulator.host}"}
        )
        self.projects = service.projects()
        self.topics, self.subscriptions = self.projects.topics(), self.projects.subscriptions()
        self.snapshots, self.schemas = self.projects.snapshots(), self.projects.schemas()
        self.called = set()

    def __call__(self, request):
        self.called.add(request.methodId)
        return request.execute()

    def refused(self, request, status, code):
        with pytest.raises(HttpError) as error:
            self(request)
        problem = json.loads(error.value.content)["error"]
        assert (error.value.resp.status, problem["code"], problem["status"]) == (status, status, code), problem
        return problem

    def publish(self, *texts, **settings):
        messages = [{"data": base64.b64encode(text.encode()).decode(), **settings} for text in texts]
        return self(self.topics.publish(topic=TOPIC, body={"messages": messages}))["messageIds"]

    def pull(self, count=10, name=SUBSCRIPTION, now=True):
        body = {"maxMessages": count, "returnImmediately": now}
        return self(self.subscriptions.pull(subscription=name, body=body)).get("receivedMessages", [])

    def texts(self):
        return [base64.b64decode(one["message"]["data"]).decode() for one in self.pull()]


def methods_of(document):
    out = {method["id"] for method in document.get("methods", {}).values()}
    return out.union(*(methods_of(resource) for resource in document.get("resources", {}).values()))


@pytest.fixture
def rest(emulator):
    made = Rest(emulator)
    made(made.topics.create(name=TOPIC, body={"labels": {"a": "b"}}))
    made(made.subscriptions.create(name=SUBSCRIPTION, body={"topic": TOPIC}))
    yield made
    made.http.close()


@pytest.fixture
def connection(emulator):
    made = http.client.HTTPConnection(emulator.host, timeout=20)
    yield made
    made.close()


def ask(connection, verb, path, body=None, **headers):
    connection.request(verb, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    return response.status, response.read()


# ---- every method ----


def walk_topics(rest):
    topics = rest.topics
    rest.refused(topics.create(name=TOPIC, body={}), 409, "ALREADY_EXISTS")
    assert rest(topics.get(topic=TOPIC)) == {"name": TOPIC, "labels": {"a": "b"}}
    body = {"topic": {"name": TOPIC, "labels": {"c": "d"}, "messageRetentionDuration": "600s"}, "updateMask": "labels,messageRetentionDuration"}
    assert rest(topics.patch(name=TOPIC, body=body)) == {"name": TOPIC, "labels": {"c": "d"}, "messageRetentionDuration": "600s"}
    assert [one["name"] for one in rest(topics.list(project=P))["topics"]] == [TOPIC]
    assert rest(topics.subscriptions().list(topic=TOPIC)) == {"subscriptions": [SUBSCRIPTION]}
    assert rest(topics.snapshots().list(topic=TOPIC)) == {}


def walk_messages(rest):
    subscriptions = rest.subscriptions
    ids = rest.publish("first", "second", attributes={"k": "é"})
    got = rest.pull()
    assert [one["message"]["messageId"] for one in got] == ids
    assert got[0]["message"]["data"] == "Zmlyc3Q=" and got[0]["message"]["attributes"] == {"k": "é"}
    assert got[0]["message"]["publishTime"].endswith("Z")
    body = {"ackIds": [got[0]["ackId"]], "ackDeadlineSeconds": 0}
    assert rest(subscriptions.modifyAckDeadline(subscription=SUBSCRIPTION, body=body)) == {}
    again = rest.pull()
    assert [one["message"]["messageId"] for one in again] == ids[:1]
    body = {"ackIds": [again[0]["ackId"], got[1]["ackId"]]}
    assert rest(subscriptions.acknowledge(subscription=SUBSCRIPTION, body=body)) == {}
    assert rest(subscriptions.seek(subscription=SUBSCRIPTION, body={"time": "2024-01-01T00:00:00Z"})) == {}


def walk_subscriptions(rest):
    subscriptions = rest.subscriptions
    created = rest(subscriptions.get(subscription=SUBSCRIPTION))
    assert created["ackDeadlineSeconds"] == 10 and created["messageRetentionDuration"] == "604800s" and created["state"] == "ACTIVE"
    body = {"subscription": {"name": SUBSCRIPTION, "ackDeadlineSeconds": 42}, "updateMask": "ackDeadlineSeconds"}
    assert rest(subscriptions.patch(name=SUBSCRIPTION, body=body))["ackDeadlineSeconds"] == 42
    assert [one["name"] for one in rest(subscriptions.list(project=P))["subscriptions"]] == [SUBSCRIPTION]
    push = {"pushConfig": {"pushEndpoint": "https://example.com/push", "attributes": {"x-goog-version": "v1"}}}
    assert rest(subscriptions.modifyPushConfig(subscription=SUBSCRIPTION, body=push)) == {}
    assert rest(subscriptions.get(subscription=SUBSCRIPTION))["pushConfig"] == push["pushConfig"]
    rest(subscriptions.modifyPushConfig(subscription=SUBSCRIPTION, body={"pushConfig": {}}))


def walk_snapshots(rest):
    snapshots = rest.snapshots
    made = rest(snapshots.create(name=SNAPSHOT, body={"subscription": SUBSCRIPTION}))
    assert made["name"] == SNAPSHOT and made["topic"] == TOPIC and made["expireTime"].endswith("Z")
    assert rest(snapshots.get(snapshot=SNAPSHOT)) == made
    assert rest(snapshots.list(project=P)) == {"snapshots": [made]}
    body = {"snapshot": {"name": SNAPSHOT, "labels": {"x": "y"}}, "updateMask": "labels"}
    assert rest(snapshots.patch(name=SNAPSHOT, body=body))["labels"] == {"x": "y"}
    rest(rest.subscriptions.seek(subscription=SUBSCRIPTION, body={"snapshot": SNAPSHOT}))


def walk_schemas(rest):
    schemas = rest.schemas
    made = rest(schemas.create(parent=P, schemaId="schema1", body=STRING))
    assert made["name"] == SCHEMA and made["definition"] == STRING["definition"] and made["revisionId"]
    second = rest(schemas.commit(name=SCHEMA, body={"schema": {"name": SCHEMA, "type": "AVRO", "definition": '{"type": "int"}'}}))
    assert rest(schemas.get(name=SCHEMA))["definition"] == '{"type": "int"}'
    assert "definition" not in rest(schemas.get(name=SCHEMA, view="BASIC"))
    assert len(rest(schemas.listRevisions(name=SCHEMA))["schemas"]) == 2
    assert len(rest(schemas.list(parent=P, view="FULL"))["schemas"]) == 1
    assert rest(schemas.rollback(name=SCHEMA, body={"revisionId": made["revisionId"]}))["definition"] == STRING["definition"]
    rest(schemas.deleteRevision(name=f"{SCHEMA}@{second['revisionId']}"))
    for request in (
        schemas.validate(parent=P, body={"schema": STRING}),
        schemas.validateMessage(parent=P, body={"schema": STRING, "message": "ImEi", "encoding": "JSON"}),
    ):
        try:
            assert rest(request) == {}
        except HttpError as problem:  # where messages are not validated
            assert problem.resp.status == 501


def walk_policies(rest):
    for resource, name in ((rest.topics, TOPIC), (rest.subscriptions, SUBSCRIPTION), (rest.snapshots, SNAPSHOT), (rest.schemas, SCHEMA)):
        bindings = [{"role": "roles/pubsub.viewer", "members": ["user:a@example.com"]}]
        policy = rest(resource.getIamPolicy(resource=name, options_requestedPolicyVersion=3))
        set_one = rest(resource.setIamPolicy(resource=name, body={"policy": {"bindings": bindings, "etag": policy["etag"]}}))
        assert set_one["bindings"] == bindings and set_one["etag"] != policy["etag"]
        body = {"permissions": ["pubsub.topics.get", "pubsub.topics.update"]}
        assert rest(resource.testIamPermissions(resource=name, body=body)) == body


def walk_ends(rest):
    assert rest(rest.snapshots.delete(snapshot=SNAPSHOT)) == {}
    assert rest(rest.schemas.delete(name=SCHEMA)) == {}
    assert rest(rest.subscriptions.detach(subscription=SUBSCRIPTION)) == {}
    rest.refused(rest.subscriptions.pull(subscription=SUBSCRIPTION, body={"maxMessages": 1}), 400, "FAILED_PRECONDITION")
    assert rest(rest.subscriptions.delete(subscription=SUBSCRIPTION)) == {}
    assert rest(rest.topics.delete(topic=TOPIC)) == {}
    rest.refused(rest.topics.get(topic=TOPIC), 404, "NOT_FOUND")


def test_every_method(rest):
    for walk in (walk_topics, walk_messages, walk_subscriptions, walk_snapshots, walk_schemas, walk_policies, walk_ends):
        walk(rest)
    document = json.loads(get_static_doc("pubsub", "v1"))
    assert rest.called == methods_of(document)


# ---- waiting ----


def test_a_pull_waits_for_what_comes(rest, emulator):
    other = Rest(emulator)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = pool.submit(other.pull, now=False)
        time.sleep(0.3)
        assert not waiting.done()
        rest.publish("late")
        assert len(waiting.result(timeout=10)) == 1


def test_a_pull_of_nothing_is_answered_in_its_clients_time(rest, connection):
    start = time.monotonic()
    status, body = ask(connection, "POST", f"/v1/{SUBSCRIPTION}:pull", '{"maxMessages": 1}', X_Server_Timeout="2")
    assert (status, json.loads(body)) == (200, {}) and 0.5 < time.monotonic() - start < 10


def test_who_leaves_takes_no_messages(rest, emulator):
    leaving = http.client.HTTPConnection(emulator.host, timeout=20)
    leaving.request("POST", f"/v1/{SUBSCRIPTION}:pull", '{"maxMessages": 1}')
    time.sleep(0.2)
    leaving.close()
    time.sleep(0.2)
    rest.publish("for the next one")
    assert rest.texts() == ["for the next one"]


# ---- JSON ----


def test_values_are_read_in_every_form(rest, connection):
    body = {"topic": TOPIC, "ack_deadline_seconds": "20", "retry_policy": {"minimumBackoff": "1.5s"}, "enableMessageOrdering": True}
    status, answer = ask(connection, "PUT", f"/v1/{P}/subscriptions/sub2?alt=json&$.xgafv=2&prettyPrint=true&key=x", json.dumps(body))
    made = json.loads(answer)
    assert status == 200 and made["ackDeadlineSeconds"] == 20 and made["retryPolicy"]["minimumBackoff"] == "1.500s"
    status, answer = ask(connection, "POST", f"/v1/{TOPIC}:publish", '{"messages": [{"data": "_-8"}, {"data": "/+8="}]}')
    assert status == 200
    assert [one["message"]["data"] for one in rest.pull(name=f"{P}/subscriptions/sub2")] == ["/+8=", "/+8="]


@pytest.mark.parametrize(
    "verb,path,body,words",
    [
        ("PUT", f"{P}/topics/topic2", '{"lables": {}}', "has no 'lables'"),
        ("PUT", f"{P}/topics/topic2", '{"labels": 1}', "expected {"),
        ("PUT", f"{P}/topics/topic2", '{"labels": {}} x', "unexpected text"),
        ("PUT", f"{P}/topics/topic2", "[1]", "expected {"),
        ("PUT", f"{P}/topics/topic2", '{"labels": {"a": "b"', "expected a comma"),
        ("PUT", f"{P}/topics/topic2?pageSize=1", "{}", "no parameter 'pageSize'"),
        ("PUT", f"{P}/topics/a%00b", "{}", "not well encoded"),
        ("PUT", f"{P}/topics/x", "{}", "3 to 255 letters"),
        ("POST", f"{TOPIC}:publish", '{"messages": [{"data": "!"}]}', "not base64"),
        ("POST", f"{TOPIC}:publish", '{"messages": [{}]}', "empty"),
        ("POST", f"{SUBSCRIPTION}:pull", '{"maxMessages": 99999999999}', "no whole number"),
        ("POST", f"{SUBSCRIPTION}:pull", '{"maxMessages": 1.5}', "no whole number"),
        ("POST", f"{SUBSCRIPTION}:seek", '{"time": "2024-13-01T00:00:00Z"}', "no time"),
        ("POST", f"{SUBSCRIPTION}:seek", '{"time": "2024-01-01T00:00:00Z", "snapshot": "x"}', "given twice"),
        ("GET", f"{P}/topics?pageSize=x", None, "no whole number"),
        ("GET", f"{P}/topics?nothing=x", None, "has no 'nothing'"),
        ("GET", f"{P}/topics?alt=media", None, "JSON"),
        ("GET", f"{TOPIC}", '{"x": 1}', "has no 'x'"),
    ],
)
def test_what_is_wrong_is_said(rest, connection, verb, path, body, words):
    status, answer = ask(connection, verb, f"/v1/{path}", body)
    problem = json.loads(answer)["error"]
    assert status == 400 and problem["status"] == "INVALID_ARGUMENT" and words in problem["message"], problem


def test_a_compressed_body(rest, connection):
    text = gzip.compress(json.dumps({"messages": [{"data": "aGVsbG8="}]}).encode())
    assert ask(connection, "POST", f"/v1/{TOPIC}:publish", text, Content_Encoding="gzip")[0] == 200
    assert rest.texts() == ["hello"]
    assert ask(connection, "POST", f"/v1/{TOPIC}:publish", b"no gzip", Content_Encoding="gzip")[0] == 400
    assert ask(connection, "POST", f"/v1/{TOPIC}:publish", text, Content_Encoding="br")[0] == 415


def test_a_compressed_bomb(rest, connection):
    bomb = gzip.compress(b" " * (200 << 20))
    assert ask(connection, "POST", f"/v1/{TOPIC}:publish", bomb, Content_Encoding="gzip")[0] == 400


def test_large_messages(rest):
    text = "x" * 7_000_000
    rest.publish(text)
    assert rest.texts() == [text]


def test_paths_that_are_none(rest, connection):
    assert ask(connection, "GET", "/v1/nothing")[0] == 404
    assert ask(connection, "POST", f"/v1/{TOPIC}")[0] == 405
    assert ask(connection, "POST", f"/v1/{TOPIC}:fly")[0] == 404
    assert ask(connection, "GET", "/") == (200, b"Ok\n")
    assert ask(connection, "HEAD", "/") == (200, b"")


def test_details_of_errors(rest, emulator):
    """Exactly-once: why an ack id was refused."""
    name = f"{P}/subscriptions/once"
    rest(rest.subscriptions.create(name=name, body={"topic": TOPIC, "enableExactlyOnceDelivery": True}))
    problem = rest.refused(rest.subscriptions.acknowledge(subscription=name, body={"ackIds": ["nonsense"]}), 400, "FAILED_PRECONDITION")
    assert problem["details"] == [
        {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "domain": "pubsub.googleapis.com",
            "metadata": {"nonsense": "PERMANENT_FAILURE_INVALID_ACK_ID"},
            "reason": problem["details"][0]["reason"],
        }
    ]


# ---- as gRPC has it ----


def test_faults_strike(rest, emulator):
    emulator.command("fault GetTopic status=UNAVAILABLE:not_now count=1")
    problem = rest.refused(rest.topics.get(topic=TOPIC), 503, "UNAVAILABLE")
    assert problem["message"] == "not now"
    emulator.command("fault GetTopic latency=300ms count=1")
    start = time.monotonic()
    rest(rest.topics.get(topic=TOPIC))
    assert time.monotonic() - start >= 0.3
    for kind in ("reset", "disconnect"):
        emulator.command(f"fault GetTopic {kind} count=1")
        one = http.client.HTTPConnection(emulator.host, timeout=10)
        with pytest.raises(ConnectionError):
            ask(one, "GET", f"/v1/{TOPIC}")
        one.close()


def test_cut_by_the_control_endpoint(rest, emulator, connection):
    assert ask(connection, "GET", "/")[0] == 200
    emulator.command("disconnect")
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        ask(connection, "GET", "/")


def test_a_token_is_asked_for():
    with Emulator("--require-token", "secret") as emulator:
        connection = http.client.HTTPConnection(emulator.host, timeout=10)
        status, body = ask(connection, "GET", f"/v1/{P}/topics")
        assert status == 401 and json.loads(body)["error"]["status"] == "UNAUTHENTICATED"
        assert ask(connection, "GET", f"/v1/{P}/topics", Authorization="Bearer wrong")[0] == 401
        assert ask(connection, "GET", f"/v1/{P}/topics", Authorization="Bearer secret") == (200, b"{}\n")
        connection.close()


def test_over_http2(rest, emulator):
    """As HTTP/1.1, by curl with prior knowledge."""
    address = f"http://{emulator.host}/v1"
    command = ["curl", "-sS", "-m", "10", "--http2-prior-knowledge", "-w", "%{http_code} %{http_version}"]
    run = lambda *arguments: subprocess.run([*command, *arguments], check=True, capture_output=True, text=True).stdout  # noqa: E731
    assert run(f"{address}/{TOPIC}").endswith("}\n200 2")
    assert run("-d", '{"messages": [{"data": "aGVsbG8="}]}', f"{address}/{TOPIC}:publish").endswith("200 2")
    assert run("-H", "origin: http://evil.example", f"{address}/{TOPIC}").endswith("403 2")
    assert run("-H", "host: evil.example", f"{address}/{TOPIC}").endswith("403 2")
    assert rest.texts() == ["hello"]


def test_many_at_once(rest, emulator):
    """Connections that are kept, from several threads: nothing is lost or mixed up."""

    def work(number):
        own = Rest(emulator)
        return [own.publish(f"{number}-{i}")[0] for i in range(50)]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        ids = [one for many in pool.map(work, range(8)) for one in many]
    assert len(set(ids)) == 400
    seen = set()
    until(lambda: seen.update(rest.texts()) or len(seen) == 400, 20)
    assert len(seen) == 400
