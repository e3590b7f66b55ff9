/*
 * What the natives share: exceptions, key-value options, and handles that can be used after they
 * were closed without harm. Every native runs on a Java thread; no native thread calls into Java.
 */
#ifndef JNI_UTIL_H
#define JNI_UTIL_H

#include <jni.h>
#include <pubsub/client.h>

/* References made in JNI_OnLoad: FindClass elsewhere may see another class loader. Weak where the
 * class is our own, so that a loader which nobody uses any more can go, and the library with it. */
bool jni_util_load(JNIEnv *env);
void jni_util_unload(JNIEnv *env);
/* Throws PubSubException(code, retryable, message). */
void jni_throw(JNIEnv *env, const struct pubsub_error *error);
void jni_throw_illegal_state(JNIEnv *env, const char *message);

/* ---- handles: 0 is none ---- */
enum jni_kind { JNI_READER = 1, JNI_WRITER };
/* 0: no memory. */
jlong jni_handle_new(enum jni_kind kind, void *object);
/* The object, kept open until jni_handle_release; NULL: closed, or never was (IllegalStateException
 * is thrown). */
void *jni_handle_use(JNIEnv *env, enum jni_kind kind, jlong handle);
void jni_handle_release(jlong handle);
/* Makes the handle invalid, waits for its users, returns the object; NULL: closed before. */
void *jni_handle_close(enum jni_kind kind, jlong handle);

/* ---- String[] of key, value, key, value … ---- */
#define JNI_MAX_OPTIONS 48
struct jni_options {
  jstring strings[2 * JNI_MAX_OPTIONS];
  const char *texts[2 * JNI_MAX_OPTIONS];
  int count; /* of strings */
};
bool jni_options_read(JNIEnv *env, jobjectArray key_values, struct jni_options *out);
void jni_options_clear(JNIEnv *env, struct jni_options *options);
const char *jni_option(const struct jni_options *options, const char *key); /* NULL: absent */
uint64_t jni_option_number(const struct jni_options *options, const char *key);
/* A client from endpoint, plaintext, ca_file, user_agent, quota_project, proxy. */
enum pubsub_status jni_client_new(const struct jni_options *options, struct pubsub_client **out,
                                  struct pubsub_error *error);

/* native_reader.c, native_writer.c, native_admin.c, native_payload.c */
bool jni_register_reader(JNIEnv *env, jclass class);
bool jni_register_writer(JNIEnv *env, jclass class);
bool jni_register_admin(JNIEnv *env, jclass class);
bool jni_register_payload(JNIEnv *env, jclass class);

#endif
