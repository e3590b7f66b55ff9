package io.sparkpubsub.service;

import io.sparkpubsub.PubSubOptions;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a valid access token in one native client, from {@link #start} to {@link #close}: a new one
 * ahead of the old one's end, and one for each token that the service refuses. Native calls may
 * block for long, and so may an endpoint of tokens: daemon threads of the process do this, one that
 * looks and others that fetch. A fetch that fails is tried again; until then the client has the old
 * token.
 */
public final class TokenFeed implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TokenFeed.class);
  private static final int LOOK_EVERY_MS = 50;
  private static final int CHECK_EVERY_MS = 5000; // answered out of the cache, as a rule
  private static final int GRACE_MS =
      1000; // calls that left with the old token are refused a little later
  private static final int RETRY_MS = 1000;
  private static final int RETRY_MAX_MS = 30000;
  private static final ScheduledExecutorService LOOKING =
      Executors.newSingleThreadScheduledExecutor(daemon("pubsub-tokens"));
  private static final ExecutorService FETCHING =
      Executors.newCachedThreadPool(daemon("pubsub-token"));
  private static final Set<TokenFeed> FEEDS = ConcurrentHashMap.newKeySet();
  private static ScheduledFuture<?> looking; // under the class's lock; null: there are no feeds

  /** The native client that is fed. Both throw IllegalStateException once it is closed. */
  public interface Client {
    /** Calls that were answered UNAUTHENTICATED so far. */
    long unauthenticated();

    void setToken(byte[] token);
  }

  private final PubSubOptions options;
  private final Client client;
  private final Object lock = new Object();
  private byte[] token; // what the client has
  private long refusals; // those that were seen to
  private long nextCheckNanos;
  private long graceEndNanos;
  private int failures; // in a row
  private boolean fetching;
  private boolean closed;

  private TokenFeed(PubSubOptions options, Client client) {
    this.options = options;
    this.client = client;
  }

  /**
   * Gives the client its first token, now. Throws PubSubException where there is none to be had.
   */
  public static TokenFeed start(PubSubOptions options, Client client) {
    TokenFeed feed = new TokenFeed(options, client);
    byte[] token = Tokens.current(options);
    if (token == null) {
      return feed; // plaintext: nothing to look after
    }
    client.setToken(token);
    feed.token = token;
    feed.graceEndNanos = System.nanoTime();
    feed.nextCheckNanos = feed.graceEndNanos + TimeUnit.MILLISECONDS.toNanos(CHECK_EVERY_MS);
    synchronized (TokenFeed.class) {
      FEEDS.add(feed);
      if (looking == null) {
        looking =
            LOOKING.scheduleWithFixedDelay(
                TokenFeed::look, LOOK_EVERY_MS, LOOK_EVERY_MS, TimeUnit.MILLISECONDS);
      }
    }
    return feed;
  }

  @Override
  public void close() {
    synchronized (lock) {
      closed = true;
    }
    synchronized (TokenFeed.class) {
      FEEDS.remove(this);
      if (FEEDS.isEmpty() && looking != null) {
        looking.cancel(false);
        looking = null;
      }
    }
  }

  private static void look() {
    for (TokenFeed feed : FEEDS) {
      try {
        feed.lookAfter();
      } catch (IllegalStateException e) {
        feed.close(); // its client is closed
      }
    }
  }

  private void lookAfter() {
    long refused = client.unauthenticated();
    synchronized (lock) {
      long now = System.nanoTime();
      if (now - graceEndNanos < 0) {
        refusals = refused;
      }
      boolean dueAgain = now - nextCheckNanos >= 0;
      boolean isNew = refused != refusals && failures == 0; // a fetch that failed has its own pause
      if (closed || fetching || !(dueAgain || isNew)) {
        return;
      }
      fetching = true;
      FETCHING.execute(() -> fetch(refused));
    }
  }

  private void fetch(long refused) {
    byte[] old;
    boolean wasRefused;
    synchronized (lock) {
      old = token;
      wasRefused = refused != refusals;
    }
    byte[] fresh = null;
    try {
      fresh = wasRefused ? Tokens.instead(options, old) : Tokens.current(options);
      if (!Arrays.equals(fresh, old)) {
        client.setToken(fresh);
      }
    } catch (IllegalStateException e) {
      close();
    } catch (RuntimeException e) {
      fresh = null;
      LOG.warn("the access token cannot be renewed; it is tried again: {}", e.getMessage());
    } finally {
      synchronized (lock) {
        fetching = false;
        failures = fresh == null ? failures + 1 : 0;
        refusals = fresh == null ? refusals : refused;
        token = fresh == null ? old : fresh;
        long pause =
            fresh == null
                ? Math.min(RETRY_MAX_MS, RETRY_MS << Math.min(failures - 1, 5))
                : CHECK_EVERY_MS;
        long now = System.nanoTime();
        graceEndNanos =
            fresh == null || Arrays.equals(fresh, old)
                ? now
                : now + TimeUnit.MILLISECONDS.toNanos(GRACE_MS);
        nextCheckNanos = now + TimeUnit.MILLISECONDS.toNanos(pause);
      }
    }
  }

  private static ThreadFactory daemon(String name) {
    return task -> {
      Thread thread = new Thread(task, name);
      thread.setDaemon(true);
      return thread;
    };
  }
}
