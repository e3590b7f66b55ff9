"""The servers that are compared: ours, Google's Go fake, Google's emulator where it is installed. Each on a free port of loopback."""

import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench/operations"), str(ROOT / "test/support")]
from emulator import Emulator  # noqa: E402
from world import children, cpu_seconds  # noqa: E402

BUILD = ROOT / "build/release"


class Server:
    """A process and its descendants."""

    def cpu(self):
        total = 0.0
        for pid in [self.pid, *children(self.pid)]:
            try:
                total += cpu_seconds(pid)
            except OSError:
                pass
        return total

    def resident_mb(self):
        total = 0
        for pid in [self.pid, *children(self.pid)]:
            try:
                with open(f"/proc/{pid}/status") as status:
                    total += sum(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
            except OSError:
                pass
        return total / 1024


class Ours(Server):
    title = "pubsub-emulator"

    def __init__(self, *arguments):
        self.emulator = Emulator(BUILD / "pubsub-emulator", *arguments)
        self.host, self.pid = self.emulator.host, self.emulator.process.pid

    def stop(self):
        self.emulator.stop()


class Pstest(Server):
    title = "pstest"

    def __init__(self):
        binary = ROOT / "build/peer-pstest"
        if not shutil.which("go"):
            raise FileNotFoundError("Go is not installed")
        subprocess.run(["go", "build", "-o", str(binary), "./pstest"], cwd=ROOT / "bench/peers/go", check=True)
        self.process = subprocess.Popen([str(binary)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.host, self.pid = self.process.stdout.readline().split()[-1], self.process.pid

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)


def google_emulator():
    """The program of Google's emulator; None where it is not installed."""
    if not shutil.which("dpkg"):
        return None
    listed = subprocess.run(["dpkg", "-L", "google-cloud-cli-pubsub-emulator"], capture_output=True, text=True)
    return next((line for line in listed.stdout.splitlines() if line.endswith("/bin/cloud-pubsub-emulator")), None)


class Google(Server):
    title = "Google's emulator"

    def __init__(self):
        program = google_emulator()
        if not program:
            raise FileNotFoundError("not installed")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            [program, "--host=127.0.0.1", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        self.host, self.pid = f"127.0.0.1:{port}", self.process.pid
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def stop(self):
        for pid in [*children(self.pid), self.pid]:
            os.kill(pid, 15)
        self.process.wait(timeout=20)
