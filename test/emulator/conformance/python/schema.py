"""A case for each RPC of google.pubsub.v1.SchemaService, and topics with schemas."""

from google.pubsub_v1.types import Encoding, Schema, SchemaView

from support import case, check, code_of, data, equal, random, refused, same

AVRO = (
    '{"type":"record","name":"Flight","fields":[{"name":"carrier","type":"string"},{"name":"delay","type":"int"}]}'
)
AVRO_MORE = AVRO[:-2] + ',{"name":"note","type":["null","string"],"default":null}]}'
PROTOBUF = 'syntax = "proto3"; message Flight { string carrier = 1; int32 delay = 2; }'

FLIGHT_JSON, WRONG_JSON = '{"carrier":"AA","delay":7}', '{"carrier":"AA","delay":"late"}'
FLIGHT_AVRO, WRONG_AVRO = "\x04AA\x0e", "\x04A"
FLIGHT_PROTO, WRONG_PROTO = "\x0a\x02AA\x10\x07", "\x0a\x7fA"


def avro(definition=AVRO):
    return Schema(type_=Schema.Type.AVRO, definition=definition)


def protobuf(definition=PROTOBUF):
    return Schema(type_=Schema.Type.PROTOCOL_BUFFER, definition=definition)


def make(t, schema=None):
    return t.schemas.create_schema(
        request={"parent": t.parent, "schema_id": random("c"), "schema": schema or avro()}
    )


def commit(t, name, definition):
    schema = avro(definition)
    schema.name = name
    return t.schemas.commit_schema(request={"name": name, "schema": schema})


def get(t, name, view=SchemaView.FULL):
    return t.schemas.get_schema(request={"name": name, "view": view})


def revisions(t, name):
    return [s.revision_id for s in t.schemas.list_schema_revisions(request={"name": name})]


def topic_with(t, schema, encoding):
    return t.topic(schema_settings={"schema": schema.name, "encoding": encoding})


@case("SchemaService.CreateSchema")
def create_schema(t):
    request = {"parent": t.parent, "schema_id": random("c"), "schema": avro()}
    got = t.schemas.create_schema(request=request)
    equal(got.name, f"{t.parent}/schemas/{request['schema_id']}", "name")
    check(got.revision_id and got.type_ == Schema.Type.AVRO, f"answer: {got}")
    refused("ALREADY_EXISTS", lambda: t.schemas.create_schema(request=request), "again")
    refused("INVALID_ARGUMENT", lambda: make(t, avro('{"type":')), "broken definition")


@case("SchemaService.GetSchema")
def get_schema(t):
    made = make(t)
    full, basic = get(t, made.name), get(t, made.name, SchemaView.BASIC)
    equal((full.definition, full.type_, full.revision_id), (AVRO, Schema.Type.AVRO, made.revision_id), "full")
    equal((basic.definition, basic.type_), ("", Schema.Type.AVRO), "basic")
    refused("NOT_FOUND", lambda: get(t, t.name("schemas")), "unknown schema")


@case("SchemaService.ListSchemas")
def list_schemas(t):
    want = [make(t).name, make(t).name]
    same([s.name for s in t.schemas.list_schemas(parent=t.parent)], want, "schemas")


@case("SchemaService.ListSchemaRevisions")
def list_schema_revisions(t):
    made = make(t)
    want = [made.revision_id, commit(t, made.name, AVRO_MORE).revision_id]
    same(revisions(t, made.name), want, "revisions")


@case("SchemaService.CommitSchema")
def commit_schema(t):
    made = make(t)
    following = commit(t, made.name, AVRO_MORE)
    check(following.revision_id not in ("", made.revision_id), f"revision: {following.revision_id!r}")
    got = get(t, made.name)
    equal((got.revision_id, got.definition), (following.revision_id, AVRO_MORE), "GetSchema")
    equal(get(t, f"{made.name}@{made.revision_id}").definition, AVRO, "GetSchema of the first revision")


@case("SchemaService.RollbackSchema")
def rollback_schema(t):
    made = make(t)
    following = commit(t, made.name, AVRO_MORE)
    got = t.schemas.rollback_schema(request={"name": made.name, "revision_id": made.revision_id})
    check(got.revision_id not in (made.revision_id, following.revision_id), f"revision: {got.revision_id!r}")
    equal(get(t, made.name).definition, AVRO, "definition")


