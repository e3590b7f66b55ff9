#!/usr/bin/env bash
# C unit and integration tests: the development build, then under AddressSanitizer and
# UndefinedBehaviorSanitizer. Arguments go to ctest.
set -euo pipefail
cd "$(dirname "$0")/.."
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
for preset in dev asan; do
  echo "== C tests ($preset)"
  tools/build_native.sh "$preset"
  ctest --preset "$preset" -j "$(nproc)" "$@"
done
