#!/usr/bin/env bash
# run_custom_write_load.sh SIZE_BYTES MSG_COUNT: Spark writes that many messages of that size; every one must arrive.
exec "$(dirname "$0")/bench/operations/run.sh" write.py custom-write-load "$@"
