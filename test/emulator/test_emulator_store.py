"""What is there after a restart (--data-dir): settings, messages, acknowledgements; what is damaged, full, or in use."""

import os
import pathlib
import signal
import subprocess
import threading
import time

import grpc
import pytest
from google.iam.v1 import iam_policy_pb2, policy_pb2
from google.protobuf import duration_pb2, field_mask_pb2, timestamp_pb2
from google.pubsub_v1 import PublisherClient, SchemaServiceClient, SubscriberClient, types
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.schema_service.transports import SchemaServiceGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from conftest import EMULATOR, Emulator

TOPIC, SUBSCRIPTION = "projects/p/topics/orders", "projects/p/subscriptions/orders"

ONCE = {"retry": None, "timeout": 20}  # errors are seen, and not tried again


class Kept(Emulator):
    """An emulator over a folder; `kill` is kill -9."""

    def __init__(self, folder, *arguments, sync="always"):
        super().__init__("--data-dir", str(folder), "--sync", sync, *arguments)

    def start(self, port=0):
        super().start(port)
        channel = grpc.insecure_channel(self.host, options=[("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)])
        self.channel = channel
        self.publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        self.subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        self.schemas = SchemaServiceClient(transport=SchemaServiceGrpcTransport(channel=channel))

    def kill(self):
        self.channel.close()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=10)
        self.process.stdout.close()

    def again(self):
        self.kill()
        self.start()

    def stop(self):
        self.channel.close()
        super().stop()

    def publish(self, *texts, topic=TOPIC, **fields):
        messages = [types.PubsubMessage(data=text.encode(), **fields) for text in texts]
        return list(self.publisher.publish(topic=topic, messages=messages, **ONCE).message_ids)

    def pull(self, count=1000, subscription=SUBSCRIPTION):
        request = {"subscription": subscription, "max_messages": count, "return_immediately": True}
        return list(self.subscriber.pull(request=request, **ONCE).received_messages)

    def texts(self, subscription=SUBSCRIPTION):
        return [received.message.data.decode() for received in self.pull(subscription=subscription)]

    def acknowledge(self, *received, subscription=SUBSCRIPTION):
        self.subscriber.acknowledge(subscription=subscription, ack_ids=[one.ack_id for one in received], **ONCE)


@pytest.fixture(params=["always", "interval"])
def sync(request):
    return request.param


@pytest.fixture
def kept(tmp_path, sync):
    with Kept(tmp_path / "data", "--subscription", f"{SUBSCRIPTION}={TOPIC}", sync=sync) as emulator:
        yield emulator


def fails(*arguments):
    """How a start fails: its words."""
    run = subprocess.run([EMULATOR, "--port", "0", *map(str, arguments)], capture_output=True, text=True, timeout=20)
    assert run.returncode == 1 and run.stdout == "", run
    return run.stderr


# ---- what survives ----


def test_messages_and_acknowledgements(kept):
    ids = kept.publish("one", "two", "three", attributes={"k": "v"})
    first = kept.pull(1)
    kept.acknowledge(*first)
    times = {received.message.message_id: received.message.publish_time for received in kept.pull()}
    kept.again()
    received = kept.pull()
    assert [one.message.data for one in received] == [b"two", b"three"]
    assert [one.message.message_id for one in received] == ids[1:]
    assert [one.message.publish_time for one in received] == [times[one] for one in ids[1:]]
    assert all(dict(one.message.attributes) == {"k": "v"} for one in received)
    assert int(kept.publish("four")[0]) > int(ids[-1])
    kept.again()
    assert kept.texts() == ["two", "three", "four"]


def test_ack_ids_of_before_are_of_no_use(kept):
    kept.publish("one", "two")
    before = kept.pull()
    kept.again()
    assert len(kept.pull()) == 2
    kept.acknowledge(*before)
    kept.again()
    assert kept.texts() == ["one", "two"]


def test_a_clean_end_keeps_as_much(kept):
    kept.publish("one", "two")
    kept.acknowledge(*kept.pull(1))
    kept.stop()
    kept.start()
    assert kept.texts() == ["two"]


def test_every_setting(kept):
    name = "projects/p/subscriptions/settings"
    kept.publisher.create_topic(request={"name": "projects/p/topics/dead"})
    topic = kept.publisher.create_topic(
        request=types.Topic(name="projects/p/topics/other", labels={"a": "b"}, message_retention_duration=duration_pb2.Duration(seconds=3600))
    )
    subscription = kept.subscriber.create_subscription(
        request=types.Subscription(
            name=name,
            topic=topic.name,
            ack_deadline_seconds=77,
            retain_acked_messages=True,
            message_retention_duration=duration_pb2.Duration(seconds=7200),
            labels={"c": "d"},
            enable_message_ordering=True,
            enable_exactly_once_delivery=True,
            filter='attributes.x = "y"',
            expiration_policy=types.ExpirationPolicy(ttl=duration_pb2.Duration(seconds=90000)),
            dead_letter_policy=types.DeadLetterPolicy(dead_letter_topic="projects/p/topics/dead", max_delivery_attempts=9),
            retry_policy=types.RetryPolicy(minimum_backoff=duration_pb2.Duration(seconds=11), maximum_backoff=duration_pb2.Duration(seconds=22)),
        )
    )
    kept.again()
    assert kept.publisher.get_topic(topic=topic.name) == topic
    assert kept.subscriber.get_subscription(subscription=name) == subscription
    topic.labels["a"] = "c"
    kept.publisher.update_topic(topic=topic, update_mask=field_mask_pb2.FieldMask(paths=["labels"]))
    subscription.ack_deadline_seconds = 66
    kept.subscriber.update_subscription(subscription=subscription, update_mask=field_mask_pb2.FieldMask(paths=["ack_deadline_seconds"]))
    kept.subscriber.modify_push_config(subscription=SUBSCRIPTION, push_config=types.PushConfig(push_endpoint="http://127.0.0.1:1/x"))
    kept.publish("passes", topic=topic.name, attributes={"x": "y"})
    kept.publish("does not", topic=topic.name, attributes={"x": "z"})
    kept.again()
    assert kept.publisher.get_topic(topic=topic.name) == topic
    assert kept.subscriber.get_subscription(subscription=name) == subscription
    assert kept.subscriber.get_subscription(subscription=SUBSCRIPTION).push_config.push_endpoint == "http://127.0.0.1:1/x"
    assert kept.texts(name) == ["passes"]


def test_what_is_deleted_stays_deleted(kept):
    kept.publisher.create_topic(name="projects/p/topics/gone")
    kept.subscriber.create_subscription(name="projects/p/subscriptions/left", topic="projects/p/topics/gone")
    kept.subscriber.create_subscription(name="projects/p/subscriptions/gone", topic=TOPIC)
    kept.publish("kept", topic="projects/p/topics/gone")
    kept.publisher.delete_topic(topic="projects/p/topics/gone")
    kept.subscriber.delete_subscription(subscription="projects/p/subscriptions/gone")
    kept.publisher.create_topic(name="projects/p/topics/gone")  # a namesake: the subscription is not its
    kept.publish("not for it", topic="projects/p/topics/gone")
    kept.again()
    assert kept.texts("projects/p/subscriptions/left") == ["kept"]
    assert kept.subscriber.get_subscription(subscription="projects/p/subscriptions/left").topic == "_deleted-topic_"
    with pytest.raises(Exception, match="NOT_FOUND|Resource not found"):
        kept.subscriber.get_subscription(subscription="projects/p/subscriptions/gone")
    kept.publisher.detach_subscription(request={"subscription": SUBSCRIPTION})
    kept.publish("for nobody")
    kept.again()
    assert kept.subscriber.get_subscription(subscription=SUBSCRIPTION).detached


def test_snapshots_and_seeks(kept):
    kept.publish("one", "two", "three")
    kept.subscriber.create_snapshot(name="projects/p/snapshots/snap", subscription=SUBSCRIPTION)
    kept.acknowledge(*kept.pull())
    kept.publish("four")
    kept.again()
    assert kept.texts() == ["four"]
    kept.subscriber.seek(request={"subscription": SUBSCRIPTION, "snapshot": "projects/p/snapshots/snap"})
    kept.again()
    assert kept.texts() == ["one", "two", "three", "four"]
    kept.subscriber.delete_snapshot(snapshot="projects/p/snapshots/snap")
    kept.again()
    assert list(kept.subscriber.list_snapshots(project="projects/p")) == []


def test_retained_messages(kept):
    retain = types.Subscription(name=SUBSCRIPTION, retain_acked_messages=True)
    kept.subscriber.update_subscription(subscription=retain, update_mask=field_mask_pb2.FieldMask(paths=["retain_acked_messages"]))
    kept.publish("one", "two")
    kept.acknowledge(*kept.pull())
    kept.again()
    assert kept.texts() == []
    kept.subscriber.seek(request={"subscription": SUBSCRIPTION, "time": timestamp_pb2.Timestamp(seconds=1)})
    assert kept.texts() == ["one", "two"]
    kept.subscriber.seek(request={"subscription": SUBSCRIPTION, "time": timestamp_pb2.Timestamp(seconds=int(time.time()) + 1000)})
    kept.again()
    assert kept.texts() == []


def test_a_topic_that_retains(kept):
    topic = kept.publisher.create_topic(request=types.Topic(name="projects/p/topics/other", message_retention_duration=duration_pb2.Duration(seconds=3600)))
    kept.publish("one", "two", topic=topic.name)
    kept.again()
    kept.subscriber.create_subscription(name="projects/p/subscriptions/late", topic=topic.name)
    kept.subscriber.seek(request={"subscription": "projects/p/subscriptions/late", "time": timestamp_pb2.Timestamp(seconds=1)})
    kept.again()
    assert kept.texts("projects/p/subscriptions/late") == ["one", "two"]
    kept.command("advance 61m")
    kept.again()
    kept.subscriber.create_subscription(name="projects/p/subscriptions/later", topic=topic.name)
    kept.subscriber.seek(request={"subscription": "projects/p/subscriptions/later", "time": timestamp_pb2.Timestamp(seconds=1)})
    assert kept.texts("projects/p/subscriptions/later") == []


def test_ordering_keys(kept):
    name = "projects/p/subscriptions/ordered"
    kept.subscriber.create_subscription(request=types.Subscription(name=name, topic=TOPIC, enable_message_ordering=True))
    for i in range(10):
        kept.publish(f"a{i}", ordering_key="a")
        kept.publish(f"b{i}", ordering_key="b")
    first = kept.pull(6, name)
    kept.acknowledge(*first, subscription=name)
    kept.again()
    texts = kept.texts(name)
    for key in "ab":
        left = [text for text in texts if text[0] == key]
        assert left == [f"{key}{i}" for i in range(10 - len(left), 10)]
    assert len(texts) == 20 - len(first)


def test_delivery_attempts(kept):
    name = "projects/p/subscriptions/mortal"
    kept.publisher.create_topic(name="projects/p/topics/dead")
    kept.subscriber.create_subscription(name="projects/p/subscriptions/dead", topic="projects/p/topics/dead")
    policy = types.DeadLetterPolicy(dead_letter_topic="projects/p/topics/dead", max_delivery_attempts=5)
    kept.subscriber.create_subscription(request=types.Subscription(name=name, topic=TOPIC, dead_letter_policy=policy))
    kept.publish("mortal")
    for attempt in range(1, 6):
        (received,) = kept.pull(subscription=name)
        assert received.delivery_attempt == attempt
        kept.subscriber.modify_ack_deadline(subscription=name, ack_ids=[received.ack_id], ack_deadline_seconds=0)
        kept.again()
    assert kept.texts(name) == []
    assert kept.texts("projects/p/subscriptions/dead") == ["mortal"]


def test_schemas_and_policies(kept):
    definition = '{"type":"record","name":"A","fields":[]}'
    schema = kept.schemas.create_schema(parent="projects/p", schema_id="order", schema=types.Schema(type_="AVRO", definition=definition))
    other = types.Schema(name=schema.name, type_="AVRO", definition=definition.replace("A", "B"))
    second = kept.schemas.commit_schema(name=schema.name, schema=other)
    kept.schemas.create_schema(parent="projects/p", schema_id="gone", schema=types.Schema(type_="AVRO", definition=definition))
    kept.schemas.delete_schema(name="projects/p/schemas/gone")
    policy = policy_pb2.Policy(bindings=[policy_pb2.Binding(role="roles/pubsub.viewer", members=["allUsers"])])
    policy = kept.publisher.set_iam_policy(request=iam_policy_pb2.SetIamPolicyRequest(resource=TOPIC, policy=policy))
    kept.again()
    revisions = list(kept.schemas.list_schema_revisions(request={"name": schema.name, "view": "FULL"}))
    assert [one.revision_id for one in revisions] == [schema.revision_id, second.revision_id]
    assert revisions[1].definition == other.definition
    assert [one.name for one in kept.schemas.list_schemas(parent="projects/p")] == [schema.name]
    assert kept.publisher.get_iam_policy(request=iam_policy_pb2.GetIamPolicyRequest(resource=TOPIC)) == policy
    third = kept.schemas.commit_schema(name=schema.name, schema=types.Schema(name=schema.name, type_="AVRO", definition=definition))
    assert third.revision_id not in (schema.revision_id, second.revision_id)


def test_the_virtual_clock(kept):
    kept.command("advance 8d")
    (before,) = kept.publish("one")
    kept.again()
    (received,) = kept.pull()
    assert received.message.message_id == before
    assert received.message.publish_time.timestamp() > time.time() + 7 * 86400
    kept.publish("two")
    assert kept.texts() == ["two"]


def test_a_configuration_is_read_again(tmp_path):
    config = tmp_path / "config.json"
    config.write_text(
        '{"topics": [{"name": "%s"}], "subscriptions": [{"name": "%s", "topic": "%s"}],'
        ' "messages": [{"topic": "%s", "messages": [{"data": "b25l"}]}]}' % (TOPIC, SUBSCRIPTION, TOPIC, TOPIC)
    )
    with Kept(tmp_path / "data", "--config", str(config)) as kept:
        kept.again()
        assert kept.texts() == ["one"]


# ---- the folder ----


def test_without_the_flag_nothing_is_written(tmp_path):
    with Emulator("--subscription", f"{SUBSCRIPTION}={TOPIC}") as emulator:
        links = list(pathlib.Path(f"/proc/{emulator.process.pid}/fd").iterdir())
        files = [os.readlink(link) for link in links if link.name not in "012"]  # those are the test's
        assert not [name for name in files if name.startswith("/") and not name.startswith(("/dev", "/proc"))]


def test_two_processes_do_not_share_a_folder(kept, tmp_path):
    assert "is in use by another process" in fails("--data-dir", tmp_path / "data")


def test_a_folder_that_cannot_be_made():
    assert "cannot make the folder /proc/x/y" in fails("--data-dir", "/proc/x/y")


def test_a_sync_that_is_none():
    run = subprocess.run([EMULATOR, "--sync", "sometimes"], capture_output=True, text=True, timeout=20)
    assert run.returncode == 2 and "'sometimes' is not acceptable" in run.stderr


def last_log(folder):
    return max(pathlib.Path(folder).glob("log-*"))


def test_a_write_that_was_torn_is_cut_off(tmp_path):
    with Kept(tmp_path / "data", "--subscription", f"{SUBSCRIPTION}={TOPIC}") as kept:
        kept.publish("one")
        size = len(last_log(tmp_path / "data").read_bytes().rstrip(b"\0"))
        kept.publish("x" * 3000)
        kept.kill()
        log = last_log(tmp_path / "data")
        log.write_bytes(log.read_bytes()[: size + 1000])
        kept.process = subprocess.Popen(
            [EMULATOR, "--port", "0", *kept.arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        kept.process.stdout.readline()
        assert "is cut off at byte" in kept.process.stderr.readline()
        kept.process.kill()
        kept.process.communicate()
        kept.start()
        assert kept.texts() == ["one"]


def test_damage_in_the_middle_is_told_with_its_place(tmp_path):
    with Kept(tmp_path / "data", "--subscription", f"{SUBSCRIPTION}={TOPIC}") as kept:
        kept.publish("first" * 100)
        kept.publish("second" * 100)
        kept.kill()
        log = last_log(tmp_path / "data")
        bytes_ = bytearray(log.read_bytes())
        at = bytes_.index(b"firstfirst")
        bytes_[at + 7] ^= 1
        log.write_bytes(bytes_)
        words = fails("--data-dir", tmp_path / "data")
        assert f"{log} is damaged at byte" in words
        assert at - 300 < int(words.split("at byte ")[1].split(":")[0]) <= at
        bytes_[at + 7] ^= 1
        log.write_bytes(bytes_)
        kept.start()
        assert len(kept.texts()) == 2


def test_a_file_that_is_missing_is_told(tmp_path):
    with Kept(tmp_path / "data", "--subscription", f"{SUBSCRIPTION}={TOPIC}") as kept:
        kept.publish("x" * 9000)
        kept.again()  # the message lies in a file before the last checkpoint
        kept.kill()
        files = sorted((tmp_path / "data").glob("log-*"))
        hidden = tmp_path / "hidden"
        files[0].rename(hidden)
        assert f"message 1 is not there: {files[0].name} is missing" in fails("--data-dir", tmp_path / "data")
        hidden.rename(files[0])
        kept.start()
        assert kept.texts() == ["x" * 9000]


def test_a_newer_version_is_refused(tmp_path):
    with Kept(tmp_path / "data") as kept:
        kept.stop()
        checkpoint = max((tmp_path / "data").glob("checkpoint-*"))
        checkpoint.write_bytes(b"not a store")
        assert "not a file of a store" in fails("--data-dir", tmp_path / "data")
        (tmp_path / "data").rename(tmp_path / "other")
        kept.start()


# ---- room ----


def limited(folder, megabytes):
    """An emulator whose files cannot grow beyond a limit: a full disk."""
    import resource

    limit = megabytes << 20
    kept = Kept.__new__(Kept)
    kept.binary, kept.own_group = EMULATOR, False
    kept.arguments = ("--data-dir", str(folder), "--subscription", f"{SUBSCRIPTION}={TOPIC}")
    original = subprocess.Popen

    def popen(*arguments, **options):
        return original(*arguments, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)), **options)

    subprocess.Popen = popen
    try:
        kept.start()
    finally:
        subprocess.Popen = original
    return kept


def test_a_full_disk_refuses_and_nothing_is_lost(tmp_path):
    kept = limited(tmp_path / "data", 8)
    try:
        answered = []
        with pytest.raises(Exception, match="nothing can be kept: cannot reserve room in .*File too large"):
            for i in range(100):
                answered += kept.publish(f"{i:03}" + "x" * 200000)
        assert len(answered) > 20
        with pytest.raises(Exception, match="nothing can be kept"):
            kept.publish("y" * 500000)
        received = kept.pull()
        while len(received) < len(answered):
            received += kept.pull()
        assert [one.message.message_id for one in received] == answered
        kept.acknowledge(*received[:5])  # what is there can be acknowledged
        kept.kill()
    finally:
        kept.process.poll() is None and kept.kill()
    with Kept(tmp_path / "data") as again:
        left = []
        while more := again.pull():
            left += more
        assert [one.message.message_id for one in left] == answered[5:]


def test_acknowledging_makes_room_again(tmp_path):
    kept = limited(tmp_path / "data", 8)
    try:
        for _ in range(60):  # 12 MB in all
            kept.publish("x" * 200000)
            kept.acknowledge(*kept.pull())
            time.sleep(0.005)
    except Exception as error:  # the moment it is full: what is dead goes with the next change
        assert "nothing can be kept" in str(error)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                kept.publish("x" * 200000)
                break
            except Exception:
                time.sleep(0.05)
        else:
            raise
    finally:
        kept.kill()


def test_the_log_does_not_grow_for_ever(tmp_path):
    with Kept(tmp_path / "data", "--subscription", f"{SUBSCRIPTION}={TOPIC}", sync="interval") as kept:
        (stays,) = kept.publish("stays")
        held = kept.pull()[0]
        for _ in range(60):  # 480 MB, a hundred kB of it alive
            kept.publish(*["x" * 1000000] * 8)
            received = kept.pull()
            kept.acknowledge(*received)
            kept.subscriber.modify_ack_deadline(subscription=SUBSCRIPTION, ack_ids=[held.ack_id], ack_deadline_seconds=600)
        size = sum(path.stat().st_size for path in (tmp_path / "data").iterdir())
        assert size < 300 << 20
        kept.again()
        assert [one.message.message_id for one in kept.pull()] == [stays]


def test_room_that_a_killed_process_had_reserved_is_given_back(tmp_path):
    with Kept(tmp_path / "data", "--subscription", f"{SUBSCRIPTION}={TOPIC}") as kept:
        for _ in range(3):
            kept.publish("x" * 9000)
            kept.again()
        kept.stop()
        assert sum(path.stat().st_size for path in (tmp_path / "data").iterdir()) < 100000
        kept.start()
        assert len(kept.texts()) == 3


# ---- kill -9 ----

ROUNDS = int(os.environ.get("KILLS", "6"))


class Traffic:
    """Publishers and a subscriber that note what was answered, until the server goes."""

    def __init__(self, kept):
        self.kept, self.published, self.acknowledged, self.seen = kept, {}, set(), set()
        self.asked = set()  # acknowledgements that may not have been answered
        self.count = 0

    def publish(self, writer):
        try:
            while True:
                texts = [f"{writer}-{self.count}-{i}" for i in range(5)]
                self.count += 1
                self.published.update(zip(self.kept.publish(*texts), texts, strict=True))
        except Exception:
            pass

    def consume(self):
        try:
            while True:
                received = self.kept.pull(20)
                again = {one.message.message_id for one in received} & self.acknowledged
                assert not again, f"acknowledged, and there again: {again}"
                half = received[::2]
                if not half:
                    continue
                ids = {one.message.message_id for one in half}
                self.asked |= ids
                self.kept.acknowledge(*half)
                self.acknowledged |= ids
        except AssertionError as error:
            self.wrong = error
        except Exception:
            pass

    wrong = None

    def round(self, seconds):
        threads = [threading.Thread(target=self.publish, args=(i,)) for i in range(3)] + [threading.Thread(target=self.consume)]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        self.kept.process.send_signal(signal.SIGKILL)
        for thread in threads:
            thread.join(timeout=30)
        self.kept.kill()
        self.kept.start()


def test_killed_again_and_again(kept):
    traffic = Traffic(kept)
    for round_ in range(ROUNDS):
        traffic.round(0.15 + 0.05 * (round_ % 4))
        assert traffic.wrong is None, traffic.wrong
    left = {}
    while more := kept.pull():
        left.update({one.message.message_id: one.message.data.decode() for one in more})
    for id_, text in traffic.published.items():
        if id_ in traffic.asked and id_ not in left:
            continue
        assert left.get(id_) == text, f"message {id_} was answered and is gone"
    assert not set(left) & traffic.acknowledged
    assert len(traffic.published) > 10 * ROUNDS and len(traffic.acknowledged) > 2 * ROUNDS
