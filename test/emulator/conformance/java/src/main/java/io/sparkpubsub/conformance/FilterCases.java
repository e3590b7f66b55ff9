package io.sparkpubsub.conformance;

import static io.sparkpubsub.conformance.T.data;
import static io.sparkpubsub.conformance.T.mask;
import static io.sparkpubsub.conformance.T.refused;
import static io.sparkpubsub.conformance.T.same;
import static io.sparkpubsub.conformance.T.text;
import static io.sparkpubsub.conformance.T.with;

import com.google.api.gax.rpc.StatusCode.Code;
import com.google.pubsub.v1.PubsubMessage;
import com.google.pubsub.v1.ReceivedMessage;
import com.google.pubsub.v1.Subscription;
import io.sparkpubsub.conformance.Main.Case;
import io.sparkpubsub.conformance.T.World;
import java.util.List;
import java.util.Map;

/** Filters of subscriptions. */
final class FilterCases {
  /** What the filters choose from; the data names the attributes. */
  private static final List<PubsubMessage> MESSAGES =
      List.of(
          text("none"),
          with("a=1", "a", "1"),
          with("a=12", "a", "12"),
          with("b=1", "b", "1"),
          with("a=1 b=1", "a", "1", "b", "1"),
          with("quoted", "a key", "say \"hi\""));

  private FilterCases() {}

  private static Case filter(String filter, String... want) {
    return t -> {
      World w = t.world(s -> s.setFilter(filter));
      t.publish(w.topic(), MESSAGES);
      List<ReceivedMessage> got = t.pull(w.sub(), want.length);
      t.ack(w.sub(), got);
      same(data(got), List.of(want), filter);
      t.nothing(w.sub(), 500, "more than " + filter);
    };
  }

  static void add(Map<String, Case> cases) {
    cases.put("filter-has-key", filter("attributes:a", "a=1", "a=12", "a=1 b=1"));
    cases.put("filter-equal", filter("attributes.a = \"1\"", "a=1", "a=1 b=1"));
    cases.put("filter-not-equal", filter("attributes.a != \"1\"", "none", "a=12", "b=1", "quoted"));
    cases.put(
        "filter-has-prefix", filter("hasPrefix(attributes.a, \"1\")", "a=1", "a=12", "a=1 b=1"));
    cases.put("filter-and", filter("attributes.a = \"1\" AND attributes:b", "a=1 b=1"));
    cases.put(
        "filter-or", filter("attributes.a = \"12\" OR attributes:b", "a=12", "b=1", "a=1 b=1"));
    cases.put("filter-not", filter("NOT attributes:a", "none", "b=1", "quoted"));
    cases.put(
        "filter-nested",
        filter(
            "(attributes.a = \"1\" OR attributes:b) AND NOT hasPrefix(attributes.b, \"1\")",
            "a=1"));
    cases.put("filter-quoted-key", filter("attributes.\"a key\" = \"say \\\"hi\\\"\"", "quoted"));

    cases.put(
        "filter-escapes",
        t -> {
          String topic = t.topic();
          String sub =
              t.subscription(
                  topic, s -> s.setFilter("attributes.a = \"\\143\\t\\x63\\\"\\" + "u0063c\""));
          t.publish(topic, with("other", "a", "c"), with("wanted", "a", "c\tc\"cc"));
          same(data(t.pull(sub, 1)), List.of("wanted"), "with escapes");
          for (String escape : List.of("\\q", "\\x6", "\\" + "u006", "\\18")) {
            String text = "attributes.a = \"" + escape + "\"";
            refused(
                Code.INVALID_ARGUMENT, () -> t.subscription(topic, s -> s.setFilter(text)), escape);
          }
        });

    cases.put(
        "filter-invalid",
        t -> {
          String topic = t.topic();
          for (String filter :
              List.of(
                  "attributes",
                  "attributes.a = 1",
                  "data = \"x\"",
                  "attributes:a AND",
                  "(attributes:a",
                  "hasPrefix(attributes.a)",
                  "attributes.a > \"1\"")) {
            refused(
                Code.INVALID_ARGUMENT,
                () -> t.subscription(topic, s -> s.setFilter(filter)),
                filter);
          }
        });

    cases.put(
        "filter-immutable",
        t -> {
          String sub = t.world(s -> s.setFilter("attributes:a")).sub();
          Subscription changed =
              Subscription.newBuilder().setName(sub).setFilter("attributes:b").build();
          refused(
              Code.INVALID_ARGUMENT,
              () -> t.clients.subscriptions.updateSubscription(changed, mask("filter")),
              "update of the filter");
        });
  }
}
