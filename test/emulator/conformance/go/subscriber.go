package main

import (
	"time"

	pb "cloud.google.com/go/pubsub/apiv1/pubsubpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func (t *T) getSubscription(name string) *pb.Subscription {
	sub, err := t.sub.GetSubscription(t.ctx, &pb.GetSubscriptionRequest{Subscription: name})
	ok(err, "GetSubscription")
	return sub
}

func (t *T) getSnapshot(name string) *pb.Snapshot {
	snapshot, err := t.sub.GetSnapshot(t.ctx, &pb.GetSnapshotRequest{Snapshot: name})
	ok(err, "GetSnapshot")
	return snapshot
}

func (t *T) seekTime(sub string, when time.Time) {
	_, err := t.sub.Seek(t.ctx, &pb.SeekRequest{Subscription: sub, Target: &pb.SeekRequest_Time{Time: timestamppb.New(when)}})
	ok(err, "Seek")
}

func (t *T) seekSnapshot(sub, snapshot string) error {
	_, err := t.sub.Seek(t.ctx, &pb.SeekRequest{Subscription: sub, Target: &pb.SeekRequest_Snapshot{Snapshot: snapshot}})
	return err
}

func init() {
	add("Subscriber.CreateSubscription", func(t *T) {
		sent := &pb.Subscription{Name: t.name("subscriptions"), Topic: t.topic()}
		got := ok1(t.sub.CreateSubscription(t.ctx, sent))
		check(got.Name == sent.Name && got.Topic == sent.Topic, "answer: %v", got)
		check(got.AckDeadlineSeconds == 10, "ack deadline: %d s", got.AckDeadlineSeconds)
		check(got.MessageRetentionDuration.GetSeconds() == 7*86400, "retention: %v", got.MessageRetentionDuration)
		_, err := t.sub.CreateSubscription(t.ctx, sent)
		refused(codes.AlreadyExists, err, "again")
		_, err = t.sub.CreateSubscription(t.ctx, &pb.Subscription{Name: t.name("subscriptions"), Topic: t.name("topics")})
		refused(codes.NotFound, err, "unknown topic")
	})

	add("Subscriber.GetSubscription", func(t *T) {
		_, name := t.world(func(s *pb.Subscription) {
			s.AckDeadlineSeconds = 33
			s.Labels = map[string]string{"team": "red"}
			s.RetainAckedMessages = true
			s.EnableMessageOrdering = true
			s.Filter = "attributes:k"
		})
		got := t.getSubscription(name)
		check(got.AckDeadlineSeconds == 33 && got.Labels["team"] == "red" && got.RetainAckedMessages &&
			got.EnableMessageOrdering && got.Filter == "attributes:k", "%v", got)
		_, err := t.sub.GetSubscription(t.ctx, &pb.GetSubscriptionRequest{Subscription: t.name("subscriptions")})
		refused(codes.NotFound, err, "unknown subscription")
	})

	add("Subscriber.UpdateSubscription", func(t *T) {
		_, name := t.world()
		request := &pb.UpdateSubscriptionRequest{
			Subscription: &pb.Subscription{Name: name, AckDeadlineSeconds: 42}, UpdateMask: mask("ack_deadline_seconds")}
		got := ok1(t.sub.UpdateSubscription(t.ctx, request))
		check(got.AckDeadlineSeconds == 42 && t.getSubscription(name).AckDeadlineSeconds == 42, "ack deadline: %d", got.AckDeadlineSeconds)
		request.Subscription.Name = t.name("subscriptions")
		_, err := t.sub.UpdateSubscription(t.ctx, request)
		refused(codes.NotFound, err, "unknown subscription")
	})

	add("Subscriber.ListSubscriptions", func(t *T) {
		topic, first := t.world()
		want := []string{first, t.subscription(topic)}
		same(collect(t.listSubscriptions(), (*pb.Subscription).GetName), want, "subscriptions")
	})

	add("Subscriber.DeleteSubscription", func(t *T) {
		_, sub := t.world()
		request := &pb.DeleteSubscriptionRequest{Subscription: sub}
		ok(t.sub.DeleteSubscription(t.ctx, request), "DeleteSubscription")
		refused(codes.NotFound, t.sub.DeleteSubscription(t.ctx, request), "again")
		_, err := t.tryPull(sub, 1, time.Second)
		refused(codes.NotFound, err, "Pull")
	})

	add("Subscriber.ModifyAckDeadline", func(t *T) {
		topic, sub := t.world()
		t.texts(topic, "x")
		first := t.pull(sub, 1)
		t.extend(sub, 600, first...)
		t.extend(sub, 0, first...)
		equal(data(t.pull(sub, 1)), []string{"x"}, "after 0")
		err := t.sub.ModifyAckDeadline(t.ctx, &pb.ModifyAckDeadlineRequest{
			Subscription: sub, AckIds: ackIDs(first), AckDeadlineSeconds: 601})
		refused(codes.InvalidArgument, err, "601 s")
	})

	add("Subscriber.Acknowledge", func(t *T) {
		topic, sub := t.world()
		t.texts(topic, "x")
		got := t.pull(sub, 1)
		t.ack(sub, got...)
		t.ack(sub, got...)
		t.extend(sub, 0, got...)
		t.nothing(sub, time.Second, "after the acknowledgement")
		err := t.sub.Acknowledge(t.ctx, &pb.AcknowledgeRequest{Subscription: t.name("subscriptions"), AckIds: ackIDs(got)})
		refused(codes.NotFound, err, "unknown subscription")
	})

	add("Subscriber.Pull", func(t *T) {
		topic, sub := t.world()
		t.texts(topic, "a", "b", "c")
		got, err := t.tryPull(sub, 2, 5*time.Second)
		ok(err, "Pull")
		check(len(got) >= 1 && len(got) <= 2, "%d messages for a maximum of 2", len(got))
		same(append(data(got), data(t.pull(sub, 3-len(got)))...), []string{"a", "b", "c"}, "all")
		_, err = t.tryPull(sub, 0, time.Second)
		refused(codes.InvalidArgument, err, "a maximum of 0")
		_, err = t.tryPull(t.name("subscriptions"), 1, time.Second)
		refused(codes.NotFound, err, "unknown subscription")
	})

	add("Subscriber.StreamingPull", func(t *T) {
		topic, sub := t.world()
		s := t.stream(&pb.StreamingPullRequest{Subscription: sub})
		t.texts(topic, "a", "b")
		got := s.take(2)
		same(data(got), []string{"a", "b"}, "messages")
		s.ack(got[0])
		s.nack(got[1])
		equal(data(s.take(1)), data(got[1:]), "after the nack")
		check(len(s.upTo(1, 500*time.Millisecond)) == 0, "an acknowledged message came again")
		t.stream(&pb.StreamingPullRequest{Subscription: sub, StreamAckDeadlineSeconds: 5}).ends(codes.InvalidArgument, "5 s")
		t.stream(&pb.StreamingPullRequest{Subscription: t.name("subscriptions")}).ends(codes.NotFound, "unknown subscription")
	})

	add("Subscriber.ModifyPushConfig", func(t *T) {
		_, sub := t.world()
		push := &pb.PushConfig{PushEndpoint: "https://example.com/push"}
		ok(t.sub.ModifyPushConfig(t.ctx, &pb.ModifyPushConfigRequest{Subscription: sub, PushConfig: push}), "ModifyPushConfig")
		got := t.getSubscription(sub).GetPushConfig().GetPushEndpoint()
		check(got == push.PushEndpoint, "endpoint: %q", got)
		ok(t.sub.ModifyPushConfig(t.ctx, &pb.ModifyPushConfigRequest{Subscription: sub, PushConfig: &pb.PushConfig{}}), "back to pull")
		got = t.getSubscription(sub).GetPushConfig().GetPushEndpoint()
		check(got == "", "endpoint after: %q", got)
	})

	add("Subscriber.GetSnapshot", func(t *T) {
		topic, sub := t.world()
		name := t.snapshot(sub)
		got := t.getSnapshot(name)
		check(got.Name == name && got.Topic == topic, "%v", got)
		_, err := t.sub.GetSnapshot(t.ctx, &pb.GetSnapshotRequest{Snapshot: t.name("snapshots")})
		refused(codes.NotFound, err, "unknown snapshot")
	})

	add("Subscriber.ListSnapshots", func(t *T) {
		_, sub := t.world()
		want := []string{t.snapshot(sub), t.snapshot(sub)}
		same(collect(t.listSnapshots(), (*pb.Snapshot).GetName), want, "snapshots")
	})

	add("Subscriber.CreateSnapshot", func(t *T) {
		topic, sub := t.world()
		request := &pb.CreateSnapshotRequest{Name: t.name("snapshots"), Subscription: sub, Labels: map[string]string{"a": "1"}}
		got := ok1(t.sub.CreateSnapshot(t.ctx, request))
		check(got.Name == request.Name && got.Topic == topic && got.Labels["a"] == "1", "%v", got)
		life := time.Until(got.ExpireTime.AsTime())
		check(life > time.Hour && life < 7*24*time.Hour+time.Minute, "expires in %v", life)
		_, err := t.sub.CreateSnapshot(t.ctx, request)
		refused(codes.AlreadyExists, err, "again")
		_, err = t.sub.CreateSnapshot(t.ctx, &pb.CreateSnapshotRequest{Name: t.name("snapshots"), Subscription: t.name("subscriptions")})
		refused(codes.NotFound, err, "unknown subscription")
	})

	add("Subscriber.UpdateSnapshot", func(t *T) {
		_, sub := t.world()
		name := t.snapshot(sub)
		got := ok1(t.sub.UpdateSnapshot(t.ctx, &pb.UpdateSnapshotRequest{
			Snapshot: &pb.Snapshot{Name: name, Labels: map[string]string{"a": "1"}}, UpdateMask: mask("labels")}))
		check(got.Labels["a"] == "1" && t.getSnapshot(name).Labels["a"] == "1", "labels: %v", got.Labels)
	})

	add("Subscriber.DeleteSnapshot", func(t *T) {
		_, sub := t.world()
		request := &pb.DeleteSnapshotRequest{Snapshot: t.snapshot(sub)}
		ok(t.sub.DeleteSnapshot(t.ctx, request), "DeleteSnapshot")
		refused(codes.NotFound, t.sub.DeleteSnapshot(t.ctx, request), "again")
	})

	add("Subscriber.Seek", func(t *T) {
		_, sub := t.world()
		t.seekTime(sub, time.Now())
		ok(t.seekSnapshot(sub, t.snapshot(sub)), "Seek to a snapshot")
		refused(codes.NotFound, t.seekSnapshot(sub, t.name("snapshots")), "unknown snapshot")
	})
}
