#!/usr/bin/env bash
# tools/test_spark_lines.sh VERSION… [-- pytest argument…]: the end-to-end tests under other lines of Spark than the pinned one, with the
# same jar.
set -euo pipefail
cd "$(dirname "$0")/.."
versions=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  versions+=("$1")
  shift
done
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- test/spark/test_{local,replay,cluster,metrics,bad_input,semantics,standalone,life,connect}.py
export PUBSUB_EMULATOR_BINARY=$PWD/build/release/pubsub-emulator SPARK_PUBSUB_JAR=$PWD/spark/target/spark-pubsub.jar
for version in "${versions[@]}"; do
  tools/bootstrap.sh spark "$version"
  echo "== Spark $version"
  ".deps/spark-$version/bin/python" -m pytest -q -x "$@"
done
