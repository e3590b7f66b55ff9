package io.sparkpubsub.ledger;

import io.sparkpubsub.ledger.LedgerMessages.Answer;
import io.sparkpubsub.ledger.LedgerMessages.Verdict;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.SparkEnv;
import org.apache.spark.rpc.RpcCallContext;
import org.apache.spark.rpc.RpcEnv;

/**
 * The one endpoint of a driver, behind which the ledgers of its runs are. It stays when a run ends,
 * so that whoever still works for that run, or begins to too late, is told so instead of waiting
 * for an answer: the fence of agents.
 */
final class LedgerDoor {
  /** Answers what is asked of one run. */
  interface Room {
    void handle(Object[] message, RpcCallContext context) throws Exception;
  }

  private static LedgerDoor current;

  private final RpcEnv env;
  private final String name =
      "pubsub-ledgers-" + UUID.randomUUID(); // other class loaders have theirs
  private final ConcurrentHashMap<String, Room> rooms = new ConcurrentHashMap<>();

  private LedgerDoor(RpcEnv env) {
    this.env = env;
  }

  /** That of the Spark context that is active in this process. */
  static synchronized LedgerDoor get() {
    RpcEnv env = SparkEnv.get().rpcEnv();
    if (current == null || current.env != env) {
      LedgerDoor door = new LedgerDoor(env);
      Rpc.serve(door.name, door::handle);
      current = door;
    }
    return current;
  }

  String name() {
    return name;
  }

  void open(String run, Room room) {
    rooms.put(run, room);
  }

  void close(String run) {
    rooms.remove(run);
  }

  private void handle(Object[] message, RpcCallContext context) throws Exception {
    Room room = rooms.get(LedgerMessages.run(message));
    if (room != null) {
      room.handle(message, context);
    } else if (context != null) {
      turnAway(message, context);
    }
  }

  private static void turnAway(Object[] message, RpcCallContext context) {
    switch (LedgerMessages.kind(message)) {
      case LedgerMessages.Register.KIND:
        context.reply(Verdict.OVER.name());
        break;
      case LedgerMessages.Report.KIND:
        context.reply(Answer.OVER.encode());
        break;
      case LedgerMessages.Leave.KIND:
        context.reply(Order.NONE);
        break;
      default:
        context.sendFailure(ended(LedgerMessages.run(message)));
    }
  }

  /** What a task is told that reads what cannot be read any more. */
  static IllegalStateException ended(String run) {
    return new IllegalStateException(
        "the read that these rows are of has ended: what it read is acknowledged, or given back,"
            + " and cannot be read again here. A DataFrame of a bounded read is read by one action:"
            + " load() it anew for another (run "
            + run
            + ")");
  }
}
