package io.sparkpubsub.read;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The table that the native decoder gets says of local times what java.time says. */
class ZoneTableTest {
  private static final String[] ZONES = {
    "UTC",
    "+05:30",
    "Europe/Berlin",
    "America/Los_Angeles",
    "Australia/Lord_Howe",
    "Africa/Monrovia"
  };

  private static int offset(ZoneTable table, long local) {
    for (int i = 0; i < table.pairs.length; i += 2) {
      if (local < table.pairs[i]) {
        return (int) table.pairs[i + 1];
      }
    }
    return table.last;
  }

  @Test
  void localTimesHaveTheOffsetsOfJavaTime() {
    Random random = new Random(1);
    for (String zone : ZONES) {
      ZoneTable table = ZoneTable.of(zone);
      for (int i = 0; i < 2000; i++) {
        long local = (long) (random.nextDouble() * 12_000_000_000L) - 6_000_000_000L;
        LocalDateTime time = LocalDateTime.ofEpochSecond(local, 0, ZoneOffset.UTC);
        long utc = time.atZone(ZoneId.of(zone)).toEpochSecond();
        assertThat(local - offset(table, local)).as(zone + " " + time).isEqualTo(utc);
      }
      for (int i = 0; i < table.pairs.length && i < 400; i += 2) { // where it changes
        for (long local = table.pairs[i] - 7200; local <= table.pairs[i] + 7200; local += 600) {
          LocalDateTime time = LocalDateTime.ofEpochSecond(local, 0, ZoneOffset.UTC);
          long utc = time.atZone(ZoneId.of(zone)).toEpochSecond();
          assertThat(local - offset(table, local)).as(zone + " " + time).isEqualTo(utc);
        }
      }
    }
  }

  @Test
  void whatIsNoZoneIsKnown() {
    assertThat(ZoneTable.exists("Europe/Berlin")).isTrue();
    assertThat(ZoneTable.exists("Mars/Olympus")).isFalse();
  }
}
