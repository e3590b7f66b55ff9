package io.sparkpubsub.agent;

import io.sparkpubsub.ledger.LedgerMessages;
import io.sparkpubsub.ledger.Rpc;
import org.apache.spark.SparkEnv;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a task asks the driver's ledger, or tells it, from whatever executor it runs on. */
public final class LedgerClient {
  private static final Logger LOG = LoggerFactory.getLogger(LedgerClient.class);
  private static final int TELL_TIMEOUT_MS = 10000;

  private LedgerClient() {}

  /**
   * The seqs that a task reads, from and to; null: none. As {@link
   * io.sparkpubsub.ledger.Ledger#range}.
   */
  public static long[] range(
      String endpoint, String run, int slot, long epoch, long from, long to, boolean late) {
    Object[] message = new LedgerMessages.Range(run, slot, epoch, from, to, late).encode();
    return (long[]) Rpc.ask(Rpc.driver(endpoint), message);
  }

  /** A slot's part of a bounded read has been read to its end. */
  public static void readToEnd(String endpoint, String run, int slot) {
    Rpc.ask(Rpc.driver(endpoint), new LedgerMessages.ReadToEnd(run, slot).encode());
  }

  /**
   * The bytes of a chunk that another executor holds; empty: it has its outcome already, there is
   * nothing to read; null: its home is gone, and the range is noted as lost.
   */
  public static byte[] fetch(String endpoint, String run, int slot, long epoch, long seq) {
    return (byte[])
        Rpc.ask(Rpc.driver(endpoint), new LedgerMessages.Fetch(run, slot, epoch, seq).encode());
  }

  /** Starts the agent of this process; the driver is told where that fails, and tries again. */
  static void startOrTell(AgentConfig config) {
    try {
      Agent.start(config);
    } catch (Throwable e) { // a library that does not load, and Scala's undeclared ones
      LOG.warn("no pubsub agent can start here: {}", e.toString());
      tell(config, reason(e));
    }
  }

  private static String reason(Throwable e) {
    String said = e.getMessage();
    return said == null || said.isEmpty() ? e.toString() : said;
  }

  private static void tell(AgentConfig config, String reason) {
    String executor = SparkEnv.get().executorId();
    Object[] message = new LedgerMessages.StartFailed(config.run, executor, reason).encode();
    try {
      Rpc.ask(TELL_TIMEOUT_MS, Rpc.driver(config.endpoint), message);
    } catch (Exception e) {
      LOG.debug("the driver has gone, or the run has ended", e);
    }
  }
}