@case("SchemaService.DeleteSchemaRevision")
def delete_schema_revision(t):
    made = make(t)
    following = commit(t, made.name, AVRO_MORE)
    t.schemas.delete_schema_revision(request={"name": f"{made.name}@{made.revision_id}"})
    equal(revisions(t, made.name), [following.revision_id], "revisions")
    last = {"name": f"{made.name}@{following.revision_id}"}
    code = code_of(lambda: t.schemas.delete_schema_revision(request=last))
    check(code in ("INVALID_ARGUMENT", "FAILED_PRECONDITION"), f"the last revision: {code}")


@case("SchemaService.DeleteSchema")
def delete_schema(t):
    name = make(t).name
    t.schemas.delete_schema(name=name)
    refused("NOT_FOUND", lambda: t.schemas.delete_schema(name=name), "again")


@case("SchemaService.ValidateSchema")
def validate_schema(t):
    def validate(schema):
        t.schemas.validate_schema(parent=t.parent, schema=schema)

    validate(avro())
    validate(protobuf())
    refused("INVALID_ARGUMENT", lambda: validate(avro('{"type":"record"}')), "an Avro record without a name")
    refused("INVALID_ARGUMENT", lambda: validate(protobuf(PROTOBUF[:-1])), "a message without an end")


@case("SchemaService.ValidateMessage")
def validate_message(t):
    def validate(message, encoding, **schema):
        request = {"parent": t.parent, "message": message.encode(), "encoding": encoding, **schema}
        t.schemas.validate_message(request=request)

    validate(FLIGHT_JSON, Encoding.JSON, schema=avro())
    refused("INVALID_ARGUMENT", lambda: validate(WRONG_JSON, Encoding.JSON, schema=avro()), "a string for an int")
    validate(FLIGHT_AVRO, Encoding.BINARY, schema=avro())
    refused("INVALID_ARGUMENT", lambda: validate(WRONG_AVRO, Encoding.BINARY, schema=avro()), "cut off")
    validate(FLIGHT_JSON, Encoding.JSON, name=make(t).name)


@case("schema-publish-json")
def publish_json(t):
    schema = make(t)
    topic = topic_with(t, schema, Encoding.JSON)
    sub = t.subscription(topic)
    refused("INVALID_ARGUMENT", lambda: t.publish(topic, WRONG_JSON), "a string for an int")
    t.publish(topic, FLIGHT_JSON)
    got = t.pull(sub, 1)
    equal(data(got), [FLIGHT_JSON], "data")
    want = {"encoding": "JSON", "name": schema.name, "revisionid": schema.revision_id}
    attributes = got[0].message.attributes
    equal({k: attributes.get("googclient_schema" + k) for k in want}, want, "attributes")


@case("schema-publish-binary")
def publish_binary(t):
    topic = topic_with(t, make(t), Encoding.BINARY)
    sub = t.subscription(topic)
    refused("INVALID_ARGUMENT", lambda: t.publish(topic, WRONG_AVRO), "cut off")
    t.publish(topic, FLIGHT_AVRO)
    equal(data(t.pull(sub, 1)), [FLIGHT_AVRO], "data")


@case("schema-publish-protobuf")
def publish_protobuf(t):
    schema = make(t, protobuf())
    for encoding, good, wrong in [
        (Encoding.BINARY, FLIGHT_PROTO, WRONG_PROTO),
        (Encoding.JSON, FLIGHT_JSON, WRONG_JSON),
    ]:
        topic = topic_with(t, schema, encoding)
        refused("INVALID_ARGUMENT", lambda: t.publish(topic, wrong), f"{encoding.name} that does not fit")
        t.publish(topic, good)


@case("schema-deleted")
def deleted(t):
    schema = make(t)
    topic = topic_with(t, schema, Encoding.JSON)
    t.schemas.delete_schema(name=schema.name)
    equal(t.get_topic(topic).schema_settings.schema, "_deleted-schema_", "the topic's schema")
