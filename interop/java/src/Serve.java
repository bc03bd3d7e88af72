package interop;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Many subcommands in one process, at the same time if wanted: starting a JVM costs a test more than what it does there.
 * A line of stdin is `run TAB subcommand TAB --name TAB value …`, or `run TAB stop`. Every line of stdout names its run;
 * the last one of a run has its `exit` status. Ends with stdin.
 */
final class Serve {
    private static final Map<String, Args> running = new ConcurrentHashMap<>();

    private Serve() {
    }

    static int run() throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        new Line().put("serving", true).print();
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] words = line.split("\t", -1);
            String run = words[0];
            String[] argv = Arrays.copyOfRange(words, 1, words.length);
            if (argv[0].equals("stop")) {
                Args args = running.get(run);
                if (args != null) new Thread(args::stop, "stop-" + run).start();
            } else {
                Args args = new Args(run, argv);
                running.put(run, args);
                new Thread(() -> carryOut(run, argv[0], args), "run-" + run).start();
            }
        }
        return 0;
    }

    private static void carryOut(String run, String command, Args args) {
        int exit = 2;
        String problem = null;
        try {
            exit = Main.run(command, args);
        } catch (Throwable thrown) {
            StringWriter text = new StringWriter();
            thrown.printStackTrace(new PrintWriter(text));
            problem = text.toString();
        }
        running.remove(run);
        args.line().put("exit", exit).put("problem", problem).print();
    }
}
