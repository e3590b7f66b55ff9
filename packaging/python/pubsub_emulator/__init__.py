"""A server of the Google Cloud Pub/Sub API for tests: one native program, ready in milliseconds.

    with pubsub_emulator.Emulator(topics=["projects/p/topics/t"]) as emulator:
        os.environ["PUBSUB_EMULATOR_HOST"] = emulator.host
"""

from __future__ import annotations

import pathlib
import subprocess
from typing import Iterable, Mapping, Optional

__all__ = ["Emulator", "binary", "__version__"]
__version__ = "@VERSION@"


def binary() -> str:
    """The path of the program; it takes the options that docs/emulator.md describes."""
    return str(pathlib.Path(__file__).with_name("pubsub-emulator"))


class Emulator:
    """A process of its own on a free port of 127.0.0.1; it ends with the block.

    topics         names, as `projects/P/topics/T`, that are there at the start
    subscriptions  the name of each, and the topic that it is of
    arguments      more options of the program
    """

    host: str  #: for PUBSUB_EMULATOR_HOST
    port: int

    def __init__(
        self,
        topics: Iterable[str] = (),
        subscriptions: Optional[Mapping[str, str]] = None,
        arguments: Iterable[str] = (),
        port: int = 0,
    ) -> None:
        self._command = [binary(), "--port", str(port)]
        self._command += [part for name in topics for part in ("--topic", name)]
        self._command += [part for name, topic in (subscriptions or {}).items() for part in ("--subscription", f"{name}={topic}")]
        self._command += list(arguments)
        self._process: Optional[subprocess.Popen[str]] = None

    def start(self) -> Emulator:
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line:
            raise RuntimeError(f"pubsub-emulator did not start: it ended with {self._process.wait()} (its words are on standard error)")
        self.host = line.rsplit(" ", 1)[1]
        self.port = int(self.host.rsplit(":", 1)[1])
        return self

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        process.wait(timeout=10)
        assert process.stdout is not None
        process.stdout.close()

    def environment(self) -> dict[str, str]:
        """What a program needs in its environment to find it."""
        return {"PUBSUB_EMULATOR_HOST": self.host}

    def __enter__(self) -> Emulator:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
