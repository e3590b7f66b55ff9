/*
 * libpubsub: a native client of Google Cloud Pub/Sub. This header brings all of it:
 *
 *   types.h       views and attributes
 *   error.h       status codes and error details
 *   client.h      one endpoint: threads, connections, credentials
 *   admin.h       topics, subscriptions, snapshots, permissions
 *   publisher.h   messages out, in batches, with their ids
 *   subscriber.h  messages in, as chunks that are leased until they are settled
 *   chunk.h       one chunk: Arrow columns, and how to export them
 *   arrow.h       the Arrow C Data Interface
 *
 * A program makes one client, then publishers and subscribers on it, and destroys them in the
 * reverse order. Nothing here prints, aborts, installs a signal handler or starts a callback under
 * a lock.
 */
#ifndef PUBSUB_PUBSUB_H
#define PUBSUB_PUBSUB_H

#include <pubsub/admin.h>
#include <pubsub/arrow.h>
#include <pubsub/chunk.h>
#include <pubsub/client.h>
#include <pubsub/error.h>
#include <pubsub/payload.h>
#include <pubsub/publisher.h>
#include <pubsub/subscriber.h>
#include <pubsub/types.h>

#endif
