package io.sparkpubsub.read;

import io.sparkpubsub.ledger.CommitLog;
import java.io.IOException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Spark's file sink keeps a list of the batches that it has written, by their ids, and skips those
 * that it knows. With a checkpoint that was restored, or is a second one for the same folder, it
 * would skip new batches, which are acknowledged all the same.
 */
final class FileSinkCheck {
  private static final Pattern SINK = Pattern.compile("FileSink\\[(.*)\\]");
  private static final Pattern BATCH = Pattern.compile("(\\d{1,18})(\\.compact)?");

  private FileSinkCheck() {}

  /** What there is to say about a sink, by its description; null: nothing. */
  static String warning(String sink, String sourceFolder, Configuration conf) throws IOException {
    Matcher matcher = SINK.matcher(sink);
    if (!matcher.matches()) {
      return null;
    }
    long written = lastWritten(new Path(matcher.group(1)), conf);
    long begun = CommitLog.lastBegun(sourceFolder, conf);
    if (written <= begun) {
      return null;
    }
    return "the folder '"
        + matcher.group(1)
        + "' has batches up to "
        + written
        + ", but this checkpoint goes on with batch "
        + (begun + 1)
        + ": Spark's file sink skips them up to there, and their messages are acknowledged without"
        + " being written. Use the checkpoint that belongs to the folder, or another folder";
  }

  private static long lastWritten(Path folder, Configuration conf) throws IOException {
    Path list = new Path(folder, "_spark_metadata");
    FileSystem fs = list.getFileSystem(conf);
    long last = -1;
    if (fs.exists(list)) {
      for (FileStatus file : fs.listStatus(list)) {
        Matcher matcher = BATCH.matcher(file.getPath().getName());
        last = matcher.matches() ? Math.max(last, Long.parseLong(matcher.group(1))) : last;
      }
    }
    return last;
  }
}
