#!/usr/bin/env bash
# What handing a chunk of 10,000 rows from C to Spark's ColumnarBatch costs (spark/src/test/java/…/HandoverBenchmark.java).
set -euo pipefail
cd "$(dirname "$0")/../.."
. tools/maven.sh
classpath=build/handover.classpath
maven_ready=handover maven -Dnative.dir="$PWD/build/release" -Dmdep.outputFile="$PWD/$classpath" \
  test-compile org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath >/dev/null
work=$(mktemp -d)
build/release/pubsub-emulator --port 0 >"$work/emulator" &
pid=$!
trap 'kill $pid; wait $pid 2>/dev/null || true; rm -rf "$work"' EXIT
until [ -s "$work/emulator" ]; do sleep 0.01; done
export PUBSUB_EMULATOR_HOST PUBSUB_PROJECT_ID=bench
PUBSUB_EMULATOR_HOST=$(sed -n 's/^pubsub-emulator listening on //p' "$work/emulator")
build/release/pubsub topic create bench >/dev/null
build/release/pubsub subscription create all-columns --topic bench >/dev/null
build/release/pubsub subscription create one-column --topic bench >/dev/null
build/release/pubsub publish bench --count 10000 --size 500 --attribute source=bench >/dev/null
java -Xmx1g --add-opens=java.base/java.nio=ALL-UNNAMED -cp "spark/target/test-classes:spark/target/classes:$(cat "$classpath")" \
  io.sparkpubsub.read.HandoverBenchmark "$PUBSUB_EMULATOR_HOST" projects/bench/subscriptions/all-columns \
  projects/bench/subscriptions/one-column 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
