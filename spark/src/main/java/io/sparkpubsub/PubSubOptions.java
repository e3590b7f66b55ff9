package io.sparkpubsub;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.spark.sql.types.StructType;

/**
 * Every option of source and sink: name, kind, default, range. Names are case-insensitive. An
 * option that is not given falls back to the Spark setting spark.pubsub.&lt;option&gt;; one that
 * does not exist is an error that suggests the right name.
 */
public final class PubSubOptions implements Serializable {
  private static final long serialVersionUID = 1;
  public static final String CONF_PREFIX = "spark.pubsub.";

  /** What an application's setting says that only keeps its name; it has no value. */
  public static final String HIDDEN = "(set in the session)";

  /** One option. Numbers have a range; a text has none. */
  public enum Option {
    PROJECT_ID("projectId", null, "project of short names; default: GOOGLE_CLOUD_PROJECT"),
    SUBSCRIPTION_ID(
        "subscriptionId",
        null,
        "subscription to read: its id, or projects/P/subscriptions/S; or several, with commas in"
            + " between"),
    INCLUDE_SUBSCRIPTION(
        "includeSubscription",
        "false",
        "true: the column `subscription` has the full name of the one that a message is from"),
    TOPIC_ID("topicId", null, "topic to write to: its id, or projects/P/topics/T"),
    ENDPOINT(
        "endpoint",
        null,
        "host:port; default: PUBSUB_EMULATOR_HOST (without TLS), else the service"),
    PLAINTEXT("plaintext", "false", "true: no TLS to `endpoint`; for emulators only"),
    CA_FILE("caFile", null, "PEM file with CA certificates, instead of the system's"),
    UNIVERSE_DOMAIN(
        "universeDomain", null, "universe of the service, where it is not googleapis.com"),
    CREATE_SUBSCRIPTION(
        "createSubscription",
        "false",
        "true: a subscription that does not exist is created, of `topicId`"),
    SUBSCRIPTION_FILTER("subscriptionFilter", null, "… with this filter"),
    SUBSCRIPTION_ORDERING("subscriptionOrdering", "false", "… with message ordering"),
    SUBSCRIPTION_EXACTLY_ONCE("subscriptionExactlyOnce", "false", "… with exactly-once delivery"),
    SUBSCRIPTION_RETENTION(
        "subscriptionRetention",
        null,
        "… that retains messages so long (`10m` to `31d`; default of the service: `7d`)"),
    ON_SUBSCRIPTION_DIFFERENCE(
        "onSubscriptionDifference",
        "fail",
        "`createSubscription` where there is one with other settings than the options say: `fail`,"
            + " or `warn` and read it as it is"),
    ON_SUBSCRIPTION_CHANGE(
        "onSubscriptionChange",
        "warn",
        "a checkpoint that was of another subscription: `warn`, or `fail`"),
    DELETE_SUBSCRIPTION(
        "deleteSubscriptionOnStreamStop",
        "false",
        "true: the subscription is deleted when the query stops, unless it failed"),
    STARTING_TIMESTAMP(
        "startingTimestamp",
        null,
        "a query without a checkpoint first seeks there: ISO 8601, or ms since 1970"),
    TRACE_CONTEXT(
        "traceContext",
        "false",
        "true: the column `traceparent` is read from, and written to, the attribute"
            + " `googclient_traceparent` of Google's clients"),
    PAYLOAD_FORMAT(
        "payloadFormat",
        null,
        "`json`: payloads are decoded natively, into the column `payload` (docs/payloads.md)"),
    PAYLOAD_SCHEMA(
        "payloadSchema",
        null,
        "… with these fields, as SQL writes them (`id BIGINT, tags ARRAY<STRING>`), or a schema's"
            + " json()"),
    PAYLOAD_ATTRIBUTES(
        "payloadAttributes",
        "true",
        "… with `.schema(…)` on the reader: a STRING that is null in the payload is the attribute"
            + " of that name"),
    MODE(
        "mode",
        "PERMISSIVE",
        "… and what does not fit: `PERMISSIVE` is null, `FAILFAST` fails the query,"
            + " `DROPMALFORMED` leaves out its row"),
    CORRUPT_RECORD(
        "columnNameOfCorruptRecord",
        null,
        "… a STRING field of the schema that gets payloads that do not fit; default:"
            + " spark.sql.columnNameOfCorruptRecord"),
    TIME_ZONE(
        "timeZone",
        null,
        "… the zone of timestamps that name none; default: spark.sql.session.timeZone"),
    ALLOW_COMMENTS("allowComments", "false", "… JSON: comments as in C"),
    ALLOW_UNQUOTED_FIELD_NAMES("allowUnquotedFieldNames", "false", "… JSON: `{a: 1}`"),
    ALLOW_SINGLE_QUOTES("allowSingleQuotes", "true", "… JSON: `{'a': 'b'}`"),
    ALLOW_NUMERIC_LEADING_ZEROS("allowNumericLeadingZeros", "false", "… JSON: `007`"),
    ALLOW_NON_NUMERIC_NUMBERS(
        "allowNonNumericNumbers", "true", "… JSON: `NaN`, `Infinity`, `-INF` and so on"),
    ALLOW_BACKSLASH_ESCAPING_ANY_CHARACTER(
        "allowBackslashEscapingAnyCharacter", "false", "… JSON: `\\x` in a string is `x`"),
    ALLOW_UNQUOTED_CONTROL_CHARS(
        "allowUnquotedControlChars", "false", "… JSON: control characters in strings"),
    NUM_PARTITIONS(
        "numPartitions",
        null,
        "slots (StreamingPulls), at most twice the default parallelism; default: the default"
            + " parallelism",
        1,
        4096),
    MAX_ROWS_PER_TRIGGER(
        "maxRowsPerTrigger",
        null,
        "rows of a micro-batch, at most (cut at a chunk)",
        1,
        Long.MAX_VALUE),
    MAX_BYTES_PER_TRIGGER(
        "maxBytesPerTrigger",
        null,
        "bytes of a micro-batch, at most (cut at a chunk)",
        1,
        Long.MAX_VALUE),
    MIN_ROWS_PER_TRIGGER(
        "minRowsPerTrigger",
        null,
        "a micro-batch waits for so many rows, at most `maxTriggerDelay`",
        1,
        Long.MAX_VALUE),
    MAX_TRIGGER_DELAY(
        "maxTriggerDelay",
        "15m",
        "… and no longer than so long after the first of them (`500ms`, `30s`, `15m`)"),
    AVAILABLE_NOW_QUIET(
        "availableNowQuiet",
        null,
        "a trigger that ends has read what was there when none of it has come for so long; default:"
            + " `5s`, `1s` without TLS; before the first message three times as long, at least"
            + " `5s`"),
    AVAILABLE_NOW_TIMEOUT(
        "availableNowTimeout", "1m", "… and fails when no stream has opened for so long"),
    MAX_ROWS(
        "maxRows",
        null,
        "rows of a bounded read (`spark.read`), at most (cut at a chunk)",
        1,
        Long.MAX_VALUE),
    MAX_READ_TIME(
        "maxReadTime",
        null,
        "a bounded read gathers no longer than so (`30s`); default: until what was there at its"
            + " start is read"),
    BATCH_SIZE("batchSize", "10000", "rows of a chunk, at most", 1, 1000000),
    BATCH_BYTES("batchBytes", "8388608", "column bytes of a chunk, at most", 1024, 1L << 30),
    LINGER_MS(
        "lingerMs",
        null,
        "a chunk is closed so long after its first row; default: 5, up to 20 with many slots",
        1,
        60000),
    JITTER_MS("jitterMs", "0", "slots open at random within so long, not all at once", 0, 600000),
    MAX_RESERVOIR_BYTES(
        "maxReservoirBytes",
        "268435456",
        "native memory of an executor for received messages",
        1048576,
        Long.MAX_VALUE),
    ACK_DEADLINE_SECONDS(
        "ackDeadlineSeconds", "60", "lease of received messages, extended as needed", 10, 600),
    MAX_ACK_EXTENSION_SECONDS(
        "maxAckExtensionSeconds",
        "3600",
        "a message that is not committed after so long is given up",
        10,
        604800),
    CREDENTIALS_FILE("credentialsFile", null, "key file; default: application default credentials"),
    CREDENTIALS_JSON("credentialsJson", null, "the content of a key file"),
    CLIENT_EMAIL("clientEmail", null, "service account, with `privateKey`"),
    PRIVATE_KEY("privateKey", null, "its private key, PEM (PKCS 8)"),
    PRIVATE_KEY_ID("privateKeyId", null, "id of that key"),
    CLIENT_ID("clientId", null, "id of the service account"),
    IMPERSONATE(
        "impersonateServiceAccount",
        null,
        "service account whose identity is taken on, with whatever credentials there are"),
    ACCESS_TOKEN("accessToken", null, "a fixed OAuth access token; it is not refreshed"),
    QUOTA_PROJECT("quotaProject", null, "project that is billed for the calls"),
    PROXY(
        "proxy",
        null,
        "HTTP proxy to the endpoint, `http://user:password@host:port`; `none`: no proxy; default:"
            + " HTTPS_PROXY and NO_PROXY of each executor and the driver"),
    PUBLISH_BATCH_MESSAGES(
        "publishBatchMessages", "1000", "messages of a publish request, at most", 1, 1000),
    PUBLISH_BATCH_BYTES(
        "publishBatchBytes", "1000000", "bytes of a publish request, at most", 1024, 10000000),
    PUBLISH_MAX_IN_FLIGHT_BYTES(
        "publishMaxInFlightBytes",
        "67108864",
        "unconfirmed bytes of a writing task, at most",
        1048576,
        Long.MAX_VALUE),
    PUBLISH_TIMEOUT_SECONDS(
        "publishTimeoutSeconds", "600", "a request is retried for so long", 1, 86400),
    PUBLISH_COMPRESSION(
        "publishCompression", "none", "`gzip` compresses publish requests above 240 bytes"),
    ID_ATTRIBUTE(
        "idAttribute",
        null,
        "attribute that gets a stable id of the row (query, epoch, partition, row), to drop"
            + " duplicates by"),
    DEAD_LETTER_TOPIC_ID(
        "deadLetterTopicId",
        null,
        "topic for rows over the service's limits, which otherwise fail the task");

