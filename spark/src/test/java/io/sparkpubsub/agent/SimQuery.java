package io.sparkpubsub.agent;

import io.sparkpubsub.ledger.PubSubOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A model of a query, as Spark's contract allows it: offsets are logged before a batch runs, tasks
 * are repeated, a batch has several actions, a commit is told late, and the driver may die at every
 * step. What is in the checkpoint and in the sink survives it.
 */
final class SimQuery {
  private final SimWorld world;
  private final SimClock clock;
  // The checkpoint
  private PubSubOffset committed = PubSubOffset.NOTHING;
  private PubSubOffset planned; // the batch that is logged and not committed; null: none
  // The sink
  final Map<Integer, Integer> output = new TreeMap<>(); // message -> how often
  private SimDriver driver;
  private String run;
  private boolean stopping;
  int batches;

  SimQuery(SimWorld world, SimClock clock) {
    this.world = world;
    this.clock = clock;
  }

  void runOn(SimDriver newDriver) {
    driver = newDriver;
    run = newDriver.run;
    stopping = false;
    String of = run;
    clock.soon(10, 300, () -> plan(of));
  }

  /**
   * Whether a step of this run may go on; else it has ended, or the driver is stopped and it comes
   * later.
   */
  private boolean goesOn(String of, Runnable step) {
    return of.equals(run) && driver.run.equals(of) && driver.isOpen() && !driver.holdsUp(step);
  }

  private void plan(String of) {
    if (!goesOn(of, () -> plan(of)) || stopping) {
      return;
    }
    if (planned != null) { // of before a restart: the same range again
      runBatch(of, planned);
      return;
    }
    driver.committed(committed);
    long maxRows = clock.chance(0.3) ? clock.between(1, 60) : Long.MAX_VALUE;
    PubSubOffset end = driver.ledger.latest(committed, maxRows, Long.MAX_VALUE);
    if (end == committed) {
      clock.soon(20, 400, () -> plan(of));
      return;
    }
    planned = end;
    runBatch(of, end);
  }

  /** One part of a batch: what a task reads. */
  private static final class Part {
    final int slot;
    final long epoch;
    final long from;
    final long to;
    final boolean late;
    List<Integer> rows; // that every complete attempt so far has read
    boolean torn; // something of it was lost on the way: attempts may differ

    Part(int slot, PubSubOffset.Position to, long from, boolean late) {
      this.slot = slot;
      this.epoch = to.epoch;
      this.from = from;
      this.to = to.seq;
      this.late = late;
    }
  }

  private void runBatch(String of, PubSubOffset end) {
    boolean late = clock.chance(0.5);
    List<Part> parts = new ArrayList<>();
    end.positions.forEach(
        (slot, to) -> {
          long from = committed.from(slot, to.epoch);
          if (from < to.seq && driver.ledger.home(slot, to.epoch) != null) {
            parts.add(new Part(slot, to, from, late));
          } else if (from < to.seq) {
            driver.ledger.lostRange(slot, to.epoch, from);
          }
        });
    clock.say("batch %d to %s", batches, end.json());
    int reads =
        parts.isEmpty()
            ? 0
            : (int) clock.between(1, 3); // actions, retries and copies, of every task
    int[] open = {parts.size() * reads};
    Runnable done =
        () -> {
          if (--open[0] == 0) {
            commit(of, end, parts);
          }
        };
    for (int read = 0; read < reads; read++) {
      parts.forEach(part -> clock.soon(5, world.taskMs(), () -> begin(of, part, done)));
    }
    if (open[0] == 0) {
      clock.after(1, () -> commit(of, end, parts));
    }
  }

  private void begin(String of, Part part, Runnable done) {
    if (!goesOn(of, () -> begin(of, part, done))) {
      return;
    }
    long[] range = driver.ledger.range(part.slot, part.epoch, part.from, part.to, part.late);
    if (range == null) {
      part.torn = true;
      read(of, part, 0, 0, new ArrayList<>(), done);
    } else {
      read(of, part, range[0], range[1], new ArrayList<>(), done);
    }
  }

  private void read(String of, Part part, long seq, long end, List<Integer> rows, Runnable done) {
    if (!goesOn(of, () -> read(of, part, seq, end, rows, done))) {
      return;
    }
    if (seq >= end) {
      finish(part, rows, done);
      return;
    }
    String home = driver.ledger.home(part.slot, part.epoch);
    if (home == null) {
      part.torn = true;
      driver.ledger.lostRange(part.slot, part.epoch, seq);
      finish(part, rows, done);
      return;
    }
    SimExecutor executor = world.executor(home);
    boolean there = executor != null && !executor.isPaused() && executor.reader() != null;
    List<Integer> chunk = there ? executor.reader().read(part.epoch, seq) : null;
    boolean gone = driver.ledger.isSettled(part.slot, part.epoch, seq);
    if (chunk == null && !gone) {
      clock.after(200, () -> read(of, part, seq, end, rows, done)); // its home may be back
      return;
    }
    if (chunk != null) {
      rows.addAll(chunk);
    } else {
      part.torn = true;
    }
    clock.soon(0, 20, () -> read(of, part, seq + 1, end, rows, done));
  }

  private void finish(Part part, List<Integer> rows, Runnable done) {
    if (part.rows != null && !part.rows.equals(rows) && !part.torn && !world.hasLeasesGivenUp()) {
      throw new AssertionError("a range read " + part.rows + " and then " + rows);
    }
    if (part.rows == null) {
      part.rows = rows;
    } else {
      part.rows.retainAll(rows); // what every action has seen
    }
    done.run();
  }

  private void commit(String of, PubSubOffset end, List<Part> parts) {
    if (!goesOn(of, () -> commit(of, end, parts))) {
      return;
    }
    for (Part part : parts) {
      part.rows.forEach(message -> output.merge(message, 1, Integer::sum));
    }
    batches++;
    clock.soon(
        1,
        200,
        () -> { // the sink has it, the commit log not yet
          if (of.equals(run) && !driver.isDead()) {
            committed = end;
            planned = null;
            clock.say("committed %s", end.json());
            clock.soon(1, world.betweenBatchesMs(), () -> plan(of));
          }
        });
  }

  /** As a stream's stop: what is committed is settled first. */
  void stop(Runnable stopped) {
    if (stopping || !driver.isOpen() || driver.holdsUp(() -> stop(stopped))) {
      return;
    }
    stopping = true;
    String of = run;
    driver.committed(committed);
    awaitSettled(of, clock.nowMs() + 10_000, stopped);
  }

  private void awaitSettled(String of, long untilMs, Runnable stopped) {
    if (!goesOn(of, () -> awaitSettled(of, untilMs, stopped))) {
      return;
    }
    if (!driver.ledger.allSettled() && clock.nowMs() < untilMs) {
      clock.after(50, () -> awaitSettled(of, untilMs, stopped));
    } else {
      run = "none";
      driver.end(stopped);
    }
  }

  Set<Integer> missing(int published) {
    Set<Integer> out = new TreeSet<>();
    for (int message = 0; message < published; message++) {
      if (!output.containsKey(message)) {
        out.add(message);
      }
    }
    return out;
  }

  Map<Integer, Integer> repeated() {
    Map<Integer, Integer> out = new HashMap<>(output);
    out.values().removeIf(times -> times == 1);
    return out;
  }
}
