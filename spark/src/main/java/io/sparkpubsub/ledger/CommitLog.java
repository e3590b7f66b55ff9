package io.sparkpubsub.ledger;

import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Which batches Spark's checkpoint says were begun and committed: files by the ids of batches,
 * offsets/ID and commits/ID, two levels above a source's own folder. What is in them depends on
 * Spark's version and is not read.
 */
public final class CommitLog {
  private CommitLog() {}

  /** Whether a query with this checkpoint has ever begun a batch. */
  public static boolean hasBatches(String sourceFolder, Configuration conf) throws IOException {
    return lastBegun(sourceFolder, conf) >= 0;
  }

  /** Spark's id of the last batch that was begun; -1: none. */
  public static long lastBegun(String sourceFolder, Configuration conf) throws IOException {
    return last(sourceFolder, "offsets", conf);
  }

  /** Spark's id of the last batch that is committed; -1: none. */
  public static long lastCommitted(String sourceFolder, Configuration conf) throws IOException {
    return last(sourceFolder, "commits", conf);
  }

  private static long last(String sourceFolder, String log, Configuration conf) throws IOException {
    Path folder = new Path(new Path(sourceFolder).getParent().getParent(), log);
    FileSystem fs = folder.getFileSystem(conf);
    long last = -1;
    if (fs.exists(folder)) {
      for (FileStatus file : fs.listStatus(folder)) {
        String name = file.getPath().getName();
        last = name.matches("\\d{1,18}") ? Math.max(last, Long.parseLong(name)) : last;
      }
    }
    return last;
  }
}
