// Google's Go client as a peer of `pubsub bench`: receive and acknowledge, or publish, and one line of JSON.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"log"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"cloud.google.com/go/pubsub/v2"
)

// mark is a moment: wall clock and CPU time of this process, user and system, in seconds.
type mark struct{ wall, cpu float64 }

var start = time.Now()

func now() mark {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	cpu := float64(usage.Utime.Sec+usage.Stime.Sec) + float64(usage.Utime.Usec+usage.Stime.Usec)/1e6
	return mark{time.Since(start).Seconds(), cpu}
}

func publish(ctx context.Context, client *pubsub.Client, topic string, count, size int) {
	publisher := client.Publisher(topic)
	publisher.PublishSettings.CountThreshold = 1000
	publisher.PublishSettings.ByteThreshold = 1_000_000
	publisher.PublishSettings.DelayThreshold = 10 * time.Millisecond
	publisher.PublishSettings.FlowControlSettings = pubsub.FlowControlSettings{
		MaxOutstandingMessages: 20000,
		MaxOutstandingBytes:    64 << 20,
		LimitExceededBehavior:  pubsub.FlowControlBlock,
	}
	data := make([]byte, size)
	attributes := map[string]string{"source": "bench"}
	results := make(chan *pubsub.PublishResult, 30000)
	done := make(chan error)
	go func() {
		for result := range results {
			if _, err := result.Get(ctx); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for i := 0; i < count; i++ {
		results <- publisher.Publish(ctx, &pubsub.Message{Data: data, Attributes: attributes})
	}
	close(results)
	publisher.Flush()
	if err := <-done; err != nil {
		log.Fatal(err)
	}
}

func receive(ctx context.Context, client *pubsub.Client, subscription string, count int) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	subscriber := client.Subscriber(subscription)
	subscriber.ReceiveSettings.NumGoroutines = 1
	subscriber.ReceiveSettings.MaxOutstandingMessages = 20000
	subscriber.ReceiveSettings.MaxOutstandingBytes = 64 << 20
	var seen atomic.Int64
	err := subscriber.Receive(ctx, func(_ context.Context, message *pubsub.Message) {
		message.Ack()
		if seen.Add(1) == int64(count) {
			cancel()
		}
	})
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	what := flag.String("bench", "receive", "receive or publish")
	name := flag.String("name", "", "full name of the subscription or topic")
	count := flag.Int("count", 100000, "messages")
	size := flag.Int("size", 1000, "bytes of a message's data")
	flag.Parse()
	ctx := context.Background()
	client, err := pubsub.NewClient(ctx, "bench")
	if err != nil {
		log.Fatal(err)
	}
	before := now()
	if *what == "publish" {
		publish(ctx, client, *name, *count, *size)
	} else {
		receive(ctx, client, *name, *count)
	}
	after := now()
	wall, messages := after.wall-before.wall, float64(*count)
	if err := json.NewEncoder(os.Stdout).Encode(map[string]any{
		"bench":              *what,
		"messages":           *count,
		"cpu_us_per_message": (after.cpu - before.cpu) * 1e6 / messages,
		"messages_per_s":     messages / wall,
		"mb_per_s":           messages * float64(*size) / wall / 1e6,
	}); err != nil {
		log.Fatal(err)
	}
}
