package io.sparkpubsub.agent;

import io.sparkpubsub.PubSubOptions;
import io.sparkpubsub.PubSubSchema;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.types.StructType;

/** What an agent needs to know to begin; travels with the tasks that start agents. */
public final class AgentConfig implements Serializable {
  private static final long serialVersionUID = 1;
  final String run;
  final String endpoint; // of the ledger, in the driver
  final PubSubOptions options;
  final int columns;
  final boolean limited; // a batch keeps to the options' limits
  final int slots; // of the query, when this agent begins

  public AgentConfig(
      String run, String endpoint, PubSubOptions options, StructType schema, boolean limited) {
    this(run, endpoint, options, PubSubSchema.columns(schema), limited, 1);
  }

  private AgentConfig(
      String run, String endpoint, PubSubOptions options, int columns, boolean limited, int slots) {
    this.run = run;
    this.endpoint = endpoint;
    this.options = options;
    this.columns = columns;
    this.limited = limited;
    this.slots = slots;
  }

  AgentConfig withSlots(int count) {
    return new AgentConfig(run, endpoint, options, columns, limited, Math.max(1, count));
  }

  /** Those that are read; slot i reads number i modulo how many there are. */
  List<String> subscriptions() {
    return options.subscriptions();
  }

  /** What a batch takes of so many of the query's slots, at most; 0: no limit. */
  long share(PubSubOptions.Option limit, int own, int ofQuery) {
    long all = limited ? options.number(limit, 0) : 0;
    return all == 0
        ? 0
        : Math.max(1, (long) Math.ceil((double) all * Math.max(1, own) / Math.max(ofQuery, own)));
  }

  /** Of the reader of one subscription, which has its share of the executor's memory. */
  String[] nativeOptions(String subscription) {
    List<String> out = new ArrayList<>(options.connection());
    PubSubOptions.add(out, "subscription", subscription);
    PubSubOptions.add(out, "columns", Integer.toString(columns));
    PubSubOptions.add(out, "chunk_rows", options.text(PubSubOptions.Option.BATCH_SIZE));
    PubSubOptions.add(out, "chunk_bytes", options.text(PubSubOptions.Option.BATCH_BYTES));
    PubSubOptions.add(out, "linger_ms", options.text(PubSubOptions.Option.LINGER_MS));
    long budget = options.number(PubSubOptions.Option.MAX_RESERVOIR_BYTES, 0);
    PubSubOptions.add(out, "max_reservoir_bytes", Long.toString(budget / subscriptions().size()));
    PubSubOptions.add(
        out, "ack_deadline_s", options.text(PubSubOptions.Option.ACK_DEADLINE_SECONDS));
    PubSubOptions.add(
        out, "max_ack_extension_s", options.text(PubSubOptions.Option.MAX_ACK_EXTENSION_SECONDS));
    return out.toArray(new String[0]);
  }
}
