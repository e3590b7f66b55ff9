package io.sparkpubsub;

import com.google.auth.oauth2.AccessToken;
import com.google.auth.oauth2.GoogleCredentials;
import com.google.auth.oauth2.ImpersonatedCredentials;
import com.google.auth.oauth2.ServiceAccountCredentials;
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
  private static final String CLOUD_SCOPE = "https://www.googleapis.com/auth/cloud-platform"; // to impersonate
  private static final int IMPERSONATED_SECONDS = 3600;
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
              + " (options credentialsFile, credentialsJson, clientEmail with privateKey, or accessToken; or GOOGLE_APPLICATION_CREDENTIALS)");
    }
  }

  private static GoogleCredentials credentials(PubSubOptions options) throws IOException {
    String json = options.text(Option.CREDENTIALS_JSON);
    String file = options.text(Option.CREDENTIALS_FILE);
    String email = options.text(Option.CLIENT_EMAIL);
    String privateKey = options.text(Option.PRIVATE_KEY);
    String target = options.text(Option.IMPERSONATE);
    if ((email == null) != (privateKey == null)) {
      throw new IllegalArgumentException("options 'clientEmail' and 'privateKey' belong together: one is missing");
    }
    String source = json != null ? "json:" + json : file != null ? "file:" + file : "default";
    String key = (email != null ? "key:" + email + privateKey : source) + "\n" + target;
    GoogleCredentials known = CACHE.get(key);
    if (known != null) {
      return known;
    }
    GoogleCredentials made;
    if (email != null) {
      made =
          ServiceAccountCredentials.fromPkcs8(
              options.text(Option.CLIENT_ID),
              email,
              privateKey.replace("\\n", "\n"), // as it stands in a key file
              options.text(Option.PRIVATE_KEY_ID),
              Collections.singletonList(SCOPE));
    } else if (json != null) {
      made = read(new ByteArrayInputStream(json.getBytes(StandardCharsets.UTF_8)));
    } else if (file != null) {
      made = read(new FileInputStream(file));
    } else {
      made = GoogleCredentials.getApplicationDefault();
    }
    made = made.createScoped(Collections.singletonList(target == null ? SCOPE : CLOUD_SCOPE));
    if (target != null) {
      made =
          ImpersonatedCredentials.create(made, target, null, Collections.singletonList(SCOPE), IMPERSONATED_SECONDS);
    }
    GoogleCredentials first = CACHE.putIfAbsent(key, made);
    return first != null ? first : made;
  }

  private static GoogleCredentials read(InputStream in) throws IOException {
    try (InputStream closing = in) {
      return GoogleCredentials.fromStream(closing);
    }
  }
}
