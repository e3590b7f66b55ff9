"""What is asked of the process itself: health, metrics, a reset, which services there are."""

import http.client
import json
import re
import socket
import threading

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from conftest import Emulator

TOPIC, SUBSCRIPTION = "projects/p/topics/topic", "projects/p/subscriptions/sub"


def ask(emulator, verb, path, body=None, **headers):
    connection = http.client.HTTPConnection(emulator.host, timeout=20)
    connection.request(verb, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    got = response.status, response.read().decode()
    connection.close()
    return got


@pytest.fixture
def emulator():
    with Emulator("--subscription", f"{SUBSCRIPTION}={TOPIC}") as running:
        yield running


# ---- health ----


def test_health(emulator):
    assert ask(emulator, "GET", "/health") == (200, "Ok\n")
    assert ask(emulator, "POST", "/health")[0] == 405


def health(emulator):
    channel = grpc.insecure_channel(emulator.host)
    check = channel.unary_unary("/grpc.health.v1.Health/Check")
    watch = channel.unary_stream("/grpc.health.v1.Health/Watch")
    return channel, check, watch


def asked(service):
    return b"\x0a" + bytes([len(service)]) + service


def test_health_of_services(emulator):
    channel, check, watch = health(emulator)
    with channel:
        for service in (b"", b"google.pubsub.v1.Publisher", b"google.pubsub.v1.Subscriber", b"grpc.health.v1.Health"):
            assert check(asked(service), timeout=10) == b"\x08\x01"
        with pytest.raises(grpc.RpcError) as error:
            check(asked(b"nothing.of.Ours"), timeout=10)
        assert error.value.code() == grpc.StatusCode.NOT_FOUND
        assert next(watch(asked(b"nothing.of.Ours"), timeout=10)) == b"\x08\x03"


def test_watching_goes_on(emulator):
    channel, _, watch = health(emulator)
    with channel:
        watching = watch(asked(b""), timeout=1)
        assert next(watching) == b"\x08\x01"
        with pytest.raises(grpc.RpcError) as error:
            next(watching)
        assert error.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED


# ---- metrics ----


def metrics(emulator):
    status, text = ask(emulator, "GET", "/metrics")
    assert status == 200
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r'\w+(\{\w+="[^"]*"\})? [-+.e\d]+', line) for line in lines), text
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_metrics_follow_messages(emulator):
    body = json.dumps({"messages": [{"data": "aGVsbG8="}] * 3})
    assert ask(emulator, "POST", f"/v1/{TOPIC}:publish", body)[0] == 200
    got = json.loads(ask(emulator, "POST", f"/v1/{SUBSCRIPTION}:pull", '{"maxMessages": 2}')[1])["receivedMessages"]
    ask(emulator, "POST", f"/v1/{SUBSCRIPTION}:acknowledge", json.dumps({"ackIds": [got[0]["ackId"]]}))
    told = metrics(emulator)
    assert told["pubsub_emulator_topics"] == told["pubsub_emulator_subscriptions"] == 1
    assert told[f'pubsub_emulator_published_messages_total{{topic="{TOPIC}"}}'] == 3
    of = f'{{subscription="{SUBSCRIPTION}"}}'
    names = ("delivered_messages_total", "acknowledged_messages_total", "backlog_messages", "lent_messages", "ready_messages", "streams")
    assert [told[f"pubsub_emulator_{name}{of}"] for name in names] == [2, 1, 2, 1, 1, 0]


def test_metrics_want_the_token():
    with Emulator("--require-token", "secret") as emulator:
        assert ask(emulator, "GET", "/metrics")[0] == 401
        assert ask(emulator, "POST", "/v1/reset")[0] == 401
        assert ask(emulator, "GET", "/metrics", Authorization="Bearer secret")[0] == 200
        assert ask(emulator, "GET", "/health")[0] == 200


# ---- reset ----


def test_a_reset_brings_back_the_start(tmp_path):
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"topics": [{"name": "projects/p/topics/of-the-file"}], "messages": [{"topic": TOPIC, "messages": [{"data": "aGVsbG8="}]}]}))
    with Emulator("--subscription", f"{SUBSCRIPTION}={TOPIC}", "--config", str(config), "--fault", "GetTopic status=ABORTED") as emulator:
        ask(emulator, "PUT", "/v1/projects/p/topics/mine", "{}")
        ask(emulator, "POST", "/v1/projects/p/schemas?schemaId=mine", json.dumps({"type": "AVRO", "definition": '{"type": "string"}'}))
        emulator.command("fault DeleteTopic stall")
        pulling = http.client.HTTPConnection(emulator.host, timeout=20)
        pulling.request("POST", f"/v1/{SUBSCRIPTION}:pull", '{"maxMessages": 1}')
        assert json.loads(pulling.getresponse().read())["receivedMessages"]
        pulling.request("POST", f"/v1/{SUBSCRIPTION}:pull", '{"maxMessages": 1}')
        assert ask(emulator, "POST", "/v1/reset") == (200, "Ok\n")
        assert pulling.getresponse().status == 404  # who waited is told
        pulling.close()
        names = [topic["name"] for topic in json.loads(ask(emulator, "GET", "/v1/projects/p/topics")[1])["topics"]]
        assert names == ["projects/p/topics/of-the-file", TOPIC]
        assert json.loads(ask(emulator, "GET", "/v1/projects/p/schemas")[1]) == {}
        assert len(json.loads(ask(emulator, "POST", f"/v1/{SUBSCRIPTION}:pull", '{"maxMessages": 9}')[1])["receivedMessages"]) == 1
        assert emulator.command("faults").startswith("GetTopic status ") and "DeleteTopic" not in emulator.command("faults")


