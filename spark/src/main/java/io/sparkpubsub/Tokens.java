package io.sparkpubsub;

import com.google.auth.oauth2.AccessToken;
import com.google.auth.oauth2.GoogleCredentials;
import io.sparkpubsub.PubSubOptions.Option;
import java.io.ByteArrayInputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.concurrent.ConcurrentHashMap;

/** Access tokens of this process: one cache per credentials, refreshed before they expire. Tokens never reach a log. */
final class Tokens {
  private static final String SCOPE = "https://www.googleapis.com/auth/pubsub";
  private static final ConcurrentHashMap<String, GoogleCredentials> CACHE = new ConcurrentHashMap<>();

  private Tokens() {}

  /** A token that is valid now; null: none is to be sent (plaintext). */
  static byte[] current(PubSubOptions options) {
    if (options.plaintext()) {
      return null;
    }
    String fixed = options.text(Option.ACCESS_TOKEN);
    if (fixed != null) {
      return fixed.getBytes(StandardCharsets.US_ASCII);
    }
    try {
      GoogleCredentials credentials = credentials(options);
      credentials.refreshIfExpired();
      AccessToken token = credentials.getAccessToken();
      return token.getTokenValue().getBytes(StandardCharsets.US_ASCII);
    } catch (IOException e) {
      throw new PubSubException(
          "UNAUTHENTICATED",
          true,
          "no access token: "
              + e.getMessage()
              + " (options credentialsFile, credentialsJson or accessToken, or GOOGLE_APPLICATION_CREDENTIALS)");
    }
  }

  private static GoogleCredentials credentials(PubSubOptions options) throws IOException {
    String json = options.text(Option.CREDENTIALS_JSON);
    String file = options.text(Option.CREDENTIALS_FILE);
    String key = json != null ? "json:" + json : file != null ? "file:" + file : "default";
    GoogleCredentials known = CACHE.get(key);
    if (known != null) {
      return known;
    }
    GoogleCredentials made;
    if (json != null) {
      made = read(new ByteArrayInputStream(json.getBytes(StandardCharsets.UTF_8)));
    } else if (file != null) {
      made = read(new FileInputStream(file));
    } else {
      made = GoogleCredentials.getApplicationDefault();
    }
    made = made.createScoped(Collections.singletonList(SCOPE));
    GoogleCredentials first = CACHE.putIfAbsent(key, made);
    return first != null ? first : made;
  }

  private static GoogleCredentials read(InputStream in) throws IOException {
    try (InputStream closing = in) {
      return GoogleCredentials.fromStream(closing);
    }
  }
}
