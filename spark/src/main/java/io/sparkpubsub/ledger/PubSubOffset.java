package io.sparkpubsub.ledger;

import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.connector.read.streaming.Offset;

/**
 * A position in every slot: {"0":"epoch:seq", …}; chunks below seq of that epoch are before it. A
 * slot that is not named has given nothing yet. A batch that ends here may have read some chunks
 * more: {@link LedgerSlot} knows. An epoch that no longer exists reads as empty and is never
 * settled.
 */
public final class PubSubOffset extends Offset {
  /** Of one slot. */
  public static final class Position {
    public final long epoch;
    public final long seq;

    public Position(long epoch, long seq) {
      this.epoch = epoch;
      this.seq = seq;
    }
  }

  public static final PubSubOffset NOTHING = new PubSubOffset(new TreeMap<>());
  private static final Pattern ENTRY =
      Pattern.compile("\"(\\d{1,9})\":\"(\\d{1,18}):(\\d{1,18})\"");

  public final TreeMap<Integer, Position> positions;
  private volatile String json; // null: nobody has asked

  /** Keeps what it is given: nobody changes it any more. */
  PubSubOffset(TreeMap<Integer, Position> positions) {
    this.positions = positions;
  }

  public static PubSubOffset parse(String json) {
    String text = json.replaceAll("\\s", "");
    TreeMap<Integer, Position> positions = new TreeMap<>();
    if (!text.startsWith("{") || !text.endsWith("}")) {
      throw foreign(json);
    }
    String body = text.substring(1, text.length() - 1);
    for (String part : body.isEmpty() ? new String[0] : body.split(",", -1)) {
      Matcher matcher = ENTRY.matcher(part);
      if (!matcher.matches()) {
        throw foreign(json);
      }
      positions.put(
          Integer.parseInt(matcher.group(1)),
          new Position(Long.parseLong(matcher.group(2)), Long.parseLong(matcher.group(3))));
    }
    return new PubSubOffset(positions);
  }

  private static IllegalArgumentException foreign(String json) {
    return new IllegalArgumentException(
        "the checkpoint holds an offset of another source: "
            + (json.length() > 200 ? json.substring(0, 200) + "…" : json)
            + ". A query that changes its source begins with a new checkpointLocation; what was not"
            + " acknowledged is delivered there");
  }

  /** Where a slot's epoch begins after this offset. */
  public long from(int slot, long epoch) {
    Position position = positions.get(slot);
    return position != null && position.epoch == epoch ? position.seq : 0;
  }

  @Override
  public String json() {
    if (json == null) {
      json = write();
    }
    return json;
  }

  private String write() {
    StringBuilder out = new StringBuilder("{");
    for (Map.Entry<Integer, Position> entry : positions.entrySet()) {
      if (out.length() > 1) {
        out.append(',');
      }
      Position position = entry.getValue();
      out.append('"').append(entry.getKey()).append("\":\"");
      out.append(position.epoch).append(':').append(position.seq).append('"');
    }
    return out.append('}').toString();
  }
}
