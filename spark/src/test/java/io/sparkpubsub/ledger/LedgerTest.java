package io.sparkpubsub.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import io.sparkpubsub.natives.NativeReader;
import io.sparkpubsub.natives.ReaderMetric;
import io.sparkpubsub.natives.SlotReport;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LedgerTest {
  private static final long EPOCH = 1000;
  private static final long NO_LIMIT = Long.MAX_VALUE;

  /** An executor as the ledger sees it: what it was told to open, and what it holds. */
  private static final class FakeAgent {
    final String id;
    final Map<Integer, long[]> slots = new HashMap<>(); // slot -> epoch, sealed, told, ordered

    final java.util.Set<Integer> draining = new java.util.HashSet<>();

    final long[] metrics = new long[ReaderMetric.LONGS];

    FakeAgent(String id) {
      this.id = id;
    }

    void exchange(Ledger ledger) {
      List<Long> sizes = new ArrayList<>();
      long[] reports = new long[slots.size() * SlotReport.LONGS];
      int at = 0;
      for (Map.Entry<Integer, long[]> entry : slots.entrySet()) {
        long[] slot = entry.getValue();
        reports[at] = entry.getKey();
        reports[at + 1] = slot[0];
        reports[at + 2] = draining.contains(entry.getKey()) ? NativeReader.STATE_DRAINING : NativeReader.STATE_OPEN;
        reports[at + 3] = slot[1];
        reports[at + 4] = slot[3]; // what is ordered is confirmed at once
        at += SlotReport.LONGS;
        for (; slot[2] < slot[1]; slot[2]++) {
          sizes.add((long) entry.getKey());
          sizes.add(slot[0]);
          sizes.add(slot[2]);
          sizes.add(10L);
          sizes.add(100L);
        }
      }
      long[] flat = sizes.stream().mapToLong(Long::longValue).toArray();
      long[] orders = ledger.report(id, reports, flat, metrics, null);
      for (int i = 0; i < orders.length; i += Ledger.ORDER_LONGS) {
        int slot = (int) orders[i + 1];
        if (orders[i] == Ledger.ORDER_OPEN) {
          slots.put(slot, new long[] {orders[i + 2], 0, 0, 0});
        } else if (orders[i] == Ledger.ORDER_SETTLE) {
          long[] held = slots.get(slot);
          assertThat(held[0]).isEqualTo(orders[i + 2]);
          held[3] = Math.max(held[3], orders[i + 3]);
        } else if (orders[i + 3] == 1) {
          draining.add(slot);
        } else {
          slots.remove(slot);
        }
      }
      // A draining slot is over once everything that was sealed is settled.
      slots.entrySet().removeIf(e -> draining.contains(e.getKey()) && e.getValue()[3] == e.getValue()[1]);
      draining.retainAll(slots.keySet());
    }
  }

  private static Ledger ledger(int slots, FakeAgent... agents) {
    Ledger ledger = new Ledger(slots, EPOCH, 0);
    for (FakeAgent agent : agents) {
      ledger.register(agent.id, "host");
    }
    ledger.startAssigning();
    for (FakeAgent agent : agents) {
      agent.exchange(ledger);
    }
    return ledger;
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
    a.slots.get(0)[1] = 3;
    a.exchange(ledger);
    PubSubOffset end = ledger.latest(start, NO_LIMIT, NO_LIMIT);
    assertThat(end.json()).isEqualTo("{\"0\":\"1000:3\"}");
    assertThat(ledger.latest(end, NO_LIMIT, NO_LIMIT)).isSameAs(end);
  }

  @Test
  void limitsCutAtChunksAndGiveAtLeastOne() {
    FakeAgent a = new FakeAgent("1");
    Ledger ledger = ledger(2, a);
    a.slots.get(0)[1] = 5;
    a.slots.get(1)[1] = 5;
    a.exchange(ledger);
    assertThat(ledger.latest(PubSubOffset.NOTHING, 40, NO_LIMIT).json())
        .isEqualTo("{\"0\":\"1000:2\",\"1\":\"1001:2\"}");
    assertThat(ledger.latest(PubSubOffset.NOTHING, NO_LIMIT, 300).json())
        .isEqualTo("{\"0\":\"1000:2\",\"1\":\"1001:1\"}");
    assertThat(ledger.latest(PubSubOffset.NOTHING, 1, NO_LIMIT).json()).isEqualTo("{\"0\":\"1000:1\"}");
  }

  @Test
  void onlyWhatIsCommittedIsSettled() {
    FakeAgent a = new FakeAgent("1");
    Ledger ledger = ledger(1, a);
    a.slots.get(0)[1] = 10;
    a.exchange(ledger);
    PubSubOffset end = ledger.latest(PubSubOffset.NOTHING, 40, NO_LIMIT);
    a.exchange(ledger);
    assertThat(a.slots.get(0)[3]).isZero();
    ledger.committed(end);
    assertThat(ledger.allSettled()).isFalse();
    a.exchange(ledger);
    assertThat(a.slots.get(0)[3]).isEqualTo(4);
    a.exchange(ledger);
    assertThat(ledger.allSettled()).isTrue();
    ledger.committed(PubSubOffset.NOTHING); // older: nothing is taken back
    a.exchange(ledger);
    assertThat(a.slots.get(0)[3]).isEqualTo(4);
  }

  @Test
  void offsetsOfAnEarlierRunAreNeverSettled() {
    FakeAgent a = new FakeAgent("1");
    Ledger ledger = ledger(1, a);
    a.slots.get(0)[1] = 10;
    a.exchange(ledger);
    ledger.committed(PubSubOffset.parse("{\"0\":\"7:5\"}"));
    a.exchange(ledger);
    assertThat(a.slots.get(0)[3]).isZero();
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
    a.slots.get(0)[1] = 2;
    a.exchange(ledger);
    PubSubOffset end = ledger.latest(PubSubOffset.NOTHING, NO_LIMIT, NO_LIMIT);
    ledger.lost("1");
    assertThat(ledger.home(0, 1000)).isNull();
    ledger.committed(end); // too late: the service delivers those again
    b.exchange(ledger);
    assertThat(b.slots).containsKeys(0, 1);
    assertThat(b.slots.get(0)[0]).isGreaterThan(1001);
    assertThat(b.slots.get(0)[3]).isZero();
  }

  private static Map<String, String> metrics(Ledger ledger) {
    return ledger.metrics(0);
  }

  @Test
  void anExecutorThatLeavesAcknowledgesWhatIsCommittedAndIsCounted() {
    FakeAgent a = new FakeAgent("1");
    FakeAgent b = new FakeAgent("2");
    Ledger ledger = ledger(2, a, b);
    a.slots.get(0)[1] = 3;
    a.exchange(ledger);
    PubSubOffset end = ledger.latest(PubSubOffset.NOTHING, 20, NO_LIMIT); // 2 of 3 chunks
    ledger.committed(end);
    assertThat(ledger.leave("1")).containsExactly(Ledger.ORDER_SETTLE, 0, EPOCH, 2);
    b.exchange(ledger);
    assertThat(b.slots).hasSize(2); // at once, while the executor is still known
    a.exchange(ledger); // crosses the leave
    assertThat(a.slots).isEmpty();
    ledger.register("1", "host"); // a late one
    assertThat(ledger.knows("1")).isTrue();

    long[] last = new long[ReaderMetric.LONGS];
    last[ReaderMetric.ACKNOWLEDGED_ROWS.ordinal()] = 20;
    last[ReaderMetric.GIVEN_BACK_ROWS.ordinal()] = 10;
    ledger.left("1", last);
    a.metrics[ReaderMetric.BACKLOG_ROWS.ordinal()] = 30; // of before
    a.exchange(ledger);
    ledger.lost("1");
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
    a.exchange(ledger);
    b.exchange(ledger);
    ledger.lost("1");
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
    a.exchange(ledger);
    ledger.left("1", new long[ReaderMetric.LONGS]);
    assertThat(ledger.knows("1")).isFalse();
    FakeAgent again = new FakeAgent("1");
    ledger.register("1", "host");
    again.metrics[ReaderMetric.ACKNOWLEDGED_ROWS.ordinal()] = 4;
    again.exchange(ledger);
    assertThat(again.slots.values()).allSatisfy(slot -> assertThat(slot[0]).isGreaterThan(EPOCH + 1));
    assertThat(metrics(ledger)).containsEntry("acknowledgedRows", "4").containsEntry("executorsLost", "0");
  }

  @Test
  void aStoppingQueryOpensNothing() {
    FakeAgent a = new FakeAgent("1");
    FakeAgent b = new FakeAgent("2");
    Ledger ledger = ledger(2, a, b);
    ledger.stopAssigning();
    ledger.left("1", new long[ReaderMetric.LONGS]);
    b.exchange(ledger);
    assertThat(b.slots).hasSize(1);
  }

  @Test
  void slotsMoveToANewExecutorOnceTheyAreDrained() {
    FakeAgent a = new FakeAgent("1");
    Ledger ledger = ledger(4, a);
    a.slots.get(0)[1] = 2;
    a.slots.get(1)[1] = 2;
    a.exchange(ledger);
    FakeAgent b = new FakeAgent("2");
    ledger.register("2", "host");
    for (int i = 0; i < 3; i++) {
      a.exchange(ledger);
      b.exchange(ledger);
    }
    assertThat(a.slots).hasSize(4); // two are draining: their chunks can still be read
    PubSubOffset end = ledger.latest(PubSubOffset.NOTHING, NO_LIMIT, NO_LIMIT);
    assertThat(end.json()).isEqualTo("{\"0\":\"1000:2\",\"1\":\"1001:2\"}");
    assertThat(ledger.size(PubSubOffset.NOTHING, end)[0]).isEqualTo(40);
    ledger.committed(end);
    for (int i = 0; i < 4; i++) {
      a.exchange(ledger);
      b.exchange(ledger);
    }
    assertThat(a.slots).hasSize(2);
    assertThat(b.slots).hasSize(2);
    assertThat(b.slots.values()).allSatisfy(slot -> assertThat(slot[0]).isGreaterThan(1003));
  }

  @Test
  void aRangeThatWasLostIsNeverSettled() {
    FakeAgent a = new FakeAgent("1");
    Ledger ledger = ledger(1, a);
    a.slots.get(0)[1] = 10;
    a.exchange(ledger);
    PubSubOffset end = ledger.latest(PubSubOffset.NOTHING, NO_LIMIT, NO_LIMIT);
    ledger.lostRange(0, 1000, 6);
    ledger.committed(end);
    a.exchange(ledger);
    assertThat(a.slots.get(0)[3]).isEqualTo(6);
  }

  /** Reports in any order and number: positions only grow, and nothing uncommitted is ever ordered. */
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
        for (long[] slot : agent.slots.values()) {
          slot[1] += random.nextInt(3);
        }
        agent.exchange(ledger);
        if (random.nextInt(4) == 0 && planned == committed) {
          planned = ledger.latest(committed, 1 + random.nextInt(100), NO_LIMIT);
          read.clear();
          planned.positions.values().forEach(position -> read.put(position.epoch, position.seq));
        }
        if (random.nextInt(4) == 0) { // every plan of a batch: begins where the one before ended, and stays the same
          boolean late = random.nextBoolean();
          for (Map.Entry<Integer, PubSubOffset.Position> entry : planned.positions.entrySet()) {
            long epoch = entry.getValue().epoch;
            long from = committed.from(entry.getKey(), epoch);
            long to = entry.getValue().seq;
            if (from < to) {
              long[] range = ledger.range(entry.getKey(), epoch, from, to, late);
              assertThat(range[0]).isEqualTo(done.getOrDefault(epoch, 0L));
              assertThat(ledger.range(entry.getKey(), epoch, from, to, !late)).containsExactly(range);
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
          for (long[] slot : each.slots.values()) {
            assertThat(slot[3]).isLessThanOrEqualTo(done.getOrDefault(slot[0], 0L));
          }
        }
      }
    }
  }

  private static long[] range(Ledger ledger, PubSubOffset start, PubSubOffset end, boolean late) {
    return ledger.range(0, EPOCH, start.from(0, EPOCH), end.from(0, EPOCH), late);
  }

  /** The offset after two of five chunks. */
  private static PubSubOffset twoChunksThenFive(Ledger ledger, FakeAgent agent) {
    agent.slots.get(0)[1] = 2;
    agent.exchange(ledger);
    PubSubOffset two = ledger.latest(PubSubOffset.NOTHING, NO_LIMIT, NO_LIMIT);
    agent.slots.get(0)[1] = 5;
    agent.exchange(ledger);
    return two;
  }

  @Test
  void whatIsSealedUntilABatchIsPlannedIsPartOfIt() {
    FakeAgent a = new FakeAgent("1");
    Ledger ledger = ledger(1, a);
    PubSubOffset first = twoChunksThenFive(ledger, a);
    assertThat(range(ledger, PubSubOffset.NOTHING, first, true)).containsExactly(0, 5);
    a.slots.get(0)[1] = 6;
    a.exchange(ledger);
    assertThat(range(ledger, PubSubOffset.NOTHING, first, true)).containsExactly(0, 5); // a second action
    ledger.committed(first);
    a.exchange(ledger);
    assertThat(a.slots.get(0)[3]).isEqualTo(5);
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
    a.exchange(ledger);
    assertThat(a.slots.get(0)[3]).isEqualTo(2);
    assertThat(range(ledger, PubSubOffset.NOTHING, first, true)).containsExactly(0, 2); // too late
    PubSubOffset second = ledger.latest(first, NO_LIMIT, NO_LIMIT);
    assertThat(range(ledger, first, second, false)).containsExactly(2, 5);
  }
}
