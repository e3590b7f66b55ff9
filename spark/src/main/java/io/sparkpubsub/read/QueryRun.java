package io.sparkpubsub.read;

import io.sparkpubsub.ledger.PubSubOffset;

/**
 * What a stream makes happen outside of its ledger: one run of a query, from its start to its stop.
 */
interface QueryRun {
  /** Names it in progress and logs. */
  String name();

  /** Names it among all runs; tasks find their agent by it. */
  String id();

  /** Of its ledger, in the driver. */
  String endpoint();

  /** Spark has committed everything below this offset. */
  void committed(PubSubOffset offset);

  /** The batch that Spark plans now ends here. */
  void planned(PubSubOffset end);

  /** Acknowledges what is committed, and waits for that, at most so long. */
  void settle(long timeoutMs);

  /** Whether somebody waits for all that is available; on the query's own thread. */
  boolean isAwaited();

  /** What is committed is acknowledged, the rest given back. */
  void stop();
}
