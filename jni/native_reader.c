/* io.sparkpubsub.natives.NativeReader: the subscriber of one agent. The Java class documents every
 * native. */
#include "border.h"
#include "jni_util.h"

#include <pubsub/subscriber.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_EPOCHS 4096
#define MAX_SIZES 1024

struct reader {
  struct pubsub_client *client;
  struct pubsub_subscriber *subscriber;
};

static void reader_destroy(struct reader *reader) {
  pubsub_subscriber_destroy(reader->subscriber);
  pubsub_client_destroy(reader->client);
  free(reader);
}

static jlong open_reader(JNIEnv *env, jclass class, jobjectArray key_values) {
  struct jni_options options;
  struct pubsub_error error = {0};
  (void)class;
  if (!jni_options_read(env, key_values, &options)) return 0;
  struct reader *reader = calloc(1, sizeof *reader);
  enum pubsub_status status = PUBSUB_E_NOMEM;
  if (reader) status = jni_client_new(&options, &reader->client, &error);
  if (status == PUBSUB_OK) {
    struct pubsub_subscriber_options subscriber = {
        .subscription = jni_option(&options, "subscription"),
        .columns = (uint32_t)jni_option_number(&options, "columns"),
        .chunk_rows = (uint32_t)jni_option_number(&options, "chunk_rows"),
        .chunk_bytes = jni_option_number(&options, "chunk_bytes"),
        .linger_ms = (uint32_t)jni_option_number(&options, "linger_ms"),
        .max_reservoir_bytes = jni_option_number(&options, "max_reservoir_bytes"),
        .ack_deadline_s = (uint32_t)jni_option_number(&options, "ack_deadline_s"),
        .max_ack_extension_s = (uint32_t)jni_option_number(&options, "max_ack_extension_s"),
        .max_outstanding_messages = jni_option_number(&options, "max_outstanding_messages"),
        .max_outstanding_bytes = jni_option_number(&options, "max_outstanding_bytes")};
    status = pubsub_subscriber_new(reader->client, &subscriber, &reader->subscriber, &error);
  }
  jni_options_clear(env, &options);
  jlong handle = status == PUBSUB_OK ? jni_handle_new(JNI_READER, reader) : 0;
  if (handle == 0) {
    if (status == PUBSUB_OK || !reader) snprintf(error.text, sizeof error.text, "out of memory");
    if (status == PUBSUB_OK) error.status = PUBSUB_E_NOMEM;
    if (reader) reader_destroy(reader);
    jni_throw(env, &error);
  }
  return handle;
}

static void set_token(JNIEnv *env, jclass class, jlong handle, jbyteArray token) {
  struct pubsub_error error = {0};
  (void)class;
  struct reader *reader = jni_handle_use(env, JNI_READER, handle);
  if (!reader) return;
  jsize len = (*env)->GetArrayLength(env, token);
  jbyte *bytes = (*env)->GetByteArrayElements(env, token, NULL);
  enum pubsub_status status = PUBSUB_OK;
  if (bytes) {
    status = pubsub_client_set_token(reader->client, (const char *)bytes, (size_t)len, &error);
    (*env)->ReleaseByteArrayElements(env, token, bytes, JNI_ABORT);
  }
  jni_handle_release(handle);
  if (status != PUBSUB_OK) jni_throw(env, &error);
}

static jlong unauthenticated(JNIEnv *env, jclass class, jlong handle) {
  (void)class;
  struct reader *reader = jni_handle_use(env, JNI_READER, handle);
  if (!reader) return 0;
  jlong count = (jlong)pubsub_client_unauthenticated_count(reader->client);
  jni_handle_release(handle);
  return count;
}

static void open_slot(JNIEnv *env, jclass class, jlong handle, jint slot, jlong epoch,
                      jint delay_ms) {
  struct pubsub_error error = {0};
  (void)class;
  struct reader *reader = jni_handle_use(env, JNI_READER, handle);
  if (!reader) return;
  enum pubsub_status status = pubsub_subscriber_open_slot(
      reader->subscriber, (uint32_t)slot, (uint64_t)epoch, (uint32_t)delay_ms, &error);
  jni_handle_release(handle);
  if (status != PUBSUB_OK) jni_throw(env, &error);
}

static void close_slot(JNIEnv *env, jclass class, jlong handle, jint slot, jlong epoch,
                       jboolean give_back) {
  (void)class;
  struct reader *reader = jni_handle_use(env, JNI_READER, handle);
  if (!reader) return;
  pubsub_subscriber_close_slot(reader->subscriber, (uint32_t)slot, (uint64_t)epoch,
                               give_back ? PUBSUB_CLOSE_GIVE_BACK : PUBSUB_CLOSE_DRAIN);
  jni_handle_release(handle);
}

