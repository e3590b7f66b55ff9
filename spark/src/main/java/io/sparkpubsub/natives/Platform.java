package io.sparkpubsub.natives;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Locale;

/**
 * What a native library is built for, and the name of its folder in the jar: {@code linux-x86_64},
 * {@code linux-aarch64-musl}, {@code macos-aarch64}. Which of them this JVM needs is told by the C
 * library that it runs on itself, not by the distribution.
 */
final class Platform {
  /** Instead of what is found: the name of a folder. */
  static final String PROPERTY = "pubsub.native.platform";

  private static final String MUSL = "-musl";

  final String folder;
  final String library;

  private final String described;

  private Platform(String folder, String described) {
    this.folder = folder;
    this.described = described;
    this.library = folder.startsWith("macos-") ? "libpubsub_jni.dylib" : "libpubsub_jni.so";
  }

  /** Of this JVM; a system that nobody knows has a name too. */
  static Platform current() {
    String asked = System.getProperty(PROPERTY);
    return asked != null
        ? named(asked)
        : of(
            System.getProperty("os.name", ""),
            System.getProperty("os.arch", ""),
            usesMusl(Paths.get("/proc/self/maps"), Paths.get("/lib")));
  }

  static Platform named(String folder) {
    return new Platform(folder, folder);
  }

  static Platform of(String osName, String osArch, boolean musl) {
    String os = osName.toLowerCase(Locale.ROOT).replace(" ", "");
    boolean linux = os.equals("linux");
    if (os.startsWith("macos")) {
      os = "macos";
    }
    String arch = osArch.toLowerCase(Locale.ROOT);
    if (arch.equals("amd64") || arch.equals("x86-64")) {
      arch = "x86_64";
    } else if (arch.equals("arm64")) {
      arch = "aarch64";
    }
    String libc = !linux ? "" : musl ? ", musl" : ", glibc";
    return new Platform(
        os + "-" + arch + (linux && musl ? MUSL : ""), osName + " on " + osArch + libc);
  }

  /** As the system calls itself, and as it is called here. */
  String described() {
    return described.equals(folder) ? folder : described + " (" + folder + ")";
  }

  /** Where the resource of this platform is. */
  String resource() {
    return "/native/" + folder + "/" + library;
  }

  /**
   * Whether the JVM is linked to musl. Its maps name the loader it runs on; where they cannot be
   * read, a system that has musl's loader and not the other one.
   */
  static boolean usesMusl(Path maps, Path lib) {
    try {
      String text = new String(Files.readAllBytes(maps), StandardCharsets.UTF_8);
      return text.contains("/ld-musl-") || text.contains("/libc.musl-");
    } catch (IOException e) {
      return hasLoader(lib, "ld-musl-*") && !hasLoader(lib, "ld-linux*");
    }
  }

  private static boolean hasLoader(Path lib, String pattern) {
    try (DirectoryStream<Path> found = Files.newDirectoryStream(lib, pattern)) {
      return found.iterator().hasNext();
    } catch (IOException e) {
      return false;
    }
  }
}
