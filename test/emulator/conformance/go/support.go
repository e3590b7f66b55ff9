package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"time"

	"cloud.google.com/go/pubsub"
	pb "cloud.google.com/go/pubsub/apiv1/pubsubpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

// T is what a case works with. Its project is its own, so that lists hold nothing else.
type T struct {
	clients
	ctx     context.Context
	project string
}

func random(prefix string) string {
	b := make([]byte, 6)
	_, _ = rand.Read(b)
	return prefix + "-" + hex.EncodeToString(b)
}

func fail(format string, args ...any) {
	panic(outcome{Result: "fail", Detail: fmt.Sprintf(format, args...)})
}

func check(good bool, format string, args ...any) {
	if !good {
		fail(format, args...)
	}
}

func ok(err error, what string) { check(err == nil, "%s: %v", what, err) }

// ok1 is ok for calls with an answer.
func ok1[V any](value V, err error) V {
	check(err == nil, "%v", err)
	return value
}

func refused(code codes.Code, err error, what string) {
	check(status.Code(err) == code, "%s: %v, not %v (%v)", what, status.Code(err), code, err)
}

func equal[S ~[]E, E comparable](got, want S, what string) {
	check(slices.Equal(got, want), "%s: %v, not %v", what, got, want)
}

// same compares without order.
func same(got, want []string, what string) {
	got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	check(slices.Equal(got, want), "%s: %v, not %v", what, got, want)
}

func seconds(n int64) *durationpb.Duration { return &durationpb.Duration{Seconds: n} }

func (t *T) parent() string          { return "projects/" + t.project }
func (t *T) name(kind string) string { return t.parent() + "/" + kind + "/" + random("c") }

func (t *T) topic(settings ...func(*pb.Topic)) string {
	topic := &pb.Topic{Name: t.name("topics")}
	for _, set := range settings {
		set(topic)
	}
	_, err := t.pub.CreateTopic(t.ctx, topic)
	ok(err, "CreateTopic")
	return topic.Name
}

func (t *T) subscription(topic string, settings ...func(*pb.Subscription)) string {
	sub := &pb.Subscription{Name: t.name("subscriptions"), Topic: topic}
	for _, set := range settings {
		set(sub)
	}
	_, err := t.sub.CreateSubscription(t.ctx, sub)
	ok(err, "CreateSubscription")
	return sub.Name
}

func (t *T) snapshot(sub string) string {
	request := &pb.CreateSnapshotRequest{Name: t.name("snapshots"), Subscription: sub}
	_, err := t.sub.CreateSnapshot(t.ctx, request)
	ok(err, "CreateSnapshot")
	return request.Name
}

// world is a topic and a subscription of it.
func (t *T) world(settings ...func(*pb.Subscription)) (topic, sub string) {
	topic = t.topic()
	return topic, t.subscription(topic, settings...)
}

func text(data string) *pb.PubsubMessage { return &pb.PubsubMessage{Data: []byte(data)} }

func keyed(key, data string) *pb.PubsubMessage {
	return &pb.PubsubMessage{Data: []byte(data), OrderingKey: key}
}

func with(data string, pairs ...string) *pb.PubsubMessage {
	message := text(data)
	message.Attributes = map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		message.Attributes[pairs[i]] = pairs[i+1]
	}
	return message
}

func (t *T) tryPublish(topic string, messages ...*pb.PubsubMessage) ([]string, error) {
	answer, err := t.pub.Publish(t.ctx, &pb.PublishRequest{Topic: topic, Messages: messages})
	return answer.GetMessageIds(), err
}

func (t *T) publish(topic string, messages ...*pb.PubsubMessage) []string {
	ids, err := t.tryPublish(topic, messages...)
	ok(err, "Publish")
	check(len(ids) == len(messages), "Publish: %d ids for %d messages", len(ids), len(messages))
	return ids
}

// texts publishes a message each.
func (t *T) texts(topic string, data ...string) {
	for _, d := range data {
		t.publish(topic, text(d))
	}
}

func (t *T) tryPull(sub string, max int, wait time.Duration) ([]*pb.ReceivedMessage, error) {
	ctx, cancel := context.WithTimeout(t.ctx, wait)
	defer cancel()
	answer, err := t.sub.Pull(ctx, &pb.PullRequest{Subscription: sub, MaxMessages: int32(max)})
	return answer.GetReceivedMessages(), err
}

