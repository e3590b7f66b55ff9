package io.sparkpubsub.agent;

import io.sparkpubsub.natives.ChunkSize;
import io.sparkpubsub.natives.ChunkView;
import io.sparkpubsub.natives.ReaderMetric;
import java.util.concurrent.ConcurrentHashMap;

/** The agents of this process, one a run: what tasks that read ask of them. */
public final class Agents {
  private static final ConcurrentHashMap<String, Agent> AGENTS = new ConcurrentHashMap<>();

  private Agents() {}

  /** Null: the run has none here. */
  static Agent of(String run) {
    return AGENTS.get(run);
  }

  static void add(String run, Agent agent) {
    AGENTS.put(run, agent);
  }

  static void remove(String run, Agent agent) {
    AGENTS.remove(run, agent);
  }

  /** A chunk this process holds, with its view; 0: it is held elsewhere, or gone. */
  public static long chunk(String run, int slot, long epoch, long seq, ChunkView view) {
    Agent agent = of(run);
    return agent == null ? 0 : agent.chunk(slot, epoch, seq, view);
  }

  /** A level that the reader of this process shows now; 0: there is none. */
  public static long level(String run, ReaderMetric metric) {
    Agent agent = of(run);
    return agent == null ? 0 : agent.level(metric);
  }

  /** Rows of the chunks that this process holds from a seq on. */
  public static long rowsFrom(String run, int slot, long epoch, long seq) {
    Agent agent = of(run);
    long[] sizes = new long[ChunkSize.LONGS * 512];
    long rows = 0;
    int count;
    do {
      count = agent == null ? 0 : agent.chunkSizes(slot, epoch, seq, sizes);
      seq += count;
      for (int i = 0; i < count; i++) {
        rows += ChunkSize.at(sizes, i).rows;
      }
    } while (count * ChunkSize.LONGS == sizes.length);
    return rows;
  }
}
