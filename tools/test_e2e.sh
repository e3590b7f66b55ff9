#!/usr/bin/env bash
# tools/test_e2e.sh pytest argument…: tests in Python, against the release build.
set -euo pipefail
cd "$(dirname "$0")/.."
export PUBSUB_EMULATOR_BINARY=$PWD/build/release/pubsub-emulator SPARK_PUBSUB_JAR=$PWD/spark/target/spark-pubsub.jar
echo "== end to end"
exec .deps/venv/bin/python -m pytest -q -x "$@"