static void set_trigger(JNIEnv *env, jclass class, jlong handle, jlong rows, jlong bytes) {
  (void)class;
  struct reader *reader = jni_handle_use(env, JNI_READER, handle);
  if (!reader) return;
  pubsub_subscriber_set_trigger(reader->subscriber, (uint64_t)rows, (uint64_t)bytes);
  jni_handle_release(handle);
}

static void settle(JNIEnv *env, jclass class, jlong handle, jint slot, jlong epoch, jlong end_seq,
                   jboolean ack) {
  (void)class;
  struct reader *reader = jni_handle_use(env, JNI_READER, handle);
  if (!reader) return;
  pubsub_subscriber_settle(reader->subscriber, (uint32_t)slot, (uint64_t)epoch, (uint64_t)end_seq,
                           ack ? PUBSUB_ACK : PUBSUB_NACK);
  jni_handle_release(handle);
}

static jint report(JNIEnv *env, jclass class, jlong handle, jlongArray out) {
  (void)class;
  struct reader *reader = jni_handle_use(env, JNI_READER, handle);
  if (!reader) return 0;
  size_t capacity = (size_t)(*env)->GetArrayLength(env, out) / BORDER_REPORT_LONGS, count = 0;
  if (capacity > MAX_EPOCHS) capacity = MAX_EPOCHS;
  struct pubsub_slot_report *reports = malloc((capacity + 1) * sizeof *reports);
  if (reports) pubsub_subscriber_report(reader->subscriber, reports, capacity, &count);
  for (size_t i = 0; reports && i < count && i < capacity; i++) {
    const struct pubsub_slot_report *r = &reports[i];
    jlong values[BORDER_REPORT_LONGS] = {
        [BORDER_REPORT_SLOT] = r->slot,
        [BORDER_REPORT_EPOCH] = (jlong)r->epoch,
        [BORDER_REPORT_STATE] = r->state,
        [BORDER_REPORT_SEALED] = (jlong)r->sealed,
        [BORDER_REPORT_SETTLED] = (jlong)r->settled,
        [BORDER_REPORT_SEALED_ROWS] = (jlong)r->sealed_rows,
        [BORDER_REPORT_SEALED_BYTES] = (jlong)r->sealed_bytes,
        [BORDER_REPORT_BACKLOG_ROWS] = (jlong)r->backlog_rows,
        [BORDER_REPORT_BACKLOG_BYTES] = (jlong)r->backlog_bytes,
        [BORDER_REPORT_OLDEST_US] = r->oldest_receive_us,
    };
    (*env)->SetLongArrayRegion(env, out, (jsize)(i * BORDER_REPORT_LONGS), BORDER_REPORT_LONGS,
                               values);
  }
  free(reports);
  jni_handle_release(handle);
  return (jint)count;
}

static jint chunk_sizes(JNIEnv *env, jclass class, jlong handle, jint slot, jlong epoch,
                        jlong from_seq, jlongArray out) {
  struct pubsub_chunk_size sizes[MAX_SIZES];
  (void)class;
  struct reader *reader = jni_handle_use(env, JNI_READER, handle);
  if (!reader) return 0;
  size_t capacity = (size_t)(*env)->GetArrayLength(env, out) / BORDER_SIZE_LONGS;
  if (capacity > MAX_SIZES) capacity = MAX_SIZES;
  size_t count = pubsub_subscriber_chunk_sizes(reader->subscriber, (uint32_t)slot, (uint64_t)epoch,
                                               (uint64_t)from_seq, sizes, capacity);
  for (size_t i = 0; i < count; i++) {
    jlong values[BORDER_SIZE_LONGS] = {
        [BORDER_SIZE_ROWS] = sizes[i].rows,
        [BORDER_SIZE_BYTES] = (jlong)sizes[i].bytes,
        [BORDER_SIZE_OLDEST_PUBLISH_US] = sizes[i].oldest_publish_us,
    };
    (*env)->SetLongArrayRegion(env, out, (jsize)(BORDER_SIZE_LONGS * i), BORDER_SIZE_LONGS, values);
  }
  jni_handle_release(handle);
  return (jint)count;
}

static jstring slot_error(JNIEnv *env, jclass class, jlong handle, jint slot, jlong epoch) {
  struct pubsub_error error;
  char text[PUBSUB_ERROR_TEXT_BYTES + 64];
  (void)class;
  struct reader *reader = jni_handle_use(env, JNI_READER, handle);
  if (!reader) return NULL;
  pubsub_subscriber_slot_error(reader->subscriber, (uint32_t)slot, (uint64_t)epoch, &error);
  jni_handle_release(handle);
  if (error.status == PUBSUB_OK) return NULL;
  snprintf(text, sizeof text, "%s\n%d\n%s",
           error.status == PUBSUB_E_GRPC ? pubsub_grpc_code_name(error.grpc_code)
                                         : pubsub_status_name(error.status),
           error.retryable, error.text);
  for (char *c = text; *c; c++) {
    if ((*c < 0x20 && *c != '\n') || *c == 0x7f || (unsigned char)*c > 0x7f) *c = '?';
  }
  return (*env)->NewStringUTF(env, text);
}

