// The conformance cases with Google's Go client, unchanged, against PUBSUB_EMULATOR_HOST: one line of JSON a case.
// Arguments: names of cases; none runs all. What each checks is in ../cases.txt.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"slices"
	"time"

	"cloud.google.com/go/pubsub"
	vkit "cloud.google.com/go/pubsub/apiv1"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// bound is what a case may take; its context ends with it.
const bound = 10 * time.Second

type testCase struct {
	name string
	run  func(*T)
}

var cases []testCase

func add(name string, run func(*T)) { cases = append(cases, testCase{name, run}) }

// outcome is one line of the output. A case that fails panics with it.
type outcome struct {
	Case   string `json:"case"`
	Result string `json:"result"`
	Detail string `json:"detail"`
}

// clients are shared by all cases: the library, and the generated clients below it.
type clients struct {
	lib  *pubsub.Client
	pub  *vkit.PublisherClient
	sub  *vkit.SubscriberClient
	sche *vkit.SchemaClient
}

func connect(ctx context.Context) clients {
	must := func(err error) {
		if err != nil {
			log.Fatal(err)
		}
	}
	host := os.Getenv("PUBSUB_EMULATOR_HOST")
	if host == "" {
		log.Fatal("PUBSUB_EMULATOR_HOST is not set")
	}
	var c clients
	var err error
	c.lib, err = pubsub.NewClient(ctx, "conformance")
	must(err)
	// The generated clients do not look at PUBSUB_EMULATOR_HOST.
	options := []option.ClientOption{
		option.WithEndpoint(host),
		option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())),
	}
	c.pub, err = vkit.NewPublisherClient(ctx, options...)
	must(err)
	c.sub, err = vkit.NewSubscriberClient(ctx, options...)
	must(err)
	c.sche, err = vkit.NewSchemaClient(ctx, options...)
	must(err)
	return c
}

// run gives a case its time and no more; one that does not come back is left behind.
func run(c testCase, shared clients) outcome {
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	done := make(chan outcome, 1)
	go func() {
		defer func() {
			switch problem := recover().(type) {
			case nil:
				done <- outcome{c.name, "pass", ""}
			case outcome:
				problem.Case = c.name
				done <- problem
			default:
				done <- outcome{c.name, "fail", fmt.Sprint("panic: ", problem)}
			}
		}()
		c.run(&T{clients: shared, ctx: ctx, project: random("conf")})
	}()
	select {
	case result := <-done:
		return result
	case <-time.After(bound + time.Second):
		return outcome{c.name, "fail", fmt.Sprint("not done after ", bound)}
	}
}

func main() {
	shared := connect(context.Background())
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for _, c := range cases {
		if len(os.Args) > 1 && !slices.Contains(os.Args[1:], c.name) {
			continue
		}
		if err := out.Encode(run(c, shared)); err != nil {
			log.Fatal(err)
		}
	}
}
