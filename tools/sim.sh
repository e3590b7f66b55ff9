#!/usr/bin/env bash
# tools/sim.sh seeds N | seed N: the simulation of the Java tests (SimulationTest) by hand; no native library is needed.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/maven.sh
classpath=build/sim.classpath
mkdir -p build
maven_ready=sim maven -Dmdep.outputFile="$PWD/$classpath" test-compile \
  org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath >/dev/null
exec java -Xmx1g -cp "spark/target/test-classes:spark/target/classes:$(cat "$classpath")" \
  io.sparkpubsub.agent.SimulationTest "$@"
