"""The pubsub command: what it prints, what it acknowledges, how long it waits, and that it says what is wrong."""

import base64
import json
import os
import pathlib
import resource
import signal
import subprocess
import time

import pytest

from conftest import COMMAND, EMULATOR, until
from emulator import Emulator

PROJECT = "p"


class Command:
    """The command against an emulator with a topic and a subscription."""

    def __init__(self, emulator):
        self.emulator = emulator
        self.good("topic", "create", "topic1")
        self.good("subscription", "create", "sub1", "--topic", "topic1", "--ack-deadline", "600")

    def line(self, *arguments):
        return [COMMAND, *arguments, "--endpoint", self.emulator.host, "--plaintext", "--project", PROJECT]

    def run(self, *arguments, data=None, **options):
        """(exit code, standard output, standard error)"""
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        done = subprocess.run(self.line(*arguments), input=data, timeout=60, **options)
        return done.returncode, done.stdout, done.stderr.decode()

    def good(self, *arguments, data=None):
        code, out, err = self.run(*arguments, data=data)
        assert code == 0, err
        return out.decode(errors="surrogateescape")

    def bad(self, *arguments, code=1, **options):
        got, out, err = self.run(*arguments, **options)
        assert got == code and out == b"", (got, out, err)
        return err

    def publish(self, *lines):
        self.good("publish", "topic1", data="".join(line + "\n" for line in lines).encode())

    def unsettled(self):
        return self.emulator.stats("sub1")["backlog"]


@pytest.fixture
def command():
    with Emulator(EMULATOR, "--record") as emulator:
        yield Command(emulator)


def test_a_line_without_an_end_is_refused_in_bounded_memory(command):
    limit = 200 << 20
    process = subprocess.Popen(
        command.line("publish", "topic1"), stdin=open("/dev/zero", "rb"), stderr=subprocess.PIPE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)),
    )  # fmt: skip
    _, err = process.communicate(timeout=30)
    assert process.returncode == 1 and b"10000000" in err.replace(b",", b""), err
    assert command.unsettled() == 0


# ---- acknowledged only after it was written ----


def given_back(command, count):
    """All of them can be received again, at once."""
    assert command.unsettled() == count
    assert not command.emulator.record("ack")
    until(lambda: command.emulator.stats("sub1")["ready"] == count, 10)
    assert command.emulator.stats("sub1")["ready"] == count


@pytest.mark.parametrize("how", (["pull", "sub1", "--max", "3"], ["pull", "sub1", "--max", "20000"], ["tail", "sub1"], ["tail", "sub1", "--json"]))
def test_a_full_device_loses_nothing(command, how):
    command.publish("a", "b", "c")
    with open("/dev/full", "wb") as full:
        code, _, err = command.run(*how, stdout=full)
    assert code == 1
    assert "cannot write to the standard output: No space left on device" in err
    given_back(command, 3)


@pytest.mark.parametrize("how", (["pull", "sub1", "--max", "3"], ["tail", "sub1"]))
def test_a_closed_pipe_loses_nothing(command, how):
    command.publish("a", "b", "c")
    reading, writing = os.pipe()
    os.close(reading)
    code, _, err = command.run(*how, stdout=writing)
    os.close(writing)
    assert code == 1
    assert "Broken pipe" in err
    given_back(command, 3)


