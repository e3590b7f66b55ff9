package io.sparkpubsub.agent;

import io.sparkpubsub.ledger.Ledger;
import io.sparkpubsub.ledger.LedgerMessages.Answer;
import io.sparkpubsub.ledger.LedgerMessages.Report;
import io.sparkpubsub.ledger.LedgerMessages.Verdict;
import io.sparkpubsub.ledger.PubSubOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A model of the driver's process: the real ledger of the query that runs, and what AgentStarter
 * and LedgerEndpoint do around it.
 */
final class SimDriver {
  private static final long LOOK_EVERY_MS = 500;

  final SimWorld world;
  private final SimClock clock;
  private final List<Runnable> inbox = new ArrayList<>();
  private final Set<String> known = new HashSet<>(); // executors, as Spark has told
  private final Map<String, AgentLogic> agents = new HashMap<>();
  private boolean dead;
  private boolean paused;
  private boolean open; // the run is behind the door
  String run;
  Ledger ledger; // of the run
  private int slots;

  SimDriver(SimWorld world, SimClock clock) {
    this.world = world;
    this.clock = clock;
  }

  boolean isDead() {
    return dead;
  }

  void kill() {
    clock.say("the driver is killed");
    dead = true;
    open = false;
  }

  boolean holdsUp(Runnable what) {
    if (paused && !dead) {
      inbox.add(what);
    }
    return paused || dead;
  }

  void pause(long ms) {
    if (paused || dead) {
      return;
    }
    clock.say("the driver pauses for %d ms", ms);
    paused = true;
    clock.after(
        ms,
        () -> {
          paused = false;
          clock.say("the driver goes on");
          List<Runnable> due = new ArrayList<>(inbox);
          inbox.clear();
          due.forEach(Runnable::run);
        });
  }

  // ---- a run ----

  void begin(String newRun, int slotCount, long firstEpoch) {
    clock.say("run %s begins with %d slots", newRun, slotCount);
    run = newRun;
    slots = slotCount;
    ledger = new Ledger(slotCount, firstEpoch, 0);
    agents.clear();
    open = true;
    look(newRun);
  }

  boolean isOpen() {
    return open && !dead;
  }

  /**
   * As LedgerEndpoint.stop: agents are told that it is over; the door closes when they have ended,
   * or were waited for.
   */
  void end(Runnable ended) {
    clock.say("run %s ends", run);
    ledger.stop();
    awaitAgents(clock.nowMs() + 10_000, run, ended);
  }

  private void awaitAgents(long untilMs, String of, Runnable ended) {
    if (dead || !of.equals(run) || holdsUp(() -> awaitAgents(untilMs, of, ended))) {
      return;
    }
    boolean left = agents.keySet().stream().anyMatch(ledger::hasAgent);
    if (left && clock.nowMs() < untilMs) {
      clock.after(100, () -> awaitAgents(untilMs, of, ended));
    } else {
      open = false;
      ended.run();
    }
  }

  void resize(int count) {
    clock.say("%d slots", count);
    slots = count;
  }

  private void look(String of) {
    if (!isOpen() || !of.equals(run) || holdsUp(() -> look(of))) {
      return;
    }
    Map<String, String> present = new LinkedHashMap<>();
    known.stream().sorted().forEach(id -> present.put(id, "host"));
    ledger.executors(clock.nowMs(), present);
    ledger.resize(slots);
    ledger.tick(clock.nowMs());
    for (String id : ledger.start(clock.nowMs()).keySet()) {
      SimExecutor executor = world.executor(id);
      Runnable ended = () -> startEnded(of, id);
      if (executor == null || executor.isDead() || world.isFaulty() && clock.chance(0.1)) {
        clock.soon(50, 5000, ended); // its task has run elsewhere
      } else {
        clock.soon(20, 1000, () -> executor.start(of, ended));
      }
    }
    clock.after(LOOK_EVERY_MS, () -> look(of));
  }

  private void startEnded(String of, String id) {
    if (of.equals(run) && !holdsUp(() -> startEnded(of, id)) && isOpen()) {
      ledger.startEnded(clock.nowMs(), id, null);
    }
  }

  void executorAdded(String id) {
    known.add(id);
  }

  void executorRemoved(String id) {
    known.remove(id);
  }

  void decommission(String id) {
    if (isOpen()) {
      clock.say("executor %s is decommissioned", id);
      tell(id, ledger.leave(clock.nowMs(), id));
    }
  }

  /** Spark has committed everything below this offset. */
  void committed(PubSubOffset offset) {
    if (isOpen() && ledger.committed(offset)) {
      new ArrayList<>(agents.keySet())
          .stream().sorted().forEach(id -> tell(id, ledger.settleOrders(id)));
    }
  }

  private void tell(String id, long[] orders) {
    SimExecutor executor = world.executor(id);
    AgentLogic agent = agents.get(id);
    if (executor != null && agent != null && orders.length > 0) {
      world.tell(executor, () -> executor.orders(agent, orders));
    }
  }

  // ---- the door ----

  private boolean isHere(String of) {
    return open && of.equals(run);
  }

  Verdict register(String of, String id, long incarnation, AgentLogic agent) {
    if (!isHere(of)) {
      return Verdict.OVER;
    }
    Verdict verdict = ledger.register(clock.nowMs(), id, incarnation);
    if (verdict == Verdict.WORK) {
      agents.put(id, agent);
    }
    return verdict;
  }

  Answer report(Report report) {
    return isHere(report.run) ? ledger.report(clock.nowMs(), report) : SimExecutor.over();
  }

  long[] leave(String of, String id) {
    return isHere(of) ? ledger.leave(clock.nowMs(), id) : new long[0];
  }

  Object startFailed(String of, String id) {
    if (isHere(of)) {
      ledger.startEnded(clock.nowMs(), id, "cannot start");
    }
    return this;
  }
}
