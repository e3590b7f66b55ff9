package io.sparkpubsub.read;

import static io.sparkpubsub.read.QuietTime.State.LISTENING;
import static io.sparkpubsub.read.QuietTime.State.OVER;
import static io.sparkpubsub.read.QuietTime.State.UNREACHABLE;
import static io.sparkpubsub.read.QuietTime.State.WAITING;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class QuietTimeTest {
  private static final int SLOTS = 4;
  private final QuietTime quiet = new QuietTime(2000, 60_000);

  private QuietTime.State look(long nowMs, int open, boolean delivered) {
    return quiet.look(nowMs, open, SLOTS, delivered);
  }

  @Test
  void quietBeginsWhenSlotsAreOpen() {
    quiet.resume(0);
    assertThat(look(50_000, 3, true)).isEqualTo(WAITING);
    assertThat(look(51_999, SLOTS, true)).isEqualTo(LISTENING);
    assertThat(look(52_000, SLOTS, true)).isEqualTo(OVER);
  }

  @Test
  void aFirstDeliveryTakesLonger() {
    quiet.resume(0);
    assertThat(look(5999, SLOTS, false)).isEqualTo(LISTENING);
    assertThat(look(6000, SLOTS, false)).isEqualTo(OVER);
    assertThat(new QuietTime(100, 60_000).look(0, 1, 1, false)).isEqualTo(LISTENING);
  }

  @Test
  void aMessageBeginsItAnew() {
    quiet.resume(0);
    assertThat(look(1500, SLOTS, true)).isEqualTo(LISTENING);
    quiet.heard();
    assertThat(look(3499, SLOTS, true)).isEqualTo(LISTENING);
    assertThat(look(3500, SLOTS, true)).isEqualTo(OVER);
  }

  @Test
  void aStreamThatClosesBeginsItAnew() {
    quiet.resume(0);
    assertThat(look(1500, SLOTS, true)).isEqualTo(LISTENING);
    assertThat(look(1600, SLOTS - 1, true)).isEqualTo(WAITING);
    assertThat(look(3599, SLOTS, true)).isEqualTo(LISTENING);
    assertThat(look(3600, SLOTS, true)).isEqualTo(OVER);
  }

  /** A batch that other messages made necessary may run as long as it wants. */
  @Test
  void timeInWhichNobodyLooksDoesNotCount() {
    quiet.resume(0);
    assertThat(look(1000, SLOTS, true)).isEqualTo(LISTENING);
    quiet.resume(100_000);
    assertThat(look(100_999, SLOTS, true)).isEqualTo(LISTENING);
    assertThat(look(101_000, SLOTS, true)).isEqualTo(OVER);
  }

  @Test
  void withoutAnyStreamTheEndCannotBeTold() {
    quiet.resume(0);
    assertThat(look(59_999, 0, false)).isEqualTo(WAITING);
    assertThat(look(60_000, 0, false)).isEqualTo(UNREACHABLE);
  }

  @Test
  void oneStreamGetsEverythingInTheEnd() {
    quiet.resume(0);
    assertThat(look(60_000, 1, true)).isEqualTo(OVER);
    QuietTime another = new QuietTime(2000, 60_000);
    another.resume(0);
    assertThat(another.look(59_000, 1, SLOTS, true)).isEqualTo(WAITING);
    assertThat(another.look(60_500, 1, SLOTS, true)).isEqualTo(LISTENING);
    assertThat(another.look(61_000, 1, SLOTS, true)).isEqualTo(OVER);
  }
}