def test_what_a_reader_did_not_take_comes_again(command):
    """`pubsub tail | head -1` with messages that come one after the other: what head printed is acknowledged, the rest is not lost."""
    process = subprocess.Popen(command.line("tail", "sub1"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    command.publish("first")
    assert process.stdout.readline() == b"first\n"
    process.stdout.close()
    until(lambda: command.unsettled() == 0, 10)
    command.publish("second")
    _, err = process.communicate(timeout=30)
    assert process.returncode == 1 and b"Broken pipe" in err
    assert command.good("pull", "sub1") == "second\n"


def test_any_result_that_cannot_be_written_is_a_failure(command):
    for arguments in (["topic", "list"], ["subscription", "get", "sub1"], ["pull", "--help"], ["man"]):
        with open("/dev/full", "wb") as full:
            code, _, err = command.run(*arguments, stdout=full)
        assert code == 1 and "cannot write to the standard output" in err, arguments


def test_what_was_printed_is_what_was_acknowledged(command):
    """Also where --max is large, and more than that is waiting."""
    command.good("publish", "topic1", "--count", "10900")
    printed = command.good("pull", "sub1", "--max", "10500").splitlines()
    assert len(printed) == 10500
    assert command.unsettled() == 400


# ---- JSON ----

ODD = bytes(range(256)) + "é€😀 \u2028\x7f\"\\".encode() + b"\xed\xa0\x80\xc0\x80\xf5"


def test_json_of_any_bytes(command, tmp_path):
    (tmp_path / "odd").write_bytes(ODD)
    command.good("publish", "topic1", "--file", str(tmp_path / "odd"), "--attribute", 'quoted="ü"\n', "--ordering-key", "k1")
    for name in ("text", "more"):
        command.good("subscription", "create", name, "--topic", "topic1")
    command.publish("plain")
    first, second = (json.loads(line) for line in command.good("pull", "sub1", "--max", "2", "--json").splitlines())
    if first["ordering_key"] is None:
        first, second = second, first
    assert base64.b64decode(first["data"], validate=True) == ODD
    assert first["attributes"] == {"quoted": '"ü"\n'}
    assert first["ordering_key"] == "k1"
    assert base64.b64decode(second["data"]) == b"plain"
    assert second["ordering_key"] is None and second["delivery_attempt"] is None
    assert second["message_id"] and abs(second["publish_time_us"] / 1e6 - time.time()) < 60


def test_json_with_text(command, tmp_path):
    (tmp_path / "odd").write_bytes(ODD)
    command.good("publish", "topic1", "--file", str(tmp_path / "odd"))
    out = command.good("pull", "sub1", "--json", "--text")
    assert out.count("\n") == 1
    text = json.loads(out)["data"]
    assert text.startswith("".join(map(chr, range(128))))
    assert "é€😀 \u2028\x7f\"\\" in text and "\ufffd" in text
    assert text.encode()  # no half of a surrogate pair


def test_json_tells_the_delivery_attempt(command):
    command.good("topic", "create", "dead")
    stub = pytest.importorskip("google.pubsub_v1")
    from google.api_core.client_options import ClientOptions
    from google.auth.credentials import AnonymousCredentials
    import grpc
    from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

    transport = SubscriberGrpcTransport(channel=grpc.insecure_channel(command.emulator.host))
    client = stub.SubscriberClient(transport=transport)
    client.create_subscription(
        request={
            "name": f"projects/{PROJECT}/subscriptions/attempts",
            "topic": f"projects/{PROJECT}/topics/topic1",
            "dead_letter_policy": {"dead_letter_topic": f"projects/{PROJECT}/topics/dead", "max_delivery_attempts": 5},
        }
    )
    command.publish("x")
    assert json.loads(command.good("pull", "attempts", "--json"))["delivery_attempt"] == 1


def test_every_binary_message_is_one_line(command):
    command.publish(*(f"line {i}" for i in range(50)))
    lines = command.good("pull", "sub1", "--max", "50", "--json").splitlines()
    assert {base64.b64decode(json.loads(line)["data"]).decode() for line in lines} == {f"line {i}" for i in range(50)}


# ---- how long it waits ----


def test_pull_returns_what_is_there(command):
    command.publish("a", "b", "c", "d")
    begin = time.monotonic()
    assert sorted(command.good("pull", "sub1", "--max", "10").splitlines()) == ["a", "b", "c", "d"]
    assert time.monotonic() - begin < 9
    assert command.unsettled() == 0


def test_pull_of_nothing_ends(command):
    begin = time.monotonic()
    code, out, err = command.run("pull", "sub1", "--wait", "2")
    assert (code, out) == (0, b"") and "no message came within 2 s" in err
    assert 2 <= time.monotonic() - begin < 9


def test_wait_is_for_the_whole_number(command):
    """Messages that come one by one are waited for as long as --wait says."""
    process = subprocess.Popen(command.line("pull", "sub1", "--max", "3", "--wait", "30"), stdout=subprocess.PIPE)
    for name in ("a", "b", "c"):
        time.sleep(1.5)
        command.publish(name)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 0 and out == b"a\nb\nc\n"


def test_pull_of_what_is_missing_says_so(command):
    assert "does not exist" in command.bad("pull", "none", "--wait", "5")


def test_ctrl_c_ends_tail(command):
    process = subprocess.Popen(command.line("tail", "sub1"), stdout=subprocess.PIPE)
    command.publish("a")
    assert process.stdout.readline() == b"a\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=15) == 0
    assert command.unsettled() == 0


def test_ctrl_c_ends_a_call_that_is_repeated(command):
    binary = command.line("topic")[0]
    nobody = [binary, "topic", "get", "topic1", "--project", "p1", "--endpoint", "127.0.0.1:1", "--plaintext"]
    # Whoever runs the tests in the background has it ignored.
    heard = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    process = subprocess.Popen(nobody, stderr=subprocess.PIPE, **heard)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=1)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=5) == -signal.SIGINT
    process.stderr.close()


