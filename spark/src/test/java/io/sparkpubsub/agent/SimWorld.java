package io.sparkpubsub.agent;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Everything around the ledger and the agents, by the seed: a cluster whose executors come, go,
 * pause, are cut off and killed, a network that loses, repeats, delays and reorders, a driver that
 * pauses and is killed, starts that fail, a query that stops and starts again. After a while the
 * faults end. Checked at every step: nothing is acknowledged that no batch has committed, a range
 * reads the same rows, an epoch has one home, a reader holds no more than its budget, an agent that
 * hears nothing holds nothing. At the end: everything is output and acknowledged, and without
 * faults nothing came twice.
 */
final class SimWorld {
  private static final long FAULTS_MS = 150_000;

  /** Two deadlines of the service, an agent's silence, and a start. */
  private static final long CALM_MS = 2 * SimService.DEADLINE_MS + 60_000;

  /** An agent's lease, one more question, and the time that giving back takes. */
  private static final long ORPHAN_MS = AgentLogic.LEASE_MS + 15_000;

  private final SimClock clock;
  final SimService service;
  private final SimQuery query;
  private final Map<String, SimExecutor> executors = new LinkedHashMap<>();
  private final Map<Long, SimReader> homes =
      new HashMap<>(); // epoch -> the only reader that opens it
  private final boolean
      faults; // else only what is no fault: executors join, slots are more or fewer
  private SimDriver driver;
  private boolean faulty;
  private boolean givenUp; // some leases
  private double lossRate;
  private int nextExecutor;
  private int runs;
  private long incarnations;
  private long nextEpoch = 1000;

  SimWorld(long seed, boolean traced) {
    this.clock = new SimClock(seed, traced);
    this.service = new SimService(clock);
    this.query = new SimQuery(this, clock);
    this.faults = seed % 4 != 0;
  }

  List<String> trace() {
    return clock.trace();
  }

  /** Throws what does not hold. */
  void run() {
    faulty = faults;
    lossRate = faults && clock.chance(0.7) ? clock.between(0, 30) / 100.0 : 0;
    driver = new SimDriver(this, clock);
    for (long i = clock.between(1, 3); i > 0; i--) {
      join();
    }
    newRun();
    clock.after(1, this::publish);
    clock.after(1, this::happening);
    clock.after(1000, this::watchOrphans);
    while (clock.step(FAULTS_MS)) {
      check();
    }
    calmDown();
    while (clock.step(FAULTS_MS + CALM_MS)) {
      check();
    }
    checkEnd();
  }

  // ---- what happens ----

  private void publish() {
    if (clock.nowMs() < FAULTS_MS) {
      service.publish((int) clock.between(1, 12));
      clock.soon(100, 1500, this::publish);
    }
  }

  private void happening() {
    if (clock.nowMs() >= FAULTS_MS) {
      return;
    }
    if (faults) {
      fault();
    } else if (clock.chance(0.3)) {
      join();
    } else {
      driver.resize((int) clock.between(1, 6));
    }
    clock.soon(500, faults ? 12_000 : 25_000, this::happening);
  }

  private void fault() {
    SimExecutor some = any();
    switch (clock.below(13)) {
      case 0:
        join();
        break;
      case 1:
        some.kill();
        removeSoon(some);
        break;
      case 2:
        some.leave();
        removeSoonAfterIts(some);
        break;
      case 3:
        driver.decommission(some.id);
        clock.soon(
            100,
            3000,
            () -> {
              some.leave();
              removeSoonAfterIts(some);
            });
        break;
      case 4:
        some.pause(clock.between(500, 100_000));
        break;
      case 5:
        driver.pause(clock.between(500, 60_000));
        break;
      case 6:
        driver.resize((int) clock.between(1, 6));
        break;
      case 7:
        query.stop(() -> clock.soon(100, 5000, this::newRunIfNone));
        break;
      case 8:
        killDriver();
        break;
      case 9:
        if (some.reader() != null && clock.chance(0.3)) {
          givenUp = true;
          some.reader().giveUpOne();
        }
        break;
      case 10: // Spark takes a living executor for lost, and finds it again
        driver.executorRemoved(some.id);
        clock.soon(1000, 20_000, () -> found(some));
        break;
      case 11:
        some.cutOff(clock.between(1000, 120_000));
        break;
      default:
        lossRate = clock.chance(0.5) ? 0 : clock.between(0, 50) / 100.0;
    }
  }

