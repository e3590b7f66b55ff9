/* io.sparkpubsub.natives.NativeWriter: the publisher of one task. The Java class documents every
 * native. */
#include "border.h"
#include "jni_util.h"

#include <pubsub/publisher.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define OTHERS_POLL_NS 2000000

struct writer {
  struct pubsub_client *client;
  struct pubsub_publisher_options options; /* of every topic */
  struct pubsub_publisher **publishers;    /* one a topic, in the order of their first use */
  int count;
  uint64_t throttled_us; /* waiting for other topics than the one that is written to */
};

static void writer_destroy(struct writer *writer) {
  for (int i = 0; i < writer->count; i++)
    pubsub_publisher_destroy(writer->publishers[i]);
  free(writer->publishers);
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
    writer->options = (struct pubsub_publisher_options){
        .max_batch_messages = (uint32_t)jni_option_number(&options, "max_batch_messages"),
        .max_batch_bytes = (uint32_t)jni_option_number(&options, "max_batch_bytes"),
        .gzip = jni_option_number(&options, "gzip") != 0,
        .linger_ms = (uint32_t)jni_option_number(&options, "linger_ms"),
        .max_in_flight_bytes = jni_option_number(&options, "max_in_flight_bytes"),
        .total_timeout_ms = (uint32_t)jni_option_number(&options, "total_timeout_ms")};
  }
  jni_options_clear(env, &options);
  jlong handle = status == PUBSUB_OK ? jni_handle_new(JNI_WRITER, writer) : 0;
  if (handle == 0) {
    if (writer) writer_destroy(writer);
    jni_throw(env, &error);
  }
  return handle;
}

static enum pubsub_status add_topic(struct writer *writer, const char *topic,
                                    struct pubsub_error *error) {
  struct pubsub_publisher_options options = writer->options;
  struct pubsub_publisher **publishers =
      realloc(writer->publishers, (size_t)(writer->count + 1) * sizeof(void *));
  if (!publishers) {
    *error = (struct pubsub_error){.status = PUBSUB_E_NOMEM, .text = "out of memory"};
    return PUBSUB_E_NOMEM;
  }
  writer->publishers = publishers;
  options.topic = topic;
  enum pubsub_status status =
      pubsub_publisher_new(writer->client, &options, &writer->publishers[writer->count], error);
  if (status == PUBSUB_OK) writer->count++;
  return status;
}

