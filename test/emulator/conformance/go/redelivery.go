package main

import (
	"fmt"
	"path"
	"sync"
	"time"

	"cloud.google.com/go/pubsub"
	pb "cloud.google.com/go/pubsub/apiv1/pubsubpb"
	"github.com/googleapis/gax-go/v2/apierror"
)

// deadLettered is a subscription that gives a message up after 5 deliveries, and one on the topic where it goes then.
func deadLettered(t *T) (topic, sub, dead string) {
	graves, dead := t.world()
	topic, sub = t.world(func(s *pb.Subscription) {
		s.DeadLetterPolicy = &pb.DeadLetterPolicy{DeadLetterTopic: graves, MaxDeliveryAttempts: 5}
	})
	return topic, sub, dead
}

func exactlyOnce(s *pb.Subscription) { s.EnableExactlyOnceDelivery = true }

const invalidAckID = "PERMANENT_FAILURE_INVALID_ACK_ID"

// permanent tells whether the error says so of the ack id.
func permanent(err error, ackID, what string) {
	check(err != nil, "%s: no error", what)
	problem, known := apierror.FromError(err)
	check(known, "%s: %v", what, err)
	got := problem.Metadata()[ackID]
	check(got == invalidAckID, "%s: %q of the ack id, not %s (%v)", what, got, invalidAckID, err)
}

// oldAndNew are two deliveries of a message, of which the first was given back.
func oldAndNew(t *T) (sub string, before, now *pb.ReceivedMessage) {
	topic, sub := t.world(exactlyOnce)
	t.texts(topic, "x")
	before = t.pull(sub, 1)[0]
	t.extend(sub, 0, before)
	now = t.pull(sub, 1)[0]
	check(before.AckId != now.AckId, "both deliveries have the same ack id")
	return sub, before, now
}

func init() {
	add("dead-letter-attempts", func(t *T) {
		topic, sub, _ := deadLettered(t)
		t.texts(topic, "x")
		var attempts []int
		receive(t, t.subscriber(sub), func(m *pubsub.Message) bool {
			m.Nack()
			attempt := 0
			if m.DeliveryAttempt != nil {
				attempt = *m.DeliveryAttempt
			}
			attempts = append(attempts, attempt)
			return len(attempts) == 5
		})
		equal(attempts, []int{1, 2, 3, 4, 5}, "attempts")
	})

	add("dead-letter-forward", func(t *T) {
		topic, sub, dead := deadLettered(t)
		t.publish(topic, with("x", "k", "v"))
		for range 5 {
			t.extend(sub, 0, t.pull(sub, 1)...)
		}
		got := t.pull(dead, 1)[0].Message
		check(string(got.Data) == "x" && got.Attributes["k"] == "v", "forwarded: %v", got)
		const prefix = "CloudPubSubDeadLetterSource"
		check(path.Base(got.Attributes[prefix+"Subscription"]) == path.Base(sub) && got.Attributes[prefix+"SubscriptionProject"] == t.project &&
			got.Attributes[prefix+"DeliveryCount"] == "5" && got.Attributes[prefix+"TopicPublishTime"] != "", "attributes: %v", got.Attributes)
		t.nothing(sub, 500*time.Millisecond, "where it came from")
	})

	add("dead-letter-off", func(t *T) {
		topic, sub := t.world()
		t.texts(topic, "x")
		t.extend(sub, 0, t.pull(sub, 1)...)
		attempt := t.pull(sub, 1)[0].DeliveryAttempt
		check(attempt == 0, "delivery attempt %d", attempt)
	})

	add("retry-policy-backoff", func(t *T) {
		topic, sub := t.world(func(s *pb.Subscription) {
			s.RetryPolicy = &pb.RetryPolicy{MinimumBackoff: seconds(2), MaximumBackoff: seconds(3)}
		})
		t.texts(topic, "x")
		t.extend(sub, 0, t.pull(sub, 1)...)
		since := time.Now()
		t.pull(sub, 1)
		took := time.Since(since)
		check(took > 1500*time.Millisecond, "again after %v, with a backoff of 2 to 3 s", took)
	})

	add("exactly-once-ack-result", func(t *T) {
		topic, sub := t.world(exactlyOnce)
		t.texts(topic, "a", "b", "c")
		var lock sync.Mutex
		got := map[string]error{}
		receive(t, t.subscriber(sub), func(m *pubsub.Message) bool {
			state, err := m.AckWithResult().Get(t.ctx)
			if err == nil && state != pubsub.AcknowledgeStatusSuccess {
				err = fmt.Errorf("acknowledge status %v", state)
			}
			lock.Lock()
			defer lock.Unlock()
			got[string(m.Data)] = err
			return len(got) == 3
		})
		check(len(got) == 3, "%d of 3 messages", len(got))
		for message, err := range got {
			ok(err, "acknowledging "+message)
		}
		t.nothing(sub, time.Second, "after the acknowledgement")
	})

	add("exactly-once-nack-result", func(t *T) {
		topic, sub := t.world(exactlyOnce)
		t.texts(topic, "x")
		count := 0
		var problem error
		receive(t, t.subscriber(sub), func(m *pubsub.Message) bool {
			count++
			result := m.NackWithResult
			if count == 2 {
				result = m.AckWithResult
			}
			if _, err := result().Get(t.ctx); err != nil {
				problem = err
			}
			return count == 2
		})
		ok(problem, "result")
		check(count == 2, "%d of 2 deliveries", count)
	})

	add("exactly-once-old-ack-id", func(t *T) {
		sub, before, now := oldAndNew(t)
		err := t.sub.Acknowledge(t.ctx, &pb.AcknowledgeRequest{Subscription: sub, AckIds: []string{before.AckId}})
		permanent(err, before.AckId, "the old delivery")
		t.ack(sub, now)
	})

	add("exactly-once-old-extension", func(t *T) {
		sub, before, now := oldAndNew(t)
		err := t.sub.ModifyAckDeadline(t.ctx, &pb.ModifyAckDeadlineRequest{
			Subscription: sub, AckIds: []string{before.AckId}, AckDeadlineSeconds: 60})
		permanent(err, before.AckId, "the old delivery")
		t.extend(sub, 60, now)
	})

	add("exactly-once-properties", func(t *T) {
		topic, sub := t.world(exactlyOnce, ordered)
		s := t.stream(&pb.StreamingPullRequest{Subscription: sub})
		t.texts(topic, "x")
		for {
			select {
			case response := <-s.received:
				got := response.SubscriptionProperties
				if got == nil && len(response.ReceivedMessages) == 0 {
					continue
				}
				check(got.GetExactlyOnceDeliveryEnabled() && got.GetMessageOrderingEnabled(), "properties: %v", got)
				return
			case err := <-s.end:
				fail("the stream ended: %v", err)
			}
		}
	})
}
