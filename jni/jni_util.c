#include "jni_util.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static jweak exception_class; /* lives as long as whoever calls a native */
static jclass illegal_state_class;
static jmethodID exception_new;

bool jni_util_load(JNIEnv *env) {
  jclass exception = (*env)->FindClass(env, "io/sparkpubsub/PubSubException");
  if (!exception) return false;
  exception_new =
      (*env)->GetMethodID(env, exception, "<init>", "(Ljava/lang/String;ZLjava/lang/String;)V");
  if (!exception_new) return false;
  exception_class = (*env)->NewWeakGlobalRef(env, exception);
  jclass illegal_state = (*env)->FindClass(env, "java/lang/IllegalStateException");
  if (!exception_class || !illegal_state) return false;
  illegal_state_class = (*env)->NewGlobalRef(env, illegal_state);
  return illegal_state_class != NULL;
}

void jni_util_unload(JNIEnv *env) {
  if (exception_class) (*env)->DeleteWeakGlobalRef(env, exception_class);
  if (illegal_state_class) (*env)->DeleteGlobalRef(env, illegal_state_class);
}

/* Error texts may quote what a peer said: NewStringUTF wants clean text. */
static jstring clean_string(JNIEnv *env, const char *text) {
  char clean[PUBSUB_ERROR_TEXT_BYTES];
  size_t len = 0;
  for (; text[len] && len + 1 < sizeof clean; len++) {
    unsigned char c = (unsigned char)text[len];
    clean[len] = c >= 0x20 && c < 0x7f ? (char)c : '?';
  }
  clean[len] = '\0';
  return (*env)->NewStringUTF(env, clean);
}

void jni_throw(JNIEnv *env, const struct pubsub_error *error) {
  const char *code = error->status == PUBSUB_E_GRPC ? pubsub_grpc_code_name(error->grpc_code)
                                                    : pubsub_status_name(error->status);
  jstring code_string = (*env)->NewStringUTF(env, code);
  jstring message = code_string ? clean_string(env, error->text) : NULL;
  if (!message) return; /* OutOfMemoryError is pending */
  jclass class = (*env)->NewLocalRef(env, exception_class);
  if (!class) return; /* OutOfMemoryError is pending */
  jobject exception = (*env)->NewObject(env, class, exception_new, code_string,
                                        (jboolean)error->retryable, message);
  if (exception) (*env)->Throw(env, exception);
}

void jni_throw_illegal_state(JNIEnv *env, const char *message) {
  (*env)->ThrowNew(env, illegal_state_class, message);
}

/* ---- handles ---- */

struct entry {
  void *object; /* NULL: free */
  enum jni_kind kind;
  uint32_t generation, users;
  bool closing;
};
static struct {
  pthread_mutex_t mutex;
  pthread_cond_t unused;
  struct entry *entries;
  uint32_t count;
} handles = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, 0};

jlong jni_handle_new(enum jni_kind kind, void *object) {
  jlong handle = 0;
  pthread_mutex_lock(&handles.mutex);
  uint32_t i = 0;
  while (i < handles.count && handles.entries[i].object)
    i++;
  if (i == handles.count) {
    uint32_t count = handles.count ? handles.count * 2 : 16;
    struct entry *entries = realloc(handles.entries, count * sizeof *entries);
    if (entries) {
      memset(entries + handles.count, 0, (count - handles.count) * sizeof *entries);
      handles.entries = entries;
      handles.count = count;
    }
  }
  if (i < handles.count) {
    struct entry *entry = &handles.entries[i];
    uint32_t generation = entry->generation + 1;
    *entry = (struct entry){.object = object, .kind = kind, .generation = generation};
    handle = (jlong)((uint64_t)generation << 32 | (i + 1));
  }
  pthread_mutex_unlock(&handles.mutex);
  return handle;
}

