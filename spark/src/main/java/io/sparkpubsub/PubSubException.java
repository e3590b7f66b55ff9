package io.sparkpubsub;

/**
 * What the native library reports: a stable code, a sentence for people, and whether the same call
 * may succeed later.
 */
public final class PubSubException extends RuntimeException {
  private final String code;
  private final boolean retryable;

  /** Called from C. */
  public PubSubException(String code, boolean retryable, String message) {
    super(message);
    this.code = code;
    this.retryable = retryable;
  }

  /**
   * A gRPC code ("NOT_FOUND") where the service answered, otherwise a status name of the library
   * ("tls", "connect").
   */
  public String code() {
    return code;
  }

  public boolean retryable() {
    return retryable;
  }
}
