package io.sparkpubsub;

/**
 * The same under the name "pubsub-native", for sessions where another connector has taken "pubsub".
 */
public final class PubSubNativeTableProvider extends PubSubTableProvider {
  @Override
  public String shortName() {
    return "pubsub-native";
  }
}
