package main

import (
	"fmt"
	"strings"

	pb "cloud.google.com/go/pubsub/apiv1/pubsubpb"
	"google.golang.org/grpc/codes"
)

func labels(pairs ...string) map[string]string {
	out := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = pairs[i+1]
	}
	return out
}

// notCreated tries a subscription with each of these settings.
func notCreated(t *T, what string, settings ...func(*pb.Subscription)) {
	topic := t.topic()
	for i, set := range settings {
		sub := &pb.Subscription{Name: t.name("subscriptions"), Topic: topic}
		set(sub)
		_, err := t.sub.CreateSubscription(t.ctx, sub)
		refused(codes.InvalidArgument, err, fmt.Sprintf("%s, %d", what, i+1))
	}
}

// notPublished tries one message.
func notPublished(t *T, message *pb.PubsubMessage) {
	_, err := t.tryPublish(t.topic(), message)
	refused(codes.InvalidArgument, err, "Publish")
}

func attributes(count, key, value int) map[string]string {
	out := map[string]string{}
	for i := range count {
		name := fmt.Sprintf("k%d", i)
		out[name+strings.Repeat("k", key-len(name))] = strings.Repeat("v", value)
	}
	return out
}

func filterOf(length int) string {
	const frame = `attributes.k = ""`
	return frame[:len(frame)-1] + strings.Repeat("v", length-len(frame)) + `"`
}