    /** Names of other connectors for the same thing. */
    private static final Map<String, Option> ALIASES = new HashMap<>();

    static {
      ALIASES.put("numfetchpartitions", NUM_PARTITIONS);
      ALIASES.put("maxrecordsperfetch", BATCH_SIZE);
      ALIASES.put("maxfetchperiod", LINGER_MS);
    }

    static final Set<Option> FLAGS =
        EnumSet.of(
            PLAINTEXT,
            CREATE_SUBSCRIPTION,
            SUBSCRIPTION_ORDERING,
            SUBSCRIPTION_EXACTLY_ONCE,
            DELETE_SUBSCRIPTION,
            INCLUDE_SUBSCRIPTION,
            TRACE_CONTEXT,
            PAYLOAD_ATTRIBUTES,
            ALLOW_COMMENTS,
            ALLOW_UNQUOTED_FIELD_NAMES,
            ALLOW_SINGLE_QUOTES,
            ALLOW_NUMERIC_LEADING_ZEROS,
            ALLOW_NON_NUMERIC_NUMBERS,
            ALLOW_BACKSLASH_ESCAPING_ANY_CHARACTER,
            ALLOW_UNQUOTED_CONTROL_CHARS);
    private static final Set<Option> WHOLE_CREDENTIALS =
        EnumSet.of(ACCESS_TOKEN, CREDENTIALS_JSON, CREDENTIALS_FILE);
    static final Set<Option> BYTES =
        EnumSet.of(
            MAX_BYTES_PER_TRIGGER,
            BATCH_BYTES,
            MAX_RESERVOIR_BYTES,
            PUBLISH_BATCH_BYTES,
            PUBLISH_MAX_IN_FLIGHT_BYTES);
    static final Set<Option> ON = EnumSet.of(ON_SUBSCRIPTION_DIFFERENCE, ON_SUBSCRIPTION_CHANGE);
    static final Set<Option> DURATIONS =
        EnumSet.of(
            MAX_TRIGGER_DELAY,
            MAX_READ_TIME,
            AVAILABLE_NOW_QUIET,
            AVAILABLE_NOW_TIMEOUT,
            SUBSCRIPTION_RETENTION);

