package io.sparkpubsub.natives;

import io.sparkpubsub.PubSubException;
import io.sparkpubsub.read.TestChunk;
import java.io.File;
import java.lang.ref.WeakReference;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What NativeLibraryTest runs in a JVM of its own: a program a test, named by the first argument.
 */
final class NativeLibraryProgram {
  static final int THREADS = 32;
  static final String[] NOWHERE = {
    "endpoint",
    "127.0.0.1:1",
    "plaintext",
    "1",
    "subscription",
    "projects/p/subscriptions/s",
    "columns",
    "63"
  };

  private static final String[] SECURE = {
    "endpoint", "127.0.0.1:1", "subscription", "projects/p/subscriptions/s", "columns", "63"
  };
  static final int SESSIONS = 3;

  private NativeLibraryProgram() {}

  public static void main(String[] arguments) throws Exception {
    switch (arguments[0]) {
      case "load":
        NativeLoader.load();
        break;
      case "threads":
        AtomicInteger next = new AtomicInteger();
        atOnce(THREADS, () -> firstUse(next.getAndIncrement()));
        break;
      case "again":
        again(new File(System.getProperty(NativeLoader.TEMP_DIR_PROPERTY)));
        break;
      case "loaders":
        loaders();
        break;
      case "uses":
        uses();
        break;
      default:
        throw new IllegalArgumentException(arguments[0]);
    }
    System.out.println("mapped " + mapped().size());
    System.out.println("done");
  }

  /** Every class of natives fails while the folder is missing, and works once it is there. */
  private static void again(File folder) {
    for (int thread = 0; thread < 3; thread++) {
      try {
        firstUse(thread);
        throw new AssertionError("loaded from a folder that does not exist");
      } catch (UnsatisfiedLinkError e) {
        System.out.println("refused");
      }
    }
    if (!folder.mkdir()) {
      throw new AssertionError(folder + " cannot be made");
    }
    for (int thread = 0; thread < 3; thread++) {
      firstUse(thread);
    }
  }

  /** Whichever class of natives comes first. */
  private static Void firstUse(int thread) {
    switch (thread % 3) {
      case 0:
        return openAndClose();
      case 1:
        NativeWriter.close(NativeWriter.open(NOWHERE));
        return null;
      default:
        try {
          NativeAdmin.run(
              new String[] {"endpoint", "a b", "call", "getTopic", "name", "t"}, null, 1);
          throw new AssertionError("a bad endpoint was taken");
        } catch (PubSubException e) {
          return null;
        }
    }
  }

  private static Void openAndClose() {
    long reader = NativeReader.open(NOWHERE);
    NativeReader.close(reader, 100);
    return null;
  }

