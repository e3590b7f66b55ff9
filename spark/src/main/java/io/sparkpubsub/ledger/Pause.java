package io.sparkpubsub.ledger;

/** Sleeping that may be interrupted. */
public final class Pause {
  private Pause() {}

  /** False: interrupted; the thread stays so. */
  public static boolean ms(long ms) {
    try {
      Thread.sleep(ms);
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
