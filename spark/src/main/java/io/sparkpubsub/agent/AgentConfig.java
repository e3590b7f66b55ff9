package io.sparkpubsub.agent;

import io.sparkpubsub.PubSubOptions;
import io.sparkpubsub.PubSubSchema;
import io.sparkpubsub.ledger.LedgerEndpoint;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.types.StructType;

/** What an agent needs to know to begin; travels with the tasks that start agents. */
public final class AgentConfig implements Serializable {
  private static final long serialVersionUID = 1;
  final String run;
  final PubSubOptions options;
  final int columns;

  public AgentConfig(String run, PubSubOptions options, StructType schema) {
    this.run = run;
    this.options = options;
    this.columns = PubSubSchema.columns(schema);
  }

  /** The driver's endpoint of this run. */
  String endpoint() {
    return LedgerEndpoint.name(run);
  }

  String[] nativeOptions(int slots) {
    List<String> out = new ArrayList<>(options.connection());
    PubSubOptions.add(out, "subscription", options.subscription());
    PubSubOptions.add(out, "columns", Integer.toString(columns));
    PubSubOptions.add(out, "chunk_rows", options.text(PubSubOptions.Option.BATCH_SIZE));
    PubSubOptions.add(out, "chunk_bytes", options.text(PubSubOptions.Option.BATCH_BYTES));
    PubSubOptions.add(out, "linger_ms", options.text(PubSubOptions.Option.LINGER_MS));
    PubSubOptions.add(out, "max_reservoir_bytes", options.text(PubSubOptions.Option.MAX_RESERVOIR_BYTES));
    PubSubOptions.add(out, "ack_deadline_s", options.text(PubSubOptions.Option.ACK_DEADLINE_SECONDS));
    PubSubOptions.add(
        out, "max_ack_extension_s", options.text(PubSubOptions.Option.MAX_ACK_EXTENSION_SECONDS));
    long budget = options.number(PubSubOptions.Option.MAX_RESERVOIR_BYTES, 0);
    PubSubOptions.add(out, "max_outstanding_bytes", Long.toString(Math.max(1 << 20, budget / slots)));
    return out.toArray(new String[0]);
  }
}
