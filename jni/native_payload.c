/* io.sparkpubsub.natives.NativePayload: decoders of payloads, each of one reading task. The Java
 * class documents them, and keeps them from being used by two threads or after their end. */
#include "border.h"
#include "jni_util.h"

#include <pubsub/payload.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct pubsub_payload *payload_of(jlong handle) {
  return (struct pubsub_payload *)(intptr_t)handle;
}

/* A copy with a NUL, the caller's to free; NULL: no bytes, or no memory (then thrown). */
static char *text_of(JNIEnv *env, jbyteArray bytes) {
  if (!bytes) return NULL;
  jsize len = (*env)->GetArrayLength(env, bytes);
  char *text = malloc((size_t)len + 1);
  if (!text) {
    jni_throw_illegal_state(env, "no memory");
    return NULL;
  }
  (*env)->GetByteArrayRegion(env, bytes, 0, len, (jbyte *)text);
  text[len] = 0;
  return text;
}

static jlong open_payload(JNIEnv *env, jclass class, jbyteArray schema, jint mode, jint allow,
                          jbyteArray corrupt_record, jlongArray zone, jint last_offset) {
  struct pubsub_payload *out = NULL;
  struct pubsub_error error = {0};
  enum pubsub_status status = PUBSUB_E_NOMEM;
  (void)class;
  char *ddl = text_of(env, schema), *corrupt = text_of(env, corrupt_record);
  jlong *pairs = (*env)->GetLongArrayElements(env, zone, NULL);
  if (ddl && pairs && !(*env)->ExceptionCheck(env)) {
    struct pubsub_payload_options options = {.schema = ddl,
                                             .mode = (enum pubsub_payload_mode)mode,
                                             .allow = (uint32_t)allow,
                                             .corrupt_record = corrupt,
                                             .zone = {(const int64_t *)pairs,
                                                      (size_t)(*env)->GetArrayLength(env, zone) / 2,
                                                      last_offset}};
    status = pubsub_payload_new(&options, &out, &error);
    if (status != PUBSUB_OK) jni_throw(env, &error);
  }
  if (pairs) (*env)->ReleaseLongArrayElements(env, zone, pairs, JNI_ABORT);
  free(ddl);
  free(corrupt);
  return status == PUBSUB_OK ? (jlong)(intptr_t)out : 0;
}

static void begin(JNIEnv *env, jclass class, jlong handle, jlong offsets, jlong bytes, jint rows) {
  struct timespec now;
  (void)env;
  (void)class;
  clock_gettime(CLOCK_REALTIME, &now);
  struct pubsub_payload_rows batch = {
      .offsets = (const int32_t *)(intptr_t)offsets,
      .bytes = (const uint8_t *)(intptr_t)bytes,
      .count = rows,
      .now_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000,
  };
  pubsub_payload_begin(payload_of(handle), &batch);
}

static void decode(JNIEnv *env, jclass class, jlong handle, jlongArray fields) {
  struct pubsub_error error = {0};
  (void)class;
  jlong *set = fields ? (*env)->GetLongArrayElements(env, fields, NULL) : NULL;
  if (fields && !set) return;
  enum pubsub_status status =
      pubsub_payload_decode(payload_of(handle), (const uint64_t *)set, &error);
  if (set) (*env)->ReleaseLongArrayElements(env, fields, set, JNI_ABORT);
  if (status != PUBSUB_OK) jni_throw(env, &error);
}

static jint failed_row(JNIEnv *env, jclass class, jlong handle) {
  (void)env;
  (void)class;
  return pubsub_payload_failed_row(payload_of(handle));
}

static void columns(JNIEnv *env, jclass class, jlong handle, jlongArray out) {
  size_t count = pubsub_payload_column_count(payload_of(handle));
  struct pubsub_payload_column *found = malloc(count * sizeof *found);
  (void)class;
  if (!found) {
    jni_throw_illegal_state(env, "no memory");
    return;
  }
  pubsub_payload_columns(payload_of(handle), found);
  for (size_t i = 0; i < count; i++) {
    jlong values[BORDER_PAYLOAD_LONGS] = {
        [BORDER_PAYLOAD_ROWS] = found[i].rows,
        [BORDER_PAYLOAD_NULLS] = found[i].nulls,
        [BORDER_PAYLOAD_VALIDITY] = (jlong)found[i].validity,
        [BORDER_PAYLOAD_OFFSETS] = (jlong)found[i].offsets,
        [BORDER_PAYLOAD_DATA] = (jlong)found[i].data,
    };
    (*env)->SetLongArrayRegion(env, out, (jsize)(i * BORDER_PAYLOAD_LONGS), BORDER_PAYLOAD_LONGS,
                               values);
  }
  free(found);
}

static jlong kept(JNIEnv *env, jclass class, jlong handle) {
  (void)env;
  (void)class;
  return (jlong)(intptr_t)pubsub_payload_kept(payload_of(handle));
}

static void close_payload(JNIEnv *env, jclass class, jlong handle) {
  (void)env;
  (void)class;
  pubsub_payload_destroy(payload_of(handle));
}

bool jni_register_payload(JNIEnv *env, jclass class) {
  static const JNINativeMethod natives[] = {
      {"openPayload", "([BII[B[JI)J", (void *)open_payload},
      {"begin", "(JJJI)V", (void *)begin},
      {"decode", "(J[J)V", (void *)decode},
      {"failedRow", "(J)I", (void *)failed_row},
      {"columns", "(J[J)V", (void *)columns},
      {"kept", "(J)J", (void *)kept},
      {"close", "(J)V", (void *)close_payload},
  };
  return (*env)->RegisterNatives(env, class, natives, sizeof natives / sizeof *natives) == JNI_OK;
}