def test_numbers_and_names_that_are_none(command, tmp_path):
    for option in ("--max", "--wait"):
        assert "1 or more" in command.bad("pull", "sub1", option, "0", code=2)
    assert "--max wants a value (N), and --json is an option" in command.bad("pull", "sub1", "--max", "--json", code=2)
    assert "'x' is not a number" in command.bad("pull", "sub1", "--max", "x", code=2)
    assert "'99999999999' is more than 4294967295" in command.bad("pull", "sub1", "--wait", "99999999999", code=2)
    assert "is more than" in command.bad("publish", "topic1", "--count", "99999999999999999999999", code=2)
    assert "is more than 10000000" in command.bad("publish", "topic1", "--count", "1", "--size", "99999999999", code=2)
    assert "a name has more than" in command.bad("topic", "get", "t" * 600, code=2)
    assert f"cannot read '{tmp_path}': Is a directory" in command.bad("publish", "topic1", "--file", str(tmp_path))
    assert "No such file" in command.bad("publish", "topic1", "--file", str(tmp_path / "none"))


def test_publishing_takes_one_source_and_all_of_it(command, tmp_path):
    """What is not published is told."""
    said = command.bad("publish", "topic1", "--message", "x", "--file", str(tmp_path / "none"), code=2)
    assert "--message, --file and --count" in said
    assert "--message, --file and --count" in command.bad("publish", "topic1", "--message", "x", "--count", "2", code=2)
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        assert "cannot read the standard input: Is a directory" in command.bad("publish", "topic1", stdin=folder)
    finally:
        os.close(folder)


# ---- administration ----


def test_lists(command):
    command.good("topic", "create", "topic2")
    command.good("subscription", "create", "sub2", "--topic", "topic2")
    command.good("snapshot", "create", "snap1", "sub1")
    full = f"projects/{PROJECT}/"
    assert command.good("topic", "list").split() == [full + "topics/topic1", full + "topics/topic2"]
    assert command.good("subscription", "list").split() == [full + "subscriptions/sub1", full + "subscriptions/sub2"]
    assert command.good("subscription", "list", "--topic", "topic2").split() == [full + "subscriptions/sub2"]
    assert command.good("snapshot", "list").split() == [full + "snapshots/snap1"]
    command.good("snapshot", "delete", "snap1")
    assert command.good("snapshot", "list") == ""
    assert "topic 'projects/p/topics/none' does not exist" in command.bad("subscription", "list", "--topic", "none")


def test_seek_to_a_time_brings_messages_back(command):
    command.good("subscription", "update", "sub1", "--retain-acked")
    command.publish("a")
    assert command.good("pull", "sub1") == "a\n"
    command.good("subscription", "seek", "sub1", "--time", "-1h")
    assert command.good("pull", "sub1") == "a\n"
    command.good("subscription", "seek", "sub1", "--time", "2026-01-31T08:00:00.5+01:00")
    command.publish("b")
    command.good("subscription", "seek", "sub1", "--time", "now")
    assert command.unsettled() == 0


def test_seek_to_a_snapshot(command):
    command.publish("a")
    command.good("snapshot", "create", "snap1", "sub1")
    assert command.good("pull", "sub1") == "a\n"
    command.good("subscription", "seek", "sub1", "--snapshot", "snap1")
    assert command.good("pull", "sub1") == "a\n"


@pytest.mark.parametrize("when", ("yesterday", "2026-01-31", "-2", "-2w", "1704067200", "2026-01-31T08:00:00", "2026-13-31T08:00:00Z"))
def test_a_time_that_is_none(command, when):
    assert f"'{when}' is no time; 2026-01-31T08:00:00Z, now and -2h are" in command.bad("subscription", "seek", "sub1", "--time", when, code=2)


