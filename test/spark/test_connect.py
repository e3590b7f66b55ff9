"""Spark Connect: a server with the jar, and sessions that bring it, each with a class loader of its own."""

import os
import subprocess
import sys

import pyspark
import pytest

from conftest import JAR, ROOT

pytestmark = pytest.mark.skipif(int(pyspark.__version__.split(".")[0]) < 4, reason="pyspark 3.5 has no server of its own")


@pytest.mark.parametrize("how,master,copies", [("server", "local[2]", 1), ("session", "local-cluster[2,1,1024]", 2)])
def test_a_copy_through_connect(emulator, tmp_path, how, master, copies):
    """Two sessions with the jar: the second loader loads the native library again, beside the first, in driver and executors."""
    emulator.create()
    job = ROOT / "test/support/connect_job.py"
    run = subprocess.run(
        [sys.executable, str(job), JAR, how, master, str(tmp_path)],
        env={**os.environ, "TMPDIR": str(tmp_path)}, cwd=tmp_path, capture_output=True, text=True, timeout=240,
    )
    assert run.stdout.splitlines().count("copied 100 4950") == copies, run.stdout + run.stderr[-4000:]
    assert run.returncode == 0 and emulator.stats("sub1")["backlog"] == 0
