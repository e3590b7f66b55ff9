package main

import (
	"slices"
	"strings"

	pb "cloud.google.com/go/pubsub/apiv1/pubsubpb"
	"google.golang.org/api/iterator"
	"google.golang.org/grpc/codes"
)

// listing is what the iterators of the generated client have in common.
type listing[V any] interface {
	Next() (V, error)
	PageInfo() *iterator.PageInfo
}

func self(s string) string { return s }

func collect[V any](list listing[V], name func(V) string) []string {
	var out []string
	for {
		value, err := list.Next()
		if err == iterator.Done {
			return out
		}
		ok(err, "list")
		out = append(out, name(value))
	}
}

func (t *T) listTopics() listing[*pb.Topic] {
	return t.pub.ListTopics(t.ctx, &pb.ListTopicsRequest{Project: t.parent()})
}

func (t *T) listTopicSubscriptions(topic string) listing[string] {
	return t.pub.ListTopicSubscriptions(t.ctx, &pb.ListTopicSubscriptionsRequest{Topic: topic})
}

func (t *T) listTopicSnapshots(topic string) listing[string] {
	return t.pub.ListTopicSnapshots(t.ctx, &pb.ListTopicSnapshotsRequest{Topic: topic})
}

func (t *T) listSubscriptions() listing[*pb.Subscription] {
	return t.sub.ListSubscriptions(t.ctx, &pb.ListSubscriptionsRequest{Project: t.parent()})
}

func (t *T) listSnapshots() listing[*pb.Snapshot] {
	return t.sub.ListSnapshots(t.ctx, &pb.ListSnapshotsRequest{Project: t.parent()})
}

func (t *T) listSchemas() listing[*pb.Schema] {
	return t.sche.ListSchemas(t.ctx, &pb.ListSchemasRequest{Parent: t.parent()})
}

func (t *T) listRevisions(schema string) listing[*pb.Schema] {
	return t.sche.ListSchemaRevisions(t.ctx, &pb.ListSchemaRevisionsRequest{Name: schema, View: pb.SchemaView_FULL})
}

// paged reads a list in pages of two.
func paged[V any](list listing[V], name func(V) string, want []string) {
	pager := iterator.NewPager(list, 2, "")
	var got []string
	var sizes []int
	for token := "more"; token != ""; {
		var page []V
		var err error
		token, err = pager.NextPage(&page)
		ok(err, "list")
		check(len(page) <= 2, "a page of %d", len(page))
		sizes = append(sizes, len(page))
		for _, value := range page {
			got = append(got, name(value))
		}
	}
	same(got, want, "all pages")
	check(len(sizes) >= 3, "pages of %v", sizes)
}

func five(make func() string) []string {
	var out []string
	for range 5 {
		out = append(out, make())
	}
	return out
}

func init() {
	add("page-topics", func(t *T) {
		want := five(func() string { return t.topic() })
		paged(t.listTopics(), (*pb.Topic).GetName, want)
	})
	add("page-subscriptions", func(t *T) {
		topic := t.topic()
		want := five(func() string { return t.subscription(topic) })
		paged(t.listSubscriptions(), (*pb.Subscription).GetName, want)
	})
	add("page-topic-subscriptions", func(t *T) {
		topic := t.topic()
		want := five(func() string { return t.subscription(topic) })
		paged(t.listTopicSubscriptions(topic), self, want)
	})
	add("page-snapshots", func(t *T) {
		_, sub := t.world()
		want := five(func() string { return t.snapshot(sub) })
		paged(t.listSnapshots(), (*pb.Snapshot).GetName, want)
	})
	add("page-topic-snapshots", func(t *T) {
		topic, sub := t.world()
		want := five(func() string { return t.snapshot(sub) })
		paged(t.listTopicSnapshots(topic), self, want)
	})
	add("page-schemas", func(t *T) {
		want := five(func() string { return t.schema().Name })
		paged(t.listSchemas(), (*pb.Schema).GetName, want)
	})
	add("page-schema-revisions", func(t *T) {
		schema := t.schema()
		want := []string{schema.RevisionId}
		for i := range 4 {
			definition := strings.Replace(avroMore, "note", "note"+string(rune('a'+i)), 1)
			want = append(want, t.commit(schema.Name, definition).RevisionId)
		}
		paged(t.listRevisions(schema.Name), (*pb.Schema).GetRevisionId, slices.Clone(want))
	})
	add("page-bad-token", func(t *T) {
		t.topic()
		_, err := t.pub.ListTopics(t.ctx, &pb.ListTopicsRequest{Project: t.parent(), PageToken: "?"}).Next()
		refused(codes.InvalidArgument, err, "token ?")
	})
}
