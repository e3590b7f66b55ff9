"""For pytest, which finds it by the package's entry point: the fixture `pubsub_emulator`, one server a session."""

from typing import Iterator

import pytest

from pubsub_emulator import Emulator


@pytest.fixture(scope="session")
def _pubsub_emulator_process() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def pubsub_emulator(_pubsub_emulator_process: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """A running emulator, which PUBSUB_EMULATOR_HOST names while the test runs. Tests of a session share it: topics of their own names
    keep them apart."""
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", _pubsub_emulator_process.host)
    return _pubsub_emulator_process
