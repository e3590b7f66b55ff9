"""The wheels: spark-pubsub (pure: the jar and helpers) and pubsub-emulator (one a platform: the program, a command, a pytest fixture)."""

import base64
import hashlib

from files import Entry, write, zipped
from product import LICENCES, PORTABLE, ROOT, VERSION

# The programs for musl are linked statically, but what is released for a C library was run on it.
TAGS = {
    "linux-x86_64": "manylinux2014_x86_64.manylinux_2_17_x86_64",
    "linux-aarch64": "manylinux2014_aarch64.manylinux_2_17_aarch64",
    "linux-x86_64-musl": "musllinux_1_1_x86_64",
    "linux-aarch64-musl": "musllinux_1_1_aarch64",
    "macos-x86_64": "macosx_11_0_x86_64",
    "macos-aarch64": "macosx_11_0_arm64",
}
METADATA = """Metadata-Version: 2.1
Name: {name}
Version: {version}
Summary: {summary}
Home-page: https://spark-pubsub.example
Author: The spark-pubsub authors
License: Apache-2.0
Requires-Python: >=3.9
Description-Content-Type: text/markdown
{more}
{text}
"""
SPARK_TEXT = """# spark-pubsub

Reads and writes Google Cloud Pub/Sub from Apache Spark 3.5 and 4.x. The jar is inside, with its native libraries.

```python
import spark_pubsub
from pyspark.sql import SparkSession

spark = spark_pubsub.configure(SparkSession.builder).getOrCreate()
rows = spark_pubsub.read_stream(spark, project="my-project", subscription="orders")
```

PySpark itself is not brought along: install the version of your cluster."""
EMULATOR_TEXT = """# pubsub-emulator

A server of the Google Cloud Pub/Sub API for tests: one native program, ready in milliseconds.

```python
import pubsub_emulator

with pubsub_emulator.Emulator() as emulator:
    print(emulator.host)          # for PUBSUB_EMULATOR_HOST
```

The command `pubsub-emulator` starts it too, and pytest has a fixture `pubsub_emulator`."""


def _package(name):
    """The Python files of a package, with its version."""
    found = {}
    for path in sorted((ROOT / "packaging/python" / name).glob("*")):
        if path.suffix == ".py" or path.name == "py.typed":
            found[f"{name}/{path.name}"] = Entry(path.read_bytes().replace(b"@VERSION@", VERSION.encode()))
    return found


def _record(entries, name):
    lines = []
    for path, entry in entries.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(entry.data).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(entry.data)}")
    return "\n".join([*lines, f"{name},,", ""]).encode()


def _wheel(folder, package, tag, metadata, contents, entry_points=""):
    info = f"{package}-{VERSION}.dist-info"
    tags = [f"py3-none-{platform}" for platform in tag.split(".")]
    entries = dict(sorted(contents.items()))
    entries[f"{info}/METADATA"] = Entry(metadata.encode())
    pure = "true" if tag == "any" else "false"
    wheel = ["Wheel-Version: 1.0", f"Generator: spark-pubsub {VERSION}", f"Root-Is-Purelib: {pure}", *(f"Tag: {one}" for one in tags)]
    entries[f"{info}/WHEEL"] = Entry("\n".join([*wheel, ""]).encode())
    if entry_points:
        entries[f"{info}/entry_points.txt"] = Entry(entry_points.encode())
    entries.update({f"{info}/licenses/{name}": Entry.of(path) for name, path in LICENCES.items()})
    entries[f"{info}/RECORD"] = Entry(_record(entries, f"{info}/RECORD"))
    return write(folder / f"{package}-{VERSION}-py3-none-{tag}.whl", zipped(entries))


def _metadata(name, summary, text, more=""):
    return METADATA.format(name=name, version=VERSION, summary=summary, text=text, more=more)


def spark(folder, jar):
    contents = {**_package("spark_pubsub"), "spark_pubsub/spark-pubsub.jar": Entry.of(jar)}
    metadata = _metadata("spark-pubsub", "Google Cloud Pub/Sub for Apache Spark", SPARK_TEXT)
    return _wheel(folder, "spark_pubsub", "any", metadata, contents)


def emulator(folder, platform):
    program = Entry.of(PORTABLE / platform / "pubsub-emulator", executable=True)
    contents = {**_package("pubsub_emulator"), "pubsub_emulator/pubsub-emulator": program}
    entry_points = "[console_scripts]\npubsub-emulator = pubsub_emulator.__main__:main\n\n[pytest11]\npubsub_emulator = pubsub_emulator.pytest_plugin\n"
    metadata = _metadata("pubsub-emulator", "A server of the Google Cloud Pub/Sub API for tests", EMULATOR_TEXT, "Classifier: Framework :: Pytest\n")
    return _wheel(folder, "pubsub_emulator", TAGS[platform], metadata, contents, entry_points)
