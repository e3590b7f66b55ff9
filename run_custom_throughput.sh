#!/usr/bin/env bash
# run_custom_throughput.sh SIZE_BYTES MSG_COUNT: Spark reads that many messages of that size, and every one is checked.
exec "$(dirname "$0")/bench/operations/run.sh" read.py custom-throughput "$@"
