package io.sparkpubsub;

/** Sleeping that may be interrupted. */
final class Pause {
  private Pause() {}

  /** False: interrupted; the thread stays so. */
  static boolean ms(long ms) {
    try {
      Thread.sleep(ms);
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
