import assert from "node:assert/strict";
import { test } from "node:test";
import {
  PullSysFlag,
  pullMessageRequestHeader,
  pullMessageResponseHeader,
  RequestCode,
  ResponseCode,
} from "@orbitmq/wire";
import { consumerOf, stage } from "../../testing/consumer-stage.ts";
import type { FakeBroker } from "../../testing/fake-broker.ts";

/** Answers pulls with the one message asked for, and says which replica to ask next. */
function suggesting(broker: FakeBroker, from: FakeBroker, suggestWhichBrokerId: number, log: string[]): void {
  broker.script = (request) => {
    if (request.code !== RequestCode.PULL_MESSAGE) return false;
    const { topic, queueId, queueOffset, sysFlag } = pullMessageRequestHeader.decode(request.ext);
    if (topic !== "orders") return false;
    const messages = from.queue(topic, queueId);
    const commits = (sysFlag & PullSysFlag.COMMIT_OFFSET) !== 0;
    log.push(`${broker.name} ${queueOffset}${commits ? " commits" : ""}`);
    const found = messages.slice(queueOffset, queueOffset + 1);
    if (found.length === 0) return false;
    return {
      code: ResponseCode.SUCCESS,
      header: (sink) =>
        pullMessageResponseHeader.encode(
          {
            suggestWhichBrokerId,
            nextBeginOffset: queueOffset + 1,
            minOffset: 0,
            maxOffset: messages.length,
          },
          sink,
        ),
      body: found.map((message) => from.record(message)),
    };
  };
}

test("a consumer that is far behind pulls where the broker says, commits nothing there, and comes back", async () => {
  const { w, broker: master } = stage(1);
  const replica = w.addBroker("replica");
  const route = w.nameServer.routes.get("orders")!;
  const [data] = route.brokerDatas;
  const brokerAddrs = new Map([
    [0, master.address],
    [1, replica.address],
  ]);
  w.nameServer.routes.set("orders", { ...route, brokerDatas: [{ ...data!, brokerAddrs }] });
  for (let i = 0; i < 4; i++) master.store("orders", 0, String(i));
  const pulls: string[] = [];
  suggesting(master, master, 1, pulls);
  suggesting(replica, master, 0, pulls);
  const heard: string[] = [];
  const consumer = consumerOf(w);
  consumer.listen("orders", (message) => void heard.push(message.text()));
  await w.settle(consumer.start());
  await w.until(() => heard.length === 4);
  assert.deepEqual(heard, ["0", "1", "2", "3"]);
  assert.deepEqual(
    pulls.slice(0, 4).map((pull) => pull.replace(" commits", "")),
    ["broker-a 0", "replica 1", "broker-a 2", "replica 3"],
  );
  assert.equal(
    pulls.some((pull) => pull.startsWith("replica") && pull.endsWith("commits")),
    false,
  );
  await w.settle(consumer.shutdown());
});
