package io.sparkpubsub.write;

import org.apache.spark.unsafe.types.UTF8String;

/**
 * The ids of a task's rows: QUERY/EPOCH/PARTITION/ROW, the same when the epoch is written again.
 */
final class RowId {
  final UTF8String attribute;
  private final String prefix;
  private long row;

  RowId(String attribute, String query, long epoch, int partition) {
    this.attribute = UTF8String.fromString(attribute);
    this.prefix = query + "/" + epoch + "/" + partition + "/";
  }

  UTF8String next() {
    return UTF8String.fromString(prefix + row++);
  }
}