func init() {
	add("update-mask-topic", func(t *T) {
		name := t.topic(func(topic *pb.Topic) {
			topic.Labels = labels("a", "1")
			topic.MessageRetentionDuration = seconds(3600)
		})
		ok1(t.pub.UpdateTopic(t.ctx, &pb.UpdateTopicRequest{
			Topic: &pb.Topic{Name: name, Labels: labels("b", "2"), MessageRetentionDuration: seconds(7200)}, UpdateMask: mask("labels")}))
		got := t.getTopic(name)
		check(len(got.Labels) == 1 && got.Labels["b"] == "2", "labels: %v", got.Labels)
		check(got.MessageRetentionDuration.GetSeconds() == 3600, "retention: %v", got.MessageRetentionDuration)
	})

	add("update-mask-subscription", func(t *T) {
		_, name := t.world(func(s *pb.Subscription) {
			s.Labels = labels("a", "1")
			s.AckDeadlineSeconds = 20
		})
		request := &pb.UpdateSubscriptionRequest{Subscription: &pb.Subscription{Name: name, AckDeadlineSeconds: 30}, UpdateMask: mask("ack_deadline_seconds")}
		ok1(t.sub.UpdateSubscription(t.ctx, request))
		got := t.getSubscription(name)
		check(got.AckDeadlineSeconds == 30 && got.Labels["a"] == "1", "after the first: %v", got)
		request = &pb.UpdateSubscriptionRequest{Subscription: &pb.Subscription{Name: name}, UpdateMask: mask("labels")}
		ok1(t.sub.UpdateSubscription(t.ctx, request))
		got = t.getSubscription(name)
		check(got.AckDeadlineSeconds == 30 && len(got.Labels) == 0, "after the second: %v", got)
	})

	add("update-mask-snapshot", func(t *T) {
		_, sub := t.world()
		name := t.snapshot(sub)
		before := t.getSnapshot(name)
		ok1(t.sub.UpdateSnapshot(t.ctx, &pb.UpdateSnapshotRequest{
			Snapshot: &pb.Snapshot{Name: name, Labels: labels("a", "1")}, UpdateMask: mask("labels")}))
		got := t.getSnapshot(name)
		check(got.Labels["a"] == "1" && got.Topic == before.Topic && got.ExpireTime.AsTime().Equal(before.ExpireTime.AsTime()), "%v, before %v", got, before)
	})

	add("update-mask-empty", func(t *T) {
		topic, sub := t.world()
		_, err := t.pub.UpdateTopic(t.ctx, &pb.UpdateTopicRequest{Topic: &pb.Topic{Name: topic}, UpdateMask: mask()})
		refused(codes.InvalidArgument, err, "topic")
		_, err = t.sub.UpdateSubscription(t.ctx, &pb.UpdateSubscriptionRequest{Subscription: &pb.Subscription{Name: sub}, UpdateMask: mask()})
		refused(codes.InvalidArgument, err, "subscription")
	})

	add("update-mask-unknown", func(t *T) {
		topic, sub := t.world()
		_, err := t.pub.UpdateTopic(t.ctx, &pb.UpdateTopicRequest{Topic: &pb.Topic{Name: topic}, UpdateMask: mask("colour")})
		refused(codes.InvalidArgument, err, "topic")
		_, err = t.sub.UpdateSubscription(t.ctx, &pb.UpdateSubscriptionRequest{Subscription: &pb.Subscription{Name: sub}, UpdateMask: mask("colour")})
		refused(codes.InvalidArgument, err, "subscription")
	})

	add("update-mask-immutable", func(t *T) {
		_, sub := t.world()
		_, err := t.sub.UpdateSubscription(t.ctx, &pb.UpdateSubscriptionRequest{
			Subscription: &pb.Subscription{Name: sub, Topic: t.topic()}, UpdateMask: mask("topic")})
		refused(codes.InvalidArgument, err, "the topic")
	})

	add("limit-accepted", func(t *T) {
		topic, sub := t.world(ordered)
		t.subscription(topic, filtered(filterOf(256)))
		sent := &pb.PubsubMessage{Attributes: attributes(100, 256, 1024), OrderingKey: strings.Repeat("o", 1024)}
		t.publish(topic, sent)
		got := t.pull(sub, 1)[0].Message
		check(len(got.Attributes) == 100 && got.OrderingKey == sent.OrderingKey, "%d attributes, an ordering key of %d", len(got.Attributes), len(got.OrderingKey))
		for key, value := range sent.Attributes {
			check(got.Attributes[key] == value, "attribute %.10s… is not as sent", key)
		}
	})

	add("limit-attributes", func(t *T) { notPublished(t, &pb.PubsubMessage{Attributes: attributes(101, 5, 1)}) })
	add("limit-attribute-key", func(t *T) { notPublished(t, &pb.PubsubMessage{Attributes: attributes(1, 257, 1)}) })
	add("limit-attribute-value", func(t *T) { notPublished(t, &pb.PubsubMessage{Attributes: attributes(1, 5, 1025)}) })
	add("limit-ordering-key", func(t *T) { notPublished(t, keyed(strings.Repeat("o", 1025), "x")) })
	add("limit-empty-message", func(t *T) { notPublished(t, &pb.PubsubMessage{}) })
	add("limit-request-bytes", func(t *T) { notPublished(t, text(strings.Repeat("x", 10_000_001))) })

	add("limit-messages", func(t *T) {
		messages := make([]*pb.PubsubMessage, 1001)
		for i := range messages {
			messages[i] = text("x")
		}
		topic := t.topic()
		_, err := t.tryPublish(topic, messages...)
		refused(codes.InvalidArgument, err, "1001 messages")
		t.publish(topic, messages[:1000]...)
	})

	add("limit-ack-deadline", func(t *T) {
		notCreated(t, "5 s, 601 s",
			func(s *pb.Subscription) { s.AckDeadlineSeconds = 5 }, func(s *pb.Subscription) { s.AckDeadlineSeconds = 601 })
	})
	add("limit-filter", func(t *T) { notCreated(t, "257 bytes", filtered(filterOf(257))) })
	add("limit-retention", func(t *T) {
		notCreated(t, "5 min, 32 days",
			func(s *pb.Subscription) { s.MessageRetentionDuration = seconds(300) },
			func(s *pb.Subscription) { s.MessageRetentionDuration = seconds(32 * 86400) })
		for _, n := range []int64{300, 32 * 86400} {
			_, err := t.pub.CreateTopic(t.ctx, &pb.Topic{Name: t.name("topics"), MessageRetentionDuration: seconds(n)})
			refused(codes.InvalidArgument, err, fmt.Sprintf("a topic with %d s", n))
		}
	})
	add("limit-dead-letter-attempts", func(t *T) {
		graves := t.topic()
		attempts := func(n int32) func(*pb.Subscription) {
			return func(s *pb.Subscription) {
				s.DeadLetterPolicy = &pb.DeadLetterPolicy{DeadLetterTopic: graves, MaxDeliveryAttempts: n}
			}
		}
		notCreated(t, "4, 101", attempts(4), attempts(101))
	})
	add("limit-retry-backoff", func(t *T) {
		notCreated(t, "601 s", func(s *pb.Subscription) { s.RetryPolicy = &pb.RetryPolicy{MaximumBackoff: seconds(601)} },
			func(s *pb.Subscription) {
				s.RetryPolicy = &pb.RetryPolicy{MinimumBackoff: seconds(601), MaximumBackoff: seconds(601)}
			})
	})
	add("limit-expiration", func(t *T) {
		notCreated(t, "one hour", func(s *pb.Subscription) { s.ExpirationPolicy = &pb.ExpirationPolicy{Ttl: seconds(3600)} })
	})
	add("limit-names", func(t *T) {
		for _, id := range []string{"ab", "a" + strings.Repeat("b", 255), "google", "a b"} {
			_, err := t.pub.CreateTopic(t.ctx, &pb.Topic{Name: t.parent() + "/topics/" + id})
			refused(codes.InvalidArgument, err, fmt.Sprintf("topic %.20s", id))
		}
	})
}
