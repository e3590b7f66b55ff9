package main

import (
	"strings"

	pb "cloud.google.com/go/pubsub/apiv1/pubsubpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	avro     = `{"type":"record","name":"Flight","fields":[{"name":"carrier","type":"string"},{"name":"delay","type":"int"}]}`
	avroMore = `{"type":"record","name":"Flight","fields":[{"name":"carrier","type":"string"},{"name":"delay","type":"int"},` +
		`{"name":"note","type":["null","string"],"default":null}]}`
	protobuf = `syntax = "proto3"; message Flight { string carrier = 1; int32 delay = 2; }`

	flightJSON  = `{"carrier":"AA","delay":7}`
	wrongJSON   = `{"carrier":"AA","delay":"late"}`
	flightAvro  = "\x04AA\x0e"
	wrongAvro   = "\x04A"
	flightProto = "\x0a\x02AA\x10\x07"
	wrongProto  = "\x0a\x7fA"
)

func avroSchema(definition string) *pb.Schema {
	return &pb.Schema{Type: pb.Schema_AVRO, Definition: definition}
}

func (t *T) makeSchema(schema *pb.Schema) *pb.Schema {
	made, err := t.sche.CreateSchema(t.ctx, &pb.CreateSchemaRequest{Parent: t.parent(), SchemaId: random("c"), Schema: schema})
	ok(err, "CreateSchema")
	return made
}

func (t *T) schema() *pb.Schema { return t.makeSchema(avroSchema(avro)) }

func (t *T) commit(name, definition string) *pb.Schema {
	schema := avroSchema(definition)
	schema.Name = name
	made, err := t.sche.CommitSchema(t.ctx, &pb.CommitSchemaRequest{Name: name, Schema: schema})
	ok(err, "CommitSchema")
	return made
}

func (t *T) getSchema(name string, view pb.SchemaView) *pb.Schema {
	schema, err := t.sche.GetSchema(t.ctx, &pb.GetSchemaRequest{Name: name, View: view})
	ok(err, "GetSchema")
	return schema
}

func (t *T) validate(schema *pb.Schema, message string, encoding pb.Encoding) error {
	_, err := t.sche.ValidateMessage(t.ctx, &pb.ValidateMessageRequest{
		Parent: t.parent(), SchemaSpec: &pb.ValidateMessageRequest_Schema{Schema: schema}, Message: []byte(message), Encoding: encoding})
	return err
}

