#!/usr/bin/env bash
# run.sh PROGRAM [argument…]: builds what is out of date, then runs one of the operational programs.
set -euo pipefail
cd "$(dirname "$0")/../.."
make build >/dev/null
tools/bootstrap.sh python
export PYTHONWARNINGS=ignore
program=$1
shift
exec .deps/venv/bin/python "bench/operations/$program" "$@"
