package interop;

import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/**
 * The door of the Java side: one program, compiled against each client version, whose subcommands do with the official
 * client what a test asks and tell what happened as JSON lines on stdout. Everything else (client logs) goes elsewhere.
 */
public final class Main {
    private Main() {
    }

    public static void main(String[] argv) {
        String command = argv.length == 0 ? "" : argv[0];
        int exit;
        try {
            Args args = new Args(null, argv);
            announceVersion(args);
            exit = command.equals("serve") ? Serve.run() : run(command, args);
        } catch (Throwable problem) {
            problem.printStackTrace();
            exit = 2;
        }
        System.out.flush();
        System.exit(exit);
    }

    static int run(String command, Args args) throws Exception {
        switch (command) {
            case "admin": return Admin.run(args);
            case "produce": return Produce.run(args);
            case "consume": return Consume.run(args);
            case "dashboard": return Dashboard.run(args);
            case "litepull": return LitePull.run(args);
            case "request": return Request.run(args);
            case "transact": return Transact.run(args);
            case "tour": return Tour.run(args);
            case "traces": return Traces.run(args);
            default: throw new IllegalArgumentException("subcommands: admin, dashboard, produce, consume, litepull, request, transact, tour, traces, serve; not " + command);
        }
    }

    /**
     * With --announce-version N every frame carries version N, as an older client's would. The client caches the number
     * at its first command and sets the property itself later, so it has to be first.
     */
    private static void announceVersion(Args args) {
        if (!args.has("announce-version")) return;
        System.setProperty(RemotingCommand.REMOTING_VERSION_KEY, args.text("announce-version"));
        RemotingCommand.createRequestCommand(0, null);
    }
}
