package io.sparkpubsub.natives;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.Collections;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlatformTest {
  @TempDir Path folder;

  private static String folderOf(String os, String arch, boolean musl) {
    return Platform.of(os, arch, musl).folder;
  }

  @Test
  void aPlatformIsItsSystemItsMachineAndItsCLibrary() {
    assertThat(folderOf("Linux", "amd64", false)).isEqualTo("linux-x86_64");
    assertThat(folderOf("Linux", "x86_64", true)).isEqualTo("linux-x86_64-musl");
    assertThat(folderOf("Linux", "aarch64", false)).isEqualTo("linux-aarch64");
    assertThat(folderOf("Linux", "aarch64", true)).isEqualTo("linux-aarch64-musl");
    assertThat(folderOf("Mac OS X", "x86_64", false)).isEqualTo("macos-x86_64");
    assertThat(folderOf("Mac OS X", "aarch64", false)).isEqualTo("macos-aarch64");
    assertThat(folderOf("Windows 11", "amd64", false)).isEqualTo("windows11-x86_64");
    assertThat(folderOf("Linux", "riscv64", false)).isEqualTo("linux-riscv64");
    assertThat(Platform.of("Mac OS X", "aarch64", false).resource())
        .isEqualTo("/native/macos-aarch64/libpubsub_jni.dylib");
  }

  @Test
  void muslIsWhatTheJvmRunsOn() throws IOException {
    Path maps = folder.resolve("maps");
    String start = "7f00-7f01 r-xp 00000000 fe:01 42    ";
    Files.write(maps, Collections.singleton(start + "/lib/ld-musl-x86_64.so.1"));
    assertThat(Platform.usesMusl(maps, folder)).isTrue();
    Files.write(maps, Collections.singleton(start + "/usr/lib/x86_64-linux-gnu/libc.so.6"));
    assertThat(Platform.usesMusl(maps, folder)).isFalse();
  }

  @Test
  void withoutMapsTheLoadersOfTheSystemTell() throws IOException {
    Path noMaps = folder.resolve("none");
    Path lib = Files.createDirectory(folder.resolve("lib"));
    assertThat(Platform.usesMusl(noMaps, lib)).isFalse();
    Files.createFile(lib.resolve("ld-musl-aarch64.so.1"));
    assertThat(Platform.usesMusl(noMaps, lib)).isTrue();
    Files.createFile(lib.resolve("ld-linux-aarch64.so.1"));
    assertThat(Platform.usesMusl(noMaps, lib)).isFalse();
  }

  @Test
  void whatIsMissingIsNamedWithWhatIsThere() {
    Platform platform = Platform.of("Linux", "riscv64", false);
    assertThat(NativeLoader.missing(platform, Arrays.asList("linux-x86_64", "linux-aarch64")))
        .contains("no native library for Linux on riscv64, glibc (linux-riscv64)")
        .contains("in this jar, which has linux-x86_64, linux-aarch64")
        .contains("make build");
    assertThat(NativeLoader.missing(platform, Collections.emptyList())).contains("which has none");
  }

  @Test
  void whatTheSystemRefusesIsToldByItsReason() {
    Platform platform = Platform.of("Linux", "amd64", false);
    Path tmp = Paths.get("/somewhere");
    assertThat(
            NativeLoader.refused(platform, "/lib64/libc.so.6: version `GLIBC_2.34' not found", tmp))
        .contains("GLIBC_2.34")
        .contains("needs glibc 2.17")
        .doesNotContain("noexec");
    assertThat(
            NativeLoader.refused(platform, "x.so: failed to map segment from shared object", tmp))
        .contains("if /somewhere is mounted noexec")
        .contains("-D" + NativeLoader.TEMP_DIR_PROPERTY + "=FOLDER");
    assertThat(
            NativeLoader.refused(platform, "x.so: cannot open shared object file: wrong ELF", tmp))
        .contains("-D" + Platform.PROPERTY + "=NAME")
        .doesNotContain("noexec");
  }
}