func init() {
	add("SchemaService.CreateSchema", func(t *T) {
		request := &pb.CreateSchemaRequest{Parent: t.parent(), SchemaId: random("c"), Schema: avroSchema(avro)}
		got := ok1(t.sche.CreateSchema(t.ctx, request))
		check(got.Name == t.parent()+"/schemas/"+request.SchemaId && got.RevisionId != "" && got.Type == pb.Schema_AVRO, "%v", got)
		_, err := t.sche.CreateSchema(t.ctx, request)
		refused(codes.AlreadyExists, err, "again")
		_, err = t.sche.CreateSchema(t.ctx, &pb.CreateSchemaRequest{Parent: t.parent(), SchemaId: random("c"), Schema: avroSchema(`{"type":`)})
		refused(codes.InvalidArgument, err, "broken definition")
	})

	add("SchemaService.GetSchema", func(t *T) {
		made := t.schema()
		full := t.getSchema(made.Name, pb.SchemaView_FULL)
		check(full.Definition == avro && full.Type == pb.Schema_AVRO && full.RevisionId == made.RevisionId, "full: %v", full)
		basic := t.getSchema(made.Name, pb.SchemaView_BASIC)
		check(basic.Definition == "" && basic.Type == pb.Schema_AVRO, "basic: %v", basic)
		_, err := t.sche.GetSchema(t.ctx, &pb.GetSchemaRequest{Name: t.name("schemas")})
		refused(codes.NotFound, err, "unknown schema")
	})

	add("SchemaService.ListSchemas", func(t *T) {
		want := []string{t.schema().Name, t.schema().Name}
		same(collect(t.listSchemas(), (*pb.Schema).GetName), want, "schemas")
	})

	add("SchemaService.ListSchemaRevisions", func(t *T) {
		made := t.schema()
		want := []string{made.RevisionId, t.commit(made.Name, avroMore).RevisionId}
		same(collect(t.listRevisions(made.Name), (*pb.Schema).GetRevisionId), want, "revisions")
	})

	add("SchemaService.CommitSchema", func(t *T) {
		made := t.schema()
		next := t.commit(made.Name, avroMore)
		check(next.RevisionId != "" && next.RevisionId != made.RevisionId, "revision: %q after %q", next.RevisionId, made.RevisionId)
		got := t.getSchema(made.Name, pb.SchemaView_FULL)
		check(got.RevisionId == next.RevisionId && got.Definition == avroMore, "GetSchema: %v", got)
		old := t.getSchema(made.Name+"@"+made.RevisionId, pb.SchemaView_FULL)
		check(old.Definition == avro, "GetSchema of the first revision: %v", old)
	})

	add("SchemaService.RollbackSchema", func(t *T) {
		made := t.schema()
		next := t.commit(made.Name, avroMore)
		got := ok1(t.sche.RollbackSchema(t.ctx, &pb.RollbackSchemaRequest{Name: made.Name, RevisionId: made.RevisionId}))
		check(got.RevisionId != made.RevisionId && got.RevisionId != next.RevisionId, "revision: %q", got.RevisionId)
		definition := t.getSchema(made.Name, pb.SchemaView_FULL).Definition
		check(definition == avro, "definition: %s", definition)
	})

	add("SchemaService.DeleteSchemaRevision", func(t *T) {
		made := t.schema()
		next := t.commit(made.Name, avroMore)
		ok1(t.sche.DeleteSchemaRevision(t.ctx, &pb.DeleteSchemaRevisionRequest{Name: made.Name + "@" + made.RevisionId}))
		equal(collect(t.listRevisions(made.Name), (*pb.Schema).GetRevisionId), []string{next.RevisionId}, "revisions")
		_, err := t.sche.DeleteSchemaRevision(t.ctx, &pb.DeleteSchemaRevisionRequest{Name: made.Name + "@" + next.RevisionId})
		code := status.Code(err)
		check(code == codes.InvalidArgument || code == codes.FailedPrecondition, "the last revision: %v", code)
	})

	add("SchemaService.DeleteSchema", func(t *T) {
		request := &pb.DeleteSchemaRequest{Name: t.schema().Name}
		ok(t.sche.DeleteSchema(t.ctx, request), "DeleteSchema")
		refused(codes.NotFound, t.sche.DeleteSchema(t.ctx, request), "again")
	})

	add("SchemaService.ValidateSchema", func(t *T) {
		for _, good := range []*pb.Schema{avroSchema(avro), {Type: pb.Schema_PROTOCOL_BUFFER, Definition: protobuf}} {
			_, err := t.sche.ValidateSchema(t.ctx, &pb.ValidateSchemaRequest{Parent: t.parent(), Schema: good})
			ok(err, "good")
		}
		_, err := t.sche.ValidateSchema(t.ctx, &pb.ValidateSchemaRequest{Parent: t.parent(), Schema: avroSchema(`{"type":"record"}`)})
		refused(codes.InvalidArgument, err, "an Avro record without a name")
		broken := &pb.Schema{Type: pb.Schema_PROTOCOL_BUFFER, Definition: strings.TrimSuffix(protobuf, "}")}
		_, err = t.sche.ValidateSchema(t.ctx, &pb.ValidateSchemaRequest{Parent: t.parent(), Schema: broken})
		refused(codes.InvalidArgument, err, "a message without an end")
	})

	add("SchemaService.ValidateMessage", func(t *T) {
		ok(t.validate(avroSchema(avro), flightJSON, pb.Encoding_JSON), "good")
		refused(codes.InvalidArgument, t.validate(avroSchema(avro), wrongJSON, pb.Encoding_JSON), "a string for an int")
		ok(t.validate(avroSchema(avro), flightAvro, pb.Encoding_BINARY), "good, binary")
		refused(codes.InvalidArgument, t.validate(avroSchema(avro), wrongAvro, pb.Encoding_BINARY), "cut off")
		_, err := t.sche.ValidateMessage(t.ctx, &pb.ValidateMessageRequest{Parent: t.parent(),
			SchemaSpec: &pb.ValidateMessageRequest_Name{Name: t.schema().Name}, Message: []byte(flightJSON), Encoding: pb.Encoding_JSON})
		ok(err, "by name")
	})

	add("schema-publish-json", func(t *T) {
		schema := t.schema()
		topic := t.schemaTopic(schema, pb.Encoding_JSON)
		sub := t.subscription(topic)
		_, err := t.tryPublish(topic, text(wrongJSON))
		refused(codes.InvalidArgument, err, "a string for an int")
		t.publish(topic, text(flightJSON))
		got := t.pull(sub, 1)[0].Message
		check(string(got.Data) == flightJSON, "data: %q", got.Data)
		check(got.Attributes["googclient_schemaencoding"] == "JSON" && got.Attributes["googclient_schemaname"] == schema.Name &&
			got.Attributes["googclient_schemarevisionid"] == schema.RevisionId, "attributes: %v", got.Attributes)
	})

	add("schema-publish-binary", func(t *T) {
		topic := t.schemaTopic(t.schema(), pb.Encoding_BINARY)
		sub := t.subscription(topic)
		_, err := t.tryPublish(topic, text(wrongAvro))
		refused(codes.InvalidArgument, err, "cut off")
		t.publish(topic, text(flightAvro))
		equal(data(t.pull(sub, 1)), []string{flightAvro}, "data")
	})

	add("schema-publish-protobuf", func(t *T) {
		schema := t.makeSchema(&pb.Schema{Type: pb.Schema_PROTOCOL_BUFFER, Definition: protobuf})
		for _, one := range []struct {
			encoding    pb.Encoding
			good, wrong string
		}{{pb.Encoding_BINARY, flightProto, wrongProto}, {pb.Encoding_JSON, flightJSON, wrongJSON}} {
			topic := t.schemaTopic(schema, one.encoding)
			_, err := t.tryPublish(topic, text(one.wrong))
			refused(codes.InvalidArgument, err, one.encoding.String()+" that does not fit")
			t.publish(topic, text(one.good))
		}
	})

	add("schema-deleted", func(t *T) {
		schema := t.schema()
		topic := t.schemaTopic(schema, pb.Encoding_JSON)
		ok(t.sche.DeleteSchema(t.ctx, &pb.DeleteSchemaRequest{Name: schema.Name}), "DeleteSchema")
		got := t.getTopic(topic).GetSchemaSettings().GetSchema()
		check(got == "_deleted-schema_", "the topic's schema: %q", got)
	})
}

func (t *T) schemaTopic(schema *pb.Schema, encoding pb.Encoding) string {
	return t.topic(func(topic *pb.Topic) {
		topic.SchemaSettings = &pb.SchemaSettings{Schema: schema.Name, Encoding: encoding}
	})
}
