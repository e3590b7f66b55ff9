package io.sparkpubsub.agent;

import io.sparkpubsub.ledger.LedgerEndpoint;
import io.sparkpubsub.ledger.Rpc;
import org.apache.spark.rpc.RpcEndpointRef;

/** What a task asks the driver's ledger, from whatever executor it runs on. */
public final class LedgerClient {
  private LedgerClient() {}

  /** The seqs that a task reads, from and to; null: none. As {@link io.sparkpubsub.ledger.Ledger#range}. */
  public static long[] range(String run, int slot, long epoch, long from, long to, boolean late) {
    return (long[]) Rpc.ask(driver(run), "range", slot, epoch, from, to, late);
  }

  /** The bytes of a chunk that another executor holds; null: its home is gone, and the range is noted as lost. */
  public static byte[] fetch(String run, int slot, long epoch, long seq) {
    return (byte[]) Rpc.ask(driver(run), "fetch", slot, epoch, seq);
  }

  private static RpcEndpointRef driver(String run) {
    RpcEndpointRef known = Agent.driver(run);
    return known == null ? Rpc.driver(LedgerEndpoint.name(run)) : known;
  }
}
