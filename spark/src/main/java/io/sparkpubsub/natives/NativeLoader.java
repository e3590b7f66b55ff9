package io.sparkpubsub.natives;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardCopyOption;

/**
 * Loads the native library out of the jar, once per class loader, when a native is first used;
 * where that fails, the next use tries again. It is copied to a private temporary file, whose name
 * disappears as soon as the library is loaded. The folder is java.io.tmpdir or the system property
 * pubsub.native.tempdir. A class loader that nobody uses any more can go; its copy of the library
 * stays mapped, which is 5 MB of address space.
 */
final class NativeLoader {
  static final String TEMP_DIR_PROPERTY = "pubsub.native.tempdir";
  private static boolean loaded;

  private NativeLoader() {}

  static synchronized void load() {
    if (loaded) {
      return;
    }
    String os = System.getProperty("os.name", "");
    String arch = System.getProperty("os.arch", "");
    String machine = arch.equals("amd64") ? "x86_64" : arch;
    String resource = "/native/linux-" + machine + "/libpubsub_jni.so";
    try (InputStream in = NativeLoader.class.getResourceAsStream(resource)) {
      if (!os.equals("Linux") || in == null) {
        throw new UnsatisfiedLinkError(
            "spark-pubsub has no native library for " + os + " on " + arch + " in this jar");
      }
      loadFrom(in);
    } catch (IOException e) {
      throw new UnsatisfiedLinkError(
          "spark-pubsub cannot write its native library to "
              + folder()
              + " ("
              + e
              + "); set the JVM option -D"
              + TEMP_DIR_PROPERTY
              + "=FOLDER to one that is writable");
    }
    loaded = true;
  }

  private static native int[] register(Class<?> reader, Class<?> writer, Class<?> admin);

  private static Path folder() {
    return Paths.get(System.getProperty(TEMP_DIR_PROPERTY, System.getProperty("java.io.tmpdir")));
  }

  private static void loadFrom(InputStream in) throws IOException {
    Path file = Files.createTempFile(folder(), "libpubsub_jni-", ".so");
    try {
      Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
      System.load(file.toAbsolutePath().toString());
    } catch (UnsatisfiedLinkError e) {
      throw new UnsatisfiedLinkError(
          e.getMessage()
              + ": if "
              + folder()
              + " is mounted noexec, set the JVM option -D"
              + TEMP_DIR_PROPERTY
              + "=FOLDER to one that is not");
    } finally {
      Files.deleteIfExists(file);
    }
    Border.check(register(NativeReader.class, NativeWriter.class, NativeAdmin.class));
  }
}
