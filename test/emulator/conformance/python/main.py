"""The conformance cases with Google's Python client, unchanged, against PUBSUB_EMULATOR_HOST: one line of JSON a case.

Arguments: names of cases; none runs all. What each checks is in ../cases.txt.
"""

import json
import os
import sys
import threading

import support
import answers, delivery, filters, iam, lists, ordering, publisher, redelivery, replay, schema, settings, subscriber  # noqa: E401, F401

BOUND_SECONDS = 10


def run(name, function):
    """Gives a case its time and no more; one that does not come back is left behind."""
    result = ["fail", f"not done after {BOUND_SECONDS} s"]
    t = support.T()

    def work():
        try:
            function(t)
            result[:] = ["pass", ""]
        except support.Failure as failure:
            result[:] = ["fail", str(failure)]
        except Exception as problem:
            if support.REST and support.UNSENDABLE in str(problem):
                result[:] = ["skip", "the client does not send such a request"]
                return
            result[:] = ["fail", f"{type(problem).__name__}: {problem}"]

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(BOUND_SECONDS)
    out = {"case": name, "result": result[0], "detail": result[1]}
    t.close()
    return out


def main():
    if not os.environ.get("PUBSUB_EMULATOR_HOST"):
        sys.exit("PUBSUB_EMULATOR_HOST is not set")
    for name, function in support.cases:
        if not sys.argv[1:] or name in sys.argv[1:]:
            print(json.dumps(run(name, function)), flush=True)
    # Threads of cases that were left behind would keep the process.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
