/** Run by tests as a child process: takes the lock named by its argument and holds it until it is killed. */
import { nodeHost } from "../index.ts";

nodeHost().files.lockSync(process.argv[2]!);
process.stdout.write("locked\n");
process.stdin.resume();
