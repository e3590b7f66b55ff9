package io.sparkpubsub.conformance;

import static io.sparkpubsub.conformance.T.equal;
import static io.sparkpubsub.conformance.T.refused;
import static io.sparkpubsub.conformance.T.same;

import com.google.api.gax.rpc.StatusCode.Code;
import com.google.iam.v1.Binding;
import com.google.iam.v1.GetIamPolicyRequest;
import com.google.iam.v1.Policy;
import com.google.iam.v1.SetIamPolicyRequest;
import com.google.iam.v1.TestIamPermissionsRequest;
import io.sparkpubsub.conformance.Main.Case;
import java.util.List;
import java.util.Map;

/** A case for each RPC of google.iam.v1.IAMPolicy. */
final class IamCases {
  private IamCases() {}

  private static Policy get(T t, String resource) {
    return t.clients.topics.getIamPolicy(
        GetIamPolicyRequest.newBuilder().setResource(resource).build());
  }

  private static Binding reader(String member) {
    return Binding.newBuilder().setRole("roles/pubsub.viewer").addMembers(member).build();
  }

  private static void set(T t, String resource, Policy policy, String member) {
    t.clients.topics.setIamPolicy(
        SetIamPolicyRequest.newBuilder()
            .setResource(resource)
            .setPolicy(Policy.newBuilder().setEtag(policy.getEtag()).addBindings(reader(member)))
            .build());
  }

  static void add(Map<String, Case> cases) {
    cases.put(
        "IAMPolicy.GetIamPolicy",
        t -> equal(get(t, t.topic()).getBindingsList(), List.of(), "bindings"));

    cases.put(
        "IAMPolicy.SetIamPolicy",
        t -> {
          T.World w = t.world();
          for (String resource : List.of(w.topic(), w.sub())) {
            set(t, resource, get(t, resource), "user:reader@example.com");
            equal(
                get(t, resource).getBindingsList(),
                List.of(reader("user:reader@example.com")),
                resource);
          }
        });

    cases.put(
        "IAMPolicy.TestIamPermissions",
        t -> {
          List<String> want = List.of("pubsub.topics.get", "pubsub.topics.publish");
          TestIamPermissionsRequest request =
              TestIamPermissionsRequest.newBuilder()
                  .setResource(t.topic())
                  .addAllPermissions(want)
                  .build();
          same(
              t.clients.topics.testIamPermissions(request).getPermissionsList(),
              want,
              "permissions");
        });

    cases.put(
        "iam-stale-etag",
        t -> {
          String topic = t.topic();
          Policy old = get(t, topic);
          set(t, topic, old, "user:a@example.com");
          refused(
              Code.ABORTED, () -> set(t, topic, old, "user:b@example.com"), "an etag of before");
        });
  }
}