def test_a_reset_survives(tmp_path):
    """With a folder, what was deleted is not there after a crash either."""
    with Emulator("--data-dir", str(tmp_path / "data")) as emulator:
        ask(emulator, "PUT", f"/v1/{TOPIC}", "{}")
        ask(emulator, "POST", "/v1/projects/p/schemas?schemaId=mine", json.dumps({"type": "AVRO", "definition": '{"type": "string"}'}))
        ask(emulator, "POST", f"/v1/{TOPIC}:setIamPolicy", json.dumps({"policy": {"bindings": [{"role": "r", "members": ["m"]}]}}))
        assert ask(emulator, "POST", "/v1/reset")[0] == 200
        emulator.process.kill()
        emulator.process.wait()
        emulator.start(emulator.port)
        assert ask(emulator, "GET", "/v1/projects/p/topics") == ask(emulator, "GET", "/v1/projects/p/schemas") == (200, "{}\n")
        ask(emulator, "PUT", f"/v1/{TOPIC}", "{}")
        assert "bindings" not in ask(emulator, "GET", f"/v1/{TOPIC}:getIamPolicy")[1]


def test_a_reset_ends_streams(emulator):
    channel = grpc.insecure_channel(emulator.host)
    stream = channel.stream_stream("/google.pubsub.v1.Subscriber/StreamingPull")
    done = threading.Event()

    def requests():
        yield asked(SUBSCRIPTION.encode()) + b"\x28\x0a"
        done.wait(20)

    with channel:
        call = stream(requests(), timeout=20)
        threading.Timer(0.5, lambda: ask(emulator, "POST", "/v1/reset")).start()
        with pytest.raises(grpc.RpcError) as error:
            next(call)
        assert error.value.code() == grpc.StatusCode.NOT_FOUND
        done.set()


def own_address():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return probe.getsockname()[0]


@pytest.mark.skipif(own_address().startswith("127."), reason="this host has loopback only")
def test_only_this_host_resets():
    with Emulator("--listen", "0.0.0.0:0", "--topic", TOPIC) as emulator:
        emulator.host = f"{own_address()}:{emulator.port}"
        assert ask(emulator, "GET", "/health")[0] == 200
        assert ask(emulator, "POST", "/v1/reset")[0] == 403


def test_a_page_of_another_origin_resets_nothing(emulator):
    assert ask(emulator, "POST", "/v1/reset", Origin="http://evil.example")[0] == 403
    assert ask(emulator, "GET", "/v1/reset")[0] == 405
    assert TOPIC in ask(emulator, "GET", "/v1/projects/p/topics")[1]


# ---- reflection ----


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data):
    at, out = 0, []
    while at < len(data):
        tag, at = varint(data, at)
        value, at = varint(data, at)
        if tag & 7 == 2:
            value, at = data[at : at + value], at + value
        out.append((tag >> 3, value))
    return out


def reflect(emulator, version, *questions):
    """(kind of answer, its fields) of each question: (field, text)."""
    with grpc.insecure_channel(emulator.host) as channel:
        call = channel.stream_stream(f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo")
        requests = [bytes([field << 3 | 2, len(text)]) + text for field, text in questions]
        responses = list(call(iter(requests), timeout=10))
    assert [dict(fields(response))[2] for response in responses] == requests
    return [(fields(response)[-1][0], fields(fields(response)[-1][1])) for response in responses]


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_services_are_listed(emulator, version):
    ((kind, services),) = reflect(emulator, version, (7, b""))
    names = {dict(fields(service))[1].decode() for _, service in services}
    assert kind == 6 and names == {
        "google.pubsub.v1.Publisher", "google.pubsub.v1.Subscriber", "google.pubsub.v1.SchemaService", "google.iam.v1.IAMPolicy",
        "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection", "pubsub.emulator.v1.Control",
    }  # fmt: skip


def test_a_client_without_generated_code_calls(emulator):
    """All it needs it has of reflection: the files make a pool, whose messages ListTopics takes and gives."""
    ((kind, files),) = reflect(emulator, "v1", (4, b"google.pubsub.v1.Publisher.ListTopics"))
    assert kind == 4
    pool, added = descriptor_pool.DescriptorPool(), set()
    protos = {proto.name: proto for proto in (descriptor_pb2.FileDescriptorProto.FromString(file) for _, file in files)}

    def add(name):
        if name not in added:
            added.add(name)
            for needed in protos[name].dependency:
                add(needed)
            pool.Add(protos[name])

    for name in protos:
        add(name)
    method = pool.FindServiceByName("google.pubsub.v1.Publisher").FindMethodByName("ListTopics")
    request, response = (message_factory.GetMessageClass(one) for one in (method.input_type, method.output_type))
    with grpc.insecure_channel(emulator.host) as channel:
        call = channel.unary_unary("/google.pubsub.v1.Publisher/ListTopics", request.SerializeToString, response.FromString)
        assert [topic.name for topic in call(request(project="projects/p"), timeout=10).topics] == [TOPIC]


def test_questions_without_an_answer(emulator):
    questions = [(3, b"google/pubsub/v1/pubsub.proto"), (3, b"nothing.proto"), (4, b"nothing.Known"), (6, b"google.pubsub.v1.Topic"), (6, b"nothing.Known")]
    kinds = [kind for kind, _ in reflect(emulator, "v1", *questions)]
    assert kinds == [4, 7, 7, 5, 7]


def test_a_malformed_question(emulator):
    with grpc.insecure_channel(emulator.host) as channel:
        call = channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
        for request in (b"", b"\x3a\xff", b"\x08\x01"):
            with pytest.raises(grpc.RpcError) as error:
                list(call(iter([request]), timeout=10))
            assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
