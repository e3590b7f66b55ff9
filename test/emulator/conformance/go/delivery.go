package main

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"cloud.google.com/go/pubsub"
	pb "cloud.google.com/go/pubsub/apiv1/pubsubpb"
)

// there and back: so many messages by the library's publisher and subscriber.
func roundTrip(t *T, count int, settings func(*pubsub.PublishSettings)) {
	topic, sub := t.world()
	publisher := t.publisher(topic)
	defer publisher.Stop()
	settings(&publisher.PublishSettings)
	var results []*pubsub.PublishResult
	for i := range count {
		results = append(results, publisher.Publish(t.ctx, &pubsub.Message{
			Data: []byte(strings.Repeat("payload ", 50) + strconv.Itoa(i)), Attributes: map[string]string{"number": strconv.Itoa(i)}}))
	}
	want := map[string]int{}
	for i, result := range results {
		id, err := result.Get(t.ctx)
		ok(err, "publish")
		want[id] = i
	}
	check(len(want) == count, "%d ids for %d messages", len(want), count)
	var lock sync.Mutex
	got := map[string]bool{}
	wrong := ""
	receive(t, t.subscriber(sub), func(m *pubsub.Message) bool {
		m.Ack()
		lock.Lock()
		defer lock.Unlock()
		i, known := want[m.ID]
		if !known || m.Attributes["number"] != strconv.Itoa(i) || string(m.Data) != strings.Repeat("payload ", 50)+strconv.Itoa(i) {
			wrong = fmt.Sprintf("message %s: %v %q", m.ID, m.Attributes, m.Data)
		}
		got[m.ID] = true
		return len(got) == count
	})
	check(wrong == "", "%s", wrong)
	check(len(got) == count, "%d of %d messages arrived", len(got), count)
}

