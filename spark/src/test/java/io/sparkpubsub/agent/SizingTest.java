package io.sparkpubsub.agent;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SizingTest {
  private final Sizing sizing = new Sizing(2, 2, cores -> cores);

  @Test
  void moreAtOnce() {
    assertThat(sizing.slots(0, 2)).isEqualTo(2);
    assertThat(sizing.slots(1, 6)).isEqualTo(6);
  }

  /** An executor that is replaced takes a moment to come back. */
  @Test
  void fewerOnlyAfterAWhile() {
    sizing.slots(0, 6);
    assertThat(sizing.slots(1000, 4)).isEqualTo(6);
    assertThat(sizing.slots(1000 + Sizing.SHRINK_AFTER_MS - 1, 4)).isEqualTo(6);
    assertThat(sizing.slots(1000 + Sizing.SHRINK_AFTER_MS, 4)).isEqualTo(4);
  }

  @Test
  void aDipIsForgotten() {
    sizing.slots(0, 6);
    sizing.slots(1000, 4);
    sizing.slots(2000, 6);
    assertThat(sizing.slots(3000, 4)).isEqualTo(6);
    assertThat(sizing.slots(2999 + Sizing.SHRINK_AFTER_MS, 4)).isEqualTo(6);
  }
}
