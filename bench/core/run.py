#!/usr/bin/env python3
"""CPU of the client per message, receive + acknowledge and publish, at four payloads, in plaintext and over TLS, beside Google's
Go client (and its Java client, where `tools/bootstrap.sh peers` has run) in the same run.

One connection; server and client in processes of their own, on cores of their own. Best of three by CPU time. Prints a table, then
one line of JSON.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/release"
PAYLOADS = {100: 1_000_000, 1000: 200_000, 10_000: 20_000, 100_000: 2_000}
PEER_MESSAGES = {100: 200_000, 1000: 100_000, 10_000: 20_000, 100_000: 2_000}
RUNS = 3
PEER_JAVA = ROOT / ".deps/peer-java"
TIMEOUT_S = 300
PROJECT = "bench"


def on_core(core):
    """Pins the child, where there is more than one core."""
    cores = sorted(os.sched_getaffinity(0))
    return lambda: os.sched_setaffinity(0, {cores[core % len(cores)]})


class Server:
    """One emulator, fresh for every payload, so that no run pays for another's backlog."""

    def __init__(self, tls=None):
        self.tls = tls  # files of a key and a certificate

    def __enter__(self):
        command = [BUILD / "pubsub-emulator", "--port", "0"]
        if self.tls:
            command += ["--tls-key", self.tls[0], "--tls-cert", self.tls[1]]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=on_core(0))
        host = self.process.stdout.readline().strip().rsplit(" ", 1)[1]
        self.environment = {**os.environ, "PUBSUB_PROJECT_ID": PROJECT, "PUBSUB_ACCESS_TOKEN": "token"}
        self.environment["PUBSUB_EMULATOR_HOST"] = host
        self.trust = ["--endpoint", host, "--ca-file", self.tls[1]] if self.tls else []
        self.command("topic", "create", "bench")
        self.command("subscription", "create", "bench", "--topic", "bench", "--ack-deadline", "600")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def command(self, *arguments):
        return self.run(BUILD / "pubsub", *arguments, *self.trust)

    def run(self, *command):
        done = subprocess.run(
            list(map(str, command)),
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            timeout=TIMEOUT_S,
            preexec_fn=on_core(1),
        )
        if done.returncode != 0:
            sys.exit(f"{command}: {done.stderr}")
        return done.stdout


def ours(server, what, count, size):
    return server.command("bench", what, "bench", "--count", count, "--size", size)


def gos(server, what, count, size):
    kind = "topics" if what == "publish" else "subscriptions"
    peer = ROOT / "build/peer-go"
    return server.run(
        peer, "-bench", what, "-name", f"projects/{PROJECT}/{kind}/bench", "-count", count, "-size", size
    )


def javas(server, what, count, size):
    kind = "topics" if what == "publish" else "subscriptions"
    classes = f"{PEER_JAVA}/classes:{PEER_JAVA}/lib/*"
    name = f"projects/{PROJECT}/{kind}/bench"
    return server.run("java", "-Xmx2g", "-cp", classes, "io.sparkpubsub.peer.Main", what, name, count, size)


def certificate(folder):
    """Files of a key and a certificate for the loopback address."""
    key, certificate = f"{folder}/key.pem", f"{folder}/certificate.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    subprocess.run([*command.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return key, certificate


def best(run, counts, tls=None):
    """{"receive": {"100": {…}, …}, "publish": {…}}"""
    out = {"receive": {}, "publish": {}}
    for size, count in counts.items():
        with Server(tls) as server:
            for _ in range(RUNS):
                for what in ("publish", "receive"):
                    figures = json.loads(run(server, what, count, size).splitlines()[-1])
                    keep = {k: figures[k] for k in ("cpu_us_per_message", "messages_per_s", "mb_per_s")}
                    known = out[what].get(str(size))
                    if not known or keep["cpu_us_per_message"] < known["cpu_us_per_message"]:
                        out[what][str(size)] = keep
    return out


def build_peer():
    if not shutil.which("go"):
        return "Go is not installed"
    built = subprocess.run(
        ["go", "build", "-o", str(ROOT / "build/peer-go"), "."],
        cwd=ROOT / "bench/peers/go",
        stderr=subprocess.PIPE,
        text=True,
    )
    return built.stderr.strip() if built.returncode else None


def table(clients):
    print(f"{'':9}{'payload':>9}{'client':>9}{'CPU µs/message':>17}{'messages/s':>13}{'MB/s':>9}")
    for what in ("receive", "publish"):
        for size in PAYLOADS:
            for name, figures in clients.items():
                row = figures[what][str(size)]
                print(
                    f"{what:9}{size:>8}B{name:>9}{row['cpu_us_per_message']:>17.3f}"
                    f"{row['messages_per_s']:>13,.0f}{row['mb_per_s']:>9,.0f}"
                )


def main():
    print("ours", flush=True)
    clients = {"ours": best(ours, PAYLOADS)}
    print("ours, over TLS", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        clients["tls"] = best(ours, PAYLOADS, certificate(folder))
    problem = build_peer()
    if problem:
        print(f"the peer in Go is left out: {problem}")
    else:
        print("Google's Go client", flush=True)
        clients["go"] = best(gos, PEER_MESSAGES)
    if (PEER_JAVA / "classes").exists():
        print("Google's Java client", flush=True)
        clients["java"] = best(javas, PEER_MESSAGES)
    table(clients)
    peers = {name: clients[name] for name in ("go", "java") if name in clients}
    print(json.dumps({**clients["ours"], "tls": clients["tls"], "peers": peers}))


if __name__ == "__main__":
    main()