  private SimExecutor any() {
    List<SimExecutor> living = new ArrayList<>();
    executors.values().stream().filter(executor -> !executor.isDead()).forEach(living::add);
    return living.isEmpty() ? join() : living.get(clock.below(living.size()));
  }

  private SimExecutor join() {
    SimExecutor added = new SimExecutor(this, clock, Integer.toString(++nextExecutor));
    executors.put(added.id, added);
    clock.say("executor %s joins", added.id);
    driver.executorAdded(added.id);
    return added;
  }

  private void removeSoon(SimExecutor executor) {
    SimDriver of = driver;
    clock.soon(50, 20_000, () -> of.executorRemoved(executor.id));
  }

  private void removeSoonAfterIts(SimExecutor executor) {
    SimDriver of = driver;
    clock.after(
        200,
        () -> {
          if (executor.isDead()) {
            of.executorRemoved(executor.id);
          } else {
            removeSoonAfterIts(executor);
          }
        });
  }

  /**
   * Its executors notice, and end sooner or later; another driver begins with others, from the
   * checkpoint.
   */
  private void killDriver() {
    driver.kill();
    List<SimExecutor> orphans = new ArrayList<>(executors.values());
    orphans.forEach(executor -> clock.soon(0, 15_000, () -> orphaned(executor)));
    clock.soon(
        500,
        5000,
        () -> {
          driver = new SimDriver(this, clock);
          join();
          newRun();
        });
  }

  private void orphaned(SimExecutor executor) {
    if (!executor.isDead() && clock.chance(0.5)) {
      executor.leave();
    } else {
      executor.kill();
    }
  }

  private void found(SimExecutor executor) {
    if (!executor.isDead()) {
      driver.executorAdded(executor.id);
    }
  }

  private void newRun() {
    driver.begin("run" + ++runs, (int) clock.between(1, 5), nextEpoch += 1_000_000);
    query.runOn(driver);
  }

  private void newRunIfNone() {
    if (!driver.isOpen() && !driver.isDead()) {
      newRun();
    }
  }

  private void calmDown() {
    clock.say("calm");
    faulty = false;
    lossRate = 0;
    reviveQuery();
  }

  /** Once those that were about to go have gone, there is an executor that stays, and a query. */
  private void reviveQuery() {
    clock.after(
        25_000,
        () -> {
          join();
          newRunIfNone();
        });
    clock.after(45_000, this::newRunIfNone);
  }

  // ---- the network ----

  private long delayMs() {
    return faulty && clock.chance(0.05) ? clock.between(1, 20_000) : clock.between(1, 40);
  }

  private boolean loses() {
    return faulty && clock.chance(lossRate);
  }

  /** A question to the driver; `then` comes once, after the answer or without one. */
  <T> void ask(
      SimExecutor from,
      long timeoutMs,
      Function<SimDriver, T> serve,
      Consumer<T> onAnswer,
      Runnable then) {
    boolean[] over = {false};
    SimDriver asked = driver;
    Runnable end =
        () -> {
          if (!over[0]) {
            over[0] = true;
            then.run();
          }
        };
    clock.after(timeoutMs, () -> whenGoing(from, end));
    int copies = from.isCutOff() || loses() ? 0 : faulty && clock.chance(0.05) ? 2 : 1;
    for (int i = 0; i < copies; i++) {
      clock.after(
          delayMs(),
          () ->
              serve(
                  asked,
                  serve,
                  answer -> {
                    if (!from.isCutOff() && !loses()) {
                      clock.after(
                          delayMs(),
                          () ->
                              whenGoing(
                                  from,
                                  () -> {
                                    if (!over[0]) {
                                      onAnswer.accept(answer);
                                    }
                                    end.run();
                                  }));
                    }
                  }));
    }
  }

