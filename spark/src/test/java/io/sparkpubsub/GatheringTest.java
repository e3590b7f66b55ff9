package io.sparkpubsub;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class GatheringTest {
  private static final long TARGET = 100_000_000;
  private final Gathering gathering = new Gathering();

  /** Polls every 10 ms with so many bytes per ms until a batch begins; returns how long that took. */
  private long waited(long fromMs, long startBytes, long bytesPerMs) {
    long ms = 0;
    while (gathering.wait(fromMs + ms, startBytes + ms * bytesPerMs, 1 + ms * bytesPerMs, TARGET)) {
      ms += Gathering.STEP_MS;
    }
    return ms;
  }

  private void idle(long fromMs, long toMs, long bytesPerMs) {
    for (long ms = fromMs; ms <= toMs; ms += Gathering.STEP_MS) {
      gathering.wait(ms, ms * bytesPerMs, 0, TARGET);
    }
  }

  @Test
  void slowMessagesAreNotWaitedFor() {
    idle(0, 200, 1000);
    assertThat(waited(210, 210_000, 1000)).isZero();
  }

  @Test
  void fastMessagesAreWaitedForUntilTheTarget() {
    idle(0, 200, 400_000);
    assertThat(waited(210, 210 * 400_000L, 400_000)).isBetween(240L, 260L);
  }

  @Test
  void nothingIsWaitedForWithoutMessages() {
    idle(0, 200, 400_000);
    assertThat(gathering.wait(210, 84_000_000, 0, TARGET)).isFalse();
  }

  @Test
  void theWaitEndsSoonAfterTheMessagesDo() {
    idle(0, 200, 400_000);
    assertThat(waited(210, 84_000_000, 0)).isLessThanOrEqualTo(100);
  }

  @Test
  void aRateIsRememberedWhileAFullReservoirStopsTheFlow() {
    idle(0, 200, 400_000);
    gathering.wait(300, 80_000_000, 0, TARGET); // nothing came for 100 ms
    assertThat(gathering.wait(310, 80_000_000, 10_000_000, TARGET)).isTrue();
  }

  @Test
  void theWaitIsBounded() {
    idle(0, 200, 400_000);
    long waited = waited(210, 84_000_000, 1); // a trickle after a flood
    assertThat(waited).isLessThanOrEqualTo(Gathering.MAX_WAIT_MS);
  }
}