    static Option named(String name) {
      for (Option option : values()) {
        if (option.key.equalsIgnoreCase(name)) {
          return option;
        }
      }
      return ALIASES.get(name.toLowerCase(Locale.ROOT));
    }

    public final String key;
    final String fallback;
    final String doc;
    public final boolean number;
    final long min;
    final long max;

    Option(String key, String fallback, String doc) {
      this(key, fallback, doc, false, 0, 0);
    }

    Option(String key, String fallback, String doc, long min, long max) {
      this(key, fallback, doc, true, min, max);
    }

    Option(String key, String fallback, String doc, boolean number, long min, long max) {
      this.key = key;
      this.fallback = fallback;
      this.doc = doc;
      this.number = number;
      this.min = min;
      this.max = max;
    }
  }

  /** What Spark itself puts among a source's options. */
  private static final Set<String> SPARKS_OWN =
      new HashSet<>(
          Arrays.asList(
              "paths",
              "checkpointlocation",
              "queryname",
              "outputmode",
              "trigger",
              "__paths__",
              "fetchsize",
              "retries"));

  private final LinkedHashMap<Option, String> values = new LinkedHashMap<>();

  private PubSubOptions() {}

  /** Reads and checks the options; conf are the session's settings, environment the process's. */
  public static PubSubOptions of(
      Map<String, String> given, Map<String, String> conf, Map<String, String> environment) {
    PubSubOptions options = new PubSubOptions();
    for (Map.Entry<String, String> entry : conf.entrySet()) {
      String key = entry.getKey();
      if (isSetting(key) && !entry.getValue().equals(HIDDEN)) {
        options.put(key.substring(CONF_PREFIX.length()), entry.getValue(), CONF_PREFIX);
      }
    }
    options.putAll(given);
    String emulator = environment.get("PUBSUB_EMULATOR_HOST");
    if (!options.has(Option.ENDPOINT) && emulator != null && !emulator.isEmpty()) {
      options.values.put(Option.ENDPOINT, emulator);
      options.values.put(Option.PLAINTEXT, "true");
    }
    String project = environment.get("GOOGLE_CLOUD_PROJECT");
    if (!options.has(Option.PROJECT_ID) && project != null && !project.isEmpty()) {
      options.values.put(Option.PROJECT_ID, project);
    }
    return options;
  }

