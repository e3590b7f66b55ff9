package io.sparkpubsub.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import io.sparkpubsub.ledger.LedgerMessages.Answer;
import io.sparkpubsub.ledger.LedgerMessages.Report;
import io.sparkpubsub.ledger.LedgerMessages.Verdict;
import org.junit.jupiter.api.Test;

class LedgerMessagesTest {
  private static Report round(Report report) {
    Object[] message = report.encode();
    for (Object part : message) { // a class beside these costs more than all of the message
      assertThat(part == null || part instanceof String || part instanceof long[]).isTrue();
    }
    return Report.decode(message);
  }

  @Test
  void aReportGoesRound() {
    long[] some = {1, 2, 3};
    long[] none = {};
    Report report = new Report("r", "7", 5, 6, some, new long[] {4}, new long[] {8, 9}, null, true);
    report.trouble = "slow";
    Report back = round(report);
    assertThat(back).usingRecursiveComparison().isEqualTo(report);
    Report empty = new Report("r", "7", Long.MAX_VALUE, 6, none, none, none, "failed", false);
    assertThat(round(empty)).usingRecursiveComparison().isEqualTo(empty);
  }

  @Test
  void anAnswerGoesRound() {
    for (Verdict verdict : Verdict.values()) {
      for (long[] orders : new long[][] {{}, {3, 2, 1}}) {
        Answer answer = new Answer(verdict, orders, 250, 16);
        assertThat(Answer.decode(answer.encode())).usingRecursiveComparison().isEqualTo(answer);
      }
    }
  }
}
