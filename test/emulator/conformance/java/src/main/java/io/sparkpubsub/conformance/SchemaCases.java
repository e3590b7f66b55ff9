package io.sparkpubsub.conformance;

import static io.sparkpubsub.conformance.T.check;
import static io.sparkpubsub.conformance.T.data;
import static io.sparkpubsub.conformance.T.equal;
import static io.sparkpubsub.conformance.T.random;
import static io.sparkpubsub.conformance.T.refused;
import static io.sparkpubsub.conformance.T.same;
import static io.sparkpubsub.conformance.T.text;

import com.google.api.gax.rpc.StatusCode.Code;
import com.google.cloud.pubsub.v1.SchemaServiceClient;
import com.google.protobuf.ByteString;
import com.google.pubsub.v1.DeleteSchemaRevisionRequest;
import com.google.pubsub.v1.Encoding;
import com.google.pubsub.v1.GetSchemaRequest;
import com.google.pubsub.v1.ReceivedMessage;
import com.google.pubsub.v1.Schema;
import com.google.pubsub.v1.SchemaSettings;
import com.google.pubsub.v1.SchemaView;
import com.google.pubsub.v1.ValidateMessageRequest;
import io.sparkpubsub.conformance.Main.Case;
import java.util.List;
import java.util.Map;

/** A case for each RPC of google.pubsub.v1.SchemaService, and topics with schemas. */
final class SchemaCases {
  private static final String AVRO =
      "{\"type\":\"record\",\"name\":\"Flight\",\"fields\":["
          + "{\"name\":\"carrier\",\"type\":\"string\"},{\"name\":\"delay\",\"type\":\"int\"}]}";
  static final String AVRO_MORE =
      AVRO.replace("]}", ",{\"name\":\"note\",\"type\":[\"null\",\"string\"],\"default\":null}]}");
  private static final String PROTOBUF =
      "syntax = \"proto3\"; message Flight { string carrier = 1; int32 delay = 2; }";

  private static final String FLIGHT_JSON = "{\"carrier\":\"AA\",\"delay\":7}";
  private static final String WRONG_JSON = "{\"carrier\":\"AA\",\"delay\":\"late\"}";
  private static final String FLIGHT_AVRO = "\u0004AA\u000e";
  private static final String WRONG_AVRO = "\u0004A";
  private static final String FLIGHT_PROTO = "\n\u0002AA\u0010\u0007";
  private static final String WRONG_PROTO = "\n\u007fA";

  private SchemaCases() {}

  private static Schema avro(String definition) {
    return Schema.newBuilder().setType(Schema.Type.AVRO).setDefinition(definition).build();
  }

  private static Schema protobuf(String definition) {
    return Schema.newBuilder()
        .setType(Schema.Type.PROTOCOL_BUFFER)
        .setDefinition(definition)
        .build();
  }

  static Schema make(T t) {
    return make(t, avro(AVRO));
  }

  private static Schema make(T t, Schema schema) {
    return t.clients.schemas.createSchema(t.parent, schema, random("c"));
  }

  static Schema commit(T t, String name, String definition) {
    return t.clients.schemas.commitSchema(name, avro(definition).toBuilder().setName(name).build());
  }

  private static Schema get(T t, String name, SchemaView view) {
    return t.clients.schemas.getSchema(
        GetSchemaRequest.newBuilder().setName(name).setView(view).build());
  }

  private static List<String> revisions(T t, String name) {
    return ListCases.names(
        t.clients.schemas.listSchemaRevisions(name).iterateAll(), Schema::getRevisionId);
  }

  private static void deleteRevision(T t, Schema revision) {
    t.clients.schemas.deleteSchemaRevision(
        DeleteSchemaRevisionRequest.newBuilder()
            .setName(revision.getName().replaceAll("@.*", "") + "@" + revision.getRevisionId())
            .build());
  }

  private static void validate(T t, String message, Encoding encoding) {
    t.clients.schemas.validateMessage(
        ValidateMessageRequest.newBuilder()
            .setParent(t.parent)
            .setSchema(avro(AVRO))
            .setMessage(ByteString.copyFromUtf8(message))
            .setEncoding(encoding)
            .build());
  }

