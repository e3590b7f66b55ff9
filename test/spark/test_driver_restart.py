"""A driver that is killed in each window between the offset log, the sink's commit and the commit log, and started again."""

import collections
import pathlib
import signal
import subprocess
import sys

import pytest

from conftest import ROOT, Emulator, until
from killed_driver import WINDOWS

MESSAGES = 3000
BATCH = 2  # the one whose process dies


def start(emulator, tmp_path, *window):
    command = [sys.executable, str(ROOT / "test/support/killed_driver.py")]
    arguments = [emulator.host, str(tmp_path / "checkpoint"), str(tmp_path / "sink"), *window]
    return subprocess.Popen([*command, *arguments], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)


def stored(tmp_path):
    """What the sink has, by batch."""
    return {int(path.stem): path.read_text().split() for path in (tmp_path / "sink").glob("*.ids")}


def committed(tmp_path):
    return {int(path.name) for path in (tmp_path / "checkpoint" / "commits").iterdir() if path.name.isdigit()}


@pytest.mark.parametrize("window", WINDOWS)
def test_a_killed_driver_loses_nothing(monkeypatch, tmp_path, window):
    with Emulator("--record") as emulator:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", emulator.host)
        emulator.create()
        project = ["--project", "p1", "--endpoint", emulator.host, "--plaintext"]
        command = pathlib.Path(emulator.binary).with_name("pubsub")
        subprocess.run([command, "publish", "topic1", "--count", str(MESSAGES), "--size", "100", *project], check=True, capture_output=True)

        killed = start(emulator, tmp_path, window, str(BATCH))
        assert killed.wait(timeout=120) == -signal.SIGKILL
        killed.stdin.close()
        if window == "before the offset log":
            (tmp_path / "checkpoint" / "offsets" / str(BATCH)).unlink(missing_ok=True)  # it may have come that far
        until(lambda: emulator.stats("sub1")["streams"] == 0, 30)
        before, batches = stored(tmp_path), committed(tmp_path)
        acknowledged = {event.message_id for event in emulator.record("acknowledge")}
        # Nothing is acknowledged before its batch's commit, and the window was the one that was asked for.
        assert acknowledged <= {i for number, ids in before.items() if number in batches for i in ids}
        assert max(batches) == BATCH if window == "after the commit log" else BATCH not in batches
        assert (BATCH in before) == (window in ("after the sink's commit", "after the commit log"))
        assert window == "before the offset log" or (tmp_path / "checkpoint" / "offsets" / str(BATCH)).exists()

        emulator.command("advance 10m")  # past every lease of the killed process
        again = start(emulator, tmp_path)
        until(lambda: emulator.stats("sub1")["backlog"] == 0, 120)
        again.communicate(timeout=60)
        rows = [i for ids in stored(tmp_path).values() for i in ids]
        assert len(set(rows)) == MESSAGES and emulator.stats("sub1")["backlog"] == 0
        # What comes twice was in the last batch that had committed: its acknowledgements were on their way.
        twice = {i for i, times in collections.Counter(rows).items() if times > 1}
        assert len(rows) - MESSAGES == len(twice) and twice <= set(before[max(batches)])
