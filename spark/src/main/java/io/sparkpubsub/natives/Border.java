package io.sparkpubsub.natives;

import java.util.ArrayList;
import java.util.List;

/**
 * What the classes of this package and the native library have to agree on: the lengths of the
 * arrays that cross, in the order of BORDER_LENGTHS in jni/border.h, where each field has the name
 * that it has here.
 */
enum Border {
  VERSION("version of the border", 1),
  REPORT("fields of a slot's report", SlotReport.LONGS),
  SIZE("fields of a chunk's size", ChunkSize.LONGS),
  VIEW("fields of a chunk's view", ChunkView.LONGS),
  READER("metrics of a reader", ReaderMetric.LONGS),
  WRITER("metrics of a writer", WriterMetric.LONGS),
  PAYLOAD("fields of a payload's column", PayloadView.LONGS);

  private final String what;
  private final int ours;

  Border(String what, int ours) {
    this.what = what;
    this.ours = ours;
  }

  static int[] ours() {
    int[] out = new int[values().length];
    for (Border each : values()) {
      out[each.ordinal()] = each.ours;
    }
    return out;
  }

  /** Throws, in words, where the library has other lengths. */
  static void check(int[] theirs) {
    List<String> differences = new ArrayList<>();
    for (Border each : values()) {
      int their = each.ordinal() < theirs.length ? theirs[each.ordinal()] : 0;
      if (their != each.ours) {
        differences.add(
            each.what + ": " + each.ours + " in the classes, " + their + " in the library");
      }
    }
    if (!differences.isEmpty() || theirs.length != values().length) {
      throw new UnsatisfiedLinkError(
          "the classes and the native library of spark-pubsub are of different builds ("
              + String.join("; ", differences)
              + "): is there a second spark-pubsub jar on the class path?");
    }
  }
}
