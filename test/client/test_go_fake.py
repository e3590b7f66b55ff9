"""The client against Google's own fake of the service in Go (pstest): it answers no stream pings, sends headers only with the first message,
and asks for calm when it is sent PING often. Skipped where there is no Go."""

import collections
import os
import shutil
import signal
import subprocess
import tempfile
import time
import types

import pytest

from conftest import ROOT, until
from test_negative_server import start

GO = shutil.which("go") or "/usr/local/go/bin/go"


@pytest.fixture(scope="module")
def fake():
    if not os.access(GO, os.X_OK):
        pytest.skip("no Go here")
    binary = ROOT / "build/pstest"
    subprocess.run([GO, "build", "-o", str(binary), "./pstest"], cwd=ROOT / "bench/peers/go", check=True)
    process = subprocess.Popen([binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield types.SimpleNamespace(host=process.stdout.readline().split()[-1])
    process.stdin.close()
    process.wait(timeout=10)


def ask(fake, *arguments):
    process = start(fake, *arguments, output=subprocess.PIPE)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out


def test_everything_once(fake):
    ask(fake, "topic", "create", "topic1")
    ask(fake, "subscription", "create", "sub1", "--topic", "topic1", "--ack-deadline", "10")
    assert ask(fake, "publish", "topic1", "--count", "30") == "published 30\n"
    file = tempfile.TemporaryFile("w+")
    reader = start(fake, "tail", "sub1", "--keepalive-ms", "1000", output=file)

    def lines():
        file.seek(0)
        return collections.Counter(file.read().splitlines())

    until(lambda: len(lines()) == 30, 30)
    time.sleep(11)  # longer than the deadline, and than the server likes to be pinged
    assert ask(fake, "publish", "topic1", "--count", "10", "--start", "30") == "published 10\n"
    until(lambda: len(lines()) == 40, 30)
    reader.send_signal(signal.SIGTERM)
    _, err = reader.communicate(timeout=30)
    assert reader.returncode == 0, err
    assert lines() == {f"{i} ": 1 for i in range(40)}


def test_what_is_missing(fake):
    process = start(fake, "pull", "none")
    _, err = process.communicate(timeout=30)
    assert process.returncode == 1 and "does not exist; create it with" in err