  /**
   * Credentials that are given as options stand instead of other ones in the session's settings.
   */
  private void leaveCredentialsTo(Set<String> names) {
    EnumSet<Option> given = EnumSet.noneOf(Option.class);
    names.stream().map(Option::named).filter(Objects::nonNull).forEach(given::add);
    boolean whole = given.removeAll(Option.WHOLE_CREDENTIALS);
    boolean inParts = given.contains(Option.CLIENT_EMAIL) || given.contains(Option.PRIVATE_KEY);
    if (whole || inParts) {
      values.keySet().removeAll(Option.WHOLE_CREDENTIALS);
    }
    if (whole) {
      values.remove(Option.CLIENT_EMAIL);
      values.remove(Option.PRIVATE_KEY);
    }
  }

  /** These options with others over them: what a read or a write of a catalog's table brings. */
  PubSubOptions with(Map<String, String> more) {
    PubSubOptions options = new PubSubOptions();
    options.values.putAll(values);
    options.putAll(more);
    return options;
  }

  private void putAll(Map<String, String> given) {
    leaveCredentialsTo(given.keySet());
    for (Map.Entry<String, String> entry : given.entrySet()) {
      String key = entry.getKey().toLowerCase(Locale.ROOT);
      if (key.equals("path")) {
        throw new IllegalArgumentException(
            "the path '"
                + entry.getValue()
                + "' means nothing to pubsub: give the option 'subscriptionId' to read, or"
                + " 'topicId' to write");
      }
      if (!SPARKS_OWN.contains(key) && !key.startsWith("spark.")) {
        put(entry.getKey(), entry.getValue(), "");
      }
    }
  }

  private void put(String name, String value, String prefix) {
    Option option = Option.named(name);
    if (option == null) {
      throw new IllegalArgumentException(OptionParser.unknown(name, prefix));
    }
    boolean period =
        name.equalsIgnoreCase("maxFetchPeriod"); // a duration, where ours is a number of ms
    String ours =
        period
            ? Long.toString(
                Math.min(option.max, Math.max(option.min, OptionParser.millis(name, value))))
            : value;
    values.put(option, OptionParser.checked(option, ours));
  }

  /** Whether a setting of Spark is an option of ours. */
  public static boolean isSetting(String key) {
    return key.regionMatches(true, 0, CONF_PREFIX, 0, CONF_PREFIX.length());
  }

  void setDefault(Option option, String value) {
    values.putIfAbsent(option, value);
  }

  public boolean has(Option option) {
    return values.containsKey(option);
  }

  /** A duration in ms. */
  public long millis(Option option) {
    return OptionParser.millis(option.key, text(option));
  }

  /** The value, its default, or null. */
  public String text(Option option) {
    return values.getOrDefault(option, option.fallback);
  }

  public long number(Option option, long otherwise) {
    String text = text(option);
    return text == null ? otherwise : Long.parseLong(text);
  }

  public boolean flag(Option option) {
    return Boolean.parseBoolean(text(option));
  }

