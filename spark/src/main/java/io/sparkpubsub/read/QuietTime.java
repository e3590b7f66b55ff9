package io.sparkpubsub.read;

/**
 * When what was there has been read. The service does not say how much there is: the end is a time
 * in which open streams could have brought a message of it, and did not.
 *
 * <pre>
 *   WAITING ── all slots are open, or after the timeout at least one ──▶ LISTENING ── quiet for long enough ──▶ OVER
 *      │  ▲                                                            │ ▲   │
 *      │  └────────────── fewer are ────────────────────────────────────┘ └───┘ a message: from the beginning
 *      └── none is, for the timeout ──▶ UNREACHABLE
 * </pre>
 *
 * Before the first message of all it takes longer: a first delivery may be seconds away. Time in
 * which nobody looks does not count. Pure: no clock of its own.
 */
final class QuietTime {
  enum State {
    WAITING,
    LISTENING,
    OVER,
    UNREACHABLE
  }

  /** A first delivery is waited for at least so long. */
  static final long FIRST_MS = 5000;

  private static final int FIRST_FACTOR = 3;

  private final long quietMs;
  private final long firstMs;
  private final long timeoutMs;
  private long lookedMs = -1; // -1: nobody looks
  private long quietForMs;
  private long waitedMs; // for slots to open

  QuietTime(long quietMs, long timeoutMs) {
    this.quietMs = quietMs;
    this.firstMs = Math.max(FIRST_MS, FIRST_FACTOR * quietMs);
    this.timeoutMs = timeoutMs;
  }

  /** Looking begins, again. */
  void resume(long nowMs) {
    lookedMs = nowMs;
  }

  /** A message of what was there has come. */
  void heard() {
    quietForMs = 0;
  }

  /**
   * @param open slots that have an open stream, of so many slots
   * @param delivered whether any message has ever come
   */
  State look(long nowMs, int open, int slots, boolean delivered) {
    long passed = lookedMs < 0 ? 0 : nowMs - lookedMs;
    lookedMs = nowMs;
    waitedMs = open == slots ? 0 : waitedMs + passed;
    if (open < slots && (open == 0 || waitedMs < timeoutMs)) {
      quietForMs = 0;
      return waitedMs < timeoutMs ? State.WAITING : State.UNREACHABLE;
    }
    quietForMs += passed;
    return quietForMs < (delivered ? quietMs : firstMs) ? State.LISTENING : State.OVER;
  }
}
