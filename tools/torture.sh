#!/usr/bin/env bash
# The torture program (test/torture) under AddressSanitizer. Arguments go to it.
set -euo pipefail
cd "$(dirname "$0")/.."
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
tools/build_native.sh asan torture
exec build/asan/torture "$@"
