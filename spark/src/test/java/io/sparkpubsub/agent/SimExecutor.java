package io.sparkpubsub.agent;

import io.sparkpubsub.ledger.LedgerMessages;
import io.sparkpubsub.ledger.LedgerMessages.Report;
import io.sparkpubsub.ledger.LedgerMessages.Verdict;
import io.sparkpubsub.natives.ReaderMetric;
import java.util.ArrayList;
import java.util.List;

/**
 * A model of an executor's process: it may be stopped for a while or killed, and carries the
 * messages of its agent as Agent does.
 */
final class SimExecutor {
  private static final long ASK_TIMEOUT_MS = 8000;
  private static final long LAST_ASK_TIMEOUT_MS = 2000;

  final SimWorld world;
  final String id;
  private final SimClock clock;
  private final List<Runnable> heldUp = new ArrayList<>();
  private boolean dead;
  private boolean paused;
  private boolean leaving;
  private long cutOffUntilMs;
  private long goesOnSinceMs;
  private long heardMs;
  private String run; // of the agent
  private SimReader reader; // null: there is no agent
  private AgentLogic logic;

  SimExecutor(SimWorld world, SimClock clock, String id) {
    this.world = world;
    this.clock = clock;
    this.id = id;
  }

  boolean isDead() {
    return dead;
  }

  boolean isPaused() {
    return paused;
  }

  SimReader reader() {
    return dead ? null : reader;
  }

  /** True: not now; what is due comes when the process goes on, and never if it does not. */
  boolean holdsUp(Runnable what) {
    if (paused && !dead) {
      heldUp.add(what);
    }
    return paused || dead;
  }

  void pause(long ms) {
    if (paused || dead) {
      return;
    }
    clock.say("executor %s pauses for %d ms", id, ms);
    paused = true;
    clock.after(
        ms,
        () -> {
          paused = false;
          goesOnSinceMs = clock.nowMs();
          clock.say("executor %s goes on", id);
          List<Runnable> due = new ArrayList<>(heldUp);
          heldUp.clear();
          due.forEach(Runnable::run);
        });
  }

  /** Nothing reaches it, and nothing that it sends arrives. */
  void cutOff(long ms) {
    clock.say("executor %s is cut off for %d ms", id, ms);
    cutOffUntilMs = clock.nowMs() + ms;
  }

  boolean isCutOff() {
    return clock.nowMs() < cutOffUntilMs;
  }

  /** It runs, and has had no answer to a report for so long. */
  boolean isSilentFor(long ms) {
    return !dead && !paused && clock.nowMs() - Math.max(heardMs, goesOnSinceMs) > ms;
  }

  void kill() {
    clock.say("executor %s is killed", id);
    dead = true;
  }

  /** As when a process is told to go: the shutdown hook runs, then it is gone. */
  void leave() {
    if (leaving || holdsUp(this::leave)) {
      return;
    }
    leaving = true;
    clock.say("executor %s leaves", id);
    if (logic == null) {
      clock.soon(10, 100, this::kill);
      return;
    }
    AgentLogic mine = logic;
    world.ask(
        this,
        LAST_ASK_TIMEOUT_MS,
        driver -> driver.leave(run, id),
        orders -> mine.obey(orders == null ? new long[0] : orders),
        () -> {
          close(mine, reader);
          clock.soon(3000, 6000, this::kill);
        });
  }

  // ---- its agent ----

  /** What the task of a start does; `ended` when it is over. */
  void start(String newRun, Runnable ended) {
    if (dead || leaving) {
      ended.run();
      return;
    }
    if (holdsUp(() -> start(newRun, ended))) {
      return;
    }
    if (logic != null && newRun.equals(run)) {
      ended.run();
      return;
    }
    if (world.startFails()) {
      world.ask(
          this, ASK_TIMEOUT_MS, driver -> driver.startFailed(newRun, id), answer -> {}, ended);
      return;
    }
    register(newRun, ended);
  }

  private void register(String newRun, Runnable ended) {
    SimReader opened = new SimReader(clock, world.service, this);
    long incarnation = world.nextIncarnation();
    AgentLogic made = new AgentLogic(newRun, id, incarnation, opened, clock.nowMs());
    SimReader before = reader;
    if (before != null) {
      before.close(); // of another run, whose agent ends as well
    }
    run = newRun;
    reader = opened;
    logic = made;
    Verdict[] verdict = {Verdict.OVER};
    world.ask(
        this,
        ASK_TIMEOUT_MS,
        driver -> driver.register(newRun, id, incarnation, made),
        answer -> verdict[0] = answer == null ? Verdict.OVER : answer,
        () -> {
          if (verdict[0] == Verdict.WORK) {
            clock.say("agent %s#%d works", id, incarnation);
            heardMs = clock.nowMs();
            step(made, opened);
          } else {
            clock.say("agent %s#%d is undone", id, incarnation);
            forget(made);
            opened.close();
          }
          ended.run();
        });
  }

  private void forget(AgentLogic mine) {
    if (logic == mine) {
      logic = null;
    }
  }

  private void step(AgentLogic mine, SimReader its) {
    if (its.isClosed() || dead || holdsUp(() -> step(mine, its))) {
      return;
    }
    Report report = mine.report(clock.nowMs());
    if (report == null) {
      end(mine, its);
      return;
    }
    boolean[] answered = {false};
    long askedMs = clock.nowMs();
    world.ask(
        this,
        ASK_TIMEOUT_MS,
        driver -> driver.report(report),
        answer -> {
          answered[0] = true;
          heardMs = Math.max(heardMs, askedMs);
          if (answer == null) {
            mine.abandoned();
          } else if (!leaving) {
            mine.answered(report.number, answer);
          }
        },
        () -> {
          if (mine.state() == AgentLogic.State.WORKING) {
            clock.soon(
                answered[0] ? mine.paceMs() : 200, answered[0] ? 500 : 400, () -> step(mine, its));
          } else {
            end(mine, its);
          }
        });
  }

  private void end(AgentLogic mine, SimReader its) {
    boolean again = mine.state() == AgentLogic.State.AGAIN;
    clock.say("agent %s ends: %s", id, mine.state());
    close(mine, its);
    if (again && !leaving) {
      start(run, () -> {});
    }
  }

  private void close(AgentLogic mine, SimReader its) {
    if (its == null || its.isClosed()) {
      return;
    }
    its.close();
    forget(mine);
    Report last = mine.lastReport(new long[ReaderMetric.LONGS], null);
    world.ask(this, LAST_ASK_TIMEOUT_MS, driver -> driver.report(last), answer -> {}, () -> {});
  }

  /** Orders that the driver tells ahead. */
  void orders(AgentLogic of, long[] orders) {
    if (!dead && !holdsUp(() -> orders(of, orders))) {
      of.obey(orders);
    }
  }

  /** What {@link LedgerMessages} turns away when the run has ended. */
  static LedgerMessages.Answer over() {
    return new LedgerMessages.Answer(Verdict.OVER, new long[0], 5, 0);
  }
}