func init() {
	add("publish-subscribe-1000", func(t *T) { roundTrip(t, 1000, func(*pubsub.PublishSettings) {}) })

	add("publish-gzip", func(t *T) {
		roundTrip(t, 100, func(s *pubsub.PublishSettings) { s.EnableCompression = true })
	})

	add("publish-large", func(t *T) {
		topic, sub := t.world()
		large := bytes.Repeat([]byte("0123456789abcdef"), 9_000_000/16)
		publisher := t.publisher(topic)
		defer publisher.Stop()
		_, err := publisher.Publish(t.ctx, &pubsub.Message{Data: large}).Get(t.ctx)
		ok(err, "publish")
		whole := false
		receive(t, t.subscriber(sub), func(m *pubsub.Message) bool {
			m.Ack()
			whole = bytes.Equal(m.Data, large)
			return true
		})
		check(whole, "it did not arrive, or not whole")
	})

	add("publish-many-bytes", func(t *T) {
		topic, sub := t.world()
		publisher := t.publisher(topic)
		defer publisher.Stop()
		var results []*pubsub.PublishResult
		for i := range 80 {
			results = append(results, publisher.Publish(t.ctx, &pubsub.Message{Data: []byte(strconv.Itoa(i) + strings.Repeat(" ", 100_000))}))
		}
		for _, result := range results {
			_, err := result.Get(t.ctx)
			ok(err, "publish")
		}
		var lock sync.Mutex
		got := map[string]bool{}
		receive(t, t.subscriber(sub), func(m *pubsub.Message) bool {
			m.Ack()
			lock.Lock()
			defer lock.Unlock()
			got[string(bytes.TrimSpace(m.Data))] = true
			return len(got) == 80
		})
		check(len(got) == 80, "%d of 80 messages arrived", len(got))
	})

	add("delivery-two-subscriptions", func(t *T) {
		topic, one := t.world()
		two := t.subscription(topic)
		t.texts(topic, "a", "b")
		for _, sub := range []string{one, two} {
			same(data(t.pull(sub, 2)), []string{"a", "b"}, sub)
		}
	})

	add("delivery-two-streams", func(t *T) {
		topic, sub := t.world()
		one := t.stream(&pb.StreamingPullRequest{Subscription: sub, MaxOutstandingMessages: 10})
		two := t.stream(&pb.StreamingPullRequest{Subscription: sub, MaxOutstandingMessages: 10})
		var want, got []string
		var messages []*pb.PubsubMessage
		for i := range 100 {
			want = append(want, strconv.Itoa(i))
			messages = append(messages, text(want[i]))
		}
		t.publish(topic, messages...)
		for end := time.Now().Add(5 * time.Second); len(got) < len(want) && time.Now().Before(end); {
			for _, s := range []*stream{one, two} {
				if some := s.upTo(10, 50*time.Millisecond); len(some) > 0 {
					s.ack(some...)
					got = append(got, data(some)...)
				}
			}
		}
		same(got, want, "both together")
	})

	add("delivery-shared", func(t *T) {
		topic, sub := t.world()
		streams := [2]*stream{}
		for i := range streams {
			streams[i] = t.stream(&pb.StreamingPullRequest{Subscription: sub})
		}
		time.Sleep(500 * time.Millisecond) // Both are open.
		messages := make([]*pb.PubsubMessage, 10)
		for i := range messages {
			messages[i] = text("x")
		}
		t.publish(topic, messages...)
		for i, s := range streams {
			got := s.upTo(5, 3*time.Second)
			check(len(got) == 5, "stream %d got %d of 10 messages", i, len(got))
		}
	})

	add("delivery-nack", func(t *T) {
		topic, sub := t.world()
		t.texts(topic, "x")
		var first, second time.Time
		receive(t, t.subscriber(sub), func(m *pubsub.Message) bool {
			if first.IsZero() {
				first = time.Now()
				m.Nack()
				return false
			}
			second = time.Now()
			m.Ack()
			return true
		})
		check(!second.IsZero(), "it did not come again")
		check(second.Sub(first) < 2*time.Second, "it came again after %v", second.Sub(first))
	})

	add("delivery-deadline", func(t *T) {
		topic, sub := t.world()
		t.texts(topic, "x")
		t.extend(sub, 2, t.pull(sub, 1)...)
		since := time.Now()
		t.pull(sub, 1)
		took := time.Since(since)
		check(took > 1500*time.Millisecond && took < 5*time.Second, "again after %v, with a deadline of 2 s", took)
	})

	add("flow-control-messages", func(t *T) {
		topic, sub := t.world()
		var messages []*pb.PubsubMessage
		for i := range 20 {
			messages = append(messages, text(strconv.Itoa(i)))
		}
		t.publish(topic, messages...)
		s := t.stream(&pb.StreamingPullRequest{Subscription: sub, MaxOutstandingMessages: 5})
		for round := range 4 {
			got := s.take(5)
			more := s.upTo(1, 400*time.Millisecond)
			check(len(more) == 0, "more than 5 messages at once, in round %d", round)
			s.ack(got...)
		}
	})

	add("flow-control-bytes", func(t *T) {
		topic, sub := t.world()
		var messages []*pb.PubsubMessage
		for range 10 {
			messages = append(messages, text(strings.Repeat("x", 400)))
		}
		t.publish(topic, messages...)
		s := t.stream(&pb.StreamingPullRequest{Subscription: sub, MaxOutstandingBytes: 1000})
		count := 0
		for count < 10 {
			got := append(s.take(1), s.upTo(9, 400*time.Millisecond)...)
			check(len(got) <= 3, "%d messages of 400 bytes at once, for 1000 bytes", len(got))
			count += len(got)
			s.ack(got...)
		}
	})

	add("flow-control-client", func(t *T) {
		topic, sub := t.world()
		var messages []*pb.PubsubMessage
		for i := range 30 {
			messages = append(messages, text(strconv.Itoa(i)))
		}
		t.publish(topic, messages...)
		subscriber := t.subscriber(sub)
		subscriber.ReceiveSettings.MaxOutstandingMessages = 3
		var lock sync.Mutex
		now, most := 0, 0
		got := map[string]bool{}
		receive(t, subscriber, func(m *pubsub.Message) bool {
			lock.Lock()
			now++
			most = max(most, now)
			lock.Unlock()
			time.Sleep(20 * time.Millisecond)
			lock.Lock()
			defer lock.Unlock()
			now--
			got[string(m.Data)] = true
			m.Ack()
			return len(got) == 30
		})
		check(len(got) == 30, "%d of 30 messages arrived", len(got))
		check(most <= 3, "%d handlers at once", most)
	})
}