static jlong await(JNIEnv *env, jclass class, jlong handle, jlong generation, jint timeout_ms) {
  uint64_t seen = (uint64_t)generation;
  (void)class;
  struct reader *reader = jni_handle_use(env, JNI_READER, handle);
  if (!reader) return generation;
  pubsub_subscriber_wait(reader->subscriber, &seen, (uint32_t)timeout_ms);
  jni_handle_release(handle);
  return (jlong)seen;
}

static void fill_view(JNIEnv *env, const struct pubsub_chunk *chunk, jlongArray out) {
  struct pubsub_chunk_view view;
  jlong values[BORDER_VIEW_LONGS];
  pubsub_chunk_view(chunk, &view);
  values[BORDER_VIEW_COLUMNS] = view.columns;
  values[BORDER_VIEW_ROWS] = view.rows;
  values[BORDER_VIEW_ATTRIBUTE_ENTRIES] = view.attribute_entries;
  values[BORDER_VIEW_ORDERING_KEY_NULLS] = view.ordering_key_null_count;
  values[BORDER_VIEW_DELIVERY_ATTEMPT_NULLS] = view.delivery_attempt_null_count;
  values[BORDER_VIEW_BYTES] = (jlong)view.bytes;
  for (int i = 0; i < PUBSUB_BUFFER_COUNT; i++) {
    values[BORDER_VIEW_BUFFERS + 2 * i] = (jlong)view.buffers[i].address;
    values[BORDER_VIEW_BUFFERS + 2 * i + 1] = (jlong)view.buffers[i].bytes;
  }
  (*env)->SetLongArrayRegion(env, out, 0, BORDER_VIEW_LONGS, values);
}

static jlong chunk(JNIEnv *env, jclass class, jlong handle, jint slot, jlong epoch, jlong seq,
                   jlongArray view) {
  struct pubsub_chunk *found = NULL;
  (void)class;
  struct reader *reader = jni_handle_use(env, JNI_READER, handle);
  if (!reader) return 0;
  pubsub_subscriber_chunk(reader->subscriber, (uint32_t)slot, (uint64_t)epoch, (uint64_t)seq,
                          &found, NULL);
  jni_handle_release(handle);
  if (!found) return 0;
  fill_view(env, found, view);
  if ((*env)->ExceptionCheck(env)) {
    pubsub_chunk_unref(found);
    return 0;
  }
  return (jlong)(intptr_t)found;
}

static void release_chunk(JNIEnv *env, jclass class, jlong chunk_handle) {
  (void)env;
  (void)class;
  pubsub_chunk_unref((struct pubsub_chunk *)(intptr_t)chunk_handle);
}

static jbyteArray pack_chunk(JNIEnv *env, jclass class, jlong chunk_handle) {
  struct pubsub_chunk *packed = (struct pubsub_chunk *)(intptr_t)chunk_handle;
  (void)class;
  size_t bytes = pubsub_chunk_packed_bytes(packed);
  if (bytes > INT32_MAX) {
    jni_throw_illegal_state(env, "the chunk is too large to move");
    return NULL;
  }
  jbyteArray out = (*env)->NewByteArray(env, (jsize)bytes);
  jbyte *place = out ? (*env)->GetPrimitiveArrayCritical(env, out, NULL) : NULL;
  if (!place) return NULL;
  pubsub_chunk_pack(packed, (uint8_t *)place);
  (*env)->ReleasePrimitiveArrayCritical(env, out, place, 0);
  return out;
}

static jlong unpack_chunk(JNIEnv *env, jclass class, jbyteArray packed, jlongArray view) {
  struct pubsub_chunk *out = NULL;
  struct pubsub_error error = {0};
  (void)class;
  jsize len = (*env)->GetArrayLength(env, packed);
  jbyte *bytes = (*env)->GetByteArrayElements(env, packed, NULL);
  if (!bytes) return 0;
  enum pubsub_status status =
      pubsub_chunk_unpack((const uint8_t *)bytes, (size_t)len, &out, &error);
  (*env)->ReleaseByteArrayElements(env, packed, bytes, JNI_ABORT);
  if (status != PUBSUB_OK) {
    jni_throw(env, &error);
    return 0;
  }
  fill_view(env, out, view);
  return (jlong)(intptr_t)out;
}

