package io.sparkpubsub.natives;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Both sides of the border have the same names in the same order. */
class BorderTest {
  private static String text(String header) throws IOException {
    return new String(Files.readAllBytes(Paths.get("..", header)), StandardCharsets.UTF_8)
        .replaceAll("(?s)/\\*.*?\\*/", "");
  }

  /** The constants of a C enum without their prefix, up to the one that only counts. */
  private static List<String> constants(String header, String name, String prefix, String last)
      throws IOException {
    Matcher body = Pattern.compile("(?s)enum " + name + " \\{(.*?)\\}").matcher(text(header));
    assertThat(body.find()).as(name).isTrue();
    List<String> out = new ArrayList<>();
    for (String constant : body.group(1).split(",")) {
      String plain = constant.replaceAll("=.*", "").trim();
      if (plain.equals(prefix + last)) {
        return out;
      }
      out.add(plain.substring(prefix.length()));
    }
    throw new AssertionError(name + " has no " + prefix + last);
  }

  private static List<String> names(Enum<?>[] values) {
    List<String> out = new ArrayList<>();
    Arrays.stream(values).forEach(value -> out.add(value.name()));
    return out;
  }

  @Test
  void namesAreTheSameOnBothSides() throws Exception {
    String border = "jni/border.h";
    assertThat(names(SlotReport.Field.values()))
        .isEqualTo(constants(border, "border_report", "BORDER_REPORT_", "LONGS"));
    assertThat(names(ChunkSize.Field.values()))
        .isEqualTo(constants(border, "border_size", "BORDER_SIZE_", "LONGS"));
    assertThat(names(ChunkView.Field.values()))
        .isEqualTo(constants(border, "border_view", "BORDER_VIEW_", "BUFFERS"));
    assertThat(names(ReaderMetric.values()))
        .isEqualTo(constants(border, "border_reader_metric", "BORDER_READER_", "LONGS"));
    assertThat(names(WriterMetric.values()))
        .isEqualTo(constants(border, "border_writer_metric", "BORDER_WRITER_", "LONGS"));
    assertThat(names(PayloadView.Field.values()))
        .isEqualTo(constants(border, "border_payload", "BORDER_PAYLOAD_", "LONGS"));
    assertThat(names(ChunkView.Buffer.values()))
        .isEqualTo(constants("include/pubsub/chunk.h", "pubsub_buffer", "PUBSUB_BUFFER_", "COUNT"));
  }

  @Test
  void aLibraryOfAnotherBuildIsRefusedInWords() {
    assertThatCode(() -> Border.check(Border.ours())).doesNotThrowAnyException();
    int[] theirs = Border.ours();
    theirs[Border.REPORT.ordinal()]++;
    assertThatThrownBy(() -> Border.check(theirs))
        .isInstanceOf(UnsatisfiedLinkError.class)
        .hasMessageContaining(
            "different builds (fields of a slot's report: 10 in the classes, 11 in the library)")
        .hasMessageContaining("second spark-pubsub jar");
    assertThatThrownBy(() -> Border.check(Arrays.copyOf(Border.ours(), 3)))
        .isInstanceOf(UnsatisfiedLinkError.class);
  }

  /** The one that is loaded here is of this build. */
  @Test
  void theLoadedLibraryAgrees() {
    assertThatCode(NativeLoader::load).doesNotThrowAnyException();
  }
}
