package io.sparkpubsub.ledger;

import java.util.concurrent.TimeUnit;
import org.apache.spark.SparkEnv;
import org.apache.spark.rpc.RpcCallContext;
import org.apache.spark.rpc.RpcEndpointRef;
import org.apache.spark.rpc.RpcEnv;
import org.apache.spark.rpc.RpcTimeout;
import org.apache.spark.rpc.ThreadSafeRpcEndpoint;
import org.apache.spark.util.RpcUtils;
import org.apache.spark.util.ShutdownHookManager;
import scala.PartialFunction;
import scala.concurrent.duration.Duration;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractPartialFunction;
import scala.runtime.BoxedUnit;

/**
 * Spark's own channel between its processes. Messages are arrays of JDK types: the other side may
 * not see our classes.
 */
public final class Rpc {
  /**
   * Answers a message, now or later, by context.reply or context.sendFailure. No context: it was
   * only told.
   */
  public interface Handler {
    void handle(Object[] message, RpcCallContext context) throws Exception;
  }

  private static final ClassTag<Object> OBJECT = ClassTag$.MODULE$.apply(Object.class);

  private static final int BEFORE_SPARK = 200; // executors stop at 100, a context at 50

  private Rpc() {}

  public static RpcEndpointRef serve(String name, Handler handler) {
    RpcEnv env = SparkEnv.get().rpcEnv();
    return env.setupEndpoint(name, new Endpoint(env, handler));
  }

  public static void stop(RpcEndpointRef ref) {
    SparkEnv env = SparkEnv.get();
    if (env != null) {
      env.rpcEnv().stop(ref);
    }
  }

  /** The endpoint of that name in the driver. */
  public static RpcEndpointRef driver(String name) {
    SparkEnv env = SparkEnv.get();
    return RpcUtils.makeDriverRef(name, env.conf(), env.rpcEnv());
  }

  /** Without an answer, and without a promise that it arrives. */
  static void tell(RpcEndpointRef ref, Object... message) {
    ref.send(message);
  }

  public static Object ask(RpcEndpointRef ref, Object... message) {
    return ref.askSync(message, OBJECT);
  }

  /** As ask, but fails after timeoutMs instead of Spark's two minutes. */
  public static Object ask(int timeoutMs, RpcEndpointRef ref, Object... message) {
    RpcTimeout timeout =
        new RpcTimeout(
            Duration.create(timeoutMs, TimeUnit.MILLISECONDS), "a fixed timeout of pubsub");
    return ref.askSync(message, timeout, OBJECT);
  }

  /**
   * Whether there is nobody any more who could answer: this process's own channel has stopped, or
   * the other's endpoint has.
   */
  public static boolean isGone(Throwable failure) {
    for (Throwable e = failure; e != null; e = e.getCause()) {
      String name = e.getClass().getSimpleName();
      boolean says = String.valueOf(e.getMessage()).contains("Could not find pubsub-ledgers-");
      if (says
          || name.equals("RpcEnvStoppedException")
          || name.equals("RpcEndpointNotFoundException")) {
        return true;
      }
    }
    return SparkEnv.get() == null;
  }

  /**
   * Runs when the process is told to go, while Spark's own channel still works. Returns what
   * removeShutdownHook takes.
   */
  public static Object addShutdownHook(Runnable hook) {
    return ShutdownHookManager.addShutdownHook(
        BEFORE_SPARK,
        () -> {
          hook.run();
          return BoxedUnit.UNIT;
        });
  }

  public static void removeShutdownHook(Object hook) {
    ShutdownHookManager.removeShutdownHook(hook);
  }

  private static final class Endpoint implements ThreadSafeRpcEndpoint {
    private final RpcEnv env;
    private final Handler handler;

    Endpoint(RpcEnv env, Handler handler) {
      this.env = env;
      this.handler = handler;
    }

    @Override
    public RpcEnv rpcEnv() {
      return env;
    }

    @Override
    public PartialFunction<Object, BoxedUnit> receive() {
      return new Call(handler, null);
    }

    @Override
    public PartialFunction<Object, BoxedUnit> receiveAndReply(RpcCallContext context) {
      return new Call(handler, context);
    }
  }

  private static final class Call extends AbstractPartialFunction<Object, BoxedUnit> {
    private final Handler handler;
    private final RpcCallContext context;

    Call(Handler handler, RpcCallContext context) {
      this.handler = handler;
      this.context = context;
    }

    @Override
    public boolean isDefinedAt(Object message) {
      return message instanceof Object[];
    }

    @Override
    public BoxedUnit apply(Object message) {
      try {
        handler.handle((Object[]) message, context);
      } catch (Throwable e) {
        if (context != null) {
          context.sendFailure(new RuntimeException(e.toString()));
        }
      }
      return BoxedUnit.UNIT;
    }

    @Override
    @SuppressWarnings("unchecked")
    public <A1, B1> B1 applyOrElse(A1 message, scala.Function1<A1, B1> otherwise) {
      return isDefinedAt(message) ? (B1) apply(message) : otherwise.apply(message);
    }
  }
}
