/*
 * Entry points. Looking for a class of the natives would initialise it, and its initialiser loads this library: twice over on one
 * thread, for ever on two. So JNI_OnLoad knows NativeLoader only, which is initialised by then, and is handed the others.
 */
#include "jni_util.h"

/* On failure an exception is pending. */
static void register_natives(JNIEnv *env, jclass loader, jclass reader, jclass writer,
                             jclass admin) {
  (void)loader;
  (void)(jni_register_reader(env, reader) && jni_register_writer(env, writer) &&
         jni_register_admin(env, admin));
}

JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM *vm, void *reserved) {
  static const JNINativeMethod natives[] = {
      {"register", "(Ljava/lang/Class;Ljava/lang/Class;Ljava/lang/Class;)V",
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
