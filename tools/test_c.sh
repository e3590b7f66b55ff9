#!/usr/bin/env bash
# tools/test_c.sh PRESET…: C unit and integration tests of these builds (dev: the development build; asan: under AddressSanitizer
# and UndefinedBehaviorSanitizer; tsan).
set -euo pipefail
cd "$(dirname "$0")/.."
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
for preset in "$@"; do
  echo "== C tests ($preset)"
  tools/build_native.sh "$preset"
  ctest --preset "$preset" -j "$((2 * $(nproc)))" # many of them wait
done
