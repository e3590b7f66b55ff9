package io.sparkpubsub.service;

import io.sparkpubsub.PubSubOptions;
import io.sparkpubsub.PubSubOptions.Option;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A subscription as the service has it. */
public final class Subscription {
  private static final long DEFAULT_RETENTION_S = 7 * 24 * 3600; // of the service

  private final Map<String, String> fields;

  private Subscription(Map<String, String> fields) {
    this.fields = fields;
  }

  /**
   * FIELD=VALUE in lines, the filter last, which may have lines of its own (jni/native_admin.c
   * writes it).
   */
  static Subscription parse(String text) {
    Map<String, String> fields = new HashMap<>();
    for (String rest = text; !rest.isEmpty(); ) {
      int equals = rest.indexOf('=');
      String field = rest.substring(0, equals);
      int end = field.equals("filter") ? rest.length() : rest.indexOf('\n');
      fields.put(field, rest.substring(equals + 1, end));
      rest = end == rest.length() ? "" : rest.substring(end + 1);
    }
    return new Subscription(fields);
  }

  public boolean isDetached() {
    return flag("detached");
  }

  private boolean flag(String field) {
    return fields.get(field).equals("1");
  }

  /** How it differs from the one that the options would create: a line each, in words. */
  public List<String> differences(PubSubOptions options) {
    List<String> out = new ArrayList<>();
    if (options.has(Option.TOPIC_ID)) {
      add(out, Option.TOPIC_ID, options.topic(), fields.get("topic"));
    }
    if (options.has(Option.SUBSCRIPTION_FILTER)) {
      add(
          out,
          Option.SUBSCRIPTION_FILTER,
          options.text(Option.SUBSCRIPTION_FILTER),
          fields.get("filter"));
    }
    if (options.has(Option.SUBSCRIPTION_ORDERING)) {
      add(
          out,
          Option.SUBSCRIPTION_ORDERING,
          options.flag(Option.SUBSCRIPTION_ORDERING),
          flag("ordering"));
    }
    if (options.has(Option.SUBSCRIPTION_EXACTLY_ONCE)) {
      add(
          out,
          Option.SUBSCRIPTION_EXACTLY_ONCE,
          options.flag(Option.SUBSCRIPTION_EXACTLY_ONCE),
          flag("exactly_once"));
    }
    if (options.has(Option.SUBSCRIPTION_RETENTION)) {
      long retention = Long.parseLong(fields.get("retention_s"));
      long asked = options.millis(Option.SUBSCRIPTION_RETENTION) / 1000;
      add(
          out,
          Option.SUBSCRIPTION_RETENTION,
          asked + "s",
          (retention == 0 ? DEFAULT_RETENTION_S : retention) + "s");
    }
    return out;
  }

  private static void add(List<String> out, Option option, Object asked, Object there) {
    if (!asked.equals(there)) {
      out.add("'" + option.key + "' asks for " + shown(asked) + ", it has " + shown(there));
    }
  }

  private static String shown(Object value) {
    return value.equals("") ? "none" : value.toString();
  }
}
