/*
 * GET /metrics: what there is and what has happened, in the text format of Prometheus. Pure;
 * called by front.
 */
#ifndef EMULATOR_PAGES_METRICS_H
#define EMULATOR_PAGES_METRICS_H

#include "model/broker.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Appends all of it. Errors: NOMEM. */
enum pubsub_status metrics_print(struct pubsub_buf *out, struct broker *broker);

#endif
