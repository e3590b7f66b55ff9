/*
 * Entry points. JNI_OnLoad knows NativeLoader only, which is initialised by then, and is handed the
 * classes of the natives: looking for them here would ask whichever class loader the caller's
 * thread has.
 */
#include "border.h"
#include "jni_util.h"

/* Returns the lengths of what crosses, for Java to compare. On failure an exception is pending. */
static jintArray register_natives(JNIEnv *env, jclass loader, jclass reader, jclass writer,
                                  jclass admin, jclass payload) {
  static const jint lengths[] = BORDER_LENGTHS;
  const jsize count = sizeof lengths / sizeof *lengths;
  (void)loader;
  if (!jni_register_reader(env, reader) || !jni_register_writer(env, writer) ||
      !jni_register_admin(env, admin) || !jni_register_payload(env, payload)) {
    return NULL;
  }
  jintArray out = (*env)->NewIntArray(env, count);
  if (out) (*env)->SetIntArrayRegion(env, out, 0, count, lengths);
  return out;
}

JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM *vm, void *reserved) {
  static const JNINativeMethod natives[] = {
      {"register", "(Ljava/lang/Class;Ljava/lang/Class;Ljava/lang/Class;Ljava/lang/Class;)[I",
       (void *)register_natives},
  };
  JNIEnv *env;
  (void)reserved;
  if ((*vm)->GetEnv(vm, (void **)&env, JNI_VERSION_1_8) != JNI_OK) return JNI_ERR;
  if (!jni_util_load(env)) return JNI_ERR;
  jclass loader = (*env)->FindClass(env, "io/sparkpubsub/natives/NativeLoader");
  if (!loader || (*env)->RegisterNatives(env, loader, natives, 1) != JNI_OK) return JNI_ERR;
  return JNI_VERSION_1_8;
}

JNIEXPORT void JNICALL JNI_OnUnload(JavaVM *vm, void *reserved) {
  JNIEnv *env;
  (void)reserved;
  if ((*vm)->GetEnv(vm, (void **)&env, JNI_VERSION_1_8) == JNI_OK) jni_util_unload(env);
}
