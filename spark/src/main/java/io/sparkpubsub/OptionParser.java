package io.sparkpubsub;

import io.sparkpubsub.PubSubOptions.Option;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.apache.spark.network.util.JavaUtils;

/**
 * From what a person writes to the value of an option, or to an error that shows how it is written.
 * Pure.
 */
final class OptionParser {
  /** Before it there was no Pub/Sub: a number below is of seconds, or a mistake. */
  private static final Instant EARLIEST = Instant.parse("2010-01-01T00:00:00Z");

  private OptionParser() {}

  /** The value as it is kept. */
  static String checked(Option option, String value) {
    if (Option.FLAGS.contains(option)) {
      return word(option, value, "true", "false");
    }
    if (Option.ON.contains(option)) {
      return word(option, value, "fail", "warn");
    }
    if (option == Option.PUBLISH_COMPRESSION) {
      return word(option, value, "none", "gzip");
    }
    if (option == Option.PAYLOAD_FORMAT) {
      return word(option, value, "json");
    }
    if (option == Option.MODE) {
      return word(option, value, "permissive", "failfast", "dropmalformed");
    }
    if (Option.DURATIONS.contains(option)) {
      millis(option.key, value);
    }
    if (option == Option.STARTING_TIMESTAMP) {
      micros(value);
    }
    return option.number ? number(option, value) : value;
  }

  private static String word(Option option, String value, String... words) {
    String lower = value.toLowerCase(Locale.ROOT);
    if (Arrays.asList(words).contains(lower)) {
      return lower;
    }
    throw new IllegalArgumentException(
        is(option.key, value) + "it must be " + String.join(" or ", words));
  }

  private static String number(Option option, String value) {
    boolean bytes = Option.BYTES.contains(option);
    try {
      String digits = value.trim();
      boolean unit = bytes && digits.matches("[0-9]+[a-zA-Z]+");
      long number = unit ? JavaUtils.byteStringAsBytes(digits) : Long.parseLong(digits);
      if (number >= option.min && number <= option.max) {
        return Long.toString(number);
      }
    } catch (IllegalArgumentException e) { // a NumberFormatException too
      // falls through to the same message
    }
    throw new IllegalArgumentException(
        is(option.key, value)
            + "it must be a number "
            + (bytes ? "of bytes, like 10485760, 10240k, 10m or 1g, " : "")
            + (option.max == Long.MAX_VALUE
                ? "of at least " + option.min
                : "between " + option.min + " and " + option.max));
  }

  /** A duration as Spark writes them, in ms. */
  static long millis(String name, String value) {
    try {
      return JavaUtils.timeStringAs(value, TimeUnit.MILLISECONDS);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          is(name, value) + "it must be a duration like 500ms, 30s or 15m");
    }
  }

  /** µs since 1970 of an ISO 8601 time, or of ms since 1970. */
  static long micros(String time) {
    String is = is(Option.STARTING_TIMESTAMP.key, time);
    Instant instant;
    try {
      long number = Long.parseLong(time.trim());
      instant = Instant.ofEpochMilli(number);
      if (instant.isBefore(EARLIEST)) {
        throw new IllegalArgumentException(is + bothReadings(number, instant));
      }
    } catch (NumberFormatException e) {
      instant = iso(time, is);
    }
    if (instant.isBefore(EARLIEST)) {
      throw new IllegalArgumentException(is + "that is before 2010, when there was no Pub/Sub");
    }
    try {
      return ChronoUnit.MICROS.between(Instant.EPOCH, instant);
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException(is + "that is too far ahead");
    }
  }

  private static Instant iso(String time, String is) {
    try {
      return OffsetDateTime.parse(time.trim()).toInstant();
    } catch (DateTimeParseException e) {
      throw new IllegalArgumentException(
          is + "it must be like 2026-01-31T12:00:00Z, or ms since 1970 (1769860800000)");
    }
  }

  private static String bothReadings(long number, Instant asMillis) {
    String readings = "read as ms since 1970, that is " + asMillis;
    try {
      Instant asSeconds = Instant.ofEpochSecond(number);
      if (!asSeconds.isBefore(EARLIEST)) {
        return readings
            + "; as seconds it would be "
            + asSeconds
            + ": say that, or "
            + number
            + "000 in ms";
      }
      readings += "; read as seconds, " + asSeconds;
    } catch (DateTimeException e) { // no such second
      // the other reading is enough
    }
    return readings + ": it must be like 2026-01-31T12:00:00Z, or ms since 1970 (1769860800000)";
  }

  private static String is(String name, String value) {
    return "option '" + name + "' is '" + value + "'; ";
  }

  // ---- names ----

  /** Options of Spark's from_json that are known, and not there. */
  private static final List<String> FROM_JSON =
      Arrays.asList(
          "dateformat",
          "timestampformat",
          "timestampntzformat",
          "enabledatetimeparsingfallback",
          "locale",
          "encoding",
          "charset",
          "linesep",
          "multiline",
          "maxnestingdepth",
          "maxnumlen",
          "maxstringlen",
          "primitivesasstring",
          "prefersdecimal",
          "samplingratio",
          "dropfieldifallnull",
          "infertimestamp",
          "singlevariantcolumn",
          "timeformat");

  static String unknown(String name, String prefix) {
    if (FROM_JSON.contains(name.toLowerCase(Locale.ROOT))) {
      return "option '"
          + prefix
          + name
          + "' of from_json is not supported by payloadFormat: read the column `data` and use"
          + " from_json(cast(data as string), …) where it is needed";
    }
    String best = null;
    int bestDistance = Math.max(3, name.length() / 3) + 1;
    List<String> all = new ArrayList<>();
    for (Option option : Option.values()) {
      all.add(option.key);
      int distance = distance(name.toLowerCase(Locale.ROOT), option.key.toLowerCase(Locale.ROOT));
      if (distance < bestDistance) {
        bestDistance = distance;
        best = option.key;
      }
    }
    return "unknown option '"
        + prefix
        + name
        + "'"
        + (best == null ? "" : "; did you mean '" + prefix + best + "'?")
        + " The options are: "
        + String.join(", ", all);
  }

  /** Levenshtein's: insertions, deletions and changes of a character. */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int above = row[j];
        int same = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        row[j] = Math.min(same, Math.min(above, row[j - 1]) + 1);
        diagonal = above;
      }
    }
    return row[b.length()];
  }
}
