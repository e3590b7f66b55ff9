package io.sparkpubsub.natives;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/**
 * Loads the native library of this platform out of the jar, once per class loader, when a native is
 * first used; where that fails, the next use tries again. It is copied to a private temporary file,
 * whose name disappears as soon as the library is loaded. The folder is java.io.tmpdir or the
 * system property pubsub.native.tempdir. A class loader that nobody uses any more can go; its copy
 * of the library stays mapped, which is 5 MB of address space.
 */
final class NativeLoader {
  static final String TEMP_DIR_PROPERTY = "pubsub.native.tempdir";

  /** What a jar may hold: one that was built for this machine alone has one of them. */
  private static final String[] PLATFORMS = {
    "linux-x86_64",
    "linux-aarch64",
    "linux-x86_64-musl",
    "linux-aarch64-musl",
    "macos-x86_64",
    "macos-aarch64"
  };

  private static boolean loaded;

  private NativeLoader() {}

  static synchronized void load() {
    if (loaded) {
      return;
    }
    Platform platform = Platform.current();
    try (InputStream in = NativeLoader.class.getResourceAsStream(platform.resource())) {
      if (in == null) {
        throw new UnsatisfiedLinkError(missing(platform, inThisJar()));
      }
      loadFrom(in, platform);
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

  private static native int[] register(
      Class<?> reader, Class<?> writer, Class<?> admin, Class<?> payload);

  private static Path folder() {
    return Paths.get(System.getProperty(TEMP_DIR_PROPERTY, System.getProperty("java.io.tmpdir")));
  }

  private static void loadFrom(InputStream in, Platform platform) throws IOException {
    Path file = Files.createTempFile(folder(), "libpubsub_jni-", ".so");
    try {
      Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
      System.load(file.toAbsolutePath().toString());
    } catch (UnsatisfiedLinkError e) {
      throw new UnsatisfiedLinkError(refused(platform, String.valueOf(e.getMessage()), folder()));
    } finally {
      Files.deleteIfExists(file);
    }
    Border.check(
        register(NativeReader.class, NativeWriter.class, NativeAdmin.class, NativePayload.class));
  }

  private static List<String> inThisJar() {
    List<String> found = new ArrayList<>();
    for (String name : PLATFORMS) {
      if (NativeLoader.class.getResource(Platform.named(name).resource()) != null) {
        found.add(name);
      }
    }
    return found;
  }

  static String missing(Platform platform, List<String> there) {
    return "spark-pubsub has no native library for "
        + platform.described()
        + " in this jar, which has "
        + (there.isEmpty() ? "none" : String.join(", ", there))
        + ": use the jar that is released (it has "
        + String.join(", ", PLATFORMS)
        + "), or build one on such a machine with `make build`";
  }

  /** Why the system's loader did not take it, as far as its words tell. */
  static String refused(Platform platform, String words, Path folder) {
    String start =
        "spark-pubsub cannot load its native library for " + platform.described() + ": " + words;
    if (words.contains("GLIBC_")) {
      return start
          + ": it needs glibc 2.17 where it was released, and no older one than that of"
          + " the machine where it was built by `make build`: use the jar that is released";
    }
    if (words.contains("failed to map segment") || words.contains("not permitted")) {
      return start
          + ": if "
          + folder
          + " is mounted noexec, set the JVM option -D"
          + TEMP_DIR_PROPERTY
          + "=FOLDER to one that is not";
    }
    return start
        + ": if that is not what this JVM runs on, set the JVM option -D"
        + Platform.PROPERTY
        + "=NAME to one of "
        + String.join(", ", inThisJar());
  }
}
