package interop;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.apache.rocketmq.tools.command.MQAdminStartup;

/**
 * Runs mqadmin as its own start script does, in this process, and tells what it printed: `--line "topicRoute -t T"`.
 * One at a time: mqadmin prints to the process's stdout and stderr.
 */
final class Admin {
    private Admin() {
    }

    static synchronized int run(Args args) throws Exception {
        PrintStream stdout = System.out;
        PrintStream stderr = System.err;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        System.setOut(new PrintStream(out, true, "UTF-8"));
        System.setErr(new PrintStream(err, true, "UTF-8"));
        try {
            Shutdown.of(() -> MQAdminStartup.main0(args.text("line").split(" "), null));
        } finally {
            System.setOut(stdout);
            System.setErr(stderr);
        }
        args.line().put("stdout", out.toString(StandardCharsets.UTF_8)).put("stderr", err.toString(StandardCharsets.UTF_8)).print();
        return 0;
    }
}
