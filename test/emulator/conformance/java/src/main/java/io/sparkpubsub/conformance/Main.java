package io.sparkpubsub.conformance;

import com.google.gson.JsonObject;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The conformance cases with Google's Java client, unchanged, against PUBSUB_EMULATOR_HOST: one
 * line of JSON a case. Arguments: names of cases; none runs all. What each checks is in
 * ../cases.txt.
 */
public final class Main {
  private static final long BOUND_SECONDS = 10;

  /** A case passes when it returns. */
  interface Case {
    void run(T t) throws Exception;
  }

  private Main() {}

  public static void main(String[] names) throws Exception {
    String host = System.getenv("PUBSUB_EMULATOR_HOST");
    if (host == null) {
      System.err.println("PUBSUB_EMULATOR_HOST is not set");
      System.exit(1);
    }
    // Subscribers report streams that end with their subscription, as cases make them.
    Logger.getLogger("").setLevel(Level.OFF);
    Map<String, Case> cases = new LinkedHashMap<>();
    PublisherCases.add(cases);
    SubscriberCases.add(cases);
    SchemaCases.add(cases);
    IamCases.add(cases);
    DeliveryCases.add(cases);
    OrderingCases.add(cases);
    FilterCases.add(cases);
    RedeliveryCases.add(cases);
    ReplayCases.add(cases);
    SettingsCases.add(cases);
    ListCases.add(cases);
    AnswerCases.add(cases);
    Clients clients = new Clients(host);
    ExecutorService threads = Executors.newCachedThreadPool();
    for (Map.Entry<String, Case> one : cases.entrySet()) {
      if (names.length == 0 || List.of(names).contains(one.getKey())) {
        String problem = run(threads, one.getValue(), new T(clients));
        JsonObject line = new JsonObject();
        line.addProperty("case", one.getKey());
        line.addProperty("result", problem == null ? "pass" : "fail");
        line.addProperty("detail", problem == null ? "" : problem);
        System.out.println(line);
      }
    }
    System.exit(0);
  }

  /**
   * Gives a case its time and no more; one that does not come back is left behind. Returns what
   * went wrong.
   */
  private static String run(ExecutorService threads, Case one, T t) throws InterruptedException {
    Future<?> done =
        threads.submit(
            () -> {
              one.run(t);
              return null;
            });
    try {
      done.get(BOUND_SECONDS, TimeUnit.SECONDS);
      return null;
    } catch (ExecutionException e) {
      return e.getCause() instanceof T.Failure
          ? e.getCause().getMessage()
          : e.getCause().toString();
    } catch (TimeoutException e) {
      done.cancel(true);
      return "not done after " + BOUND_SECONDS + " s";
    } finally {
      t.close();
    }
  }
}