static jint topic(JNIEnv *env, jclass class, jlong handle, jstring name) {
  struct pubsub_error error = {0};
  (void)class;
  struct writer *writer = jni_handle_use(env, JNI_WRITER, handle);
  if (!writer) return -1;
  const char *text = (*env)->GetStringUTFChars(env, name, NULL);
  enum pubsub_status status = text ? add_topic(writer, text, &error) : PUBSUB_OK;
  if (text) (*env)->ReleaseStringUTFChars(env, name, text);
  jint index = writer->count - 1;
  jni_handle_release(handle);
  if (status != PUBSUB_OK) jni_throw(env, &error);
  return index;
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

static jlong unauthenticated(JNIEnv *env, jclass class, jlong handle) {
  (void)class;
  struct writer *writer = jni_handle_use(env, JNI_WRITER, handle);
  if (!writer) return 0;
  jlong count = (jlong)pubsub_client_unauthenticated_count(writer->client);
  jni_handle_release(handle);
  return count;
}

/* NULL: no topic has this index; *error says so. */
static struct pubsub_publisher *publisher_at(const struct writer *writer, jint topic_index,
                                             struct pubsub_error *error) {
  if (topic_index >= 0 && topic_index < writer->count) return writer->publishers[topic_index];
  error->status = PUBSUB_E_INVALID;
  snprintf(error->text, sizeof error->text, "there is no topic %d of this writer (it has %d)",
           (int)topic_index, writer->count);
  return NULL;
}

static void publish(JNIEnv *env, jclass class, jlong handle, jint topic_index, jlong address,
                    jlong bytes, jint rows, jlong first_row) {
  struct pubsub_error error = {0};
  (void)class;
  struct writer *writer = jni_handle_use(env, JNI_WRITER, handle);
  if (!writer) return;
  struct pubsub_publisher *publisher = publisher_at(writer, topic_index, &error);
  enum pubsub_status status = error.status;
  if (publisher) {
    status =
        pubsub_publisher_publish_block(publisher, (const uint8_t *)(intptr_t)address, (size_t)bytes,
                                       (size_t)rows, (uint64_t)first_row, &error);
  }
  jni_handle_release(handle);
  if (status != PUBSUB_OK) jni_throw(env, &error);
}

static uint64_t now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Of all topics. Errors: those of a topic that has failed, which would never come down. */
static enum pubsub_status in_flight_bytes(const struct writer *writer, uint64_t *out,
                                          struct pubsub_error *error) {
  *out = 0;
  for (int i = 0; i < writer->count; i++) {
    struct pubsub_publisher_metrics metrics;
    bool reached;
    enum pubsub_status status =
        pubsub_publisher_wait(writer->publishers[i], PUBSUB_WAIT_ROOM, 0, &reached, error);
    if (status != PUBSUB_OK) return status;
    pubsub_publisher_metrics(writer->publishers[i], &metrics);
    *out += metrics.in_flight_bytes;
  }
  return PUBSUB_OK;
}

/* All topics of a task share its bound. Whether it came to that until `due`. */
static enum pubsub_status wait_for_others(struct writer *writer, uint64_t due_us, bool *out_reached,
                                          struct pubsub_error *error) {
  uint64_t begin = now_us(), now = begin, bytes = 0;
  enum pubsub_status status;
  while ((status = in_flight_bytes(writer, &bytes, error)) == PUBSUB_OK &&
         bytes >= writer->options.max_in_flight_bytes && now < due_us) {
    nanosleep(&(struct timespec){0, OTHERS_POLL_NS}, NULL);
    now = now_us();
  }
  writer->throttled_us += now - begin;
  *out_reached = bytes < writer->options.max_in_flight_bytes;
  return status;
}

static jboolean room(JNIEnv *env, jclass class, jlong handle, jint topic_index, jint timeout_ms) {
  struct pubsub_error error = {0};
  bool reached = false;
  (void)class;
  struct writer *writer = jni_handle_use(env, JNI_WRITER, handle);
  if (!writer) return JNI_FALSE;
  uint64_t due = now_us() + (uint64_t)timeout_ms * 1000;
  struct pubsub_publisher *publisher = publisher_at(writer, topic_index, &error);
  enum pubsub_status status = error.status;
  if (publisher) {
    status =
        pubsub_publisher_wait(publisher, PUBSUB_WAIT_ROOM, (uint32_t)timeout_ms, &reached, &error);
  }
  if (reached && status == PUBSUB_OK && writer->count > 1 && writer->options.max_in_flight_bytes) {
    status = wait_for_others(writer, due, &reached, &error);
  }
  jni_handle_release(handle);
  if (status != PUBSUB_OK) jni_throw(env, &error);
  return reached;
}

static jboolean flush(JNIEnv *env, jclass class, jlong handle, jint timeout_ms) {
  struct pubsub_error error = {0};
  (void)class;
  struct writer *writer = jni_handle_use(env, JNI_WRITER, handle);
  if (!writer) return JNI_FALSE;
  enum pubsub_status status = PUBSUB_OK;
  bool all = true;
  for (int i = 0; i < writer->count && status == PUBSUB_OK; i++) {
    bool reached = false;
    status = pubsub_publisher_wait(writer->publishers[i], PUBSUB_WAIT_IDS,
                                   all ? (uint32_t)timeout_ms : 0, &reached, &error);
    all = all && reached;
  }
  jni_handle_release(handle);
  if (status != PUBSUB_OK) jni_throw(env, &error);
  return all;
}

static void metrics(JNIEnv *env, jclass class, jlong handle, jlongArray out) {
  struct pubsub_publisher_metrics sum = {0};
  (void)class;
  struct writer *writer = jni_handle_use(env, JNI_WRITER, handle);
  if (!writer) return;
  sum.throttled_us = writer->throttled_us;
  for (int i = 0; i < writer->count; i++) {
    struct pubsub_publisher_metrics m;
    pubsub_publisher_metrics(writer->publishers[i], &m);
    sum.published_rows += m.published_rows;
    sum.published_bytes += m.published_bytes;
    sum.requests += m.requests;
    sum.retries += m.retries;
    sum.in_flight_bytes += m.in_flight_bytes;
    sum.throttled_us += m.throttled_us;
  }
  jni_handle_release(handle);
  jlong values[BORDER_WRITER_LONGS] = {
      [BORDER_WRITER_PUBLISHED_ROWS] = (jlong)sum.published_rows,
      [BORDER_WRITER_PUBLISHED_BYTES] = (jlong)sum.published_bytes,
      [BORDER_WRITER_REQUESTS] = (jlong)sum.requests,
      [BORDER_WRITER_RETRIES] = (jlong)sum.retries,
      [BORDER_WRITER_IN_FLIGHT_BYTES] = (jlong)sum.in_flight_bytes,
      [BORDER_WRITER_THROTTLED_US] = (jlong)sum.throttled_us,
  };
  (*env)->SetLongArrayRegion(env, out, 0, BORDER_WRITER_LONGS, values);
}

static void close_writer(JNIEnv *env, jclass class, jlong handle) {
  (void)env;
  (void)class;
  struct writer *writer = jni_handle_close(JNI_WRITER, handle);
  if (writer) writer_destroy(writer);
}

bool jni_register_writer(JNIEnv *env, jclass class) {
  static const JNINativeMethod natives[] = {
      {"openWriter", "([Ljava/lang/String;)J", (void *)open_writer},
      {"setToken", "(J[B)V", (void *)set_token},
      {"unauthenticated", "(J)J", (void *)unauthenticated},
      {"topic", "(JLjava/lang/String;)I", (void *)topic},
      {"publish", "(JIJJIJ)V", (void *)publish},
      {"room", "(JII)Z", (void *)room},
      {"flush", "(JI)Z", (void *)flush},
      {"metrics", "(J[J)V", (void *)metrics},
      {"close", "(J)V", (void *)close_writer},
  };
  return (*env)->RegisterNatives(env, class, natives, sizeof natives / sizeof *natives) == JNI_OK;
}
