"""What `make dist` made, used from empty environments: `make test-dist` alone runs these, and says where it lies."""

import os
import pathlib
import sys
import zipfile

import pytest

from dist_environment import run

DIST = os.environ.get("SPARK_PUBSUB_DIST")
collect_ignore_glob = [] if DIST else ["test_*.py"]


@pytest.fixture(scope="session")
def dist():
    return pathlib.Path(DIST).resolve()


@pytest.fixture(scope="session")
def jar(dist):
    return next(path for path in dist.glob("maven/io/sparkpubsub/spark-pubsub/*/*.jar") if path.stem[-1].isdigit())


@pytest.fixture(scope="session")
def in_the_jar(jar):
    with zipfile.ZipFile(jar) as archive:
        return {info.filename: info for info in archive.infolist()}


@pytest.fixture(scope="session")
def python(dist, tmp_path_factory):
    """A new environment with both wheels, and with the PySpark that the other tests have: a cluster's own."""
    home = tmp_path_factory.mktemp("python") / "venv"
    run(sys.executable, "-m", "venv", home)
    wheels = sorted((dist / "wheels").glob("spark_pubsub-*.whl"))
    run(home / "bin/pip", "install", "-q", "--no-index", "--find-links", dist / "wheels", *wheels, "pubsub-emulator")
    pyspark = pathlib.Path(__import__("pyspark").__file__).parents[1]
    inside = next((home / "lib").glob("python*/site-packages"))
    (inside / "cluster.pth").write_text(f"{pyspark}\n")
    return home / "bin/python"
