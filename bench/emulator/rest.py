#!/usr/bin/env python3
"""CPU of the server per message over REST: published, then pulled and acknowledged, for our emulator and, where it is installed, Google's.

One connection, requests of 1,000 messages and of one. A table, then one line of JSON.
"""

import base64
import http.client
import json

from servers import Google, Ours

SHAPES = ((100, 1000, 200_000), (1000, 1000, 50_000), (100, 1, 3000))  # bytes, messages a request, messages
TOPIC, SUBSCRIPTION = "/v1/projects/bench/topics/topic1", "/v1/projects/bench/subscriptions/sub1"


class Rest:
    def __init__(self, host):
        self.connection = http.client.HTTPConnection(host, timeout=60)

    def call(self, method, path, body=None):
        text = json.dumps(body or {})
        self.connection.request(method, path, text, {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        data = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {data[:200]!r}")
        return json.loads(data or b"{}")


def measure(kind, size, batch, count):
    """(published, pulled and acknowledged): µs of the server's CPU a message."""
    server = kind()
    try:
        rest = Rest(server.host)
        rest.call("PUT", TOPIC)
        rest.call("PUT", SUBSCRIPTION, {"topic": TOPIC[4:], "ackDeadlineSeconds": 600})
        message = {"data": base64.b64encode(b"x" * size).decode()}
        before = server.cpu()
        for _ in range(count // batch):
            rest.call("POST", TOPIC + ":publish", {"messages": [message] * batch})
        published, got = server.cpu(), 0
        while got < count:
            received = rest.call("POST", SUBSCRIPTION + ":pull", {"maxMessages": batch}).get("receivedMessages", [])
            if received:
                rest.call("POST", SUBSCRIPTION + ":acknowledge", {"ackIds": [one["ackId"] for one in received]})
            got += len(received)
        return 1e6 * (published - before) / count, 1e6 * (server.cpu() - published) / count
    finally:
        server.stop()


def main():
    out = {}
    print(f"{'':>20} {'message':>8} {'a request':>9} {'publish':>9} {'pull, ack':>9}   µs of CPU a message")
    for kind in (Ours, Google):
        try:
            kind().stop()
        except FileNotFoundError as missing:
            print(f"{kind.title}: {missing}")
            continue
        for size, batch, count in SHAPES:
            publish, pull = measure(kind, size, batch, count if kind is Ours else count // 10)
            print(f"{kind.title:>20} {size:>6} B {batch:>9} {publish:>9.2f} {pull:>9.2f}", flush=True)
            out.setdefault(kind.title, []).append([size, batch, round(publish, 2), round(pull, 2)])
    print(json.dumps({"rest": out}))


if __name__ == "__main__":
    main()
