package io.sparkpubsub.read;

import io.sparkpubsub.PayloadSchema;
import io.sparkpubsub.PubSubOptions;
import io.sparkpubsub.PubSubOptions.Option;
import io.sparkpubsub.PubSubSchema;
import io.sparkpubsub.natives.NativePayload;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.time.ZoneId;
import java.util.Arrays;
import java.util.Locale;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;

/** How the payloads of a query are decoded: what the driver tells its tasks. */
final class PayloadPlan implements Serializable {
  private static final long serialVersionUID = 1;
  private final StructType type;
  private final int mode;
  private final int allow;
  private final String corruptRecord;
  private final String zone;

  private PayloadPlan(StructType type, int mode, int allow, String corruptRecord, String zone) {
    this.type = type;
    this.mode = mode;
    this.allow = allow;
    this.corruptRecord = corruptRecord;
    this.zone = zone;
  }

  /** Null: the query reads payloads as they are. */
  static PayloadPlan of(PubSubOptions options, StructType schema, SparkSession session) {
    if (!options.has(Option.PAYLOAD_FORMAT)) {
      return null;
    }
    StructType type = PubSubSchema.payload(schema);
    boolean none =
        type.isEmpty() && !Arrays.stream(schema.fields()).anyMatch(PubSubSchema::isDecoded);
    if (none) {
      return null;
    }
    String corrupt =
        options.has(Option.CORRUPT_RECORD)
            ? options.text(Option.CORRUPT_RECORD)
            : session.conf().get("spark.sql.columnNameOfCorruptRecord", "_corrupt_record");
    String zone =
        options.has(Option.TIME_ZONE)
            ? options.text(Option.TIME_ZONE)
            : session.conf().get("spark.sql.session.timeZone", ZoneId.systemDefault().getId());
    if (!ZoneTable.exists(zone)) {
      throw new IllegalArgumentException(
          "option 'timeZone' is '" + zone + "'; it must be like UTC, Europe/Berlin or +01:00");
    }
    return new PayloadPlan(type, mode(options), allow(options), corrupt, zone);
  }

  /** Whether rows may be left out. */
  static boolean mayDrop(PubSubOptions options) {
    return options.has(Option.PAYLOAD_FORMAT) && mode(options) == NativePayload.DROPMALFORMED;
  }

  private static int mode(PubSubOptions options) {
    switch (options.text(Option.MODE).toLowerCase(Locale.ROOT)) {
      case "failfast":
        return NativePayload.FAILFAST;
      case "dropmalformed":
        return NativePayload.DROPMALFORMED;
      default:
        return NativePayload.PERMISSIVE;
    }
  }

  private static int allow(PubSubOptions options) {
    Option[] flags = {
      Option.ALLOW_COMMENTS,
      Option.ALLOW_UNQUOTED_FIELD_NAMES,
      Option.ALLOW_SINGLE_QUOTES,
      Option.ALLOW_NUMERIC_LEADING_ZEROS,
      Option.ALLOW_NON_NUMERIC_NUMBERS,
      Option.ALLOW_BACKSLASH_ESCAPING_ANY_CHARACTER,
      Option.ALLOW_UNQUOTED_CONTROL_CHARS
    };
    int set = 0;
    for (int i = 0; i < flags.length; i++) {
      set |= options.flag(flags[i]) ? 1 << i : 0;
    }
    return set;
  }

  StructType type() {
    return type;
  }

  boolean drops() {
    return mode == NativePayload.DROPMALFORMED;
  }

  /** A handle of NativePayload. */
  long open() {
    ZoneTable table = ZoneTable.of(zone);
    return NativePayload.open(
        PayloadSchema.ddl(type).getBytes(StandardCharsets.UTF_8),
        mode,
        allow,
        corruptRecord.getBytes(StandardCharsets.UTF_8),
        table.pairs,
        table.last);
  }
}