  private static void atOnce(int count, Callable<Void> work) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(count);
    CyclicBarrier start = new CyclicBarrier(count);
    List<Future<?>> running = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      running.add(
          pool.submit(
              () -> {
                start.await();
                return work.call();
              }));
    }
    for (Future<?> one : running) {
      one.get();
    }
    pool.shutdown();
  }

  /** The copies of the library in this process: their files are deleted, but stay mapped. */
  private static Set<String> mapped() throws Exception {
    Set<String> out = new HashSet<>();
    for (String line :
        java.nio.file.Files.readAllLines(java.nio.file.Paths.get("/proc/self/maps"))) {
      int at = line.indexOf("libpubsub_jni-");
      if (at >= 0) {
        out.add(line.substring(at));
      }
    }
    return out;
  }

  /** A class loader that shares nothing of ours with others, like one of a session. */
  private static URLClassLoader session() throws MalformedURLException {
    List<URL> urls = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
      urls.add(new File(entry).toURI().toURL());
    }
    return new URLClassLoader(
        urls.toArray(new URL[0]), ClassLoader.getSystemClassLoader().getParent());
  }

  private static Object call(
      ClassLoader loader, String method, Class<?>[] types, Object... arguments) throws Exception {
    Method found =
        Class.forName("io.sparkpubsub.natives.NativeReader", true, loader)
            .getDeclaredMethod(method, types);
    found.setAccessible(true);
    try {
      return found.invoke(null, arguments);
    } catch (InvocationTargetException e) {
      throw (Exception) e.getCause();
    }
  }

  /** Readers over TLS, which OpenSSL makes on this thread; the loader is closed again. */
  private static WeakReference<ClassLoader> sessionOnThisThread() throws Exception {
    try (URLClassLoader session = session()) {
      Long reader = (Long) call(session, "open", new Class<?>[] {String[].class}, (Object) SECURE);
      openAndClose(); // of this program's own loader, at the same time
      Object closed = call(session, "close", new Class<?>[] {long.class, int.class}, reader, 100);
      if (!closed.equals(Boolean.TRUE)) {
        throw new AssertionError("not closed");
      }
      // An error of the library is of the loader's own class.
      Class<?> own = Class.forName("io.sparkpubsub.PubSubException", true, session);
      try {
        call(
            session,
            "open",
            new Class<?>[] {String[].class},
            (Object) new String[] {"endpoint", "a b", "subscription", "s"});
        throw new AssertionError("a bad endpoint was taken");
      } catch (RuntimeException e) {
        if (e.getClass() != own) {
          throw e;
        }
      }
      return new WeakReference<>(session);
    }
  }

  /** Sessions come, share nothing, and go before the threads that used them. */
  private static void loaders() throws Exception {
    List<WeakReference<ClassLoader>> sessions = Collections.synchronizedList(new ArrayList<>());
    CountDownLatch end = new CountDownLatch(1);
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < SESSIONS; i++) {
      Thread thread =
          new Thread(
              () -> {
                try {
                  sessions.add(sessionOnThisThread());
                  end.await();
                } catch (Exception e) {
                  e.printStackTrace();
                }
              });
      thread.start();
      threads.add(thread);
    }
    while (sessions.size() < SESSIONS && threads.stream().allMatch(Thread::isAlive)) {
      Thread.sleep(10);
    }
    System.out.println("mapped by sessions " + mapped().size());
    for (int i = 0; i < 200 && sessions.stream().anyMatch(session -> session.get() != null); i++) {
      System.gc();
      Thread.sleep(20);
    }
    System.out.println(
        "sessions left " + sessions.stream().filter(session -> session.get() != null).count());
    end.countDown();
    for (Thread thread : threads) {
      thread.join();
    }
    openAndClose();
  }

  private interface Use {
    void run();
  }

  private static void throwsClosed(String what, Use use) {
    try {
      use.run();
    } catch (IllegalStateException e) {
      return;
    }
    throw new AssertionError(what + " took a closed handle");
  }

  /** Every native once with a good handle, and with one that is closed. */
  private static void uses() {
    long before = NativeReader.liveAllocations();
    long reader = NativeReader.open(NOWHERE);
    ChunkView view = new ChunkView();
    NativeReader.openSlot(reader, 0, 1, 0);
    NativeReader.await(reader, 0, 10);
    NativeReader.report(reader, new long[SlotReport.LONGS]);
    NativeReader.chunkSizes(reader, 0, 1, 0, new long[ChunkSize.LONGS]);
    NativeReader.slotError(reader, 0, 1);
    NativeReader.chunk(reader, 0, 1, 0, view);
    NativeReader.setTrigger(reader, 100, 0);
    NativeReader.settle(reader, 0, 1, 0, true);
    NativeReader.metrics(reader, new long[ReaderMetric.LONGS]);
    NativeReader.unauthenticated(reader);
    NativeReader.closeSlot(reader, 0, 1, true);
    NativeReader.close(reader, 100);
    NativeReader.close(reader, 100);
    throwsClosed("setToken", () -> NativeReader.setToken(reader, new byte[1]));
    throwsClosed("unauthenticated", () -> NativeReader.unauthenticated(reader));
    throwsClosed("openSlot", () -> NativeReader.openSlot(reader, 0, 1, 0));
    throwsClosed("closeSlot", () -> NativeReader.closeSlot(reader, 0, 1, true));
    throwsClosed("setTrigger", () -> NativeReader.setTrigger(reader, 1, 1));
    throwsClosed("settle", () -> NativeReader.settle(reader, 0, 1, 0, true));
    throwsClosed("report", () -> NativeReader.report(reader, new long[SlotReport.LONGS]));
    throwsClosed(
        "chunkSizes", () -> NativeReader.chunkSizes(reader, 0, 1, 0, new long[ChunkSize.LONGS]));
    throwsClosed("slotError", () -> NativeReader.slotError(reader, 0, 1));
    throwsClosed("await", () -> NativeReader.await(reader, 0, 10));
    throwsClosed("chunk", () -> NativeReader.chunk(reader, 0, 1, 0, view));
    throwsClosed("metrics", () -> NativeReader.metrics(reader, new long[ReaderMetric.LONGS]));

    long chunk = NativeReader.unpackChunk(TestChunk.packed(100, 50), view);
    long copy = NativeReader.unpackChunk(NativeReader.packChunk(chunk), view);
    NativeReader.releaseChunk(copy);
    NativeReader.releaseChunk(chunk);

    long writer = NativeWriter.open(NOWHERE);
    NativeWriter.topic(writer, "projects/p/topics/t");
    NativeWriter.metrics(writer, new long[WriterMetric.LONGS]);
    NativeWriter.unauthenticated(writer);
    NativeWriter.flush(writer, 100);
    NativeWriter.close(writer);
    NativeWriter.close(writer);
    throwsClosed("setToken", () -> NativeWriter.setToken(writer, new byte[1]));
    throwsClosed("unauthenticated", () -> NativeWriter.unauthenticated(writer));
    throwsClosed("topic", () -> NativeWriter.topic(writer, "projects/p/topics/t"));
    throwsClosed("publish", () -> NativeWriter.publish(writer, 0, 0, 0, 0, 0));
    throwsClosed("flush", () -> NativeWriter.flush(writer, 100));
    throwsClosed("metrics", () -> NativeWriter.metrics(writer, new long[WriterMetric.LONGS]));
    throwsClosed(
        "metrics of a reader's handle",
        () -> NativeWriter.metrics(reader, new long[WriterMetric.LONGS]));
    try {
      List<String> call = new ArrayList<>();
      Collections.addAll(call, NOWHERE);
      Collections.addAll(call, "call", "getSubscription", "name", "projects/p/subscriptions/s");
      NativeAdmin.run(call.toArray(new String[0]), null, 500);
      throw new AssertionError("nobody answered");
    } catch (PubSubException e) {
      System.out.println(e.code());
    }
    System.out.println("allocations left " + (NativeReader.liveAllocations() - before));
  }
}
