"""A case for each RPC of google.iam.v1.IAMPolicy."""

from support import case, equal, refused, same


def policy_of(t, resource):
    return t.pub.get_iam_policy(request={"resource": resource})


def set_reader(t, resource, policy, member):
    changed = {"etag": policy.etag, "bindings": [{"role": "roles/pubsub.viewer", "members": [member]}]}
    t.pub.set_iam_policy(request={"resource": resource, "policy": changed})


@case("IAMPolicy.GetIamPolicy")
def get_iam_policy(t):
    equal(list(policy_of(t, t.topic()).bindings), [], "bindings")


@case("IAMPolicy.SetIamPolicy")
def set_iam_policy(t):
    for resource in t.world():
        set_reader(t, resource, policy_of(t, resource), "user:reader@example.com")
        got = [(b.role, list(b.members)) for b in policy_of(t, resource).bindings]
        equal(got, [("roles/pubsub.viewer", ["user:reader@example.com"])], resource)


@case("IAMPolicy.TestIamPermissions")
def test_iam_permissions(t):
    want = ["pubsub.topics.get", "pubsub.topics.publish"]
    got = t.pub.test_iam_permissions(request={"resource": t.topic(), "permissions": want})
    same(got.permissions, want, "permissions")


@case("iam-stale-etag")
def stale_etag(t):
    topic = t.topic()
    old = policy_of(t, topic)
    set_reader(t, topic, old, "user:a@example.com")
    refused("ABORTED", lambda: set_reader(t, topic, old, "user:b@example.com"), "an etag of before")
