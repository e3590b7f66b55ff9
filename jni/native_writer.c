/* io.sparkpubsub.NativeWriter: the publisher of one task. The Java class documents every native. */
#include "jni_util.h"

#include <pubsub/publisher.h>
#include <stdio.h>
#include <stdlib.h>

#define METRIC_LONGS 6

struct writer {
  struct pubsub_client *client;
  struct pubsub_publisher *publisher;
};

static void writer_destroy(struct writer *writer) {
  pubsub_publisher_destroy(writer->publisher);
  pubsub_client_destroy(writer->client);
  free(writer);
}

static jlong open_writer(JNIEnv *env, jclass class, jobjectArray key_values) {
  struct jni_options options;
  struct pubsub_error error = {.status = PUBSUB_E_NOMEM};
  (void)class;
  if (!jni_options_read(env, key_values, &options)) return 0;
  struct writer *writer = calloc(1, sizeof *writer);
  enum pubsub_status status = PUBSUB_E_NOMEM;
  snprintf(error.text, sizeof error.text, "out of memory");
  if (writer) status = jni_client_new(&options, &writer->client, &error);
  if (status == PUBSUB_OK) {
    struct pubsub_publisher_options publisher = {
        .topic = jni_option(&options, "topic"),
        .max_batch_messages = (uint32_t)jni_option_number(&options, "max_batch_messages"),
        .max_batch_bytes = (uint32_t)jni_option_number(&options, "max_batch_bytes"),
        .linger_ms = (uint32_t)jni_option_number(&options, "linger_ms"),
        .max_in_flight_bytes = jni_option_number(&options, "max_in_flight_bytes"),
        .total_timeout_ms = (uint32_t)jni_option_number(&options, "total_timeout_ms")};
    status = pubsub_publisher_new(writer->client, &publisher, &writer->publisher, &error);
  }
  jni_options_clear(env, &options);
  jlong handle = status == PUBSUB_OK ? jni_handle_new(JNI_WRITER, writer) : 0;
  if (handle == 0) {
    if (writer) writer_destroy(writer);
    jni_throw(env, &error);
  }
  return handle;
}

static void set_token(JNIEnv *env, jclass class, jlong handle, jbyteArray token) {
  struct pubsub_error error = {0};
  (void)class;
  struct writer *writer = jni_handle_use(env, JNI_WRITER, handle);
  if (!writer) return;
  jbyte *bytes = (*env)->GetByteArrayElements(env, token, NULL);
  enum pubsub_status status = PUBSUB_OK;
  if (bytes) {
    status = pubsub_client_set_token(writer->client, (const char *)bytes,
                                     (size_t)(*env)->GetArrayLength(env, token), &error);
    (*env)->ReleaseByteArrayElements(env, token, bytes, JNI_ABORT);
  }
  jni_handle_release(handle);
  if (status != PUBSUB_OK) jni_throw(env, &error);
}

static void publish(JNIEnv *env, jclass class, jlong handle, jlong address, jlong bytes, jint rows,
                    jlong first_row) {
  struct pubsub_error error = {0};
  (void)class;
  struct writer *writer = jni_handle_use(env, JNI_WRITER, handle);
  if (!writer) return;
  enum pubsub_status status =
      pubsub_publisher_publish_block(writer->publisher, (const uint8_t *)(intptr_t)address,
                                     (size_t)bytes, (size_t)rows, (uint64_t)first_row, &error);
  jni_handle_release(handle);
  if (status != PUBSUB_OK) jni_throw(env, &error);
}

static void flush(JNIEnv *env, jclass class, jlong handle, jint timeout_ms) {
  struct pubsub_error error = {0};
  (void)class;
  struct writer *writer = jni_handle_use(env, JNI_WRITER, handle);
  if (!writer) return;
  enum pubsub_status status =
      pubsub_publisher_flush(writer->publisher, (uint32_t)timeout_ms, &error);
  jni_handle_release(handle);
  if (status != PUBSUB_OK) jni_throw(env, &error);
}

static void metrics(JNIEnv *env, jclass class, jlong handle, jlongArray out) {
  struct pubsub_publisher_metrics m;
  (void)class;
  struct writer *writer = jni_handle_use(env, JNI_WRITER, handle);
  if (!writer) return;
  pubsub_publisher_metrics(writer->publisher, &m);
  jni_handle_release(handle);
  jlong values[METRIC_LONGS] = {(jlong)m.published_rows,  (jlong)m.published_bytes,
                                (jlong)m.requests,        (jlong)m.retries,
                                (jlong)m.in_flight_bytes, (jlong)m.throttled_us};
  (*env)->SetLongArrayRegion(env, out, 0, METRIC_LONGS, values);
}

static void close_writer(JNIEnv *env, jclass class, jlong handle) {
  (void)env;
  (void)class;
  struct writer *writer = jni_handle_close(JNI_WRITER, handle);
  if (writer) writer_destroy(writer);
}

bool jni_register_writer(JNIEnv *env) {
  static const JNINativeMethod natives[] = {
      {"open", "([Ljava/lang/String;)J", (void *)open_writer},
      {"setToken", "(J[B)V", (void *)set_token},
      {"publish", "(JJJIJ)V", (void *)publish},
      {"flush", "(JI)V", (void *)flush},
      {"metrics", "(J[J)V", (void *)metrics},
      {"close", "(J)V", (void *)close_writer},
  };
  jclass class = (*env)->FindClass(env, JNI_PACKAGE "NativeWriter");
  return class &&
         (*env)->RegisterNatives(env, class, natives, sizeof natives / sizeof *natives) == JNI_OK;
}
