package interop;

import java.lang.management.LockInfo;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Shuts a client down without the up to three seconds that the 5.x client then waits for its own NettyEventExecutor,
 * which sits in a poll of that length: whichever thread of that name the caller is joining is woken.
 */
final class Shutdown {
    private static final int LOOK_INTERVAL_MS = 20;

    private Shutdown() {
    }

    static void of(Runnable shutdown) {
        Thread caller = Thread.currentThread();
        AtomicBoolean over = new AtomicBoolean();
        Thread waker = new Thread(() -> {
            while (!over.get()) {
                wakeJoinedBy(caller);
                try {
                    Thread.sleep(LOOK_INTERVAL_MS);
                } catch (InterruptedException never) {
                    throw new IllegalStateException(never);
                }
            }
        }, "shutdown-waker");
        waker.setDaemon(true);
        waker.start();
        try {
            shutdown.run();
        } finally {
            over.set(true);
        }
    }

    private static void wakeJoinedBy(Thread caller) {
        ThreadInfo info = ManagementFactory.getThreadMXBean().getThreadInfo(caller.getId());
        LockInfo lock = info == null ? null : info.getLockInfo();
        if (lock == null || !lock.getClassName().equals(Thread.class.getName())) return;
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            boolean joined = System.identityHashCode(thread) == lock.getIdentityHashCode();
            if (joined && thread.getName().startsWith("NettyEventExecutor")) thread.interrupt();
        }
    }
}
