"""The operational scripts: they verify, print JSON last, and leave nothing behind however they end."""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest

from conftest import EMULATOR, ROOT, until

sys.path.insert(0, str(ROOT / "bench/operations"))
import retries  # noqa: E402
from emulator import Event  # noqa: E402
from leases import Leases  # noqa: E402
from vitals import Watch  # noqa: E402

SCRIPTS = {
    "run_scale_test.sh": ({}, ["-Dpubsub.msg.count=2000"]),
    "run_throughput_test.sh": ({"PUBSUB_MSG_COUNT": "5000"}, []),
    "run_custom_throughput.sh": ({}, ["102400", "200"]),
    "run_dynamic_scaling_test.sh": ({"PUBSUB_STAGE_SECONDS": "8", "PUBSUB_RATE_MB": "2"}, []),
    "run_write_scaling_test.sh": ({"PUBSUB_MSG_COUNT": "3000"}, []),
    "run_custom_write_load.sh": ({}, ["1000", "5000"]),
}


def marked(marker):
    """Processes with this marker in their environment."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and marker.encode() in (entry / "environ").read_bytes():
                found.append((int(entry.name), (entry / "cmdline").read_bytes()[:80]))
        except OSError:
            pass
    return found


@pytest.fixture
def launch(tmp_path):
    """Starts a script in a group of its own; afterwards nothing of it may be left."""
    marker = f"PUBSUB_TEST_MARKER=m{os.getpid()}x{time.monotonic_ns()}"
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    started = []

    def start(script, **more):
        settings, arguments = SCRIPTS[script]
        environment = {k: v for k, v in os.environ.items() if k != "PUBSUB_EMULATOR_HOST"}
        environment.update(settings, TMPDIR=str(scratch), PUBSUB_RESULTS=str(tmp_path / "results"))
        environment.update([marker.split("=")], JAVA_TOOL_OPTIONS=f"-Djava.io.tmpdir={scratch}", **more)
        process = subprocess.Popen(
            [str(ROOT / script), *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    until(lambda: not marked(marker), 15)
    assert marked(marker) == []
    assert [p.name for p in scratch.iterdir() if not p.name.startswith("hsperfdata")] == []


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_verifies_and_leaves_nothing(launch, script):
    process = launch(script)
    out = process.communicate(timeout=240)[0]
    assert process.returncode == 0, out[-2000:]
    result = json.loads(out.strip().splitlines()[-1])
    assert result["passed"] and result["lost"] == 0
    if script == "run_scale_test.sh":
        assert result["messages"] == 2000


# Each by both signals, one early, while there is no more than an emulator, the other when Spark runs. Ctrl-C goes to all of the group.
@pytest.mark.parametrize("script, number, early", [(s, n, (i + n) % 2 == 0) for i, s in enumerate(SCRIPTS) for n in (signal.SIGINT, signal.SIGTERM)])
def test_a_script_that_is_stopped_leaves_nothing(launch, script, number, early):
    process = launch(script)
    signs = ("emulator on",) if early else ("starting Spark", "stage 1")
    while (line := process.stdout.readline()) and not any(sign in line for sign in signs):
        pass
    assert line, "it ended before"
    if not early:
        time.sleep(2)
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
    assert process.wait(timeout=120) == 128 + number
    process.stdout.close()


def test_a_message_that_is_missing_is_an_error_with_both_numbers(launch, emulator):
    """Somebody else takes a message from the subscription, on an emulator that is given."""
    process = launch("run_scale_test.sh", PUBSUB_EMULATOR_HOST=emulator.host, PUBSUB_TIMEOUT_SECONDS="20")
    while (line := process.stdout.readline()) and "starting Spark" not in line:
        pass
    subscription = emulator.command("stats").split()[0]
    taken = subprocess.run(
        [pathlib.Path(EMULATOR).with_name("pubsub"), "pull", subscription, "--max", "1", "--endpoint", emulator.host, "--plaintext"],
        check=True, capture_output=True, text=True, timeout=60,
    )
    assert len(taken.stdout.splitlines()) == 1
    out = process.communicate(timeout=240)[0]
    assert process.returncode == 1
    assert re.search(r"expected 2000 messages, read (1\d{3}|0) within", out), out
    assert emulator.command("stats") == "", "the subscription is still there"


def test_chaos_in_short():
    """Random faults of executors, tasks, connections and the driver: nothing is lost, nothing acknowledged early."""
    command = [str(ROOT / ".deps/venv/bin/python"), str(ROOT / "bench/operations/chaos.py")]
    done = subprocess.run(
        [*command, "--seed", "20", "--events", "6", "--messages", "40000", "--seconds-between", "3"],
        capture_output=True, text=True, timeout=300,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    result = json.loads(done.stdout.strip().splitlines()[-1])
    assert result["lost"] == 0 and result["acknowledged_before_commit"] == 0


def events(*rows):
    return [Event(time_us, kind, "r", identity, 0) for time_us, kind, identity in rows]


def refusals(*delays_ms, requests=20):
    """The record of requests that are refused again and again, with these pauses."""
    out = []
    for request in range(requests):
        at = 0
        for delay in (0, *delays_ms):
            at += delay * 1000
            out.append((at, "fault", str(request)))
    return events(*out)


@pytest.mark.parametrize("delays, good", [
    ((110, 230, 450), True), ((140, 270, 600), True),
    ((110, 115, 110), False), ((50, 230, 450), False), ((110, 450, 900), False), ((110, 230, 61000), False),
])
def test_retry_delays_are_judged(delays, good):
    assert all(row["good"] for row in retries.judge(refusals(*delays))) == good


SOURCE = {"receivedRows": 3, "acknowledgedRows": 3, "givenBackRows": 0, "expiredRows": 0, "backlogRows": 0}
LIVES = ((1, "publish", "a"), (2, "publish", "b"), (3, "deliver", "a"), (3, "deliver", "b"), (4, "expire", "b"), (5, "deliver", "b"),
         (6, "acknowledge", "a"), (7, "acknowledge", "b"))


@pytest.mark.parametrize("without, source, problems", [
    (None, {}, 0),
    (6, {}, 3),  # never acknowledged
    (3, {}, 2),  # a lease ends that never began
    (None, {"receivedRows": 4}, 2),  # a row that was never delivered, without an outcome
    (None, {"acknowledgedRows": 2, "backlogRows": 1}, 1),
    (None, {"receivedRows": 2, "acknowledgedRows": 2}, 1),  # one was lost on the way, though nothing was cut
])
def test_leases_are_accounted_for(without, source, problems):
    leases = Leases()
    leases.take(events(*(row for i, row in enumerate(LIVES) if i != without)))
    assert len(leases.problems(0, 0, {**SOURCE, **source}, 0)) >= problems
    assert bool(leases.problems(0, 0, {**SOURCE, **source}, 0)) == (problems > 0)


@pytest.mark.parametrize("growth, flat", [(0, True), (0.3, True), (3, False)])
def test_memory_that_grows_is_seen(growth, flat):
    watch = Watch()
    watch.samples["p"] = [(t, {"rss_mb": 300 + growth * t, "threads": 40, "descriptors": 90}) for t in range(100)]
    assert all(row["flat"] for row in watch.rows()) == flat


def test_soak_in_short():
    """The emulator misbehaves every other second for 40 s: nothing lost, every lease accounted for, memory flat."""
    command = [str(ROOT / ".deps/venv/bin/python"), str(ROOT / "bench/operations/soak.py")]
    done = subprocess.run([*command, "--seconds", "40", "--seed", "1", "--between", "2"], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    result = json.loads(done.stdout.strip().splitlines()[-1])
    assert result["lost"] == 0 and result["problems"] == 0 and result["faults"] >= 10
    assert result["leases"] == result["leases_acknowledged"] + result["leases_given_back"] + result["leases_expired"]


def test_the_record_is_read_and_forgotten_in_one_step(emulator):
    emulator.create()
    emulator.command("record on")
    command = [pathlib.Path(EMULATOR).with_name("pubsub"), "publish", "topic1", "--project", "p1", "--endpoint", emulator.host, "--plaintext"]
    subprocess.run([*command, "--count", "3"], check=True, stdout=subprocess.DEVNULL)
    assert len(emulator.record("publish")) == 3
    assert len(emulator.record("publish", clear=True)) == 3
    assert emulator.record() == []
    subprocess.run([*command, "--count", "2"], check=True, stdout=subprocess.DEVNULL)
    assert len(emulator.record("publish")) == 2
