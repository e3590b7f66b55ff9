package io.sparkpubsub.read;

import java.time.Instant;
import java.time.zone.ZoneOffsetTransition;
import java.time.zone.ZoneRules;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.sql.catalyst.util.DateTimeUtils;

/**
 * When the local time of a zone changes: pairs of the local second (since 1970) from which an
 * offset is over, and that offset; of two readings of a local time the earlier, of one that does
 * not exist the offset before: as java.time.ZonedDateTime.of.
 */
final class ZoneTable {
  private static final ConcurrentHashMap<String, ZoneTable> KNOWN = new ConcurrentHashMap<>();

  /** The rules of zones go on for ever; timestamps of SQL end here. */
  private static final Instant END = Instant.parse("9999-12-31T23:59:59Z");

  final long[] pairs;
  final int last;

  private ZoneTable(long[] pairs, int last) {
    this.pairs = pairs;
    this.last = last;
  }

  static ZoneTable of(String zone) {
    return KNOWN.computeIfAbsent(zone, id -> of(DateTimeUtils.getZoneId(id).getRules()));
  }

  private static ZoneTable of(ZoneRules rules) {
    List<Long> out = new ArrayList<>();
    int last = rules.getOffset(Instant.MIN).getTotalSeconds();
    ZoneOffsetTransition next = rules.nextTransition(Instant.ofEpochSecond(-31557014167219200L));
    while (next != null && next.getInstant().isBefore(END)) {
      int before = next.getOffsetBefore().getTotalSeconds();
      last = next.getOffsetAfter().getTotalSeconds();
      out.add(next.toEpochSecond() + Math.max(before, last));
      out.add((long) before);
      next = rules.nextTransition(next.getInstant());
    }
    return new ZoneTable(out.stream().mapToLong(Long::longValue).toArray(), last);
  }

  /** Whether there is such a zone. */
  static boolean exists(String zone) {
    try {
      return DateTimeUtils.getZoneId(zone) != null;
    } catch (RuntimeException e) {
      return false;
    }
  }
}
