package io.sparkpubsub.ledger;

import java.util.List;

/**
 * One thing that the ledger tells an agent to do. Orders are obeyed in their order, and may come
 * twice. Travels as longs.
 */
public final class Order {
  /** What is to be done. */
  public enum Kind {
    /** Value: a delay in ms. */
    OPEN,
    /** Stop receiving, give back what no order before this one settles. */
    CLOSE,
    /** Stop receiving; what is there stays, readable, until it is settled. */
    DRAIN,
    /** Value: a seq; what is below is acknowledged. */
    SETTLE
  }

  /** Longs of one order. */
  private enum Field {
    KIND,
    SLOT,
    EPOCH,
    VALUE
  }

  private static final int LONGS = Field.values().length;
  static final long[] NONE = {};

  public final Kind kind;
  public final int slot;
  public final long epoch;
  public final long value;

  Order(Kind kind, int slot, long epoch, long value) {
    this.kind = kind;
    this.slot = slot;
    this.epoch = epoch;
    this.value = value;
  }

  public static int count(long[] orders) {
    return orders.length / LONGS;
  }

  /** Order i of those that travelled together; null: of a newer driver. */
  public static Order at(long[] orders, int i) {
    int at = i * LONGS;
    long kind = orders[at + Field.KIND.ordinal()];
    return kind < 0 || kind >= Kind.values().length
        ? null
        : new Order(
            Kind.values()[(int) kind],
            (int) orders[at + Field.SLOT.ordinal()],
            orders[at + Field.EPOCH.ordinal()],
            orders[at + Field.VALUE.ordinal()]);
  }

  static long[] encode(List<Order> orders) {
    long[] out = new long[orders.size() * LONGS];
    for (int i = 0; i < orders.size(); i++) {
      Order order = orders.get(i);
      out[i * LONGS + Field.KIND.ordinal()] = order.kind.ordinal();
      out[i * LONGS + Field.SLOT.ordinal()] = order.slot;
      out[i * LONGS + Field.EPOCH.ordinal()] = order.epoch;
      out[i * LONGS + Field.VALUE.ordinal()] = order.value;
    }
    return out;
  }

  @Override
  public String toString() {
    return kind + " " + slot + ":" + epoch + " " + value;
  }
}
