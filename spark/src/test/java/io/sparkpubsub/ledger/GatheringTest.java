package io.sparkpubsub.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class GatheringTest {
  private static final long TARGET = 100_000_000;
  private final Gathering gathering = new Gathering();

  /**
   * Polls every 10 ms with so many bytes per ms until a batch begins; returns how long that took.
   */
  private long waited(long fromMs, long startBytes, long bytesPerMs) {
    long ms = 0;
    while (gathering.wait(fromMs + ms, startBytes + ms * bytesPerMs, 1 + ms * bytesPerMs, TARGET)) {
      ms += Gathering.STEP_MS;
    }
    return ms;
  }

  /** Polls at a rate until the batch begins; it runs until the next poll. */
  private void batchBegins(long atMs, long bytesPerMs) {
    for (long ms = 0; ms < atMs; ms += Gathering.STEP_MS) {
      gathering.wait(ms, ms * bytesPerMs, 0, TARGET);
    }
    assertThat(gathering.wait(atMs, atMs * bytesPerMs, TARGET, TARGET)).isFalse();
  }

  @Test
  void slowMessagesAreNotWaitedFor() {
    batchBegins(200, 1000);
    assertThat(waited(400, 400_000, 1000)).isZero();
  }

  @Test
  void fastMessagesAreWaitedForUntilTheTarget() {
    batchBegins(200, 400_000);
    assertThat(waited(400, 400 * 400_000L, 400_000)).isBetween(240L, 260L);
  }

  @Test
  void nothingIsWaitedForWithoutMessages() {
    batchBegins(200, 400_000);
    assertThat(gathering.wait(400, 160_000_000, 0, TARGET)).isFalse();
  }

  @Test
  void theWaitEndsSoonAfterTheMessagesDo() {
    batchBegins(200, 400_000);
    assertThat(waited(400, 160_000_000, 0)).isLessThanOrEqualTo(100);
  }

  @Test
  void aRateIsRememberedWhileAFullReservoirStopsTheFlow() {
    batchBegins(200, 400_000);
    for (long ms = 300; ms < 400; ms += Gathering.STEP_MS) {
      gathering.wait(ms, 80_000_000, 0, TARGET); // the batch has ended, and nothing is there
    }
    assertThat(gathering.wait(400, 90_000_000, 10_000_000, TARGET)).isTrue();
  }

  @Test
  void aShortBatchIsFollowedByAShortWait() {
    batchBegins(200, 100_000);
    assertThat(waited(240, 24_000_000, 100_000)).isEqualTo(80);
  }

  @Test
  void theFirstBatchWaitsUntilTheRateIsKnown() {
    gathering.wait(1000, 0, 0, TARGET);
    assertThat(waited(1010, 10_000, 1000)).isEqualTo(40);
  }

  @Test
  void theWaitIsBounded() {
    batchBegins(200, 40_000);
    assertThat(waited(1000, 40_000_000, 40_000)).isEqualTo(Gathering.MAX_WAIT_MS);
  }

  @Test
  void aTrickleAfterAFloodIsNotWaitedFor() {
    batchBegins(200, 40_000);
    assertThat(waited(2000, 8_100_000, 100)).isLessThanOrEqualTo(100);
  }
}
