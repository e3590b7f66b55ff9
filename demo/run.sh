#!/usr/bin/env bash
# The demo: starts the emulator on a free port, runs demo/flights.py against it, ends the emulator. KEEP=1 leaves the emulator and
# the query up until Ctrl-C.
set -euo pipefail
cd "$(dirname "$0")/.."
emulator=build/release/pubsub-emulator
work=$(mktemp -d)
"$emulator" --port 0 >"$work/emulator" &
pid=$!
cleanup() {
  kill "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
for _ in $(seq 200); do
  [ -s "$work/emulator" ] && break
  sleep 0.01
done
endpoint=$(sed -n 's/^pubsub-emulator listening on //p' "$work/emulator")
echo "emulator on $endpoint"
export PUBSUB_EMULATOR_HOST=$endpoint SPARK_PUBSUB_JAR=$PWD/spark/target/spark-pubsub.jar
export KEEP=${KEEP:-} DEMO_WORK=$work PYTHONWARNINGS=ignore
.deps/venv/bin/python demo/flights.py
