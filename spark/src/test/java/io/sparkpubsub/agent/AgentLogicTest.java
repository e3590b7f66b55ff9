package io.sparkpubsub.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.sparkpubsub.ledger.Ledger;
import io.sparkpubsub.ledger.LedgerMessages.Answer;
import io.sparkpubsub.ledger.LedgerMessages.Report;
import io.sparkpubsub.ledger.LedgerMessages.Verdict;
import io.sparkpubsub.ledger.PubSubOffset;
import io.sparkpubsub.natives.ChunkSize;
import io.sparkpubsub.natives.NativeReader;
import io.sparkpubsub.natives.ReaderMetric;
import io.sparkpubsub.natives.SlotReport;
import java.util.Collections;
import org.junit.jupiter.api.Test;

/** An agent with the real ledger, and a reader of one slot. */
class AgentLogicTest {
  private static final long NO_LIMIT = Long.MAX_VALUE;

  /** What is settled is gone at once. */
  private static final class Reader implements SlotReader {
    long epoch;
    long sealed;
    long settled;
    boolean open;
    boolean givenBack;
    int slots;

    @Override
    public long[] report() {
      long[] out = new long[open ? SlotReport.LONGS : 0];
      if (open) {
        new SlotReport(0, epoch, NativeReader.STATE_OPEN, sealed, settled, 0, 0, 0).put(out, 0);
      }
      return out;
    }

    @Override
    public int chunkSizes(int slot, long ofEpoch, long fromSeq, long[] out) {
      int count = fromSeq >= settled ? (int) (sealed - fromSeq) : 0;
      for (int i = 0; i < count; i++) {
        out[i * ChunkSize.LONGS] = 10;
        out[i * ChunkSize.LONGS + 1] = 100;
      }
      return count;
    }

    @Override
    public String slotError(int slot, long ofEpoch) {
      return null;
    }

    @Override
    public long[] metrics() {
      return new long[ReaderMetric.LONGS];
    }

    @Override
    public void slotsOfQuery(int count) {
      slots = count;
    }

    @Override
    public void openSlot(int slot, long newEpoch, int delayMs) {
      assertThat(slots).isPositive();
      epoch = newEpoch;
      open = true;
    }

    @Override
    public void closeSlot(int slot, long ofEpoch, boolean giveBack) {
      open = false;
      givenBack = giveBack;
    }

    @Override
    public void settle(int slot, long ofEpoch, long endSeq) {
      settled = Math.max(settled, endSeq);
    }
  }

  private final Reader reader = new Reader();
  private final Ledger ledger = new Ledger(1, 100, 0);
  private final AgentLogic agent = new AgentLogic("run", "1", 7, reader, 0);

  private void start() {
    ledger.executors(0, Collections.singletonMap("1", "host"));
    assertThat(ledger.register(0, "1", 7)).isEqualTo(Verdict.WORK);
    ledger.tick(0);
    exchange(0);
    assertThat(reader.open).isTrue();
  }

  private void exchange(long nowMs) {
    Report report = agent.report(nowMs);
    agent.answered(report.number, ledger.report(nowMs, report));
  }

  private PubSubOffset latest(PubSubOffset start) {
    return ledger.latest(start, NO_LIMIT, NO_LIMIT);
  }

  /** Of the limits of a batch it takes its part, which is another one as the query's slots grow. */
  @Test
  void anAgentHearsHowManySlotsTheQueryHas() {
    start();
    assertThat(reader.slots).isEqualTo(1);
    ledger.resize(6);
    exchange(1);
    assertThat(reader.slots).isEqualTo(6);
    ledger.resize(2);
    exchange(2);
    assertThat(reader.slots).isEqualTo(2);
  }

  /**
   * The answer to a report is lost, a settle order is not: what came later is read all the same.
   */
  @Test
  void aLostAnswerDoesNotSilenceASlot() {
    start();
    reader.sealed = 5;
    ledger.report(1, agent.report(1)); // its answer is lost
    PubSubOffset end = latest(PubSubOffset.NOTHING);
    ledger.committed(end);
    agent.obey(ledger.settleOrders("1"));
    assertThat(reader.settled).isEqualTo(5);
    reader.sealed = 9;
    exchange(2);
    assertThat(ledger.size(end, latest(end))[0]).isEqualTo(40);
  }

  /**
   * A report is lost, and the chunk that it told of is gone before the next: what came later is
   * read all the same.
   */
  @Test
  void aChunkThatIsGoneBeforeItIsToldOfDoesNotSilenceASlot() {
    start();
    reader.sealed = 2;
    reader.settled = 1; // given up
    exchange(1);
    PubSubOffset end = latest(PubSubOffset.NOTHING);
    assertThat(end.json()).isEqualTo("{\"0\":\"100:2\"}");
    assertThat(ledger.range(0, 100, 0, 2, false)).containsExactly(1, 2);
  }

  @Test
  void whoHearsNothingGivesUpItsPart() {
    start();
    assertThat(agent.report(AgentLogic.LEASE_MS - 1)).isNotNull();
    assertThat(agent.report(AgentLogic.LEASE_MS)).isNull();
    assertThat(agent.state()).isEqualTo(AgentLogic.State.OVER);
  }

  /** The time of an answer does not count: it may have been on its way for long. */
  @Test
  void theLeaseBeginsWhenTheQuestionIsSent() {
    start();
    Report report = agent.report(10_000);
    agent.answered(report.number, ledger.report(10_000, report));
    assertThat(agent.report(10_000 + AgentLogic.LEASE_MS)).isNull();
  }

  @Test
  void aStrangerBeginsAgain() {
    start();
    ledger.executors(1, Collections.emptyMap());
    exchange(2);
    assertThat(agent.state()).isEqualTo(AgentLogic.State.AGAIN);
    assertThat(reader.givenBack).isTrue();
  }

  @Test
  void aRunThatIsOverEndsItsAgents() {
    start();
    ledger.stop();
    exchange(1);
    assertThat(agent.state()).isEqualTo(AgentLogic.State.OVER);
    assertThat(agent.report(2)).isNull();
  }

  @Test
  void anAnswerToAnEarlierReportIsIgnored() {
    start();
    Report first = agent.report(1);
    agent.report(2);
    agent.answered(first.number, new Answer(Verdict.OVER, new long[0], 5, 1));
    assertThat(agent.state()).isEqualTo(AgentLogic.State.WORKING);
  }

  /** Orders may come late: an epoch that was closed is not opened again. */
  @Test
  void aLateOrderOpensNothing() {
    start();
    Report report = agent.report(1);
    reader.open = false;
    long[] open = ledger.report(1, report).orders;
    ledger.leave(2, "1");
    reader.open = true;
    exchange(3);
    assertThat(reader.open).isFalse();
    agent.obey(open);
    assertThat(reader.open).isFalse();
  }
}