  private static void whenGoing(SimExecutor executor, Runnable what) {
    if (!executor.holdsUp(() -> whenGoing(executor, what))) {
      what.run();
    }
  }

  private <T> void serve(SimDriver asked, Function<SimDriver, T> serve, Consumer<T> reply) {
    if (!asked.isDead() && !asked.holdsUp(() -> serve(asked, serve, reply))) {
      reply.accept(serve.apply(asked));
    }
  }

  void tell(SimExecutor to, Runnable message) {
    if (!to.isCutOff() && !loses()) {
      for (int copies = faulty && clock.chance(0.05) ? 2 : 1; copies > 0; copies--) {
        clock.after(delayMs(), message);
      }
    }
  }

  // ---- what others ask ----

  SimExecutor executor(String id) {
    return executors.get(id);
  }

  boolean isFaulty() {
    return faulty;
  }

  boolean startFails() {
    return faulty && clock.chance(0.2);
  }

  boolean hasLeasesGivenUp() {
    return givenUp;
  }

  long nextIncarnation() {
    return ++incarnations;
  }

  long taskMs() {
    boolean slow = clock.nowMs() < FAULTS_MS; // a backlog is worked off in the end
    return slow && clock.chance(0.02) ? 90_000 : slow && clock.chance(0.2) ? 8000 : 300;
  }

  long betweenBatchesMs() {
    return clock.nowMs() < FAULTS_MS && clock.chance(0.1) ? 10_000 : 200;
  }

  // ---- what must hold ----

  void opened(long epoch, SimReader reader) {
    if (homes.putIfAbsent(epoch, reader) != null && homes.get(epoch) != reader) {
      throw new AssertionError("epoch " + epoch + " has two homes");
    }
  }

  void acknowledged(int message) {
    if (!query.output.containsKey(message)) {
      throw new AssertionError(
          "message " + message + " is acknowledged, and no batch has committed it");
    }
  }

  /** Who hears nothing from the driver gives everything back. */
  private void watchOrphans() {
    for (SimExecutor executor : executors.values()) {
      if (executor.isSilentFor(ORPHAN_MS)
          && executor.reader() != null
          && executor.reader().held() > 0) {
        throw new AssertionError(
            "executor "
                + executor.id
                + " hears nothing and keeps "
                + executor.reader().held()
                + " messages");
      }
    }
    clock.after(1000, this::watchOrphans);
  }

  private void check() {
    String error = driver.ledger == null ? null : driver.ledger.error();
    if (error != null && driver.isOpen()) {
      clock.say("the query fails: %s", error);
      if (clock.nowMs() > FAULTS_MS + 60_000) { // else of before
        throw new AssertionError(error);
      }
      query.stop(() -> clock.soon(100, 5000, this::newRunIfNone));
    }
  }

  private void checkEnd() {
    int published = service.published();
    if (!query.missing(published).isEmpty()) {
      throw new AssertionError(
          query.missing(published).size()
              + " of "
              + published
              + " messages are not output; lent "
              + service.lentCount()
              + "; "
              + driver.ledger);
    }
    if (service.acknowledgedCount != published) {
      throw new AssertionError(
          published
              - service.acknowledgedCount
              + " messages are not acknowledged; "
              + driver.ledger);
    }
    if (!faults && !query.repeated().isEmpty()) {
      throw new AssertionError("without a fault came twice: " + query.repeated().keySet());
    }
    if (!faults && service.deliveries.stream().anyMatch(times -> times != 1)) {
      throw new AssertionError("without a fault some messages were delivered twice");
    }
  }
}