  private static String topicWith(T t, Schema schema, Encoding encoding) {
    return t.topic(
        topic ->
            topic.setSchemaSettings(
                SchemaSettings.newBuilder().setSchema(schema.getName()).setEncoding(encoding)));
  }

  static void add(Map<String, Case> cases) {
    cases.put(
        "SchemaService.CreateSchema",
        t -> {
          SchemaServiceClient schemas = t.clients.schemas;
          String id = random("c");
          Schema got = schemas.createSchema(t.parent, avro(AVRO), id);
          equal(got.getName(), t.parent + "/schemas/" + id, "name");
          check(
              !got.getRevisionId().isEmpty() && got.getType() == Schema.Type.AVRO,
              "answer: %s",
              got);
          refused(
              Code.ALREADY_EXISTS, () -> schemas.createSchema(t.parent, avro(AVRO), id), "again");
          refused(Code.INVALID_ARGUMENT, () -> make(t, avro("{\"type\":")), "broken definition");
        });

    cases.put(
        "SchemaService.GetSchema",
        t -> {
          Schema made = make(t);
          Schema full = get(t, made.getName(), SchemaView.FULL);
          equal(full.getDefinition(), AVRO, "full: definition");
          equal(full.getRevisionId(), made.getRevisionId(), "full: revision");
          Schema basic = get(t, made.getName(), SchemaView.BASIC);
          equal(basic.getDefinition(), "", "basic: definition");
          equal(basic.getType(), Schema.Type.AVRO, "basic: type");
          refused(
              Code.NOT_FOUND, () -> get(t, t.name("schemas"), SchemaView.FULL), "unknown schema");
        });

    cases.put(
        "SchemaService.ListSchemas",
        t -> {
          List<String> want = List.of(make(t).getName(), make(t).getName());
          same(
              ListCases.names(
                  t.clients.schemas.listSchemas(t.parent).iterateAll(), Schema::getName),
              want,
              "schemas");
        });

    cases.put(
        "SchemaService.ListSchemaRevisions",
        t -> {
          Schema made = make(t);
          Schema next = commit(t, made.getName(), AVRO_MORE);
          same(
              revisions(t, made.getName()),
              List.of(made.getRevisionId(), next.getRevisionId()),
              "revisions");
        });

    cases.put(
        "SchemaService.CommitSchema",
        t -> {
          Schema made = make(t);
          Schema next = commit(t, made.getName(), AVRO_MORE);
          check(
              !next.getRevisionId().isEmpty() && !next.getRevisionId().equals(made.getRevisionId()),
              "revision: %s after %s",
              next.getRevisionId(),
              made.getRevisionId());
          Schema got = get(t, made.getName(), SchemaView.FULL);
          equal(got.getRevisionId(), next.getRevisionId(), "revision of GetSchema");
          equal(got.getDefinition(), AVRO_MORE, "definition of GetSchema");
          String first = made.getName() + "@" + made.getRevisionId();
          equal(
              get(t, first, SchemaView.FULL).getDefinition(),
              AVRO,
              "GetSchema of the first revision");
        });

    cases.put(
        "SchemaService.RollbackSchema",
        t -> {
          Schema made = make(t);
          Schema next = commit(t, made.getName(), AVRO_MORE);
          Schema got = t.clients.schemas.rollbackSchema(made.getName(), made.getRevisionId());
          check(
              !List.of(made.getRevisionId(), next.getRevisionId()).contains(got.getRevisionId()),
              "revision: %s",
              got.getRevisionId());
          equal(get(t, made.getName(), SchemaView.FULL).getDefinition(), AVRO, "definition");
        });

    cases.put(
        "SchemaService.DeleteSchemaRevision",
        t -> {
          Schema made = make(t);
          Schema next = commit(t, made.getName(), AVRO_MORE);
          deleteRevision(t, made);
          equal(revisions(t, made.getName()), List.of(next.getRevisionId()), "revisions");
          Code code = T.codeOf(() -> deleteRevision(t, next));
          check(
              code == Code.INVALID_ARGUMENT || code == Code.FAILED_PRECONDITION,
              "the last revision: %s",
              code);
        });

    cases.put(
        "SchemaService.DeleteSchema",
        t -> {
          String name = make(t).getName();
          t.clients.schemas.deleteSchema(name);
          refused(Code.NOT_FOUND, () -> t.clients.schemas.deleteSchema(name), "again");
        });

    cases.put(
        "SchemaService.ValidateSchema",
        t -> {
          SchemaServiceClient schemas = t.clients.schemas;
          schemas.validateSchema(t.parent, avro(AVRO));
          schemas.validateSchema(t.parent, protobuf(PROTOBUF));
          Schema nameless = avro("{\"type\":\"record\"}");
          refused(
              Code.INVALID_ARGUMENT,
              () -> schemas.validateSchema(t.parent, nameless),
              "an Avro record without a name");
          Schema endless = protobuf(PROTOBUF.substring(0, PROTOBUF.length() - 1));
          refused(
              Code.INVALID_ARGUMENT,
              () -> schemas.validateSchema(t.parent, endless),
              "a message without an end");
        });

    cases.put(
        "SchemaService.ValidateMessage",
        t -> {
          validate(t, FLIGHT_JSON, Encoding.JSON);
          refused(
              Code.INVALID_ARGUMENT,
              () -> validate(t, WRONG_JSON, Encoding.JSON),
              "a string for an int");
          validate(t, FLIGHT_AVRO, Encoding.BINARY);
          refused(Code.INVALID_ARGUMENT, () -> validate(t, WRONG_AVRO, Encoding.BINARY), "cut off");
          t.clients.schemas.validateMessage(
              ValidateMessageRequest.newBuilder()
                  .setParent(t.parent)
                  .setName(make(t).getName())
                  .setMessage(ByteString.copyFromUtf8(FLIGHT_JSON))
                  .setEncoding(Encoding.JSON)
                  .build());
        });

    cases.put(
        "schema-publish-json",
        t -> {
          Schema schema = make(t);
          String topic = topicWith(t, schema, Encoding.JSON);
          String sub = t.subscription(topic);
          refused(
              Code.INVALID_ARGUMENT,
              () -> t.publish(topic, text(WRONG_JSON)),
              "a string for an int");
          t.publish(topic, text(FLIGHT_JSON));
          List<ReceivedMessage> got = t.pull(sub, 1);
          equal(data(got), List.of(FLIGHT_JSON), "data");
          Map<String, String> attributes = got.get(0).getMessage().getAttributesMap();
          equal(attributes.get("googclient_schemaencoding"), "JSON", "encoding");
          equal(attributes.get("googclient_schemaname"), schema.getName(), "name");
          equal(attributes.get("googclient_schemarevisionid"), schema.getRevisionId(), "revision");
        });

    cases.put(
        "schema-publish-binary",
        t -> {
          String topic = topicWith(t, make(t), Encoding.BINARY);
          String sub = t.subscription(topic);
          refused(Code.INVALID_ARGUMENT, () -> t.publish(topic, text(WRONG_AVRO)), "cut off");
          t.publish(topic, text(FLIGHT_AVRO));
          equal(data(t.pull(sub, 1)), List.of(FLIGHT_AVRO), "data");
        });

    cases.put(
        "schema-publish-protobuf",
        t -> {
          Schema schema = make(t, protobuf(PROTOBUF));
          for (Encoding encoding : List.of(Encoding.BINARY, Encoding.JSON)) {
            boolean binary = encoding == Encoding.BINARY;
            String topic = topicWith(t, schema, encoding);
            refused(
                Code.INVALID_ARGUMENT,
                () -> t.publish(topic, text(binary ? WRONG_PROTO : WRONG_JSON)),
                encoding + " that does not fit");
            t.publish(topic, text(binary ? FLIGHT_PROTO : FLIGHT_JSON));
          }
        });

    cases.put(
        "schema-deleted",
        t -> {
          Schema schema = make(t);
          String topic = topicWith(t, schema, Encoding.JSON);
          t.clients.schemas.deleteSchema(schema.getName());
          String left = t.clients.topics.getTopic(topic).getSchemaSettings().getSchema();
          equal(left, "_deleted-schema_", "the topic's schema");
        });
  }
}
