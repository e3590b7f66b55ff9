#!/usr/bin/env python3
"""once.py COMMAND http://HOST:PORT/ : lets the pubsub command speak to HOST:PORT on one connection, and ends it when that ends.

h2specd judges a connection a case; a command that connects again would be judged twice. A command that crashes is told in the
file H2SPEC_CRASHES, as h2specd does not mind.
"""

import os
import select
import socket
import subprocess
import sys
import urllib.parse

SECONDS = 2.5  # h2specd gives up after three


def pump(left, right):
    """Until one of them ends, or nothing comes any more."""
    other = {left: right, right: left}
    while True:
        ready, _, _ = select.select([left, right], [], [], SECONDS)
        if not ready:
            return
        for side in ready:
            try:
                data = side.recv(65536)
                other[side].sendall(data)
            except OSError:
                return
            if not data:
                return


def main():
    command, url = sys.argv[1], urllib.parse.urlsplit(sys.argv[2])
    listener = socket.create_server(("127.0.0.1", 0))
    endpoint = "127.0.0.1:%d" % listener.getsockname()[1]
    process = subprocess.Popen(
        [command, "topic", "get", "topic1", "--project", "p", "--plaintext", "--endpoint", endpoint],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        client, _ = listener.accept()
        listener.close()
        with client, socket.create_connection((url.hostname, url.port)) as server:
            pump(client, server)
    finally:
        process.kill()
        if process.wait() not in (0, 1, -9):
            with open(os.environ["H2SPEC_CRASHES"], "a") as crashes:
                crashes.write(f"{url.geturl()}: {process.returncode}\n")


if __name__ == "__main__":
    main()
