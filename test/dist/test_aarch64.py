"""What is for aarch64, on this machine by qemu-user: the programs, and Spark in a JVM of that kind, which loads the library out of the jar.

.deps/arm64 holds the C library and the JVM (tools/portable/fetch_arm64.sh)."""

import platform
import shutil
import tarfile

import pytest

from dist_environment import ROOT, a_message_comes_through, bare_environment, run
from test_python import QUICK_START

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


def test_spark_reads_rows_in_a_jvm_for_aarch64(python, tmp_path):
    home = next((SYSTEM / "usr/lib/jvm").glob("java-*-openjdk-arm64"))
    # The JVM's own helper for processes is for aarch64 too, and nothing here would start it: it starts this machine's programs itself.
    options = ("-XX:TieredStopAtLevel=1", "-Djdk.lang.Process.launchMechanism=VFORK")
    java = emulated(tmp_path / "java/bin", home / "bin/java", *options)
    job = QUICK_START.replace("    spark.stop()", '    print("machine:", spark._jvm.System.getProperty("os.arch"))\n    spark.stop()')
    (tmp_path / "job.py").write_text(job)
    said = run(python, "job.py", cwd=tmp_path, env=bare_environment(JAVA_HOME=str(java.parents[1])), timeout=900)
    assert "rows: 100" in said and "machine: aarch64" in said
