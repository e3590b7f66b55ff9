package io.sparkpubsub.read;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class ChunkHoldTest {
  /** Arrow gives up an allocation that it cannot wrap, and so does who asked it to. */
  @Test
  void aHoldIsGivenUpOnce() {
    AtomicInteger releases = new AtomicInteger();
    ChunkHold hold = new ChunkHold(8, 1024, releases::incrementAndGet);
    hold.release0();
    hold.release0();
    assertThat(releases).hasValue(1);
  }
}
