package io.sparkpubsub.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import io.sparkpubsub.ledger.LedgerMessages.Verdict;
import io.sparkpubsub.natives.ReaderMetric;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LedgerTest {
  private static final long EPOCH = 1000;
  private static final long NO_LIMIT = Long.MAX_VALUE;

  private final Map<String, String> present = new LinkedHashMap<>();
  private long now = 100_000;

  private Ledger ledger(int slots, FakeAgent... agents) {
    Ledger ledger = new Ledger(slots, EPOCH, 0);
    join(ledger, agents);
    for (FakeAgent agent : agents) {
      exchange(ledger, agent);
    }
    return ledger;
  }

  /** Spark adds executors, and agents start on them. */
  private void join(Ledger ledger, FakeAgent... agents) {
    for (FakeAgent agent : agents) {
      present.put(agent.id, "host");
    }
    ledger.executors(now, present);
    ledger.start(now);
    for (FakeAgent agent : agents) {
      assertThat(agent.register(ledger, now)).isEqualTo(Verdict.WORK);
    }
    ledger.tick(now);
  }

  private void lose(Ledger ledger, String executor) {
    present.remove(executor);
    ledger.executors(now, present);
  }

  private void exchange(Ledger ledger, FakeAgent agent) {
    agent.exchange(ledger, now);
  }

  @Test
  void slotsAreSpreadEvenly() {
    FakeAgent a = new FakeAgent("1");
    FakeAgent b = new FakeAgent("2");
    ledger(5, a, b);
    assertThat(a.slots.size() + b.slots.size()).isEqualTo(5);
    assertThat(Math.abs(a.slots.size() - b.slots.size())).isEqualTo(1);
  }

  @Test
  void nothingNewIsTheSameOffset() {
    FakeAgent a = new FakeAgent("1");
    Ledger ledger = ledger(1, a);
    PubSubOffset start = PubSubOffset.NOTHING;
    assertThat(ledger.latest(start, NO_LIMIT, NO_LIMIT)).isSameAs(start);
    a.slots.get(0).sealed = 3;
    exchange(ledger, a);
    PubSubOffset end = ledger.latest(start, NO_LIMIT, NO_LIMIT);
    assertThat(end.json()).isEqualTo("{\"0\":\"1000:3\"}");
    assertThat(ledger.latest(end, NO_LIMIT, NO_LIMIT)).isSameAs(end);
  }

  @Test
  void limitsCutAtChunksAndGiveAtLeastOne() {
    FakeAgent a = new FakeAgent("1");
    Ledger ledger = ledger(2, a);
    a.slots.get(0).sealed = 5;
    a.slots.get(1).sealed = 5;
    exchange(ledger, a);
    assertThat(ledger.latest(PubSubOffset.NOTHING, 40, NO_LIMIT).json())
        .isEqualTo("{\"0\":\"1000:2\",\"1\":\"1001:2\"}");
    assertThat(ledger.latest(PubSubOffset.NOTHING, NO_LIMIT, 300).json())
        .isEqualTo("{\"0\":\"1000:2\",\"1\":\"1001:1\"}");
    assertThat(ledger.latest(PubSubOffset.NOTHING, 1, NO_LIMIT).json())
        .isEqualTo("{\"0\":\"1000:1\"}");
  }

  @Test
  void underALimitEverySlotHasItsTurn() {
    FakeAgent a = new FakeAgent("1");
    Ledger ledger = ledger(4, a);
    for (int slot = 0; slot < 4; slot++) {
      a.slots.get(slot).sealed = 100;
    }
    exchange(ledger, a);
    PubSubOffset end = PubSubOffset.NOTHING;
    for (int batch = 0; batch < 8; batch++) { // a chunk is 10 rows: one each
      assertThat(ledger.latest(end, 10, NO_LIMIT)).isEqualTo(ledger.latest(end, 10, NO_LIMIT));
      end = ledger.latest(end, 10, NO_LIMIT);
    }
    assertThat(end.positions.values())
        .hasSize(4)
        .allSatisfy(position -> assertThat(position.seq).isEqualTo(2));
  }

  @Test
  void onlyWhatIsCommittedIsSettled() {
    FakeAgent a = new FakeAgent("1");
    Ledger ledger = ledger(1, a);
    a.slots.get(0).sealed = 10;
    exchange(ledger, a);
    PubSubOffset end = ledger.latest(PubSubOffset.NOTHING, 40, NO_LIMIT);
    exchange(ledger, a);
    assertThat(a.slots.get(0).settled).isZero();
    ledger.committed(end);
    assertThat(ledger.allSettled()).isFalse();
    exchange(ledger, a);
    assertThat(a.slots.get(0).settled).isEqualTo(4);
    exchange(ledger, a);
    assertThat(ledger.allSettled()).isTrue();
    ledger.committed(PubSubOffset.NOTHING); // older: nothing is taken back
    exchange(ledger, a);
    assertThat(a.slots.get(0).settled).isEqualTo(4);
  }

  @Test
  void offsetsOfAnEarlierRunAreNeverSettled() {
    FakeAgent a = new FakeAgent("1");
    Ledger ledger = ledger(1, a);
    a.slots.get(0).sealed = 10;
    exchange(ledger, a);
    ledger.committed(PubSubOffset.parse("{\"0\":\"7:5\"}"));
    exchange(ledger, a);
    assertThat(a.slots.get(0).settled).isZero();
    assertThat(ledger.home(0, 7)).isNull();
    // … and what comes after them begins at the first chunk.
    PubSubOffset end = ledger.latest(PubSubOffset.parse("{\"0\":\"7:5\"}"), NO_LIMIT, NO_LIMIT);
    assertThat(end.json()).isEqualTo("{\"0\":\"1000:10\"}");
  }

  @Test
  void aLostExecutorsSlotsMoveToNewEpochs() {
    FakeAgent a = new FakeAgent("1");
    FakeAgent b = new FakeAgent("2");
    Ledger ledger = ledger(2, a, b);
    a.slots.get(0).sealed = 2;
    exchange(ledger, a);
    PubSubOffset end = ledger.latest(PubSubOffset.NOTHING, NO_LIMIT, NO_LIMIT);
    lose(ledger, "1");
    assertThat(ledger.home(0, 1000)).isNull();
    ledger.committed(end); // too late: the service delivers those again
    exchange(ledger, b);
    assertThat(b.slots).containsKeys(0, 1);
    assertThat(b.slots.get(0).epoch).isGreaterThan(1001);
    assertThat(b.slots.get(0).settled).isZero();
  }

  private static Map<String, String> metrics(Ledger ledger) {
    return ledger.metrics(0);
  }

  @Test
  void anExecutorThatLeavesAcknowledgesWhatIsCommittedAndIsCounted() {
    FakeAgent a = new FakeAgent("1");
    FakeAgent b = new FakeAgent("2");
    Ledger ledger = ledger(2, a, b);
    a.slots.get(0).sealed = 3;
    exchange(ledger, a);
    PubSubOffset end = ledger.latest(PubSubOffset.NOTHING, 20, NO_LIMIT); // 2 of 3 chunks
    ledger.committed(end);
    assertThat(Order.at(ledger.leave(now, "1"), 0).toString()).isEqualTo("SETTLE 0:1000 2");
    exchange(ledger, b);
    assertThat(b.slots).hasSize(2); // at once, while the executor is still known
    exchange(ledger, a); // crosses the leave
    assertThat(a.slots).isEmpty();
    assertThat(new FakeAgent("1").register(ledger, now)).isEqualTo(Verdict.OVER); // a late one

    long[] last = new long[ReaderMetric.LONGS];
    last[ReaderMetric.ACKNOWLEDGED_ROWS.ordinal()] = 20;
    last[ReaderMetric.GIVEN_BACK_ROWS.ordinal()] = 10;
    System.arraycopy(last, 0, a.metrics, 0, last.length);
    a.end(ledger, now);
    a.metrics[ReaderMetric.BACKLOG_ROWS.ordinal()] = 30; // of before
    exchange(ledger, a);
    lose(ledger, "1");
    assertThat(metrics(ledger))
        .containsEntry("acknowledgedRows", "20")
        .containsEntry("givenBackRows", "10")
        .containsEntry("abandonedRows", "0")
        .containsEntry("backlogRows", "0")
        .containsEntry("executorsLeft", "1")
        .containsEntry("executorsLost", "0");
  }

  @Test
  void whatAKilledExecutorHeldIsCounted() {
    FakeAgent a = new FakeAgent("1");
    FakeAgent b = new FakeAgent("2");
    Ledger ledger = ledger(2, a, b);
    a.metrics[ReaderMetric.BACKLOG_ROWS.ordinal()] = 30;
    a.metrics[ReaderMetric.ACKNOWLEDGED_ROWS.ordinal()] = 5;
    b.metrics[ReaderMetric.ACKNOWLEDGED_ROWS.ordinal()] = 7;
    exchange(ledger, a);
    exchange(ledger, b);
    lose(ledger, "1");
    assertThat(metrics(ledger))
        .containsEntry("acknowledgedRows", "12")
        .containsEntry("abandonedRows", "30")
        .containsEntry("backlogRows", "0")
        .containsEntry("executorsLeft", "0")
        .containsEntry("executorsLost", "1");
  }

  @Test
  void anAgentThatEndsWhileItsExecutorStaysMayStartAgain() {
    FakeAgent a = new FakeAgent("1");
    Ledger ledger = ledger(2, a);
    exchange(ledger, a);
    a.end(ledger, now);
    assertThat(ledger.works("1")).isFalse();
    assertThat(ledger.start(now)).isEmpty();
    assertThat(ledger.start(now + 1000)).containsOnlyKeys("1");
    FakeAgent again = new FakeAgent("1");
    again.register(ledger, now);
    again.register(ledger, now); // a later incarnation than the one before
    again.metrics[ReaderMetric.ACKNOWLEDGED_ROWS.ordinal()] = 4;
    exchange(ledger, again);
    assertThat(again.slots.values())
        .allSatisfy(slot -> assertThat(slot.epoch).isGreaterThan(EPOCH + 1));
    assertThat(metrics(ledger))
        .containsEntry("acknowledgedRows", "4")
        .containsEntry("executorsLost", "0");
  }

  @Test
  void aStoppingQueryOpensNothing() {
    FakeAgent a = new FakeAgent("1");
    FakeAgent b = new FakeAgent("2");
    Ledger ledger = ledger(2, a, b);
    ledger.stop();
    a.end(ledger, now);
    exchange(ledger, b);
    assertThat(b.slots).hasSize(1);
  }

  @Test
  void slotsMoveToANewExecutorOnceTheyAreDrained() {
    FakeAgent a = new FakeAgent("1");
    Ledger ledger = ledger(4, a);
    a.slots.get(2).sealed = 2;
    a.slots.get(3).sealed = 2;
    exchange(ledger, a);
    FakeAgent b = new FakeAgent("2");
    join(ledger, b);
    for (int i = 0; i < 3; i++) {
      exchange(ledger, a);
      exchange(ledger, b);
    }
    assertThat(a.slots).hasSize(4); // two are draining: their chunks can still be read
    PubSubOffset end = ledger.latest(PubSubOffset.NOTHING, NO_LIMIT, NO_LIMIT);
    assertThat(end.json()).isEqualTo("{\"2\":\"1002:2\",\"3\":\"1003:2\"}");
    assertThat(ledger.size(PubSubOffset.NOTHING, end)[0]).isEqualTo(40);
    ledger.committed(end);
    for (int i = 0; i < 4; i++) {
      exchange(ledger, a);
      exchange(ledger, b);
    }
    assertThat(a.slots).hasSize(2);
    assertThat(b.slots).hasSize(2);
    assertThat(b.slots.values()).allSatisfy(slot -> assertThat(slot.epoch).isGreaterThan(1003));
  }

  @Test
  void aRangeThatWasLostIsNeverSettled() {
    FakeAgent a = new FakeAgent("1");
    Ledger ledger = ledger(1, a);
    a.slots.get(0).sealed = 10;
    exchange(ledger, a);
    PubSubOffset end = ledger.latest(PubSubOffset.NOTHING, NO_LIMIT, NO_LIMIT);
    ledger.lostRange(0, 1000, 6);
    ledger.committed(end);
    exchange(ledger, a);
    assertThat(a.slots.get(0).settled).isEqualTo(6);
  }

  /**
   * Reports in any order and number: positions only grow, and nothing uncommitted is ever asked
   * settled.
   */
  @Test
  void randomSchedules() {
    for (int seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      FakeAgent[] agents = {new FakeAgent("1"), new FakeAgent("2"), new FakeAgent("3")};
      Ledger ledger = ledger(4, agents);
      PubSubOffset committed = PubSubOffset.NOTHING;
      PubSubOffset planned = PubSubOffset.NOTHING;
      Map<Long, Long> read = new HashMap<>(); // epoch -> end of the batch that is planned
      Map<Long, Long> done = new HashMap<>(); // epoch -> end of all that is committed
      for (int step = 0; step < 300; step++) {
        FakeAgent agent = agents[random.nextInt(agents.length)];
        for (FakeAgent.Held slot : agent.slots.values()) {
          slot.sealed += random.nextInt(3);
        }
        exchange(ledger, agent);
        if (random.nextInt(4) == 0 && planned == committed) {
          planned = ledger.latest(committed, 1 + random.nextInt(100), NO_LIMIT);
          read.clear();
          planned.positions.values().forEach(position -> read.put(position.epoch, position.seq));
        }
        if (random.nextInt(4)
            == 0) { // every plan of a batch: begins where the one before ended, and stays the same
          boolean late = random.nextBoolean();
          for (Map.Entry<Integer, PubSubOffset.Position> entry : planned.positions.entrySet()) {
            long epoch = entry.getValue().epoch;
            long from = committed.from(entry.getKey(), epoch);
            long to = entry.getValue().seq;
            if (from < to) {
              long[] range = ledger.range(entry.getKey(), epoch, from, to, late);
              assertThat(range[0]).isEqualTo(done.getOrDefault(epoch, 0L));
              assertThat(ledger.range(entry.getKey(), epoch, from, to, !late))
                  .containsExactly(range);
              read.put(epoch, range[1]);
            }
          }
        }
        if (random.nextInt(4) == 0) {
          committed = planned;
          read.forEach((epoch, end) -> done.merge(epoch, end, Math::max));
          ledger.committed(committed);
        }
        for (FakeAgent each : agents) {
          for (FakeAgent.Held slot : each.slots.values()) {
            assertThat(slot.settled).isLessThanOrEqualTo(done.getOrDefault(slot.epoch, 0L));
          }
        }
      }
    }
  }

  private static long[] range(Ledger ledger, PubSubOffset start, PubSubOffset end, boolean late) {
    return ledger.range(0, EPOCH, start.from(0, EPOCH), end.from(0, EPOCH), late);
  }

  /** The offset after two of five chunks. */
  private PubSubOffset twoChunksThenFive(Ledger ledger, FakeAgent agent) {
    agent.slots.get(0).sealed = 2;
    exchange(ledger, agent);
    PubSubOffset two = ledger.latest(PubSubOffset.NOTHING, NO_LIMIT, NO_LIMIT);
    agent.slots.get(0).sealed = 5;
    exchange(ledger, agent);
    return two;
  }

  @Test
  void whatIsSealedUntilABatchIsPlannedIsPartOfIt() {
    FakeAgent a = new FakeAgent("1");
    Ledger ledger = ledger(1, a);
    PubSubOffset first = twoChunksThenFive(ledger, a);
    assertThat(range(ledger, PubSubOffset.NOTHING, first, true)).containsExactly(0, 5);
    a.slots.get(0).sealed = 6;
    exchange(ledger, a);
    assertThat(range(ledger, PubSubOffset.NOTHING, first, true))
        .containsExactly(0, 5); // a second action
    ledger.committed(first);
    exchange(ledger, a);
    assertThat(a.slots.get(0).settled).isEqualTo(5);
    PubSubOffset second = ledger.latest(first, NO_LIMIT, NO_LIMIT);
    assertThat(ledger.size(first, second)[0]).isEqualTo(10);
    assertThat(range(ledger, first, second, true)).containsExactly(5, 6);
    ledger.committed(second);
    assertThat(ledger.latest(second, NO_LIMIT, NO_LIMIT)).isSameAs(second);
  }

  @Test
  void aBatchThatNobodyReadsEndsWhereItsOffsetSays() {
    FakeAgent a = new FakeAgent("1");
    Ledger ledger = ledger(1, a);
    PubSubOffset first = twoChunksThenFive(ledger, a);
    ledger.committed(first);
    exchange(ledger, a);
    assertThat(a.slots.get(0).settled).isEqualTo(2);
    assertThat(range(ledger, PubSubOffset.NOTHING, first, true)).containsExactly(0, 2); // too late
    PubSubOffset second = ledger.latest(first, NO_LIMIT, NO_LIMIT);
    assertThat(range(ledger, first, second, false)).containsExactly(2, 5);
  }

  // ---- membership ----

  /**
   * A stranger gives back what it has and registers anew: an executor that was taken for lost works
   * again.
   */
  @Test
  void anAgentThatWasGivenUpRegistersAgain() {
    FakeAgent a = new FakeAgent("1");
    Ledger ledger = ledger(2, a);
    lose(ledger, "1");
    exchange(ledger, a);
    assertThat(a.answer.verdict).isEqualTo(Verdict.REGISTER_AGAIN);
    assertThat(a.slots).isEmpty();
    join(ledger, a);
    exchange(ledger, a);
    assertThat(a.slots.values())
        .hasSize(2)
        .allSatisfy(slot -> assertThat(slot.epoch).isGreaterThan(EPOCH + 1));
  }

  @Test
  void aStartThatFailedIsTriedAgainAndTheOthersWorkMeanwhile() {
    FakeAgent a = new FakeAgent("1");
    present.put("2", "host");
    Ledger ledger = ledger(2, a);
    assertThat(a.slots).isEmpty(); // the other is waited for, but not for ever
    ledger.startEnded(now, "2", "cannot read /ca.pem");
    assertThat(ledger.start(now)).isEmpty();
    now += Membership.GATHER_MS;
    ledger.tick(now);
    exchange(ledger, a);
    assertThat(a.slots).hasSize(2);
    assertThat(ledger.start(now)).containsOnlyKeys("2");
    FakeAgent b = new FakeAgent("2");
    assertThat(b.register(ledger, now)).isEqualTo(Verdict.WORK);
    exchange(ledger, a);
    exchange(ledger, a);
    exchange(ledger, b);
    assertThat(b.slots).hasSize(1);
    assertThat(ledger.error()).isNull();
  }

  @Test
  void aQueryWithoutAnAgentThatCanStartFailsWithTheLastReason() {
    present.put("1", "host");
    Ledger ledger = new Ledger(2, EPOCH, 0);
    long begin = now;
    for (; ledger.error() == null && now < begin + 120_000; now += 500) {
      ledger.executors(now, present);
      ledger
          .start(now)
          .keySet()
          .forEach(executor -> ledger.startEnded(now, executor, "cannot read /ca.pem"));
      ledger.tick(now);
    }
    assertThat(ledger.error()).contains("executor 1: cannot read /ca.pem");
    assertThat(now - begin).isLessThan(60_000);
  }

  /**
   * A paused executor keeps its slots for a while; then they move, and it is a stranger when it
   * returns.
   */
  @Test
  void slotsOfASilentAgentMoveOnceItHasGivenThemBack() {
    FakeAgent a = new FakeAgent("1");
    FakeAgent b = new FakeAgent("2");
    Ledger ledger = ledger(2, a, b);
    for (long until = now + Membership.GONE_MS; now < until; now += 1000) {
      ledger.tick(now);
      exchange(ledger, b);
      assertThat(b.slots).hasSize(1);
    }
    ledger.tick(now);
    exchange(ledger, b);
    assertThat(b.slots).hasSize(2);
    exchange(ledger, a);
    assertThat(a.answer.verdict).isEqualTo(Verdict.REGISTER_AGAIN);
    assertThat(a.slots).isEmpty();
    assertThat(metrics(ledger)).containsEntry("executorsLost", "1");
  }

  /** Reports cross on the way: what an older one says is ignored. */
  @Test
  void ofTwoReportsTheLaterCounts() {
    FakeAgent a = new FakeAgent("1");
    Ledger ledger = ledger(1, a);
    LedgerMessages.Report before = new FakeAgent("1").report();
    a.slots.get(0).sealed = 1;
    exchange(ledger, a);
    long epoch = a.slots.get(0).epoch;
    LedgerMessages.Report late =
        new LedgerMessages.Report(
            "run", "1", 1, before.number, new long[0], new long[0], a.metrics, null, false);
    assertThat(ledger.report(now, late).orders).isEmpty();
    exchange(ledger, a);
    assertThat(a.slots.get(0).epoch).isEqualTo(epoch);
    assertThat(ledger.home(0, epoch)).isEqualTo("1");
  }

  /** An epoch that its home no longer has is over: the slot is opened anew. */
  @Test
  void anEpochThatVanishedIsOpenedAnew() {
    FakeAgent a = new FakeAgent("1");
    Ledger ledger = ledger(1, a);
    exchange(ledger, a);
    a.slots.clear();
    exchange(ledger, a);
    assertThat(a.slots.get(0).epoch).isEqualTo(EPOCH + 1);
  }

  /**
   * What is committed is settled before the rest is given back, in whatever order the two tellings
   * arrive.
   */
  @Test
  void anExecutorThatIsDecommissionedSettlesBeforeItGivesBack() {
    FakeAgent a = new FakeAgent("1");
    FakeAgent b = new FakeAgent("2");
    Ledger ledger = ledger(1, a, b);
    a.slots.get(0).sealed = 3;
    exchange(ledger, a);
    PubSubOffset end = ledger.latest(PubSubOffset.NOTHING, 20, NO_LIMIT);
    ledger.committed(end);
    ledger.leave(now, "1"); // its orders are lost, or late
    a.obeyed.clear();
    exchange(ledger, a);
    assertThat(a.obeyed)
        .extracting(Order::toString)
        .containsExactly("SETTLE 0:1000 2", "CLOSE 0:1000 0");
  }

  @Test
  void chunksWhoseLeaseHasEndedAreNotRead() {
    FakeAgent a = new FakeAgent("1");
    Ledger ledger = ledger(1, a);
    a.slots.get(0).sealed = 4;
    exchange(ledger, a);
    PubSubOffset end = ledger.latest(PubSubOffset.NOTHING, NO_LIMIT, NO_LIMIT);
    a.slots.get(0).settled = 3; // given up, without an order
    exchange(ledger, a);
    assertThat(range(ledger, PubSubOffset.NOTHING, end, false)).containsExactly(3, 4);
    assertThat(ledger.isSettled(0, EPOCH, 2)).isTrue();
    assertThat(ledger.size(PubSubOffset.NOTHING, end)[0]).isEqualTo(FakeAgent.ROWS);
    ledger.committed(end);
    exchange(ledger, a);
    assertThat(a.slots.get(0).settled).isEqualTo(4);
  }

  // ---- the number of slots ----

  @Test
  void thePaceFollowsTheAgentsThatWork() {
    Ledger ledger = new Ledger(4, 1, 0);
    Map<String, String> present = new HashMap<>();
    List<FakeAgent> agents = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      agents.add(new FakeAgent(Integer.toString(i)));
      present.put(Integer.toString(i), "host");
    }
    ledger.executors(0, present);
    agents.forEach(agent -> agent.register(ledger, 0));
    assertThat(ledger.agentCount()).isEqualTo(100);
    agents.get(0).exchange(ledger, 0);
    assertThat(agents.get(0).answer.paceMs).isEqualTo(50);

    ledger.tick(Membership.SILENT_MS); // still counted: they may have slots
    assertThat(ledger.agentCount()).isEqualTo(100);
    ledger.leave(1, "99");
    agents.get(98).end(ledger, 1);
    present.keySet().removeIf(id -> Integer.parseInt(id) >= 60);
    ledger.executors(2, present);
    assertThat(ledger.agentCount()).isEqualTo(60);
    ledger.tick(Membership.SILENT_MS + Membership.GONE_MS);
    assertThat(ledger.agentCount()).isZero();
  }

  @Test
  void slotsFollowTheClusterAndMoveNothing() {
    FakeAgent a = new FakeAgent("1");
    Ledger ledger = ledger(2, a);
    FakeAgent b = new FakeAgent("2");
    join(ledger, b);
    ledger.resize(6);
    for (int i = 0; i < 4; i++) {
      exchange(ledger, a);
      exchange(ledger, b);
    }
    assertThat(a.slots).hasSize(3);
    assertThat(b.slots).hasSize(3);
    a.slots.values().forEach(slot -> slot.sealed = 2);
    exchange(ledger, a);
    ledger.resize(2);
    for (int i = 0; i < 4; i++) {
      exchange(ledger, a);
      exchange(ledger, b);
    }
    assertThat(a.slots).hasSize(3); // what they hold is still to be read
    assertThat(b.slots).hasSize(1);
    PubSubOffset end = ledger.latest(PubSubOffset.NOTHING, NO_LIMIT, NO_LIMIT);
    assertThat(ledger.size(PubSubOffset.NOTHING, end)[0]).isEqualTo(3 * 2 * FakeAgent.ROWS);
    ledger.committed(end);
    for (int i = 0; i < 4; i++) {
      exchange(ledger, a);
      exchange(ledger, b);
    }
    assertThat(a.slots).hasSize(1);
    assertThat(a.obeyed).noneMatch(order -> order.kind == Order.Kind.CLOSE);
    assertThat(ledger.openSlots()).isEqualTo(ledger.slotCount());
  }
}
