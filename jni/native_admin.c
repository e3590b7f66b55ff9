/* io.sparkpubsub.natives.NativeAdmin: calls of the driver about topics and subscriptions. The Java
 * class documents them. */
#include "jni_util.h"

#include <pubsub/admin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESULT_BYTES 2048

/* One call: `name` is the full name of what it is about. A result is text for Java. */
typedef enum pubsub_status admin_fn(struct pubsub_client *client, const char *name,
                                    const struct jni_options *options, uint32_t timeout_ms,
                                    char result[RESULT_BYTES], struct pubsub_error *error);

static enum pubsub_status get_topic(struct pubsub_client *client, const char *name,
                                    const struct jni_options *options, uint32_t timeout_ms,
                                    char result[RESULT_BYTES], struct pubsub_error *error) {
  (void)options;
  (void)result;
  return pubsub_client_get_topic(client, name, timeout_ms, error);
}

static enum pubsub_status get_subscription(struct pubsub_client *client, const char *name,
                                           const struct jni_options *options, uint32_t timeout_ms,
                                           char result[RESULT_BYTES], struct pubsub_error *error) {
  struct pubsub_subscription_info info = {0};
  (void)options;
  enum pubsub_status status =
      pubsub_client_get_subscription(client, name, &info, timeout_ms, error);
  snprintf(result, RESULT_BYTES,
           "detached=%d\nordering=%d\nexactly_once=%d\nretention_s=%llu\ntopic=%s\nfilter=%s",
           info.detached, info.ordering, info.exactly_once, (unsigned long long)info.retention_s,
           info.topic, info.filter);
  return status;
}

static enum pubsub_status create_subscription(struct pubsub_client *client, const char *name,
                                              const struct jni_options *options,
                                              uint32_t timeout_ms, char result[RESULT_BYTES],
                                              struct pubsub_error *error) {
  const char *filter = jni_option(options, "filter");
  struct pubsub_subscription_info info = {
      .exactly_once = jni_option_number(options, "exactly_once") != 0,
      .ordering = jni_option_number(options, "ordering") != 0,
      .ack_deadline_s = (uint32_t)jni_option_number(options, "ack_deadline_s"),
      .retention_s = jni_option_number(options, "retention_s")};
  (void)result;
  snprintf(info.topic, sizeof info.topic, "%s", jni_option(options, "topic"));
  if (filter) snprintf(info.filter, sizeof info.filter, "%s", filter);
  return pubsub_client_create_subscription(client, name, &info, timeout_ms, error);
}

static enum pubsub_status delete_subscription(struct pubsub_client *client, const char *name,
                                              const struct jni_options *options,
                                              uint32_t timeout_ms, char result[RESULT_BYTES],
                                              struct pubsub_error *error) {
  (void)options;
  (void)result;
  return pubsub_client_delete_subscription(client, name, timeout_ms, error);
}

static enum pubsub_status seek(struct pubsub_client *client, const char *name,
                               const struct jni_options *options, uint32_t timeout_ms,
                               char result[RESULT_BYTES], struct pubsub_error *error) {
  (void)result;
  return pubsub_client_seek(client, name, (int64_t)jni_option_number(options, "time_us"),
                            timeout_ms, error);
}

static enum pubsub_status may(struct pubsub_client *client, const char *name,
                              const struct jni_options *options, uint32_t timeout_ms,
                              char result[RESULT_BYTES], struct pubsub_error *error) {
  const char *permission = jni_option(options, "permission");
  bool granted = false;
  enum pubsub_status status =
      pubsub_client_test_permission(client, name, permission, &granted, timeout_ms, error);
  snprintf(result, RESULT_BYTES, "%s", granted ? "yes" : "no");
  return status;
}

static admin_fn *find(const char *call) {
  static const struct {
    const char *call;
    admin_fn *run;
  } calls[] = {{"getTopic", get_topic},
               {"getSubscription", get_subscription},
               {"createSubscription", create_subscription},
               {"deleteSubscription", delete_subscription},
               {"seek", seek},
               {"may", may}};
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    if (strcmp(calls[i].call, call) == 0) return calls[i].run;
  }
  return NULL;
}

static jstring run(JNIEnv *env, jclass class, jobjectArray key_values, jbyteArray token,
                   jint timeout_ms) {
  struct jni_options options;
  struct pubsub_client *client = NULL;
  struct pubsub_error error = {0};
  char result[RESULT_BYTES] = "";
  (void)class;
  if (!jni_options_read(env, key_values, &options)) return NULL;
  enum pubsub_status status = jni_client_new(&options, &client, &error);
  jbyte *bytes = token ? (*env)->GetByteArrayElements(env, token, NULL) : NULL;
  if (status == PUBSUB_OK && bytes) {
    status = pubsub_client_set_token(client, (const char *)bytes,
                                     (size_t)(*env)->GetArrayLength(env, token), &error);
  }
  if (bytes) (*env)->ReleaseByteArrayElements(env, token, bytes, JNI_ABORT);
  admin_fn *call = find(jni_option(&options, "call"));
  if (status == PUBSUB_OK && call) {
    status =
        call(client, jni_option(&options, "name"), &options, (uint32_t)timeout_ms, result, &error);
  }
  pubsub_client_destroy(client);
  jni_options_clear(env, &options);
  if (!call) {
    jni_throw_illegal_state(env, "there is no such call");
    return NULL;
  }
  if (status != PUBSUB_OK) {
    jni_throw(env, &error);
    return NULL;
  }
  return (*env)->NewStringUTF(env, result);
}

bool jni_register_admin(JNIEnv *env, jclass class) {
  static const JNINativeMethod natives[] = {
      {"call", "([Ljava/lang/String;[BI)Ljava/lang/String;", (void *)run},
  };
  return (*env)->RegisterNatives(env, class, natives, sizeof natives / sizeof *natives) == JNI_OK;
}