// pull waits for so many messages and leaves them unacknowledged.
func (t *T) pull(sub string, count int) []*pb.ReceivedMessage {
	var got []*pb.ReceivedMessage
	for end := time.Now().Add(5 * time.Second); len(got) < count; {
		more, err := t.tryPull(sub, count-len(got), time.Until(end))
		check(err == nil, "Pull: %d of %d messages: %v", len(got), count, err)
		got = append(got, more...)
	}
	return got
}

func (t *T) nothing(sub string, wait time.Duration, what string) {
	got, err := t.tryPull(sub, 10, wait)
	check(len(got) == 0, "%s: there is %v", what, data(got))
	code := status.Code(err)
	check(code == codes.OK || code == codes.DeadlineExceeded, "%s: Pull: %v", what, err)
}

func data(received []*pb.ReceivedMessage) []string {
	out := []string{}
	for _, r := range received {
		out = append(out, string(r.Message.Data))
	}
	return out
}

func ackIDs(received []*pb.ReceivedMessage) []string {
	var out []string
	for _, r := range received {
		out = append(out, r.AckId)
	}
	return out
}

func (t *T) ack(sub string, received ...*pb.ReceivedMessage) {
	ok(t.sub.Acknowledge(t.ctx, &pb.AcknowledgeRequest{Subscription: sub, AckIds: ackIDs(received)}), "Acknowledge")
}

func (t *T) extend(sub string, seconds int32, received ...*pb.ReceivedMessage) {
	ok(t.sub.ModifyAckDeadline(t.ctx, &pb.ModifyAckDeadlineRequest{
		Subscription: sub, AckIds: ackIDs(received), AckDeadlineSeconds: seconds}), "ModifyAckDeadline")
}

// publisher and subscriber are the library's.
func (t *T) publisher(topic string) *pubsub.Topic {
	return t.lib.TopicInProject(path.Base(topic), t.project)
}

func (t *T) subscriber(sub string) *pubsub.Subscription {
	return t.lib.SubscriptionInProject(path.Base(sub), t.project)
}

// receive runs the library's subscriber until the handler says that it has all, or for 8 s.
func receive(t *T, sub *pubsub.Subscription, handle func(m *pubsub.Message) (done bool)) {
	ctx, cancel := context.WithTimeout(t.ctx, 8*time.Second)
	defer cancel()
	ok(sub.Receive(ctx, func(_ context.Context, m *pubsub.Message) {
		if handle(m) {
			cancel()
		}
	}), "Receive")
}

// stream is a StreamingPull of the generated client.
type stream struct {
	pb.Subscriber_StreamingPullClient
	received chan *pb.StreamingPullResponse
	end      chan error
	left     []*pb.ReceivedMessage
}

func (t *T) stream(first *pb.StreamingPullRequest) *stream {
	client, err := t.sub.StreamingPull(t.ctx)
	ok(err, "StreamingPull")
	if first.StreamAckDeadlineSeconds == 0 {
		first.StreamAckDeadlineSeconds = 60
	}
	s := &stream{client, make(chan *pb.StreamingPullResponse, 1000), make(chan error, 1), nil}
	_ = s.Send(first) // An error of the stream shows in Recv.
	go func() {
		for {
			response, err := s.Recv()
			if err != nil {
				s.end <- err
				return
			}
			s.received <- response
		}
	}()
	return s
}

// upTo returns what comes until there are so many or the time is over.
func (s *stream) upTo(count int, wait time.Duration) []*pb.ReceivedMessage {
	end := time.After(wait)
	for len(s.left) < count {
		select {
		case response := <-s.received:
			s.left = append(s.left, response.ReceivedMessages...)
		case err := <-s.end:
			fail("the stream ended: %v", err)
		case <-end:
			count = len(s.left)
		}
	}
	out := s.left[:count]
	s.left = s.left[count:]
	return out
}

func (s *stream) take(count int) []*pb.ReceivedMessage {
	got := s.upTo(count, 5*time.Second)
	check(len(got) == count, "the stream brought %d of %d messages: %v", len(got), count, data(got))
	return got
}

func (s *stream) ack(received ...*pb.ReceivedMessage) {
	ok(s.Send(&pb.StreamingPullRequest{AckIds: ackIDs(received)}), "acknowledge on the stream")
}

func (s *stream) nack(received ...*pb.ReceivedMessage) {
	ids := ackIDs(received)
	ok(s.Send(&pb.StreamingPullRequest{
		ModifyDeadlineAckIds: ids, ModifyDeadlineSeconds: make([]int32, len(ids))}), "nack on the stream")
}

func (s *stream) ends(code codes.Code, what string) {
	select {
	case err := <-s.end:
		refused(code, err, what)
	case <-time.After(5 * time.Second):
		fail("%s: the stream is still open", what)
	}
}
