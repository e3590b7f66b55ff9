"""How the emulator is started: as itself, and as the popular images start Google's."""

import contextlib
import os
import re
import signal
import subprocess

import pytest

EMULATOR = os.environ["PUBSUB_EMULATOR_BINARY"]


@contextlib.contextmanager
def started(*arguments):
    """(address, port, what it has said on its standard error)"""
    process = subprocess.Popen([EMULATOR, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    said = []
    try:
        line = process.stdout.readline()
        match = re.fullmatch(r"pubsub-emulator listening on (.*):(\d+)\n", line)
        assert match, line + process.stderr.read()
        yield match[1], int(match[2]), said
    finally:
        process.send_signal(signal.SIGTERM)
        said.append(process.communicate(timeout=10)[1])
    assert process.returncode == 0


@pytest.mark.parametrize(
    "arguments",
    (["--host-port=0.0.0.0:0", "--project=x"], ["--host-port", "0.0.0.0:0"], ["--listen", ":0"], ["--listen", "0.0.0.0:0"]),
)
def test_every_address_of_the_host_with_a_warning(arguments):
    with started(*arguments) as (address, port, said):
        assert address == "0.0.0.0"
        command = os.path.join(os.path.dirname(EMULATOR), "pubsub")
        where = ["--endpoint", f"127.0.0.1:{port}", "--plaintext", "--project", "x"]
        subprocess.run([command, "topic", "create", "topic1", *where], check=True, stdout=subprocess.DEVNULL, timeout=30)
    assert "warning: other hosts can reach it on 0.0.0.0" in said[0]
    assert "nobody is asked for a token" in said[0]


@pytest.mark.parametrize(
    "arguments, says",
    (
        (["--seed", "x"], "'x' is not acceptable"),
        (["--seed="], "'' is not acceptable"),
        (["--require-token", ""], "no token"),
        (["--require-token", os.devnull], "no token"),
    ),
)
def test_what_means_nothing_ends_the_start(arguments, says):
    run = subprocess.run([EMULATOR, "--port", "0", *arguments], capture_output=True, text=True, timeout=10)
    assert run.returncode in (1, 2) and run.stdout == "" and says in run.stderr, run


@pytest.mark.parametrize("arguments", (["--port", "0"], ["--host-port=localhost:0"], ["--listen", "[::1]:0"]))
def test_no_warning_on_this_host_alone(arguments):
    with started(*arguments) as (_, port, said):
        assert port > 0
    assert said == [""]
