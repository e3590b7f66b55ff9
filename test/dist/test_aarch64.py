"""What is for aarch64, on this machine by qemu-user: the programs.

.deps/arm64 holds the C library (tools/portable/fetch_arm64.sh)."""

import platform
import shutil
import tarfile

import pytest

from dist_environment import ROOT, a_message_comes_through, bare_environment, run

QEMU = shutil.which("qemu-aarch64-static")
SYSTEM = ROOT / ".deps/arm64"
pytestmark = pytest.mark.skipif(platform.machine() == "aarch64", reason="this machine is one: the other tests are of it")


def emulated(folder, program, *arguments):
    """A script that runs a program for aarch64."""
    script = folder / program.name
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text("\n".join(["#!/bin/sh", " ".join(["exec", QEMU, "-L", str(SYSTEM), str(program), *arguments, '"$@"']), ""]))
    script.chmod(0o755)
    return script


@pytest.mark.parametrize("name", ["linux-aarch64", "linux-aarch64-musl"])
def test_the_programs_work(dist, tmp_path, name):
    with tarfile.open(next((dist / "archives").glob(f"pubsub-[0-9.]*-{name}.tar.gz"))) as archive:
        archive.extractall(tmp_path, filter="tar")
    programs = [emulated(tmp_path / "scripts", path) for path in sorted(tmp_path.glob("pubsub-*/bin/*"))]
    a_message_comes_through(*programs)
