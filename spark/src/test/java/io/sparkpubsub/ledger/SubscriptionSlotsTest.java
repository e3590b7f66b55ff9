package io.sparkpubsub.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Slots of several subscriptions: how many each has, and where. */
class SubscriptionSlotsTest {
  private static final int SUBSCRIPTIONS = 3;

  private static long[] wanted(SlotHomes homes) {
    long[] out = new long[SUBSCRIPTIONS];
    homes.all().stream().filter(slot -> slot.wanted).forEach(s -> out[s.index % SUBSCRIPTIONS]++);
    return out;
  }

  @Test
  void eachHasOneAtLeastAndAsManyAsAnother() {
    SlotHomes homes = new SlotHomes(1, 1, SUBSCRIPTIONS);
    assertThat(wanted(homes)).containsExactly(1, 1, 1);
    for (int count : new int[] {8, 5, 3, 1, 7, 12, 4}) {
      homes.resize(count);
      long[] wanted = wanted(homes);
      Arrays.sort(wanted);
      assertThat(Arrays.stream(wanted).sum()).isEqualTo(Math.max(count, SUBSCRIPTIONS));
      assertThat(wanted[SUBSCRIPTIONS - 1] - wanted[0]).isLessThanOrEqualTo(1);
      homes.assign(Arrays.asList("1", "2"));
    }
  }

  @Test
  void eachIsSpreadOverExecutors() {
    SlotHomes homes = new SlotHomes(8, 1, 2);
    List<String> executors = Arrays.asList("1", "2");
    homes.assign(executors);
    Map<String, Integer> counts = new HashMap<>();
    homes.all().forEach(slot -> counts.merge(slot.home + " " + slot.index % 2, 1, Integer::sum));
    assertThat(counts).hasSize(4).allSatisfy((where, count) -> assertThat(count).isEqualTo(2));
  }

  @Test
  void whatIsOpenCountsWhenEachHasAStream() {
    Ledger ledger = new Ledger(1, 1, 0, Arrays.asList("a", "b"));
    assertThat(ledger.slotCount()).isEqualTo(2);
    FakeAgent agent = new FakeAgent("1");
    ledger.executors(0, Collections.singletonMap("1", "host"));
    ledger.start(0);
    agent.register(ledger, 0);
    ledger.tick(0);
    assertThat(ledger.openSlots()).isEqualTo(0);
    assertThat(ledger.unopened()).isEqualTo("a");
    agent.exchange(ledger, 0);
    agent.exchange(ledger, 0);
    assertThat(ledger.openSlots()).isEqualTo(2);
    assertThat(ledger.haveAllGrown()).isFalse();
    agent.slots.get(0).sealed = 1;
    agent.exchange(ledger, 0);
    assertThat(ledger.haveAllGrown()).isFalse();
    agent.slots.get(1).sealed = 1;
    agent.exchange(ledger, 0);
    assertThat(ledger.haveAllGrown()).isTrue();
    assertThat(ledger.metrics(0)).containsKeys("backlogRows[a]", "oldestUnacknowledgedMs[b]");
  }
}
