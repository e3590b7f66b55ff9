"""Where what was made lies, and how a test leaves everything else behind."""

import os
import pathlib
import platform
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLATFORM = f"linux-{platform.machine()}"


def run(*command, expect=0, **options):
    """What it says on both of its streams."""
    options.setdefault("timeout", 500)
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    assert done.returncode == expect, done.stdout
    return done.stdout


def bare_environment(**more):
    """Without anything that a build or another test has set."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "JAVA_HOME") if name in os.environ}
    return {**kept, **more}


def a_message_comes_through(command, emulator):
    orders = ["--topic", "projects/p/topics/orders", "--subscription", "projects/p/subscriptions/orders-spark=projects/p/topics/orders"]
    with subprocess.Popen([emulator, "--port", "0", *orders], stdout=subprocess.PIPE, text=True) as server:
        environment = bare_environment(PUBSUB_EMULATOR_HOST=server.stdout.readline().split()[-1])
        try:
            run(command, "publish", "orders", "--project", "p", input="hello\n", env=environment, timeout=60)
            assert "hello" in run(command, "pull", "orders-spark", "--project", "p", env=environment, timeout=60)
        finally:
            server.terminate()
