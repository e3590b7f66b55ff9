package io.sparkpubsub.conformance;

import com.google.api.gax.rpc.ApiException;
import com.google.api.gax.rpc.ClientStream;
import com.google.api.gax.rpc.ResponseObserver;
import com.google.api.gax.rpc.StatusCode.Code;
import com.google.api.gax.rpc.StreamController;
import com.google.pubsub.v1.ReceivedMessage;
import com.google.pubsub.v1.StreamingPullRequest;
import com.google.pubsub.v1.StreamingPullResponse;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A StreamingPull of the generated client. */
final class Stream implements ResponseObserver<StreamingPullResponse> {
  private final LinkedBlockingQueue<Object> arrived =
      new LinkedBlockingQueue<>(); // Responses, then a Throwable.
  private final List<ReceivedMessage> left = new ArrayList<>();
  private final ClientStream<StreamingPullRequest> requests;
  private StreamController controller;

  Stream(Clients clients, StreamingPullRequest.Builder first) {
    requests = clients.subscriptions.streamingPullCallable().splitCall(this);
    if (first.getStreamAckDeadlineSeconds() == 0) {
      first.setStreamAckDeadlineSeconds(60);
    }
    requests.send(first.build());
  }

  @Override
  public void onStart(StreamController controller) {
    this.controller = controller;
  }

  @Override
  public void onResponse(StreamingPullResponse response) {
    arrived.add(response);
  }

  @Override
  public void onError(Throwable problem) {
    arrived.add(problem);
  }

  @Override
  public void onComplete() {
    arrived.add(new IllegalStateException("closed without an error"));
  }

  /** The next response; null when the time is over. Fails when the stream ends. */
  StreamingPullResponse response(long waitMillis) throws InterruptedException {
    Object next = arrived.poll(Math.max(waitMillis, 0), TimeUnit.MILLISECONDS);
    if (next instanceof Throwable) {
      throw new T.Failure("the stream ended: " + next);
    }
    return (StreamingPullResponse) next;
  }

  /** What comes until there are so many or the time is over. */
  List<ReceivedMessage> upTo(int count, long waitMillis) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(waitMillis);
    while (left.size() < count) {
      StreamingPullResponse response = response((end - System.nanoTime()) / 1_000_000);
      if (response == null) {
        break;
      }
      left.addAll(response.getReceivedMessagesList());
    }
    List<ReceivedMessage> some = left.subList(0, Math.min(count, left.size()));
    List<ReceivedMessage> out = List.copyOf(some);
    some.clear();
    return out;
  }

  List<ReceivedMessage> take(int count) throws InterruptedException {
    List<ReceivedMessage> got = upTo(count, 5000);
    T.check(
        got.size() == count,
        "the stream brought %d of %d messages: %s",
        got.size(),
        count,
        T.data(got));
    return got;
  }

  void ack(List<ReceivedMessage> received) {
    requests.send(StreamingPullRequest.newBuilder().addAllAckIds(T.ackIds(received)).build());
  }

  void nack(List<ReceivedMessage> received) {
    requests.send(
        StreamingPullRequest.newBuilder()
            .addAllModifyDeadlineAckIds(T.ackIds(received))
            .addAllModifyDeadlineSeconds(Collections.nCopies(received.size(), 0))
            .build());
  }

  void ends(Code code, String what) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
    for (; ; ) {
      Object next = arrived.poll(Math.max(end - System.nanoTime(), 0), TimeUnit.NANOSECONDS);
      T.check(next != null, "%s: the stream is still open", what);
      if (next instanceof Throwable problem) {
        T.check(problem instanceof ApiException, "%s: %s", what, problem);
        T.equal(((ApiException) problem).getStatusCode().getCode(), code, what);
        return;
      }
    }
  }

  void close() {
    controller.cancel();
  }
}
