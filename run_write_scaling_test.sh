#!/usr/bin/env bash
# Spark writes to Pub/Sub in stages of 2, 10 and 2 cores, 100 to 1000 bytes a row, while a third of the requests is refused and
# connections are cut; every row must arrive. PUBSUB_MSG_COUNT, TEST_MASTER.
exec "$(dirname "$0")/bench/operations/run.sh" write.py write-scaling "$@"
