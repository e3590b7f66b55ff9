package main

import (
	"slices"
	"strconv"
	"sync"

	"cloud.google.com/go/pubsub"
	pb "cloud.google.com/go/pubsub/apiv1/pubsubpb"
)

func ordered(s *pb.Subscription) { s.EnableMessageOrdering = true }

// fourOfAKey are on a stream, unacknowledged.
func fourOfAKey(t *T) (*stream, []*pb.ReceivedMessage) {
	topic, sub := t.world(ordered)
	t.publish(topic, keyed("k", "1"), keyed("k", "2"), keyed("k", "3"), keyed("k", "4"))
	s := t.stream(&pb.StreamingPullRequest{Subscription: sub})
	got := s.take(4)
	equal(data(got), []string{"1", "2", "3", "4"}, "first")
	return s, got
}

func init() {
	add("ordering-in-order", func(t *T) {
		const keys, each = 5, 40
		topic, sub := t.world(ordered)
		publisher := t.publisher(topic)
		publisher.EnableMessageOrdering = true
		defer publisher.Stop()
		var want []string
		for i := range each {
			want = append(want, strconv.Itoa(i))
			for k := range keys {
				publisher.Publish(t.ctx, &pubsub.Message{Data: []byte(want[i]), OrderingKey: "key" + strconv.Itoa(k)})
			}
		}
		publisher.Flush()
		var lock sync.Mutex
		got := map[string][]string{}
		count := 0
		receive(t, t.subscriber(sub), func(m *pubsub.Message) bool {
			lock.Lock()
			defer lock.Unlock()
			got[m.OrderingKey] = append(got[m.OrderingKey], string(m.Data))
			m.Ack()
			count++
			return count == keys*each
		})
		check(len(got) == keys, "%d of %d keys", len(got), keys)
		for key, values := range got {
			equal(values, want, key)
		}
	})

	add("ordering-nack-tail", func(t *T) {
		s, got := fourOfAKey(t)
		s.ack(got[0])
		s.nack(got[1])
		equal(data(s.take(3)), []string{"2", "3", "4"}, "after a nack of 2")
	})

	add("ordering-acknowledged-tail", func(t *T) {
		s, got := fourOfAKey(t)
		s.ack(got[0], got[2], got[3])
		s.nack(got[1])
		equal(data(s.take(3)), []string{"2", "3", "4"}, "after a nack of 2, with 3 and 4 acknowledged")
	})

	add("ordering-keys-independent", func(t *T) {
		topic, sub := t.world(ordered)
		s := t.stream(&pb.StreamingPullRequest{Subscription: sub})
		t.publish(topic, keyed("a", "a1"), keyed("a", "a2"))
		s.take(1)
		t.publish(topic, keyed("b", "b1"))
		t.publish(topic, text("none"))
		var got []string
		for len(got) < 3 && !(slices.Contains(got, "b1") && slices.Contains(got, "none")) {
			got = append(got, data(s.take(1))...)
		}
		check(slices.Contains(got, "b1") && slices.Contains(got, "none"), "while a1 is out: %v", got)
	})
}
