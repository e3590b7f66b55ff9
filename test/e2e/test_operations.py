"""The operational scripts: they verify, print JSON last, and leave nothing behind however they end."""

import glob
import json
import os
import pathlib
import signal
import subprocess
import time

import pytest

from conftest import ROOT, until

SCRIPTS = {
    "run_scale_test.sh": ({"PUBSUB_MSG_COUNT": "2000"}, []),
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

    def start(script, more=(), **given):
        settings, arguments = SCRIPTS[script]
        environment = {k: v for k, v in os.environ.items() if k != "PUBSUB_EMULATOR_HOST"}
        environment.update(settings, **given)
        environment.update(TMPDIR=str(scratch), PUBSUB_RESULTS=str(tmp_path / "results"))
        environment.update([marker.split("=")])
        process = subprocess.Popen(
            [str(ROOT / script), *arguments, *more], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    until(lambda: not marked(marker), 15)
    assert marked(marker) == []
    assert [p for p in glob.glob(str(scratch / "*")) if "pubsub-" in p or "spark-" in p or "blockmgr" in p] == []


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_verifies_and_leaves_nothing(launch, script):
    process = launch(script)
    out = process.communicate(timeout=240)[0]
    assert process.returncode == 0, out[-2000:]
    result = json.loads(out.strip().splitlines()[-1])
    assert result["passed"] and result["lost"] == 0


# When a script is stopped: while Spark works, and before it has started.
WORKING, EARLY = ("starting Spark", "stage 1", "executors"), ("emulator on",)
STOPS = [
    (script, number, moment)
    for index, script in enumerate(SCRIPTS)
    for number, moment in zip((signal.SIGINT, signal.SIGTERM), (WORKING, EARLY) if index % 2 else (EARLY, WORKING))
]


@pytest.mark.parametrize("script, number, moment", STOPS, ids=lambda v: v[0] if isinstance(v, tuple) else str(v))
def test_a_script_that_is_stopped_leaves_nothing(launch, script, number, moment):
    process = launch(script)
    while (line := process.stdout.readline()) and not any(word in line for word in moment):
        pass
    assert line, "the script has ended before it was stopped"
    time.sleep(1 if moment == WORKING else 0.1)
    os.killpg(process.pid, number)
    assert process.wait(timeout=60) == 128 + number
    process.stdout.close()


@pytest.mark.parametrize(
    "script, arguments",
    [
        ("run_scale_test.sh", ["-Dpubsub.msg.count=1500", "-Dpubsub.payload.size=200", "-Dspark.master=local[2]"]),
        ("run_write_scaling_test.sh", ["-Dpubsub.msg.count=1500"]),
        ("run_dynamic_scaling_test.sh", []),
    ],
)
def test_a_script_on_an_emulator_of_others(launch, emulator, script, arguments):
    """System properties count too; topic and subscription are gone afterwards."""
    settings = {"PUBSUB_EMULATOR_HOST": emulator.host}
    if arguments:
        settings["PUBSUB_MSG_COUNT"] = ""
    process = launch(script, arguments, **settings)
    out = process.communicate(timeout=240)[0]
    assert process.returncode == 0, out[-2000:]
    result = json.loads(out.strip().splitlines()[-1])
    assert result["passed"] and result["lost"] == 0
    if arguments:
        assert result.get("messages", result.get("rows")) == 1500
    assert "topic-" not in emulator.command("stats") and "sub-" not in emulator.command("stats")


def test_other_numbers_than_expected_are_an_error(launch, emulator):
    """Somebody else publishes to the script's topic: both numbers are named."""
    process = launch("run_scale_test.sh", PUBSUB_EMULATOR_HOST=emulator.host)
    said = []
    while (line := process.stdout.readline()) and "starting Spark" not in line:
        said.append(line)
    name = emulator.command("stats").split()[0].rsplit("/sub-", 1)[1]
    command = [str(ROOT / "build/release/pubsub"), "publish", f"topic-{name}", "--message", "987654 more"]
    subprocess.run([*command, "--project", "throughput-test-project"], check=True, timeout=30)
    said.append(process.communicate(timeout=240)[0])
    out = "".join(said)
    assert process.returncode != 0
    assert "2000" in out and "2001" in out, out[-2000:]


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


def test_soak_in_short(tmp_path):
    """Ten kinds of fault and more while a publisher, a C subscriber and a query run: nothing lost, no lease forgotten, nothing grows."""
    command = [str(ROOT / ".deps/venv/bin/python"), str(ROOT / "bench/operations/soak.py")]
    environment = {k: v for k, v in os.environ.items() if k != "PUBSUB_EMULATOR_HOST"}
    done = subprocess.run(
        [*command, "--seconds", "40", "--seed", "3", "--every", "2"],
        capture_output=True, text=True, timeout=400, env=dict(environment, TMPDIR=str(tmp_path)),
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    result = json.loads(done.stdout.strip().splitlines()[-1])
    assert result["passed"] and len(result["struck"]) >= 10
    assert [path for path in tmp_path.iterdir() if "pubsub-" in path.name] == []
