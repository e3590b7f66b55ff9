package io.sparkpubsub.agent;

import io.sparkpubsub.natives.NativeReader;
import io.sparkpubsub.natives.ReaderMetric;
import io.sparkpubsub.natives.SlotReport;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** What an agent tells the ledger of one moment: {@link Ledger#report} takes its parts. */
final class AgentReport {
  private static final int USUAL_EPOCHS = 64;

  final long[] epochs; // SlotReport.LONGS each
  final long[] sizes;
  final long[] metrics = new long[ReaderMetric.LONGS];
  final String problem; // null: none
  /** Epoch -> seqs whose sizes the ledger has, once it has answered. */
  final Map<Long, Long> telling = new HashMap<>();

  private AgentReport(long reader, long[] epochs, Map<Long, Long> told) {
    this.epochs = epochs;
    this.sizes = newSizes(reader, epochs, told, telling);
    this.problem = problem(reader, epochs);
    NativeReader.metrics(reader, metrics);
  }

  /** @param told epoch -> seqs whose sizes the ledger has already */
  static AgentReport of(long reader, Map<Long, Long> told) {
    long[] epochs = new long[USUAL_EPOCHS * SlotReport.LONGS];
    int count = NativeReader.report(reader, epochs);
    if (count * SlotReport.LONGS > epochs.length) {
      epochs = new long[(count + 16) * SlotReport.LONGS];
      count = Math.min(NativeReader.report(reader, epochs), epochs.length / SlotReport.LONGS);
    }
    return new AgentReport(reader, Arrays.copyOf(epochs, count * SlotReport.LONGS), told);
  }

  /** slot, epoch, seq, rows, bytes of each chunk that was sealed since. */
  private static long[] newSizes(long reader, long[] reports, Map<Long, Long> told, Map<Long, Long> telling) {
    long[] out = new long[0];
    long[] pairs = new long[2 * 512];
    for (int i = 0; i < reports.length; i += SlotReport.LONGS) {
      int slot = (int) reports[i];
      long epoch = reports[i + 1];
      long from = told.getOrDefault(epoch, 0L);
      int count = from < reports[i + 3] ? NativeReader.chunkSizes(reader, slot, epoch, from, pairs) : 0;
      int at = out.length;
      out = Arrays.copyOf(out, at + 5 * count);
      for (int k = 0; k < count; k++) {
        out[at++] = slot;
        out[at++] = epoch;
        out[at++] = from + k;
        out[at++] = pairs[2 * k];
        out[at++] = pairs[2 * k + 1];
      }
      telling.put(epoch, from + count);
    }
    return out;
  }

  /** The first slot's permanent error. */
  private static String problem(long reader, long[] reports) {
    for (int i = 0; i < reports.length; i += SlotReport.LONGS) {
      if (reports[i + 2] == NativeReader.STATE_FAILED) {
        String error = NativeReader.slotError(reader, (int) reports[i], reports[i + 1]);
        if (error != null) {
          return error.substring(error.indexOf('\n', error.indexOf('\n') + 1) + 1);
        }
      }
    }
    return null;
  }
}
