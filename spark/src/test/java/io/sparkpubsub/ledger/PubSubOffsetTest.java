package io.sparkpubsub.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class PubSubOffsetTest {
  @Test
  void jsonGoesRound() {
    for (String json :
        new String[] {"{}", "{\"0\":\"5:7\"}", "{\"0\":\"1700000000000000:7\",\"12\":\"5:0\"}"}) {
      assertThat(PubSubOffset.parse(json).json()).isEqualTo(json);
      assertThat(PubSubOffset.parse(json)).isEqualTo(PubSubOffset.parse(json));
    }
    assertThat(PubSubOffset.parse(" { \"2\" : \"5:7\" , \"1\":\"4:3\"} ").json())
        .isEqualTo("{\"1\":\"4:3\",\"2\":\"5:7\"}");
  }

  @Test
  void anotherSourcesOffsetIsRefused() {
    for (String json :
        new String[] {
          "", "5", "[]", "{\"a\":1}", "{\"0\":\"5\"}", "{\"0\":\"5:7\",}", "{\"0\":5}"
        }) {
      assertThatThrownBy(() -> PubSubOffset.parse(json))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void anotherEpochBeginsAtItsFirstChunk() {
    PubSubOffset offset = PubSubOffset.parse("{\"0\":\"5:7\"}");
    assertThat(offset.from(0, 5)).isEqualTo(7);
    assertThat(offset.from(0, 6)).isZero();
    assertThat(offset.from(1, 5)).isZero();
  }
}
