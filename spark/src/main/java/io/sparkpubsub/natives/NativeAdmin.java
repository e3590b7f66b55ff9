package io.sparkpubsub.natives;

/**
 * Calls about topics and subscriptions, by name. Each makes a connection, blocks, and throws
 * PubSubException.
 */
public final class NativeAdmin {
  private NativeAdmin() {}

  /**
   * Options of the connection, and: call, name, what the call needs. Returns what the call has to
   * say, or "". What the service says will pass (UNAVAILABLE, …) is asked again until the time is
   * over.
   */
  public static String run(String[] keyValues, byte[] token, int timeoutMs) {
    NativeLoader.load();
    return call(keyValues, token, timeoutMs);
  }

  private static native String call(String[] keyValues, byte[] token, int timeoutMs);
}
