#!/usr/bin/env bash
# tools/build_native.sh PRESET [TARGET…]: configures once, then builds what is out of date.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift
[ -e "build/$preset/build.ninja" ] || cmake --preset "$preset" >"/dev/null"
cmake --build --preset "$preset" ${1:+--target "$@"} | grep -v '^ninja: no work to do' || [ "${PIPESTATUS[0]}" -eq 0 ]