static struct entry *find(enum jni_kind kind, jlong handle) { /* under the mutex */
  uint32_t index = (uint32_t)((uint64_t)handle & 0xffffffff);
  uint32_t generation = (uint32_t)((uint64_t)handle >> 32);
  if (index == 0 || index > handles.count) return NULL;
  struct entry *entry = &handles.entries[index - 1];
  bool valid = entry->object && entry->generation == generation && entry->kind == kind;
  return valid ? entry : NULL;
}

void *jni_handle_use(JNIEnv *env, enum jni_kind kind, jlong handle) {
  void *object = NULL;
  pthread_mutex_lock(&handles.mutex);
  struct entry *entry = find(kind, handle);
  if (entry && !entry->closing) {
    entry->users++;
    object = entry->object;
  }
  pthread_mutex_unlock(&handles.mutex);
  if (!object) {
    jni_throw_illegal_state(env,
                            kind == JNI_READER ? "the reader is closed" : "the writer is closed");
  }
  return object;
}

void jni_handle_release(jlong handle) {
  pthread_mutex_lock(&handles.mutex);
  struct entry *entry = &handles.entries[((uint64_t)handle & 0xffffffff) - 1];
  if (--entry->users == 0 && entry->closing) pthread_cond_broadcast(&handles.unused);
  pthread_mutex_unlock(&handles.mutex);
}

void *jni_handle_close(enum jni_kind kind, jlong handle) {
  void *object = NULL;
  pthread_mutex_lock(&handles.mutex);
  struct entry *entry = find(kind, handle);
  if (entry && !entry->closing) {
    uint32_t index = (uint32_t)(entry - handles.entries);
    entry->closing = true;
    while (handles.entries[index].users > 0)
      pthread_cond_wait(&handles.unused, &handles.mutex);
    object = handles.entries[index].object;
    handles.entries[index].object = NULL;
  }
  pthread_mutex_unlock(&handles.mutex);
  return object;
}

/* ---- options ---- */

bool jni_options_read(JNIEnv *env, jobjectArray key_values, struct jni_options *out) {
  jsize count = (*env)->GetArrayLength(env, key_values);
  memset(out, 0, sizeof *out);
  if (count > 2 * JNI_MAX_OPTIONS) {
    jni_throw_illegal_state(env, "too many options");
    return false;
  }
  for (jsize i = 0; i < count; i++) {
    jstring string = (*env)->GetObjectArrayElement(env, key_values, i);
    const char *text = string ? (*env)->GetStringUTFChars(env, string, NULL) : NULL;
    if (!text) {
      jni_options_clear(env, out);
      if (!(*env)->ExceptionCheck(env)) jni_throw_illegal_state(env, "an option is null");
      return false;
    }
    out->strings[i] = string;
    out->texts[i] = text;
    out->count = i + 1;
  }
  return true;
}

void jni_options_clear(JNIEnv *env, struct jni_options *options) {
  for (int i = 0; i < options->count; i++) {
    (*env)->ReleaseStringUTFChars(env, options->strings[i], options->texts[i]);
    (*env)->DeleteLocalRef(env, options->strings[i]);
  }
  options->count = 0;
}

const char *jni_option(const struct jni_options *options, const char *key) {
  for (int i = 0; i + 1 < options->count; i += 2) {
    if (strcmp(options->texts[i], key) == 0) return options->texts[i + 1];
  }
  return NULL;
}

uint64_t jni_option_number(const struct jni_options *options, const char *key) {
  const char *text = jni_option(options, key);
  return text ? strtoull(text, NULL, 10) : 0;
}

enum pubsub_status jni_client_new(const struct jni_options *options, struct pubsub_client **out,
                                  struct pubsub_error *error) {
  struct pubsub_client_options client = {.endpoint = jni_option(options, "endpoint"),
                                         .plaintext = jni_option_number(options, "plaintext") != 0,
                                         .ca_file = jni_option(options, "ca_file"),
                                         .user_agent = jni_option(options, "user_agent"),
                                         .quota_project = jni_option(options, "quota_project"),
                                         .proxy = jni_option(options, "proxy")};
  return pubsub_client_new(&client, out, error);
}
