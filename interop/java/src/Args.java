package interop;

import java.util.HashMap;
import java.util.Map;

/**
 * The options of a subcommand, `--name value` pairs; a missing or misspelt one fails at once instead of being guessed.
 * Also what the subcommand needs to know of its surroundings: whose its lines are and when it is to stop.
 */
final class Args {
    private final Map<String, String> values = new HashMap<>();
    private final String run;
    private Runnable stopper = () -> { };
    private boolean stopped;

    /** `run`: the number that `serve` gave it, or null for a process of its own. */
    Args(String run, String[] argv) {
        this.run = run;
        for (int i = 1; i < argv.length; i += 2) {
            if (!argv[i].startsWith("--") || i + 1 == argv.length) {
                throw new IllegalArgumentException("expected --name value, got " + argv[i]);
            }
            values.put(argv[i].substring(2), argv[i + 1]);
        }
    }

    boolean has(String name) {
        return values.containsKey(name);
    }

    String text(String name) {
        String value = values.get(name);
        if (value == null) throw new IllegalArgumentException("--" + name + " is missing");
        return value;
    }

    String text(String name, String otherwise) {
        return values.getOrDefault(name, otherwise);
    }

    int number(String name, int otherwise) {
        return has(name) ? Integer.parseInt(text(name)) : otherwise;
    }

    /** Clients of one process with the same instance name would be one client. */
    String instance(String otherwise) {
        return text("instance", run == null ? otherwise : otherwise + "-" + run);
    }

    Line line() {
        Line line = new Line();
        return run == null ? line : line.put("run", run);
    }

    /** Has `action` called when the subcommand is to stop: on SIGTERM, or when `serve` is told so. */
    synchronized void onStop(Runnable action) {
        stopper = action;
        if (run == null) Runtime.getRuntime().addShutdownHook(new Thread(this::stop));
        else if (stopped) action.run();
    }

    void stop() {
        Runnable action;
        synchronized (this) {
            stopped = true;
            action = stopper;
        }
        action.run();
    }
}