  /** The fields of payloads; null: they are bytes. */
  StructType payloadSchema() {
    if (!has(Option.PAYLOAD_FORMAT)) {
      if (has(Option.PAYLOAD_SCHEMA)) {
        throw new IllegalArgumentException(
            "option 'payloadSchema' is given without 'payloadFormat': say which format it is"
                + " (json)");
      }
      return null;
    }
    if (!has(Option.PAYLOAD_SCHEMA)) {
      throw new IllegalArgumentException(
          "option 'payloadFormat' needs 'payloadSchema', or a schema of the reader: the fields,"
              + " like \"id BIGINT, tags ARRAY<STRING>\"");
    }
    return PayloadSchema.parse(text(Option.PAYLOAD_SCHEMA));
  }

  /** Whether an option says fail, not warn. */
  public boolean fails(Option option) {
    return text(option).equals("fail");
  }

  public boolean plaintext() {
    return flag(Option.PLAINTEXT);
  }

  /** µs since 1970 of the option startingTimestamp, which must be there. */
  public long startingMicros() {
    return OptionParser.micros(text(Option.STARTING_TIMESTAMP));
  }

  /** projects/P/subscriptions/S; of several all, as a sentence names them. */
  public String subscription() {
    return String.join(", ", subscriptions());
  }

  /** The full names of those that are read, each once; there is at least one. */
  public List<String> subscriptions() {
    String names = text(Option.SUBSCRIPTION_ID);
    Set<String> out = new LinkedHashSet<>();
    for (String name : names == null ? new String[0] : names.split(",")) {
      if (!name.trim().isEmpty()) {
        out.add(fullName(name.trim(), "subscriptions"));
      }
    }
    if (out.isEmpty()) {
      throw required(Option.SUBSCRIPTION_ID);
    }
    return new ArrayList<>(out);
  }

  /**
   * These options of a read that ends after so many rows: what executors ask the service for and
   * hold in a chunk follows.
   */
  public PubSubOptions endingAt(long rows) {
    PubSubOptions out = new PubSubOptions();
    out.values.putAll(values);
    out.values.remove(Option.MAX_BYTES_PER_TRIGGER);
    out.values.remove(Option.MAX_ROWS_PER_TRIGGER);
    if (rows < Long.MAX_VALUE) {
      out.values.put(Option.MAX_ROWS_PER_TRIGGER, Long.toString(rows));
      long chunk = Math.min(rows, number(Option.BATCH_SIZE, rows));
      out.values.put(Option.BATCH_SIZE, Long.toString(chunk));
    }
    return out;
  }

  /** These options of each subscription alone. */
  public List<PubSubOptions> each() {
    List<PubSubOptions> out = new ArrayList<>();
    for (String name : subscriptions()) {
      PubSubOptions one = new PubSubOptions();
      one.values.putAll(values);
      one.values.put(Option.SUBSCRIPTION_ID, name);
      out.add(one);
    }
    return out;
  }

  /** projects/P/topics/T. */
  public String topic() {
    return fullName(Option.TOPIC_ID, "topics");
  }

  /** projects/P/topics/T of a topic that a row names, or an option. */
  public String topic(String name) {
    return fullName(name, "topics");
  }

  private String fullName(Option option, String kind) {
    String name = text(option);
    if (name == null || name.isEmpty()) {
      throw required(option);
    }
    return fullName(name, kind);
  }

  private static IllegalArgumentException required(Option option) {
    return new IllegalArgumentException("option '" + option.key + "' is required");
  }

  private String fullName(String name, String kind) {
    return ResourceNames.full(text(Option.PROJECT_ID), name, kind);
  }

  /** Whether publish requests are compressed. */
  public boolean gzip() {
    return "gzip".equals(text(Option.PUBLISH_COMPRESSION));
  }

  /** The native library's options of the connection. */
  public List<String> connection() {
    List<String> out = new ArrayList<>();
    String universe = text(Option.UNIVERSE_DOMAIN);
    String endpoint = text(Option.ENDPOINT);
    add(
        out,
        "endpoint",
        endpoint == null && universe != null ? "pubsub." + universe + ":443" : endpoint);
    add(out, "plaintext", plaintext() ? "1" : "0");
    add(out, "ca_file", text(Option.CA_FILE));
    add(out, "quota_project", text(Option.QUOTA_PROJECT));
    String proxy = text(Option.PROXY);
    add(out, "proxy", "none".equals(proxy) ? "" : proxy);
    add(out, "user_agent", "spark-pubsub");
    return out;
  }

  public static void add(List<String> out, String key, String value) {
    if (value != null) {
      out.add(key);
      out.add(value);
    }
  }
}
