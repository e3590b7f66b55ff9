#!/usr/bin/env bash
# tools/stress.sh SECONDS SEED: the stress program (test/stress), under AddressSanitizer, then under ThreadSanitizer.
set -euo pipefail
cd "$(dirname "$0")/.."
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=second_deadlock_stack=1
for preset in asan tsan; do
  tools/build_native.sh "$preset" stress
  echo "-- $preset"
  "build/$preset/stress" --seconds "$1" --seed "$2"
done
