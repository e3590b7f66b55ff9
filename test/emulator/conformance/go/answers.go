package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	pb "cloud.google.com/go/pubsub/apiv1/pubsubpb"
	"google.golang.org/api/iterator"
	"google.golang.org/grpc/codes"
)

// first is the error of a list's first page.
func first[V any](next func() (V, error)) error {
	if _, err := next(); !errors.Is(err, iterator.Done) {
		return err
	}
	return nil
}

func (t *T) tryAck(sub string, ids ...string) error {
	return t.sub.Acknowledge(t.ctx, &pb.AcknowledgeRequest{Subscription: sub, AckIds: ids})
}

func (t *T) tryExtend(sub string, seconds int32, ids ...string) error {
	return t.sub.ModifyAckDeadline(t.ctx, &pb.ModifyAckDeadlineRequest{Subscription: sub, AckIds: ids, AckDeadlineSeconds: seconds})
}

func init() {
	add("answer-resource-first", func(t *T) {
		topic, sub := t.name("topics"), t.name("subscriptions")
		_, err := t.tryPublish(topic, &pb.PubsubMessage{})
		refused(codes.NotFound, err, "Publish of an empty message")
		refused(codes.NotFound, t.tryAck(sub), "Acknowledge of nothing")
		refused(codes.NotFound, t.tryExtend(sub, 601), "ModifyAckDeadline")
		_, err = t.tryPull(sub, 0, time.Second)
		refused(codes.NotFound, err, "Pull of no message")
		_, err = t.sub.Seek(t.ctx, &pb.SeekRequest{Subscription: sub})
		refused(codes.NotFound, err, "Seek to nothing")
		_, err = t.sub.CreateSubscription(t.ctx, &pb.Subscription{Name: sub, Topic: topic, AckDeadlineSeconds: 1})
		refused(codes.NotFound, err, "CreateSubscription")
	})

	add("answer-malformed-name", func(t *T) {
		topic, sub := t.parent()+"/topics/bad name", t.parent()+"/subscriptions/bad name"
		_, err := t.tryPublish(topic, text("x"))
		refused(codes.InvalidArgument, err, "Publish")
		refused(codes.InvalidArgument, t.tryAck(sub, "x"), "Acknowledge")
		_, err = t.tryPull(sub, 1, time.Second)
		refused(codes.InvalidArgument, err, "Pull")
		_, err = t.sub.Seek(t.ctx, &pb.SeekRequest{Subscription: sub})
		refused(codes.InvalidArgument, err, "Seek")
	})

	add("answer-pull-deadline", func(t *T) {
		_, sub := t.world()
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.ctx, 2*time.Second)
		defer cancel()
		answer, err := t.sub.Pull(ctx, &pb.PullRequest{Subscription: sub, MaxMessages: 1})
		ok(err, "Pull")
		check(len(answer.ReceivedMessages) == 0 && time.Since(start) > time.Second, "an answer at once, or with messages")
	})

	add("answer-assigned-names", func(t *T) {
		made := [2]*pb.Subscription{}
		for i := range made {
			made[i] = ok1(t.sub.CreateSubscription(t.ctx, &pb.Subscription{Topic: t.topic()}))
		}
		check(strings.HasPrefix(made[0].Name, t.parent()+"/subscriptions/") && made[0].Name != made[1].Name, "%v", made)
		shot := ok1(t.sub.CreateSnapshot(t.ctx, &pb.CreateSnapshotRequest{Subscription: made[0].Name}))
		check(strings.HasPrefix(shot.Name, t.parent()+"/snapshots/"), "%v", shot)
		check(t.getSnapshot(shot.Name).Topic == made[0].Topic, "its topic")
	})

	add("answer-project", func(t *T) {
		for _, name := range []string{t.project, "", t.parent() + "/topics"} {
			refused(codes.InvalidArgument, first(t.pub.ListTopics(t.ctx, &pb.ListTopicsRequest{Project: name}).Next), "topics of "+name)
			refused(codes.InvalidArgument, first(t.sub.ListSubscriptions(t.ctx, &pb.ListSubscriptionsRequest{Project: name}).Next), "subscriptions of "+name)
			refused(codes.InvalidArgument, first(t.sub.ListSnapshots(t.ctx, &pb.ListSnapshotsRequest{Project: name}).Next), "snapshots of "+name)
			refused(codes.InvalidArgument, first(t.sche.ListSchemas(t.ctx, &pb.ListSchemasRequest{Parent: name}).Next), "schemas of "+name)
		}
	})

	add("answer-googclient", func(t *T) {
		topic, sub := t.world()
		t.publish(topic, with("x", "googclient_traceparent", "00-1-2-01"))
		got := t.pull(sub, 1)[0].Message.Attributes
		check(len(got) == 1 && got["googclient_traceparent"] == "00-1-2-01", "attributes: %v", got)
		for _, key := range []string{"google", "googclient"} {
			_, err := t.tryPublish(topic, with("x", key, "v"))
			refused(codes.InvalidArgument, err, key)
		}
	})

	add("answer-no-ack-ids", func(t *T) {
		_, sub := t.world()
		for _, ids := range [][]string{{}, {""}} {
			refused(codes.InvalidArgument, t.tryAck(sub, ids...), fmt.Sprintf("Acknowledge of %v", ids))
			refused(codes.InvalidArgument, t.tryExtend(sub, 10, ids...), fmt.Sprintf("ModifyAckDeadline of %v", ids))
		}
	})

	add("answer-dead-letter-topic", func(t *T) {
		_, err := t.sub.CreateSubscription(t.ctx, &pb.Subscription{Name: t.name("subscriptions"), Topic: t.topic(),
			DeadLetterPolicy: &pb.DeadLetterPolicy{DeadLetterTopic: t.name("topics"), MaxDeliveryAttempts: 5}})
		refused(codes.NotFound, err, "CreateSubscription")
	})

	add("answer-push-endpoint", func(t *T) {
		_, sub := t.world()
		for _, endpoint := range []string{"nonsense", "https://"} {
			config := &pb.PushConfig{PushEndpoint: endpoint}
			notCreated(t, endpoint, func(s *pb.Subscription) { s.PushConfig = config })
			err := t.sub.ModifyPushConfig(t.ctx, &pb.ModifyPushConfigRequest{Subscription: sub, PushConfig: config})
			refused(codes.InvalidArgument, err, "ModifyPushConfig, "+endpoint)
		}
	})

	add("answer-defaults", func(t *T) {
		_, sub := t.world()
		got := t.getSubscription(sub)
		check(got.PushConfig != nil && got.PushConfig.PushEndpoint == "", "push configuration: %v", got.PushConfig)
		check(got.ExpirationPolicy.GetTtl().GetSeconds() == 31*86400, "expiration: %v", got.ExpirationPolicy)
	})
}
