package io.sparkpubsub.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.sparkpubsub.PubSubOptions;
import io.sparkpubsub.PubSubOptions.Option;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Locale;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class SecretsTest {
  private static final EnumSet<Option> SECRET =
      EnumSet.of(
          Option.ACCESS_TOKEN,
          Option.PRIVATE_KEY,
          Option.PRIVATE_KEY_ID,
          Option.CREDENTIALS_JSON,
          Option.PROXY);

  private static boolean hides(String text) {
    return Pattern.compile(Secrets.OURS).matcher(text).find();
  }

  @Test
  void thePatternHidesSecretsAndNothingElse() {
    for (Option option : Option.values()) {
      String setting = PubSubOptions.CONF_PREFIX + option.key;
      for (String name :
          new String[] {
            option.key,
            setting,
            option.key.toLowerCase(Locale.ROOT),
            setting.toUpperCase(Locale.ROOT)
          }) {
        assertThat(hides(name)).as(name).isEqualTo(SECRET.contains(option));
      }
    }
    assertThat(hides("spark.sql.catalog.pubsub.privateKey")).isTrue();
    assertThat(hides("http.proxy")).isFalse();
    assertThat(hides("-----BEGIN PRIVATE KEY-----\nMII…")).isTrue();
    assertThat(hides("{\"private_key\": \"-----BEGIN RSA PRIVATE KEY-----\\nMII…")).isTrue();
    assertThat(hides("-----BEGIN CERTIFICATE-----")).isFalse();
  }

  @Test
  void theNameOfASessionsSecretIsNotAValue() {
    PubSubOptions options =
        PubSubOptions.of(
            Collections.emptyMap(),
            Collections.singletonMap("spark.pubsub.privateKey", PubSubOptions.HIDDEN),
            Collections.emptyMap());
    assertThat(options.has(Option.PRIVATE_KEY)).isFalse();
  }
}
