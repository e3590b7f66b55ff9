package io.sparkpubsub.ledger;

import io.sparkpubsub.natives.ChunkSize;

/**
 * Says of one sealed chunk where it stands and how large it is. Travels as longs: slot, epoch, seq,
 * and the longs of its size.
 */
public final class SealedSize {
  /** Where it stands; the fields of its size follow. */
  private enum Place {
    SLOT,
    EPOCH,
    SEQ
  }

  private static final int PLACE = Place.values().length;

  /** Longs of one. */
  public static final int LONGS = PLACE + ChunkSize.LONGS;

  final int slot;
  final long epoch;
  final long seq;
  final ChunkSize size;

  private SealedSize(int slot, long epoch, long seq, ChunkSize size) {
    this.slot = slot;
    this.epoch = epoch;
    this.seq = seq;
    this.size = size;
  }

  static int count(long[] sizes) {
    return sizes.length / LONGS;
  }

  static SealedSize at(long[] sizes, int i) {
    int at = i * LONGS;
    long[] size = new long[ChunkSize.LONGS];
    System.arraycopy(sizes, at + PLACE, size, 0, ChunkSize.LONGS);
    return new SealedSize(
        (int) sizes[at + Place.SLOT.ordinal()],
        sizes[at + Place.EPOCH.ordinal()],
        sizes[at + Place.SEQ.ordinal()],
        ChunkSize.at(size, 0));
  }

  /** One, from size `from` of those that NativeReader.chunkSizes has filled. */
  public static long[] of(int slot, long epoch, long seq, long[] sizes, int from) {
    long[] out = new long[LONGS];
    out[Place.SLOT.ordinal()] = slot;
    out[Place.EPOCH.ordinal()] = epoch;
    out[Place.SEQ.ordinal()] = seq;
    System.arraycopy(sizes, from * ChunkSize.LONGS, out, PLACE, ChunkSize.LONGS);
    return out;
  }

  /** Of a chunk that had its outcome before its size was asked for: nothing is left of it. */
  public static long[] ofNothing(int slot, long epoch, long seq) {
    return of(slot, epoch, seq, new long[ChunkSize.LONGS], 0);
  }
}
