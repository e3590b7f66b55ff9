package io.sparkpubsub.read;

import io.sparkpubsub.PubSubException;
import io.sparkpubsub.natives.ChunkView;
import io.sparkpubsub.natives.ChunkView.Buffer;
import io.sparkpubsub.natives.NativePayload;
import io.sparkpubsub.natives.PayloadView;
import java.util.Arrays;
import org.apache.spark.unsafe.Platform;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * Decodes the payloads of one chunk after the other, for one task: those fields that are used, when
 * they are first used. What one chunk's rows have used is decoded in one go in the next; other
 * tasks of the query learn it too.
 */
final class PayloadDecoder implements AutoCloseable {
  private static final int WORD = 64;

  private final PayloadPlan plan;
  private final FieldUse use;
  private final PayloadView view;
  private final PayloadColumn root;
  private final long[] decoded; // bits by field
  private final long[] wanted; // scratch
  private long handle;
  private long offsets;
  private long bytes;
  private long idOffsets;
  private long ids;
  private boolean begun; // something of this chunk is decoded

  PayloadDecoder(PayloadPlan plan, String run) {
    int[] columns = {0};
    this.plan = plan;
    this.root = new PayloadColumn(plan.type(), columns);
    this.view = new PayloadView(columns[0]);
    this.decoded = new long[plan.type().size() / WORD + 1];
    this.wanted = new long[decoded.length];
    this.use = FieldUse.of(run, decoded.length);
    this.handle = plan.open();
  }

  PayloadPlan plan() {
    return plan;
  }

  /** A chunk, whose columns stay until the next one. */
  void begin(ChunkView chunk) {
    offsets = chunk.address(Buffer.DATA_OFFSETS);
    bytes = chunk.address(Buffer.DATA_BYTES);
    idOffsets = chunk.address(Buffer.MESSAGE_ID_OFFSETS);
    ids = chunk.address(Buffer.MESSAGE_ID_BYTES);
    NativePayload.begin(handle, offsets, bytes, chunk.rows());
    Arrays.fill(decoded, 0);
    begun = false;
  }

  /** Whether the payload of a row is white space alone: it has no fields then, not even null. */
  boolean isBlank(int row) {
    if (!begun) {
      int from = Platform.getInt(null, offsets + 4L * row);
      int to = Platform.getInt(null, offsets + 4L * row + 4);
      if (from == to) {
        return true;
      }
      if (Platform.getByte(null, bytes + from) > ' ') {
        return false;
      }
      decode(-1);
    }
    return root.isNullAt(row);
  }

  /** The column of a field, decoded. */
  PayloadColumn field(int ordinal) {
    if ((decoded[ordinal / WORD] >> ordinal % WORD & 1) == 0) {
      decode(ordinal);
    }
    return (PayloadColumn) root.getChild(ordinal);
  }

  /** Decodes all of it; returns the rows that stay, in mode DROPMALFORMED. */
  int[] kept() {
    decodeFields(null);
    int[] out = new int[root.rows()];
    long address = NativePayload.kept(handle);
    Platform.copyMemory(null, address, out, Platform.INT_ARRAY_OFFSET, 4L * out.length);
    return out;
  }

  private void decode(int ordinal) {
    use.fill(wanted);
    if (ordinal >= 0) {
      use.add(ordinal);
      wanted[ordinal / WORD] |= 1L << ordinal % WORD;
    }
    decodeFields(wanted);
  }

  private void decodeFields(long[] fields) {
    try {
      NativePayload.decode(handle, fields);
    } catch (PubSubException e) {
      throw e.code().equals("invalid") ? malformed(e) : e;
    }
    begun = true;
    for (int i = 0; i < decoded.length; i++) {
      decoded[i] |= fields == null ? -1 : fields[i];
    }
    NativePayload.columns(handle, view);
    root.point(view);
  }

  private RuntimeException malformed(PubSubException e) {
    int row = NativePayload.failedRow(handle);
    return new IllegalArgumentException(
        "the payload of message '"
            + id(row)
            + "' does not fit payloadSchema (mode FAILFAST): "
            + e.getMessage()
            + ". Mode PERMISSIVE reads what does not fit as null, DROPMALFORMED leaves it out",
        e);
  }

  private String id(int row) {
    if (idOffsets == 0) {
      return "?";
    }
    int from = Platform.getInt(null, idOffsets + 4L * row);
    int to = Platform.getInt(null, idOffsets + 4L * row + 4);
    return UTF8String.fromAddress(null, ids + from, to - from).toString();
  }

  @Override
  public void close() {
    if (handle != 0) {
      NativePayload.close(handle);
      handle = 0;
    }
  }
}
