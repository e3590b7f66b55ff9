package main

import (
	"time"

	pb "cloud.google.com/go/pubsub/apiv1/pubsubpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

func mask(paths ...string) *fieldmaskpb.FieldMask { return &fieldmaskpb.FieldMask{Paths: paths} }

func (t *T) getTopic(name string) *pb.Topic {
	topic, err := t.pub.GetTopic(t.ctx, &pb.GetTopicRequest{Topic: name})
	ok(err, "GetTopic")
	return topic
}

func init() {
	add("Publisher.CreateTopic", func(t *T) {
		sent := &pb.Topic{Name: t.name("topics"), Labels: map[string]string{"team": "red"}, MessageRetentionDuration: seconds(3600)}
		got := ok1(t.pub.CreateTopic(t.ctx, sent))
		check(got.Name == sent.Name && got.Labels["team"] == "red" && got.MessageRetentionDuration.GetSeconds() == 3600, "answer: %v", got)
		_, err := t.pub.CreateTopic(t.ctx, sent)
		refused(codes.AlreadyExists, err, "again")
	})

	add("Publisher.UpdateTopic", func(t *T) {
		name := t.topic()
		request := &pb.UpdateTopicRequest{Topic: &pb.Topic{Name: name, Labels: map[string]string{"a": "1"}}, UpdateMask: mask("labels")}
		got := ok1(t.pub.UpdateTopic(t.ctx, request))
		check(got.Labels["a"] == "1" && t.getTopic(name).Labels["a"] == "1", "labels: %v", got.Labels)
		request.Topic.Name = t.name("topics")
		_, err := t.pub.UpdateTopic(t.ctx, request)
		refused(codes.NotFound, err, "unknown topic")
	})

	add("Publisher.Publish", func(t *T) {
		topic, sub := t.world()
		ids := t.publish(topic, with("x", "k", "v"), text("y"))
		check(ids[0] != "" && ids[1] != "" && ids[0] != ids[1], "ids: %q", ids)
		seen := map[string]*pb.PubsubMessage{}
		for _, r := range t.pull(sub, 2) {
			seen[r.Message.MessageId] = r.Message
		}
		x, y := seen[ids[0]], seen[ids[1]]
		check(x != nil && y != nil, "the ids that arrived are not those of Publish")
		check(string(x.Data) == "x" && x.Attributes["k"] == "v" && string(y.Data) == "y", "arrived: %v, %v", x, y)
		age := time.Since(x.PublishTime.AsTime())
		check(age > -time.Minute && age < time.Minute, "publish time: %v ago", age)
		_, err := t.tryPublish(t.name("topics"), text("z"))
		refused(codes.NotFound, err, "unknown topic")
	})

	add("Publisher.GetTopic", func(t *T) {
		sent := &pb.Topic{Name: t.name("topics"), Labels: map[string]string{"team": "red"}, MessageRetentionDuration: seconds(1200)}
		ok1(t.pub.CreateTopic(t.ctx, sent))
		got := t.getTopic(sent.Name)
		got.State = sent.State
		check(proto.Equal(got, sent), "%v, not %v", got, sent)
		_, err := t.pub.GetTopic(t.ctx, &pb.GetTopicRequest{Topic: t.name("topics")})
		refused(codes.NotFound, err, "unknown topic")
	})

	add("Publisher.ListTopics", func(t *T) {
		want := []string{t.topic(), t.topic(), t.topic()}
		same(collect(t.listTopics(), (*pb.Topic).GetName), want, "topics")
	})

	add("Publisher.ListTopicSubscriptions", func(t *T) {
		topic, other := t.world()
		want := []string{other, t.subscription(topic)}
		t.subscription(t.topic())
		same(collect(t.listTopicSubscriptions(topic), self), want, "subscriptions")
	})

	add("Publisher.ListTopicSnapshots", func(t *T) {
		topic, sub := t.world()
		_, other := t.world()
		want := []string{t.snapshot(sub), t.snapshot(sub)}
		t.snapshot(other)
		same(collect(t.listTopicSnapshots(topic), self), want, "snapshots")
	})

	add("Publisher.DeleteTopic", func(t *T) {
		topic, sub := t.world()
		request := &pb.DeleteTopicRequest{Topic: topic}
		ok(t.pub.DeleteTopic(t.ctx, request), "DeleteTopic")
		refused(codes.NotFound, t.pub.DeleteTopic(t.ctx, request), "again")
		left := t.getSubscription(sub)
		check(left.Topic == "_deleted-topic_", "the subscription's topic: %s", left.Topic)
	})

	add("Publisher.DetachSubscription", func(t *T) {
		_, sub := t.world()
		t.detach(sub)
		check(t.getSubscription(sub).Detached, "the subscription is not detached")
		_, err := t.pub.DetachSubscription(t.ctx, &pb.DetachSubscriptionRequest{Subscription: t.name("subscriptions")})
		refused(codes.NotFound, err, "unknown subscription")
	})
}

func (t *T) detach(sub string) {
	_, err := t.pub.DetachSubscription(t.ctx, &pb.DetachSubscriptionRequest{Subscription: sub})
	ok(err, "DetachSubscription")
}