def test_update_and_detach(command):
    out = command.good("subscription", "update", "sub1", "--ack-deadline", "77", "--retention", "1200", "--retain-acked", "--exactly-once")
    assert out == "projects/p/subscriptions/sub1 topic=projects/p/topics/topic1 ack_deadline=77s retention=1200s retain_acked exactly_once\n"
    out = command.good("subscription", "update", "sub1", "--no-exactly-once", "--no-retain-acked")
    assert out == "projects/p/subscriptions/sub1 topic=projects/p/topics/topic1 ack_deadline=77s retention=1200s\n"
    assert "what is to change" in command.bad("subscription", "update", "sub1", code=2)
    command.good("subscription", "detach", "sub1")
    assert command.good("subscription", "get", "sub1").strip().endswith("detached")


def test_create_with_everything(command):
    command.good(
        "subscription", "create", "all", "--topic", "topic1", "--ordering", "--exactly-once", "--retain-acked",
        "--retention", "3600", "--filter", 'attributes:origin',
    )  # fmt: skip
    assert command.good("subscription", "get", "all") == (
        "projects/p/subscriptions/all topic=projects/p/topics/topic1 ack_deadline=10s retention=3600s retain_acked exactly_once ordering "
        "filter=attributes:origin\n"
    )


# ---- help, man, completion ----


def commands():
    """The names that the overview lists."""
    overview = subprocess.run([COMMAND, "--help"], capture_output=True, text=True, check=True).stdout
    lines = overview.split("\n\n")[1].splitlines()
    names = [line.strip().split("  ")[0].split() for line in lines]
    return [" ".join(word for word in words if word.islower() and "|" not in word) for words in names]


def test_each_command_has_its_own_help():
    assert len(commands()) == 21
    for name in commands():
        out = subprocess.run([COMMAND, *name.split(), "--help"], capture_output=True, text=True, check=True).stdout
        assert out.startswith(f"usage: pubsub {name}")
        assert "example:\n  " in out and "pubsub " in out.split("example:")[1]
        assert ("--max" in out) == (name == "pull") and ("--json" in out) == (name in ("pull", "tail"))


def test_help_of_a_group_and_of_a_mistake():
    group = subprocess.run([COMMAND, "subscription", "--help"], capture_output=True, text=True)
    assert group.returncode == 0 and "subscription seek SUBSCRIPTION" in group.stdout and "pull" not in group.stdout
    mistake = subprocess.run([COMMAND, "subscription", "sek", "s"], capture_output=True, text=True)
    assert mistake.returncode == 2 and "'subscription sek' is no command" in mistake.stderr and "subscription seek" in mistake.stderr
    other = subprocess.run([COMMAND, "topic", "create", "t", "--max", "3"], capture_output=True, text=True)
    assert other.returncode == 2 and "--max is no option of 'pubsub topic create'" in other.stderr
    typo = subprocess.run([COMMAND, "pull", "s", "--jsn"], capture_output=True, text=True)
    assert typo.returncode == 2 and "did you mean '--json'?" in typo.stderr


def test_the_man_page(tmp_path):
    page = subprocess.run([COMMAND, "man"], capture_output=True, text=True, check=True).stdout
    assert page.startswith(".TH PUBSUB 1 ")
    for name in commands():
        assert f".SS pubsub {name} " in page
        for word in subprocess.run([COMMAND, *name.split(), "--help"], capture_output=True, text=True).stdout.split():
            if word.startswith("--"):
                assert word.rstrip(";:,").replace("-", "\\-") in page, (name, word)


@pytest.mark.parametrize(
    "typed,expected",
    (
        ("pubsub ", {"topic", "subscription", "snapshot", "publish", "pull", "tail", "bench", "completion", "man"}),
        ("pubsub sub", {"subscription"}),
        ("pubsub --project p subscription de", {"detach", "delete"}),
        ("pubsub pull sub1 --m", {"--max"}),
        ("pubsub publish t --ba", {"--batch-bytes"}),
    ),
)
def test_completion(typed, expected, tmp_path):
    words = typed.split(" ")
    script = (
        f"source <({COMMAND} completion bash); COMP_WORDS=({' '.join(repr(word) for word in words)}); COMP_CWORD={len(words) - 1}; "
        'COMP_LINE="x"; _pubsub; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=20)
    assert set(done.stdout.split()) == expected, done.stderr


def test_completion_of_zsh():
    out = subprocess.run([COMMAND, "completion", "zsh"], capture_output=True, text=True, check=True).stdout
    assert "bashcompinit" in out and "complete -F _pubsub pubsub" in out
    if pathlib.Path("/usr/bin/zsh").exists():
        subprocess.run(["zsh", "-f", "-c", f"autoload -U compinit && compinit -u; source <({COMMAND} completion zsh)"], check=True, timeout=20)
