package io.sparkpubsub.read;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.IOUtils;

/**
 * Which subscription a checkpoint belongs to: the file `subscription` in the source's folder of it
 * (CHECKPOINT/sources/INDEX), one line. Driver only.
 */
final class CheckpointSubscription {
  private static final int LONGEST = 2048;

  private CheckpointSubscription() {}

  /**
   * Notes the name, unless another stands there and shall stay.
   *
   * @return the name that stood there; null: none
   */
  static String put(String sourceFolder, String name, boolean keep, Configuration conf)
      throws IOException {
    Path file = new Path(sourceFolder, "subscription");
    FileSystem fs = file.getFileSystem(conf);
    String before = fs.exists(file) ? read(fs, file) : null;
    if (before == null || !(keep || before.equals(name))) {
      try (OutputStream out = fs.create(file, true)) {
        out.write((name + "\n").getBytes(StandardCharsets.UTF_8));
      }
    }
    return before;
  }

  private static String read(FileSystem fs, Path file) throws IOException {
    byte[] bytes = new byte[(int) Math.min(LONGEST, fs.getFileStatus(file).getLen())];
    try (InputStream in = fs.open(file)) {
      IOUtils.readFully(in, bytes, 0, bytes.length);
    }
    String text = new String(bytes, StandardCharsets.UTF_8).trim();
    return text.isEmpty() ? null : text;
  }
}
