package io.sparkpubsub.read;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLongArray;

/** Which fields of its payloads a query uses, as far as its rows have told in this process. */
final class FieldUse {
  private static final int RUNS = 64;
  private static final int WORD = 64;

  /** By run, the latest. */
  private static final Map<String, FieldUse> KNOWN =
      new LinkedHashMap<String, FieldUse>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, FieldUse> eldest) {
          return size() > RUNS;
        }
      };

  private final AtomicLongArray fields;

  private FieldUse(int words) {
    fields = new AtomicLongArray(words);
  }

  static FieldUse of(String run, int words) {
    synchronized (KNOWN) {
      return KNOWN.computeIfAbsent(run, key -> new FieldUse(words));
    }
  }

  void add(int field) {
    fields.accumulateAndGet(field / WORD, 1L << field % WORD, (a, b) -> a | b);
  }

  void fill(long[] out) {
    for (int i = 0; i < out.length; i++) {
      out[i] = fields.get(i);
    }
  }
}
