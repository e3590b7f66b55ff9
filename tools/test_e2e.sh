#!/usr/bin/env bash
# tools/test_e2e.sh [pytest argument…]: tests in Python, against the release build. Without an argument all of them, those that need no
# Spark beside those that do: most of either waits.
set -euo pipefail
cd "$(dirname "$0")/.."
export PUBSUB_EMULATOR_BINARY=$PWD/build/release/pubsub-emulator SPARK_PUBSUB_JAR=$PWD/spark/target/spark-pubsub.jar
pytest=(.deps/venv/bin/python -m pytest -q -x --durations=10)
echo "== end to end"
[ $# -eq 0 ] || exec "${pytest[@]}" "$@"

log=$(mktemp)
"${pytest[@]}" test --ignore test/spark >"$log" 2>&1 &
others=$!
trap 'kill $others 2>/dev/null && wait $others; rm -f "$log"' EXIT
"${pytest[@]}" test/spark
wait "$others" || {
  code=$?
  cat "$log"
  exit "$code"
}
tail -1 "$log"
