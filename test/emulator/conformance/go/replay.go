package main

import (
	"time"

	pb "cloud.google.com/go/pubsub/apiv1/pubsubpb"
	"google.golang.org/grpc/codes"
)

func retaining(s *pb.Subscription) { s.RetainAckedMessages = true }

// before everything that a case publishes.
func before() time.Time { return time.Now().Add(-time.Minute) }

func init() {
	add("seek-time-past", func(t *T) {
		topic, sub := t.world(retaining)
		t.texts(topic, "a", "b")
		t.ack(sub, t.pull(sub, 2)...)
		t.nothing(sub, 300*time.Millisecond, "after the acknowledgement")
		t.seekTime(sub, before())
		same(data(t.pull(sub, 2)), []string{"a", "b"}, "after the seek")
	})

	add("seek-time-now", func(t *T) {
		topic, sub := t.world()
		t.texts(topic, "a", "b")
		time.Sleep(50 * time.Millisecond)
		t.seekTime(sub, time.Now())
		time.Sleep(50 * time.Millisecond)
		t.texts(topic, "c")
		got := t.pull(sub, 1)
		t.ack(sub, got...)
		equal(data(got), []string{"c"}, "after the seek")
		t.nothing(sub, 500*time.Millisecond, "what was before")
	})

	add("seek-not-retained", func(t *T) {
		topic, sub := t.world()
		t.texts(topic, "a")
		t.ack(sub, t.pull(sub, 1)...)
		t.seekTime(sub, before())
		t.nothing(sub, time.Second, "after the seek")
	})

	add("seek-topic-retention", func(t *T) {
		topic := t.topic(func(topic *pb.Topic) { topic.MessageRetentionDuration = seconds(3600) })
		t.texts(topic, "a")
		sub := t.subscription(topic)
		t.seekTime(sub, before())
		equal(data(t.pull(sub, 1)), []string{"a"}, "after the seek")
	})

	add("seek-snapshot", func(t *T) {
		topic, sub := t.world()
		t.texts(topic, "a")
		t.ack(sub, t.pull(sub, 1)...)
		t.texts(topic, "b")
		snapshot := t.snapshot(sub)
		t.texts(topic, "c")
		t.ack(sub, t.pull(sub, 2)...)
		ok(t.seekSnapshot(sub, snapshot), "Seek")
		got := t.pull(sub, 2)
		t.ack(sub, got...)
		same(data(got), []string{"b", "c"}, "after the seek")
		t.nothing(sub, 500*time.Millisecond, "what was acknowledged before the snapshot")
	})

	add("detach-pull", func(t *T) {
		topic, sub := t.world()
		t.texts(topic, "x")
		t.detach(sub)
		_, err := t.tryPull(sub, 1, 2*time.Second)
		refused(codes.FailedPrecondition, err, "Pull")
	})

	add("detach-stream", func(t *T) {
		topic, sub := t.world()
		s := t.stream(&pb.StreamingPullRequest{Subscription: sub})
		t.texts(topic, "x")
		s.take(1)
		t.detach(sub)
		s.ends(codes.FailedPrecondition, "the open stream")
	})

	add("detach-list", func(t *T) {
		topic, sub := t.world()
		other := t.subscription(topic)
		t.detach(sub)
		equal(collect(t.listTopicSubscriptions(topic), self), []string{other}, "subscriptions of the topic")
	})

	add("delete-stream", func(t *T) {
		topic, sub := t.world()
		s := t.stream(&pb.StreamingPullRequest{Subscription: sub})
		t.texts(topic, "x")
		s.take(1)
		ok(t.sub.DeleteSubscription(t.ctx, &pb.DeleteSubscriptionRequest{Subscription: sub}), "DeleteSubscription")
		s.ends(codes.NotFound, "the open stream")
	})

	add("delete-topic-backlog", func(t *T) {
		topic, sub := t.world()
		t.texts(topic, "x")
		ok(t.pub.DeleteTopic(t.ctx, &pb.DeleteTopicRequest{Topic: topic}), "DeleteTopic")
		equal(data(t.pull(sub, 1)), []string{"x"}, "afterwards")
	})
}
