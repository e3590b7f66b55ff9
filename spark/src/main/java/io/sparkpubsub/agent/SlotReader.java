package io.sparkpubsub.agent;

/**
 * What an agent asks of the reader that holds its slots: the native one, or a model of it in a
 * simulation.
 */
interface SlotReader {
  /** All epochs, SlotReport.LONGS each. */
  long[] report();

  /**
   * Sizes of the chunks from fromSeq on, as many as fit; returns how many. As
   * NativeReader.chunkSizes.
   */
  int chunkSizes(int slot, long epoch, long fromSeq, long[] out);

  /** "CODE\nretryable\ntext"; null: no error. */
  String slotError(int slot, long epoch);

  /** In the order of ReaderMetric. */
  long[] metrics();

  /** How many slots the query has now, over all agents; known before the first is opened here. */
  void slotsOfQuery(int count);

  void openSlot(int slot, long epoch, int delayMs);

  void closeSlot(int slot, long epoch, boolean giveBack);

  void settle(int slot, long epoch, long endSeq);
}
