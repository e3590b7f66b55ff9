#!/usr/bin/env bash
# The swing: 2 -> 10 -> 2 executors while messages are published all the time; every message is checked. Timeline as CSV and picture in
# build/results (PUBSUB_RESULTS). PUBSUB_STAGE_SECONDS, PUBSUB_RATE_MB, PUBSUB_PAYLOAD_SIZE.
exec "$(dirname "$0")/bench/operations/run.sh" swing.py "$@"
