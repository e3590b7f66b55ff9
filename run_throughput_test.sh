#!/usr/bin/env bash
# Spark reads from Pub/Sub and every message is checked: 1 KB, 50,000 messages (PUBSUB_MSG_COUNT, PUBSUB_PAYLOAD_SIZE, TEST_MASTER).
exec "$(dirname "$0")/bench/operations/run.sh" read.py throughput "$@"
