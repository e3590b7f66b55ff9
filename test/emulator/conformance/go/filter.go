package main

import (
	"time"

	pb "cloud.google.com/go/pubsub/apiv1/pubsubpb"
	"google.golang.org/grpc/codes"
)

// What the filters choose from; the data names the attributes.
func filterable() []*pb.PubsubMessage {
	return []*pb.PubsubMessage{
		text("none"), with("a=1", "a", "1"), with("a=12", "a", "12"), with("b=1", "b", "1"), with("a=1 b=1", "a", "1", "b", "1"),
		with("quoted", "a key", `say "hi"`),
	}
}

func filtered(filter string) func(*pb.Subscription) {
	return func(s *pb.Subscription) { s.Filter = filter }
}

func addFilter(name, filter string, want ...string) {
	add(name, func(t *T) {
		topic, sub := t.world(filtered(filter))
		t.publish(topic, filterable()...)
		got := t.pull(sub, len(want))
		t.ack(sub, got...)
		same(data(got), want, filter)
		t.nothing(sub, 500*time.Millisecond, "more than "+filter)
	})
}

func init() {
	addFilter("filter-has-key", `attributes:a`, "a=1", "a=12", "a=1 b=1")
	addFilter("filter-equal", `attributes.a = "1"`, "a=1", "a=1 b=1")
	addFilter("filter-not-equal", `attributes.a != "1"`, "none", "a=12", "b=1", "quoted")
	addFilter("filter-has-prefix", `hasPrefix(attributes.a, "1")`, "a=1", "a=12", "a=1 b=1")
	addFilter("filter-and", `attributes.a = "1" AND attributes:b`, "a=1 b=1")
	addFilter("filter-or", `attributes.a = "12" OR attributes:b`, "a=12", "b=1", "a=1 b=1")
	addFilter("filter-not", `NOT attributes:a`, "none", "b=1", "quoted")
	addFilter("filter-nested", `(attributes.a = "1" OR attributes:b) AND NOT hasPrefix(attributes.b, "1")`, "a=1")
	addFilter("filter-quoted-key", `attributes."a key" = "say \"hi\""`, "quoted")

	add("filter-escapes", func(t *T) {
		topic := t.topic()
		sub := t.subscription(topic, filtered(`attributes.a = "\143\t\x63\"\u0063c"`))
		t.publish(topic, with("other", "a", "c"), with("wanted", "a", "c\tc\"cc"))
		same(data(t.pull(sub, 1)), []string{"wanted"}, "with escapes")
		for _, escape := range []string{`\q`, `\x6`, `\u006`, `\18`} {
			notCreated(t, escape, filtered(`attributes.a = "`+escape+`"`))
		}
	})

	add("filter-invalid", func(t *T) {
		topic := t.topic()
		for _, filter := range []string{"attributes", `attributes.a = 1`, `data = "x"`, `attributes:a AND`, `(attributes:a`,
			`hasPrefix(attributes.a)`, `attributes.a > "1"`} {
			_, err := t.sub.CreateSubscription(t.ctx, &pb.Subscription{Name: t.name("subscriptions"), Topic: topic, Filter: filter})
			refused(codes.InvalidArgument, err, filter)
		}
	})

	add("filter-immutable", func(t *T) {
		_, sub := t.world(filtered("attributes:a"))
		_, err := t.sub.UpdateSubscription(t.ctx, &pb.UpdateSubscriptionRequest{
			Subscription: &pb.Subscription{Name: sub, Filter: "attributes:b"}, UpdateMask: mask("filter")})
		refused(codes.InvalidArgument, err, "update of the filter")
	})
}
