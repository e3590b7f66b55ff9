package io.sparkpubsub.ledger;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which executors there are, and how the agent of each stands. Pure: time is an argument (monotonic
 * ms), decisions are returned. Not thread-safe; the ledger owns it and moves the slots.
 *
 * <pre>
 *  Spark adds an executor
 *        │
 *        ▼      a start begins          its agent registers            no report for SILENT_MS
 *     WANTED ─────────────────▶ STARTING ─────────────────▶ WORKING ─────────────────────────▶ SILENT
 *      ▲ ▲ ▲                       │                         │ │  ▲                             │  │
 *      │ │ └── after a backoff ────┘ it failed, or took      │ │  └──────── it reports ─────────┘  │
 *      │ │                             START_TIMEOUT_MS      │ │                                   │
 *      │ └───────── its last report, while its executor ─────┘ │ Spark decommissions it,           │
 *      │            stays                                      ▼ or the process says so            │
 *      │                                                    LEAVING (also from WANTED, STARTING)   │
 *      └──────────────────── no report for GONE_MS: its slots move ────────────────────────────────┘
 *
 *  Spark removes an executor: it is forgotten, from any state, and what it had moves.
 *  A report of an agent that no state above expects (it was forgotten, or one after it has registered) is a stranger's.
 * </pre>
 *
 * An agent that hears nothing from the driver gives everything back before GONE_MS is over, so that
 * its slots do not have two homes.
 */
final class Membership {
  /** How the agent of an executor stands. */
  enum State {
    WANTED,
    STARTING,
    WORKING,
    SILENT,
    LEAVING
  }

  static final long SILENT_MS = 10_000;
  static final long GONE_MS = 45_000;
  static final long START_TIMEOUT_MS = 60_000;
  static final long FIRST_BACKOFF_MS = 500;
  static final long MAX_BACKOFF_MS = 10_000;

  /** The first slots wait so long for the other executors. */
  static final long GATHER_MS = 5_000;

  /** A query without an agent fails after so long, where starting one has failed. */
  static final long STUCK_MS = 40_000;

  /** Nobody looked for so long: the driver itself stood still, which says nothing of executors. */
  static final long STOOD_STILL_MS = 5_000;

  /** One executor. */
  static final class Member {
    final String executor;
    final String host;
    State state = State.WANTED;
    private long sinceMs; // in this state
    private long notBeforeMs; // WANTED: the next start
    private long heardMs;
    private long incarnation; // of its newest agent; 0: it had none
    private long number; // of the newest report
    private int failures; // in a row
    private boolean ended; // its last report is here
    boolean counted; // as lost

    Member(String executor, String host) {
      this.executor = executor;
      this.host = host;
    }

    boolean hasAgent() {
      return state == State.WORKING
          || state == State.SILENT
          || state == State.LEAVING && !ended && incarnation > 0;
    }

    /** Of its newest agent; 0: it had none. */
    long incarnation() {
      return incarnation;
    }

    boolean mayHaveSlots() {
      return state == State.WORKING || state == State.SILENT;
    }
  }

  private final Map<String, Member> members = new LinkedHashMap<>();
  private int workingCount; // of those, counted as it changes: it is asked for with every report
  private String lastFailure;
  private long lastFailureMs;
  private long workedMs = -1; // when an agent was last seen working, or the run began
  private long lookedMs = -1; // the last tick
  private long firstMs = -1; // when the first agent registered

  Member get(String executor) {
    return members.get(executor);
  }

  /** Executors whose agents may have slots. */
  List<Member> working() {
    List<Member> out = new ArrayList<>();
    for (Member member : members.values()) {
      if (member.mayHaveSlots()) {
        out.add(member);
      }
    }
    return out;
  }

  int workingCount() {
    return workingCount;
  }

  private void to(Member member, State next, long nowMs) {
    workingCount -= member.mayHaveSlots() ? 1 : 0;
    member.state = next;
    member.sinceMs = nowMs;
    workingCount += member.mayHaveSlots() ? 1 : 0;
  }

  int count(State state) {
    int count = 0;
    for (Member member : members.values()) {
      count += member.state == state ? 1 : 0;
    }
    return count;
  }

  /** Whether Spark has any executor that stays. */
  boolean hasExecutors() {
    return count(State.LEAVING) < members.size();
  }

  /** The executors that Spark has, id -> host. Returns those that are gone. */
  List<Member> executors(long nowMs, Map<String, String> present) {
    List<Member> gone = new ArrayList<>();
    for (Member member : members.values()) {
      if (!present.containsKey(member.executor)) {
        gone.add(member);
      }
    }
    for (Member member : gone) {
      members.remove(member.executor);
      workingCount -= member.mayHaveSlots() ? 1 : 0;
    }
    present.forEach(
        (executor, host) ->
            members.computeIfAbsent(
                executor,
                added -> {
                  Member member = new Member(added, host);
                  to(member, State.WANTED, nowMs);
                  member.notBeforeMs = nowMs;
                  return member;
                }));
    return gone;
  }

  /** Executors on which a start is to begin now, id -> host: they are STARTING from here on. */
  Map<String, String> start(long nowMs) {
    Map<String, String> out = new LinkedHashMap<>();
    for (Member member : members.values()) {
      if (member.state == State.WANTED && nowMs >= member.notBeforeMs) {
        to(member, State.STARTING, nowMs);
        out.put(member.executor, member.host);
      }
    }
    return out;
  }

