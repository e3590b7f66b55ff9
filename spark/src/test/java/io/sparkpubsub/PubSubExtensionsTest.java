package io.sparkpubsub;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where STREAM is read before the function, and where it is left alone. */
class PubSubExtensionsTest {
  @Test
  void streamBeforeTheFunctionIsAnotherFunctionOfTheSameLength() {
    String sql = "SELECT * FROM stream \n Read_PubSub (a => 1) m, STREAM read_pubsub(b => 2)";
    String rewritten = PubSubExtensions.rewritten(sql);
    assertThat(rewritten).hasSameSizeAs(sql);
    assertThat(rewritten)
        .isEqualTo("SELECT * FROM read_pubsub_stream\n  (a => 1) m, read_pubsub_stream(b => 2)");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "SELECT 'STREAM read_pubsub(' FROM t",
        "SELECT \"STREAM read_pubsub(\" FROM t",
        "SELECT 'it''s \\' STREAM read_pubsub(' FROM t",
        "SELECT 1 AS `STREAM read_pubsub(` FROM t",
        "SELECT 1 -- STREAM read_pubsub(x)",
        "SELECT /* STREAM\n read_pubsub( */ 1",
        "SELECT * FROM read_pubsub(a => 1)",
        "SELECT * FROM STREAM read_pubsub",
        "SELECT * FROM STREAM read_pubsubs(1)",
        "SELECT * FROM my_STREAM read_pubsub(1)",
        "SELECT * FROM a.STREAM read_pubsub(1)",
        "SELECT * FROM STREAM orders",
        "SELECT 'not closed STREAM read_pubsub",
        ""
      })
  void everythingElseStays(String sql) {
    assertThat(PubSubExtensions.rewritten(sql)).isEqualTo(sql);
  }
}
