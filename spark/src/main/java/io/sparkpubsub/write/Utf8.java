package io.sparkpubsub.write;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.apache.spark.unsafe.Platform;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * Whether the bytes of a UTF8String are what its name says: Spark does not look when it casts from
 * BINARY.
 */
final class Utf8 {
  private Utf8() {}

  static boolean isValid(UTF8String text) {
    Object base = text.getBaseObject();
    long at = text.getBaseOffset();
    for (long end = at + text.numBytes(); at < end; at++) {
      if (Platform.getByte(base, at) < 0) {
        return isDecodable(text.getBytes());
      }
    }
    return true; // ASCII
  }

  private static boolean isDecodable(byte[] bytes) {
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }
}
