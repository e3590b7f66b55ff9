package io.sparkpubsub.natives;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * How the native library gets into a JVM and out of it, each in a JVM of its own under -Xcheck:jni.
 */
class NativeLibraryTest {
  @TempDir Path folder;

  /** What the program says, on both of its streams. */
  private String run(String program, Path tempDir, int expectedExit, String... prefix)
      throws IOException, InterruptedException {
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    List<String> command = new ArrayList<>(Arrays.asList(prefix));
    command.add(Paths.get(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        Arrays.asList(
            "-Xmx256m",
            "-Xcheck:jni",
            "-D" + NativeLoader.TEMP_DIR_PROPERTY + "=" + tempDir,
            "-cp",
            classPath));
    command.addAll(Arrays.asList(NativeLibraryProgram.class.getName(), program));
    File output = folder.resolve(program + ".out").toFile();
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output).start();
    assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
    String said = new String(Files.readAllBytes(output.toPath()), StandardCharsets.UTF_8);
    assertThat(process.exitValue()).as(said).isEqualTo(expectedExit);
    assertThat(said).doesNotContain("WARNING").doesNotContain("FATAL ERROR");
    return said;
  }

  private Path libraries() throws IOException {
    return Files.createDirectory(folder.resolve("libraries"));
  }

  @Test
  void manyThreadsLoadItOnceAndNoFileIsLeft() throws Exception {
    Path libraries = libraries();
    assertThat(run("threads", libraries, 0)).contains("mapped 1\n").contains("done");
    assertThat(libraries).isEmptyDirectory();
  }

  @Test
  void eachSessionsClassLoaderHasACopyAndCanGo() throws Exception {
    Path libraries = libraries();
    assertThat(run("loaders", libraries, 0))
        .contains("mapped by sessions " + (NativeLibraryProgram.SESSIONS + 1))
        .contains("sessions left 0")
        .contains("done");
    assertThat(libraries).isEmptyDirectory();
  }

  /** Every native with good handles, and with closed ones, which throw. */
  @Test
  void checkedJniHasNothingToSay() throws Exception {
    assertThat(run("uses", libraries(), 0))
        .contains("connect\n")
        .contains("allocations left 0")
        .contains("done");
  }

  @Test
  void aFolderThatCannotBeWrittenIsNamedWithTheOptionThatMovesIt() throws Exception {
    assertThat(run("load", Paths.get("/proc"), 1))
        .contains("spark-pubsub cannot write its native library to /proc")
        .contains("-D" + NativeLoader.TEMP_DIR_PROPERTY + "=FOLDER");
    assertThat(run("load", folder.resolve("nosuch"), 1))
        .contains(folder.resolve("nosuch").toString())
        .contains("cannot write");
  }

  /** A folder that is missing, full or read-only for a while costs that while, not the process. */
  @Test
  void aLoadThatFailedIsTriedAgain() throws Exception {
    assertThat(run("again", folder.resolve("later"), 0))
        .contains("refused\nrefused\nrefused\n")
        .contains("done");
  }

  /** In a mount namespace of its own, with a folder that is mounted so. */
  @Test
  void aFolderWithoutExecutionIsNamedWithTheOptionThatMovesIt() throws Exception {
    Path libraries = libraries();
    String[] mounted = {
      "unshare",
      "-rm",
      "sh",
      "-c",
      "mount -t tmpfs -o noexec tmpfs \"$0\" && exec \"$@\"",
      libraries.toString()
    };
    assumeTrue(works(mounted), "folders cannot be mounted here");
    assertThat(run("load", libraries, 1, mounted))
        .contains("if " + libraries + " is mounted noexec")
        .contains("-D" + NativeLoader.TEMP_DIR_PROPERTY + "=FOLDER");
  }

  private static boolean works(String... prefix) throws InterruptedException {
    List<String> command = new ArrayList<>(Arrays.asList(prefix));
    command.add("true");
    try {
      return new ProcessBuilder(command).start().waitFor() == 0;
    } catch (IOException e) {
      return false; // there is no such program
    }
  }
}
