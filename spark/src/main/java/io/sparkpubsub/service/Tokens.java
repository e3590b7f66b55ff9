package io.sparkpubsub.service;

import com.google.auth.oauth2.AccessToken;
import com.google.auth.oauth2.GoogleCredentials;
import com.google.auth.oauth2.ImpersonatedCredentials;
import com.google.auth.oauth2.ServiceAccountCredentials;
import io.sparkpubsub.PubSubException;
import io.sparkpubsub.PubSubOptions;
import io.sparkpubsub.PubSubOptions.Option;
import java.io.ByteArrayInputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Date;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Access tokens of this process: one cache per credentials, refreshed before they expire. Tokens
 * never reach a log.
 */
final class Tokens {
  private static final String SCOPE = "https://www.googleapis.com/auth/pubsub";
  private static final String CLOUD_SCOPE =
      "https://www.googleapis.com/auth/cloud-platform"; // to impersonate
  private static final int IMPERSONATED_SECONDS = 3600;
  private static final long LAST_SECONDS_MS = 10000; // clocks differ, calls take time
  private static final Logger LOG = LoggerFactory.getLogger(Tokens.class);
  private static final String WHAT_TO_SET =
      "give one of the options credentialsFile, credentialsJson, clientEmail with privateKey, or"
          + " accessToken; or application default credentials (GOOGLE_APPLICATION_CREDENTIALS=FILE)"
          + " on the driver and every executor";
  private static final ConcurrentHashMap<String, GoogleCredentials> CACHE =
      new ConcurrentHashMap<>();

  private Tokens() {}

  /**
   * A token that is valid now; null: none is to be sent (plaintext). May ask a server for it.
   * Throws PubSubException.
   */
  static byte[] current(PubSubOptions options) {
    return token(options, null);
  }

  /** One instead of a token that the service refused; the same again where it is fixed. */
  static byte[] instead(PubSubOptions options, byte[] refused) {
    return token(options, new String(refused, StandardCharsets.US_ASCII));
  }

  private static byte[] token(PubSubOptions options, String refused) {
    String fixed = options.text(Option.ACCESS_TOKEN);
    if (options.plaintext()) {
      if (fixed != null) {
        throw new IllegalArgumentException(
            "option 'accessToken' is given, but "
                + options.text(Option.ENDPOINT)
                + " is reached without TLS: a token is never sent in plaintext. Remove the option,"
                + " or 'plaintext' (or PUBSUB_EMULATOR_HOST)");
      }
      return null;
    }
    if (fixed != null) {
      return fixed.getBytes(StandardCharsets.US_ASCII);
    }
    try {
      GoogleCredentials credentials = credentials(options);
      synchronized (credentials) { // one refresh for one refused token, whoever reports it
        AccessToken token = renewed(credentials);
        if (token.getTokenValue().equals(refused)) {
          credentials.refresh();
          token = credentials.getAccessToken();
        }
        return token.getTokenValue().getBytes(StandardCharsets.US_ASCII);
      }
    } catch (IOException e) {
      throw new PubSubException(
          "UNAUTHENTICATED", true, "no access token: " + reason(e) + "; " + WHAT_TO_SET);
    }
  }

  /**
   * Some minutes before its end a token is renewed; where that fails, it is still good until then.
   */
  private static AccessToken renewed(GoogleCredentials credentials) throws IOException {
    AccessToken before = credentials.getAccessToken();
    try {
      credentials.refreshIfExpired();
      return credentials.getAccessToken();
    } catch (IOException e) {
      Date end = before == null ? null : before.getExpirationTime();
      if (end == null || end.getTime() < System.currentTimeMillis() + LAST_SECONDS_MS) {
        throw e;
      }
      LOG.warn(
          "the access token cannot be renewed; it is good until {}: {}",
          end.toInstant(),
          reason(e));
      return before;
    }
  }

  /** What went wrong, in one line, with the innermost cause where the outer one does not say it. */
  private static String reason(Throwable e) {
    Throwable inner = e;
    while (inner.getCause() != null) {
      inner = inner.getCause();
    }
    String outer = String.valueOf(e.getMessage());
    String detail = inner.getMessage();
    String all =
        inner == e || detail == null || outer.contains(detail)
            ? outer
            : outer + " (" + detail + ")";
    return all.replaceAll("\\s+", " ");
  }

  private static GoogleCredentials credentials(PubSubOptions options) throws IOException {
    String json = options.text(Option.CREDENTIALS_JSON);
    String file = options.text(Option.CREDENTIALS_FILE);
    String email = options.text(Option.CLIENT_EMAIL);
    String privateKey = options.text(Option.PRIVATE_KEY);
    String target = options.text(Option.IMPERSONATE);
    if ((email == null) != (privateKey == null)) {
      throw new IllegalArgumentException(
          "options 'clientEmail' and 'privateKey' belong together: one is missing");
    }
    String source = json != null ? "json:" + json : file != null ? "file:" + file : "default";
    String key = (email != null ? "key:" + email + privateKey : source) + "\n" + target;
    GoogleCredentials known = CACHE.get(key);
    if (known != null) {
      return known;
    }
    GoogleCredentials made;
    if (email != null) {
      made = ofKey(options, email, privateKey);
    } else if (json != null) {
      made =
          read(
              new ByteArrayInputStream(json.getBytes(StandardCharsets.UTF_8)),
              "option 'credentialsJson'");
    } else if (file != null) {
      made = read(new FileInputStream(file), file);
    } else {
      made = GoogleCredentials.getApplicationDefault();
    }
    made = made.createScoped(Collections.singletonList(target == null ? SCOPE : CLOUD_SCOPE));
    if (target != null) {
      made =
          ImpersonatedCredentials.create(
              made, target, null, Collections.singletonList(SCOPE), IMPERSONATED_SECONDS);
    }
    GoogleCredentials first = CACHE.putIfAbsent(key, made);
    return first != null ? first : made;
  }

  private static GoogleCredentials ofKey(PubSubOptions options, String email, String privateKey)
      throws IOException {
    try {
      return ServiceAccountCredentials.fromPkcs8(
          options.text(Option.CLIENT_ID),
          email,
          privateKey.replace("\\n", "\n"), // as it stands in a key file
          options.text(Option.PRIVATE_KEY_ID),
          Collections.singletonList(SCOPE));
    } catch (IOException | RuntimeException e) { // its words might quote the key
      throw new IOException(
          "option 'privateKey' is not a private key in PEM (PKCS 8: -----BEGIN PRIVATE KEY-----)");
    }
  }

  private static GoogleCredentials read(InputStream in, String where) throws IOException {
    try (InputStream closing = in) {
      return GoogleCredentials.fromStream(closing);
    } catch (IOException | RuntimeException e) { // its words might quote the content
      throw new IOException(
          where
              + " is not the JSON of a service account's key, a user's credentials or a workload"
              + " identity configuration");
    }
  }
}
