#!/usr/bin/env bash
# What thousands of agents cost the driver (spark/src/test/java/…/ScaleBenchmark.java): bench/scale/run.sh [AGENTS SLOTS PROCESSES SECONDS SEAL_MS BATCH_MS]
set -euo pipefail
cd "$(dirname "$0")/../.."
. tools/maven.sh
classpath=build/scale.classpath
maven_ready=scale maven -Dnative.dir="$PWD/build/release" -Dmdep.outputFile="$PWD/$classpath" \
  test-compile org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath >/dev/null
[ $# -gt 0 ] || set -- 2000 16000 4 30 1000 1000
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
java -Xmx1g -XX:+UseSerialGC --add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/sun.nio.ch=ALL-UNNAMED \
  -cp "spark/target/test-classes:spark/target/classes:$(cat "$classpath")" \
  io.sparkpubsub.ledger.ScaleBenchmark "$@" 2>"$work/log" || { tail -50 "$work/log" >&2; exit 1; }
