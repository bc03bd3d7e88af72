/**
 * Our client as a process, to be run in another network: consumes a topic as a member of a group and prints each
 * delivery as a JSON line; a line `keys count` on stdin sends so many messages and prints how many were acknowledged.
 * Ends with stdin.
 *
 *   network-client.ts NAMESRV TOPIC GROUP [FROM TO]     FROM, TO: text replaced in every address it is told
 */
import { createInterface } from "node:readline";
import { Producer, PushConsumer } from "@orbitmq/client";
import { bodyOf, deliveryOf } from "./delivery.ts";

const [namesrv = "", topic = "", group = "", from, to] = process.argv.slice(2);
const mapAddress = from === undefined ? undefined : (address: string) => address.replace(from, to ?? "");
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

const producer = new Producer({ namesrv, mapAddress, sendTimeoutMs: 10_000, waitForever: true });
const consumer = new PushConsumer({ namesrv, mapAddress, group, from: "first", waitForever: true });
consumer.listen(topic, (message) => {
  say(deliveryOf(message));
});
await Promise.all([producer.start(), consumer.start()]);
say({ ready: true });
for await (const line of createInterface({ input: process.stdin })) {
  const [keys = "", count] = line.split(" ");
  let sent = 0;
  for (; sent < Number(count); sent++)
    await producer.send({ topic, keys: `${keys}${sent}`, body: bodyOf(`${keys}${sent}`, 64) });
  say({ sent, keys });
}
await Promise.all([producer.shutdown(), consumer.shutdown()]);