static void fill_metrics(JNIEnv *env, struct reader *reader, jlongArray out) {
  struct pubsub_subscriber_metrics m;
  pubsub_subscriber_metrics(reader->subscriber, &m);
  jlong values[BORDER_READER_LONGS] = {
      [BORDER_READER_RECEIVED_ROWS] = (jlong)m.received_rows,
      [BORDER_READER_RECEIVED_BYTES] = (jlong)m.received_bytes,
      [BORDER_READER_BACKLOG_ROWS] = (jlong)m.backlog_rows,
      [BORDER_READER_RESERVOIR_BYTES] = (jlong)m.reservoir_bytes,
      [BORDER_READER_RESERVOIR_PEAK_BYTES] = (jlong)m.reservoir_peak_bytes,
      [BORDER_READER_ACKNOWLEDGED_ROWS] = (jlong)m.acknowledged_rows,
      [BORDER_READER_GIVEN_BACK_ROWS] = (jlong)m.given_back_rows,
      [BORDER_READER_REDELIVERED_ROWS] = (jlong)m.redelivered_rows,
      [BORDER_READER_EXPIRED_ROWS] = (jlong)m.expired_rows,
      [BORDER_READER_ACK_REQUESTS] = (jlong)m.ack_requests,
      [BORDER_READER_EXTEND_REQUESTS] = (jlong)m.extend_requests,
      [BORDER_READER_FAILED_REQUESTS] = (jlong)m.failed_requests,
      [BORDER_READER_STREAM_REOPENS] = (jlong)m.stream_reopens,
      [BORDER_READER_ACK_LATENCY_US_SUM] = (jlong)m.ack_latency_us_sum,
      [BORDER_READER_ACK_LATENCY_COUNT] = (jlong)m.ack_latency_count,
      [BORDER_READER_FAILED_ROWS] = (jlong)m.failed_rows,
      [BORDER_READER_RETRIED_ROWS] = (jlong)m.retried_rows,
      [BORDER_READER_FAILED_RECEIPT_ROWS] = (jlong)m.failed_receipt_rows,
  };
  (*env)->SetLongArrayRegion(env, out, 0, BORDER_READER_LONGS, values);
}

static void metrics(JNIEnv *env, jclass class, jlong handle, jlongArray out) {
  (void)class;
  struct reader *reader = jni_handle_use(env, JNI_READER, handle);
  if (!reader) return;
  fill_metrics(env, reader, out);
  jni_handle_release(handle);
}

static jboolean close_reader(JNIEnv *env, jclass class, jlong handle, jint timeout_ms,
                             jlongArray last_metrics) {
  (void)class;
  struct reader *reader = jni_handle_use(env, JNI_READER, handle);
  if (!reader) {
    (*env)->ExceptionClear(env); /* closing twice is harmless */
    return JNI_TRUE;
  }
  enum pubsub_status status =
      pubsub_subscriber_close(reader->subscriber, (uint32_t)timeout_ms, NULL);
  if (last_metrics) fill_metrics(env, reader, last_metrics);
  jni_handle_release(handle);
  reader = jni_handle_close(JNI_READER, handle);
  if (reader) reader_destroy(reader);
  return status == PUBSUB_OK;
}

static jlong live_allocations(JNIEnv *env, jclass class) {
  (void)env;
  (void)class;
  return (jlong)pubsub_live_allocations();
}

bool jni_register_reader(JNIEnv *env, jclass class) {
  static const JNINativeMethod natives[] = {
      {"openReader", "([Ljava/lang/String;)J", (void *)open_reader},
      {"setToken", "(J[B)V", (void *)set_token},
      {"unauthenticated", "(J)J", (void *)unauthenticated},
      {"openSlot", "(JIJI)V", (void *)open_slot},
      {"closeSlot", "(JIJZ)V", (void *)close_slot},
      {"setTrigger", "(JJJ)V", (void *)set_trigger},
      {"settle", "(JIJJZ)V", (void *)settle},
      {"report", "(J[J)I", (void *)report},
      {"chunkSizes", "(JIJJ[J)I", (void *)chunk_sizes},
      {"slotError", "(JIJ)Ljava/lang/String;", (void *)slot_error},
      {"await", "(JJI)J", (void *)await},
      {"chunk", "(JIJJ[J)J", (void *)chunk},
      {"releaseChunk", "(J)V", (void *)release_chunk},
      {"packChunk", "(J)[B", (void *)pack_chunk},
      {"unpack", "([B[J)J", (void *)unpack_chunk},
      {"metrics", "(J[J)V", (void *)metrics},
      {"close", "(JI[J)Z", (void *)close_reader},
      {"allocations", "()J", (void *)live_allocations},
  };
  return (*env)->RegisterNatives(env, class, natives, sizeof natives / sizeof *natives) == JNI_OK;
}
