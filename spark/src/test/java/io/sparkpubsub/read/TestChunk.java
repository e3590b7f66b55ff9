package io.sparkpubsub.read;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** A packed chunk (src/batch/pack.c) with every column, made without a network. */
public final class TestChunk {
  private static final int BUFFERS = 15;

  private TestChunk() {}

  private static byte[] texts(int rows, String prefix, boolean numbered) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < rows; i++) {
      out.append(prefix).append(numbered ? Integer.toString(i) : "");
    }
    return out.toString().getBytes(StandardCharsets.US_ASCII);
  }

  private static byte[] offsets(int rows, String prefix, boolean numbered) {
    ByteBuffer out = ByteBuffer.allocate((rows + 1) * 4).order(ByteOrder.LITTLE_ENDIAN);
    int at = 0;
    out.putInt(0);
    for (int i = 0; i < rows; i++) {
      at += prefix.length() + (numbered ? Integer.toString(i).length() : 0);
      out.putInt(at);
    }
    return out.array();
  }

  private static byte[] fixed(int rows, int step) {
    ByteBuffer out = ByteBuffer.allocate((rows + 1) * 4).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i <= rows; i++) {
      out.putInt(i * step);
    }
    return out.array();
  }

  public static byte[] packed(int rows, int dataBytes) {
    byte[][] buffers = new byte[BUFFERS][];
    buffers[0] = offsets(rows, "id", true);
    buffers[1] = texts(rows, "id", true);
    buffers[2] = fixed(rows, dataBytes);
    buffers[3] = new byte[rows * dataBytes];
    buffers[4] = fixed(rows, 1);
    buffers[5] = fixed(rows, 1);
    buffers[6] = texts(rows, "k", false);
    buffers[7] = fixed(rows, 1);
    buffers[8] = texts(rows, "v", false);
    ByteBuffer times = ByteBuffer.allocate(rows * 8).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < rows; i++) {
      times.putLong(i * 1000L);
    }
    buffers[9] = times.array();
    byte[] noneValid = new byte[(rows + 63) / 64 * 8];
    buffers[10] = noneValid;
    buffers[11] = fixed(rows, 0);
    buffers[12] = new byte[0];
    buffers[13] = noneValid;
    buffers[14] = new byte[rows * 4];
    int total = 24 + 8 * BUFFERS;
    for (byte[] buffer : buffers) {
      total += (buffer.length + 7) / 8 * 8;
    }
    ByteBuffer out = ByteBuffer.allocate(total).order(ByteOrder.LITTLE_ENDIAN);
    out.putInt(0x314b4843).putInt(63).putInt(rows).putInt(rows).putInt(rows).putInt(rows);
    for (byte[] buffer : buffers) {
      out.putLong(buffer.length);
    }
    for (byte[] buffer : buffers) {
      out.put(buffer);
      out.position(out.position() + (8 - buffer.length % 8) % 8);
    }
    return out.array();
  }
}
