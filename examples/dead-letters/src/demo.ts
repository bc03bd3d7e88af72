/**
 * Looks at the dead letters of a group at the server at NAMESRV_ADDR; with --again sends them once more.
 *
 *   npm run -w examples/dead-letters demo -- invoicing [--again]
 */
import { Producer } from "@orbitmq/client";
import { deadLetters, sendAgain } from "./dead-letters.ts";

const options = { namesrv: process.env["NAMESRV_ADDR"] ?? "127.0.0.1:9876" };
const [group = "invoicing", again] = process.argv.slice(2);
console.table(await deadLetters(options, group));
if (again === "--again") {
  const producer = new Producer(options);
  await producer.start();
  console.log(`${await sendAgain(options, producer, group)} sent once more`);
  await producer.shutdown();
}
