package io.sparkpubsub.agent;

import io.sparkpubsub.natives.NativeReader;
import io.sparkpubsub.natives.ReaderMetric;
import io.sparkpubsub.natives.SlotReport;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The native readers of one agent: one a subscription, each with its own leases, settling and share
 * of the memory, so that what is promised of a subscription does not depend on the others. Slot i
 * is of reader i modulo their number. Every call throws IllegalStateException once they are closed.
 */
final class NativeReaders {
  private final long[] readers;
  private final Object changed = new Object();
  private long generation; // of all together, under changed; of several readers only

  private NativeReaders(long[] readers) {
    this.readers = readers;
  }

  /** Throws PubSubException; then nothing is left. */
  static NativeReaders open(AgentConfig config) {
    List<Long> open = new ArrayList<>();
    boolean all = false;
    try {
      for (String subscription : config.subscriptions()) {
        open.add(NativeReader.open(config.nativeOptions(subscription)));
      }
      all = true;
    } finally {
      if (!all) {
        open.forEach(reader -> NativeReader.close(reader, 0));
      }
    }
    NativeReaders readers = new NativeReaders(open.stream().mapToLong(Long::longValue).toArray());
    readers.watch();
    return readers;
  }

  int count() {
    return readers.length;
  }

  /** Which of them, counted from 0, reads for a slot. */
  int index(int slot) {
    return slot % readers.length;
  }

  long of(int slot) {
    return readers[index(slot)];
  }

  long at(int index) {
    return readers[index];
  }

  // ---- credentials ----

  long unauthenticated() {
    long sum = 0;
    for (long reader : readers) {
      sum += NativeReader.unauthenticated(reader);
    }
    return sum;
  }

  void setToken(byte[] token) {
    for (long reader : readers) {
      NativeReader.setToken(reader, token);
    }
  }

  // ---- what changes ----

  /** Waits until something changed since that generation; returns the new one. */
  long await(long seen, int timeoutMs) throws InterruptedException {
    if (readers.length == 1) {
      return NativeReader.await(readers[0], seen, timeoutMs);
    }
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMs);
    synchronized (changed) {
      long left = timeoutMs;
      while (generation == seen && left > 0) {
        changed.wait(left);
        left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
      }
      return generation;
    }
  }

  /** Of several, each has a thread that waits for it, until it is closed. */
  private void watch() {
    for (int i = 0; readers.length > 1 && i < readers.length; i++) {
      long reader = readers[i];
      Thread thread = new Thread(() -> watch(reader), "pubsub-agent-reader");
      thread.setDaemon(true);
      thread.start();
    }
  }

  private void watch(long reader) {
    long seen = 0;
    try {
      while (true) {
        long now = NativeReader.await(reader, seen, 1000);
        if (now != seen) {
          seen = now;
          change();
        }
      }
    } catch (IllegalStateException e) { // it is closed
      change();
    }
  }

  private void change() {
    synchronized (changed) {
      generation++;
      changed.notifyAll();
    }
  }

  /** Of all epochs, SlotReport.LONGS each. */
  long[] report(int usualEpochs) {
    long[][] each = new long[readers.length][];
    int longs = 0;
    for (int i = 0; i < readers.length; i++) {
      each[i] = report(readers[i], usualEpochs);
      longs += each[i].length;
    }
    long[] out = readers.length == 1 ? each[0] : new long[longs];
    for (int i = 0, at = 0; readers.length > 1 && i < readers.length; at += each[i++].length) {
      System.arraycopy(each[i], 0, out, at, each[i].length);
    }
    return out;
  }

  private static long[] report(long reader, int usualEpochs) {
    long[] epochs = new long[usualEpochs * SlotReport.LONGS];
    int count = NativeReader.report(reader, epochs);
    while (count * SlotReport.LONGS > epochs.length) {
      epochs = new long[(count + 16) * SlotReport.LONGS];
      count = NativeReader.report(reader, epochs);
    }
    return Arrays.copyOf(epochs, count * SlotReport.LONGS);
  }

  /** Summed up, in the order of ReaderMetric. */
  long[] metrics() {
    long[] sum = new long[ReaderMetric.LONGS];
    for (long reader : readers) {
      long[] one = new long[ReaderMetric.LONGS];
      NativeReader.metrics(reader, one);
      add(sum, one);
    }
    return sum;
  }

  private static void add(long[] sum, long[] one) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] += one[i];
    }
  }

  // ---- the end ----

  /**
   * Closes all within the time: what was asked to be acknowledged is, the rest is given back.
   * False: some outcomes are unconfirmed. Twice is harmless.
   *
   * @param lastMetrics gets the sums at the end
   */
  boolean close(int timeoutMs, long[] lastMetrics) {
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMs);
    endStreams();
    boolean confirmed = true;
    for (long reader : readers) {
      long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
      long[] last = new long[ReaderMetric.LONGS];
      confirmed &= NativeReader.close(reader, (int) Math.max(0, left), last);
      add(lastMetrics, last);
    }
    return confirmed;
  }

  /** All begin to end, so that they do not wait for each other. */
  private void endStreams() {
    for (int i = 0; readers.length > 1 && i < readers.length; i++) {
      try {
        long[] epochs = report(readers[i], 64);
        for (int k = 0; k < SlotReport.count(epochs); k++) {
          SlotReport epoch = SlotReport.at(epochs, k);
          NativeReader.closeSlot(readers[i], epoch.slot, epoch.epoch, true);
        }
      } catch (IllegalStateException e) {
        continue; // closed before
      }
    }
  }
}
