#!/usr/bin/env bash
# tools/test_dist.sh [FOLDER]: what `make dist` made, used from empty environments: installed, unpacked, loaded, on this machine and, by
# emulation, on others.
set -euo pipefail
cd "$(dirname "$0")/.."
export SPARK_PUBSUB_DIST=${1:-dist}
[ -e "$SPARK_PUBSUB_DIST/SHA256SUMS" ] || { echo "nothing lies in $SPARK_PUBSUB_DIST: make dist" >&2 && exit 1; }
echo "== dist"
.deps/venv/bin/python -m pytest -q -x test/dist
