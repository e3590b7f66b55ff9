#!/usr/bin/env bash
# Java tests, against the release build of the native library and the emulator.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/maven.sh
echo "== Java tests"
maven_ready=test maven -Dnative.dir="$PWD/build/release" -Dpubsub.emulator.path="$PWD/build/release/pubsub-emulator" verify
