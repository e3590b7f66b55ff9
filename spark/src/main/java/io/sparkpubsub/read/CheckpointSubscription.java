package io.sparkpubsub.read;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.IOUtils;

/**
 * Which subscription a checkpoint belongs to: the file `subscription` in the source's folder of it
 * (CHECKPOINT/sources/INDEX), one line for each. Driver only.
 */
final class CheckpointSubscription {
  private static final int LONGEST = 65536;

  private CheckpointSubscription() {}

  /**
   * Notes the names, unless others stand there and shall stay.
   *
   * @return the names that stood there; empty: none
   */
  static Set<String> put(String sourceFolder, Set<String> names, boolean keep, Configuration conf)
      throws IOException {
    Path file = new Path(sourceFolder, "subscription");
    FileSystem fs = file.getFileSystem(conf);
    Set<String> before = fs.exists(file) ? read(fs, file) : new TreeSet<>();
    if (before.isEmpty() || !(keep || before.equals(names))) {
      try (OutputStream out = fs.create(file, true)) {
        out.write((String.join("\n", names) + "\n").getBytes(StandardCharsets.UTF_8));
      }
    }
    return before;
  }

  private static Set<String> read(FileSystem fs, Path file) throws IOException {
    byte[] bytes = new byte[(int) Math.min(LONGEST, fs.getFileStatus(file).getLen())];
    try (InputStream in = fs.open(file)) {
      IOUtils.readFully(in, bytes, 0, bytes.length);
    }
    String text = new String(bytes, StandardCharsets.UTF_8).trim();
    return new TreeSet<>(Arrays.asList(text.isEmpty() ? new String[0] : text.split("\\s+")));
  }
}
