package io.sparkpubsub.conformance;

import static io.sparkpubsub.conformance.T.check;
import static io.sparkpubsub.conformance.T.refused;
import static io.sparkpubsub.conformance.T.same;

import com.google.api.gax.paging.Page;
import com.google.api.gax.rpc.StatusCode.Code;
import com.google.pubsub.v1.ListSchemaRevisionsRequest;
import com.google.pubsub.v1.ListSchemasRequest;
import com.google.pubsub.v1.ListSnapshotsRequest;
import com.google.pubsub.v1.ListSubscriptionsRequest;
import com.google.pubsub.v1.ListTopicSnapshotsRequest;
import com.google.pubsub.v1.ListTopicSubscriptionsRequest;
import com.google.pubsub.v1.ListTopicsRequest;
import com.google.pubsub.v1.Schema;
import com.google.pubsub.v1.Snapshot;
import com.google.pubsub.v1.Subscription;
import com.google.pubsub.v1.Topic;
import io.sparkpubsub.conformance.Main.Case;
import io.sparkpubsub.conformance.T.World;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** Lists in pages. */
final class ListCases {
  private ListCases() {}

  static <V> List<String> names(Iterable<V> values, Function<V, String> name) {
    return StreamSupport.stream(values.spliterator(), false).map(name).toList();
  }

  private static List<String> five(Supplier<String> make) {
    return Stream.generate(make).limit(5).toList();
  }

  /** Reads a list in pages of two. */
  private static <V> void paged(Page<V> first, Function<V, String> name, List<String> want) {
    List<String> got = new ArrayList<>();
    List<Integer> sizes = new ArrayList<>();
    for (Page<V> page = first; page != null; page = page.getNextPage()) {
      List<String> some = names(page.getValues(), name);
      check(some.size() <= 2, "a page of %d", some.size());
      sizes.add(some.size());
      got.addAll(some);
    }
    same(got, want, "all pages");
    check(sizes.size() >= 3, "pages of %s", sizes);
  }

  static void add(Map<String, Case> cases) {
    cases.put(
        "page-topics",
        t -> {
          List<String> want = five(t::topic);
          ListTopicsRequest request =
              ListTopicsRequest.newBuilder().setProject(t.parent).setPageSize(2).build();
          paged(t.clients.topics.listTopics(request).getPage(), Topic::getName, want);
        });

    cases.put(
        "page-subscriptions",
        t -> {
          String topic = t.topic();
          List<String> want = five(() -> t.subscription(topic));
          ListSubscriptionsRequest request =
              ListSubscriptionsRequest.newBuilder().setProject(t.parent).setPageSize(2).build();
          paged(
              t.clients.subscriptions.listSubscriptions(request).getPage(),
              Subscription::getName,
              want);
        });

    cases.put(
        "page-topic-subscriptions",
        t -> {
          String topic = t.topic();
          List<String> want = five(() -> t.subscription(topic));
          ListTopicSubscriptionsRequest request =
              ListTopicSubscriptionsRequest.newBuilder().setTopic(topic).setPageSize(2).build();
          paged(t.clients.topics.listTopicSubscriptions(request).getPage(), s -> s, want);
        });

    cases.put(
        "page-snapshots",
        t -> {
          String sub = t.world().sub();
          List<String> want = five(() -> t.snapshot(sub));
          ListSnapshotsRequest request =
              ListSnapshotsRequest.newBuilder().setProject(t.parent).setPageSize(2).build();
          paged(t.clients.subscriptions.listSnapshots(request).getPage(), Snapshot::getName, want);
        });

    cases.put(
        "page-topic-snapshots",
        t -> {
          World w = t.world();
          List<String> want = five(() -> t.snapshot(w.sub()));
          ListTopicSnapshotsRequest request =
              ListTopicSnapshotsRequest.newBuilder().setTopic(w.topic()).setPageSize(2).build();
          paged(t.clients.topics.listTopicSnapshots(request).getPage(), s -> s, want);
        });

    cases.put(
        "page-schemas",
        t -> {
          List<String> want = five(() -> SchemaCases.make(t).getName());
          ListSchemasRequest request =
              ListSchemasRequest.newBuilder().setParent(t.parent).setPageSize(2).build();
          paged(t.clients.schemas.listSchemas(request).getPage(), Schema::getName, want);
        });

    cases.put(
        "page-schema-revisions",
        t -> {
          Schema made = SchemaCases.make(t);
          List<String> want = new ArrayList<>(List.of(made.getRevisionId()));
          for (String letter : List.of("a", "b", "c", "d")) {
            String definition = SchemaCases.AVRO_MORE.replace("note", "note" + letter);
            want.add(SchemaCases.commit(t, made.getName(), definition).getRevisionId());
          }
          ListSchemaRevisionsRequest request =
              ListSchemaRevisionsRequest.newBuilder()
                  .setName(made.getName())
                  .setPageSize(2)
                  .build();
          paged(
              t.clients.schemas.listSchemaRevisions(request).getPage(),
              Schema::getRevisionId,
              want);
        });

    cases.put(
        "page-bad-token",
        t -> {
          t.topic();
          ListTopicsRequest request =
              ListTopicsRequest.newBuilder().setProject(t.parent).setPageToken("?").build();
          refused(Code.INVALID_ARGUMENT, () -> t.clients.topics.listTopics(request), "token ?");
        });
  }
}
