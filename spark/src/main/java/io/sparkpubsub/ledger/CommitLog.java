package io.sparkpubsub.ledger;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * What Spark's checkpoint says was committed. A source's own folder is CHECKPOINT/sources/INDEX; beside it lie commits/ID and
 * offsets/ID, the latter with a line per source.
 */
public final class CommitLog {
  private static final int LINES_BEFORE_OFFSETS = 2; // version, metadata

  private CommitLog() {}

  /** Whether a query with this checkpoint has ever begun a batch. */
  public static boolean hasBatches(String sourceFolder, Configuration conf) throws IOException {
    Path offsets = new Path(new Path(sourceFolder).getParent().getParent(), "offsets");
    FileSystem fs = offsets.getFileSystem(conf);
    return fs.exists(offsets) && fs.listStatus(offsets).length > 0;
  }

  /** The end of the last committed batch; null: none, or it cannot be told. */
  public static PubSubOffset lastCommitted(String sourceFolder, Configuration conf) throws IOException {
    Path source = new Path(sourceFolder);
    Path checkpoint = source.getParent().getParent();
    FileSystem fs = checkpoint.getFileSystem(conf);
    Path commits = new Path(checkpoint, "commits");
    if (!fs.exists(commits)) {
      return null;
    }
    long last = -1;
    for (FileStatus file : fs.listStatus(commits)) {
      if (file.getPath().getName().matches("\\d{1,18}")) {
        last = Math.max(last, Long.parseLong(file.getPath().getName()));
      }
    }
    Path offsets = new Path(checkpoint, "offsets/" + last);
    if (last < 0 || !fs.exists(offsets)) {
      return null;
    }
    String[] lines;
    try (BufferedReader in =
        new BufferedReader(new InputStreamReader(fs.open(offsets), StandardCharsets.UTF_8))) {
      lines = in.lines().toArray(String[]::new);
    }
    int line = LINES_BEFORE_OFFSETS + Integer.parseInt(source.getName());
    return line < lines.length && lines[line].startsWith("{") ? PubSubOffset.parse(lines[line]) : null;
  }
}
