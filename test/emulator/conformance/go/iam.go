package main

import (
	"cloud.google.com/go/iam/apiv1/iampb"
	"google.golang.org/grpc/codes"
)

func (t *T) policy(resource string) *iampb.Policy {
	policy, err := t.pub.GetIamPolicy(t.ctx, &iampb.GetIamPolicyRequest{Resource: resource})
	ok(err, "GetIamPolicy")
	return policy
}

func withReader(policy *iampb.Policy, member string) *iampb.Policy {
	return &iampb.Policy{Etag: policy.GetEtag(), Bindings: []*iampb.Binding{{Role: "roles/pubsub.viewer", Members: []string{member}}}}
}

func init() {
	add("IAMPolicy.GetIamPolicy", func(t *T) {
		got := t.policy(t.topic())
		check(len(got.Bindings) == 0, "bindings: %v", got.Bindings)
	})

	add("IAMPolicy.SetIamPolicy", func(t *T) {
		topic, sub := t.world()
		for _, resource := range []string{topic, sub} {
			const member = "user:reader@example.com"
			_, err := t.pub.SetIamPolicy(t.ctx, &iampb.SetIamPolicyRequest{Resource: resource, Policy: withReader(t.policy(resource), member)})
			ok(err, "SetIamPolicy")
			got := t.policy(resource).Bindings
			check(len(got) == 1 && got[0].Role == "roles/pubsub.viewer" && len(got[0].Members) == 1 && got[0].Members[0] == member,
				"%s: %v", resource, got)
		}
	})

	add("IAMPolicy.TestIamPermissions", func(t *T) {
		want := []string{"pubsub.topics.get", "pubsub.topics.publish"}
		got, err := t.pub.TestIamPermissions(t.ctx, &iampb.TestIamPermissionsRequest{Resource: t.topic(), Permissions: want})
		ok(err, "TestIamPermissions")
		same(got.Permissions, want, "permissions")
	})

	add("iam-stale-etag", func(t *T) {
		topic := t.topic()
		old := t.policy(topic)
		_, err := t.pub.SetIamPolicy(t.ctx, &iampb.SetIamPolicyRequest{Resource: topic, Policy: withReader(old, "user:a@example.com")})
		ok(err, "SetIamPolicy")
		_, err = t.pub.SetIamPolicy(t.ctx, &iampb.SetIamPolicyRequest{Resource: topic, Policy: withReader(old, "user:b@example.com")})
		refused(codes.Aborted, err, "an etag of before")
	})
}