  /**
   * A start is over: the agent has registered before, or there is none. Reason: null where it is
   * not known.
   */
  void startEnded(long nowMs, String executor, String reason) {
    Member member = members.get(executor);
    if (reason != null) {
      lastFailure = "executor " + executor + ": " + reason;
      lastFailureMs = nowMs;
    }
    if (member != null && member.state == State.STARTING) {
      backOff(member, nowMs);
    }
  }

  private void backOff(Member member, long nowMs) {
    long backoff = FIRST_BACKOFF_MS << Math.min(member.failures++, 5);
    to(member, State.WANTED, nowMs);
    member.notBeforeMs = nowMs + Math.min(backoff, MAX_BACKOFF_MS);
  }

  /**
   * Whether this agent may work. A newer one takes the place of another, which has nothing any
   * more.
   */
  boolean register(long nowMs, String executor, long incarnation) {
    Member member = members.get(executor);
    if (member == null || member.state == State.LEAVING || incarnation < member.incarnation) {
      return false;
    }
    if (incarnation > member.incarnation) {
      member.incarnation = incarnation;
      member.number = 0;
      member.ended = false;
      member.counted = false;
    }
    member.failures = 0;
    firstMs = firstMs < 0 ? nowMs : firstMs;
    heard(member, nowMs);
    return true;
  }

  private void heard(Member member, long nowMs) {
    member.heardMs = nowMs;
    if (member.state != State.LEAVING && member.state != State.WORKING) {
      to(member, State.WORKING, nowMs);
    }
    workedMs = nowMs;
  }

  /**
   * Whether an agent with this incarnation has ever registered, and is the newest of its executor.
   */
  boolean knows(String executor, long incarnation) {
    Member member = members.get(executor);
    return member != null && member.hasAgent() && member.incarnation == incarnation;
  }

  /** A report of a known agent. False: one with a later number was here before. */
  boolean reported(long nowMs, String executor, long number) {
    Member member = members.get(executor);
    boolean newer = number > member.number;
    member.number = Math.max(number, member.number);
    heard(member, nowMs);
    return newer;
  }

  /**
   * The agent's process goes, or Spark has decommissioned it. False: that is known, or nobody knows
   * it.
   */
  boolean leave(long nowMs, String executor) {
    Member member = members.get(executor);
    if (member == null || member.state == State.LEAVING) {
      return false;
    }
    to(member, State.LEAVING, nowMs);
    return true;
  }

  /** The agent has ended. If its executor stays, another one is wanted. */
  void ended(long nowMs, String executor) {
    Member member = members.get(executor);
    member.ended = true;
    if (member.state != State.LEAVING) {
      backOff(member, nowMs);
    }
  }

  /**
   * Lets time pass. Returns those whose agents have been silent for too long: they have nothing any
   * more.
   */
  List<Member> tick(long nowMs) {
    List<Member> gone = new ArrayList<>();
    workedMs = workedMs < 0 ? nowMs : workedMs;
    if (stoodStill(nowMs)) {
      workedMs += nowMs - lookedMs;
    }
    lookedMs = nowMs;
    for (Member member : members.values()) {
      if (member.state == State.WORKING && nowMs - member.heardMs >= SILENT_MS) {
        to(member, State.SILENT, nowMs);
      }
      if (member.state == State.SILENT && nowMs - member.heardMs >= GONE_MS) {
        gone.add(member);
        backOff(member, nowMs);
        member.notBeforeMs = nowMs + MAX_BACKOFF_MS; // its process may be stopped
      } else if (member.state == State.STARTING && nowMs - member.sinceMs >= START_TIMEOUT_MS) {
        backOff(member, nowMs);
      }
    }
    return gone;
  }

  private boolean stoodStill(long nowMs) {
    return lookedMs >= 0 && nowMs - lookedMs >= STOOD_STILL_MS;
  }

  /**
   * Whether the first slots may get their homes: every executor is ready, or has been waited for.
   */
  boolean isGathered(long nowMs) {
    boolean late = firstMs >= 0 && nowMs - firstMs >= GATHER_MS;
    int ready = count(State.WORKING);
    return ready > 0 && (late || ready + count(State.LEAVING) == members.size());
  }

  /**
   * Why nothing can be read, since when it is clear; null: nothing is wrong, or it may still pass.
   */
  String problem(long nowMs) {
    boolean works = count(State.WORKING) > 0;
    boolean failing = lastFailure != null && lastFailureMs >= workedMs;
    if (works || !failing || stoodStill(nowMs) || workedMs < 0 || nowMs - workedMs < STUCK_MS) {
      return null;
    }
    return "no executor can read: starting the agent that holds the streams fails, since "
        + (nowMs - workedMs) / 1000
        + " s; the last reason, of "
        + lastFailure;
  }

  /** Executors by state, for a log line. */
  @Override
  public String toString() {
    StringBuilder out = new StringBuilder();
    for (Member member : members.values()) {
      out.append(out.length() == 0 ? "" : ", ")
          .append(member.executor)
          .append(' ')
          .append(member.state);
    }
    return out.toString();
  }

  Set<String> ids() {
    return members.keySet();
  }
}
