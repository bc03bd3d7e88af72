/**
 * What a send costs in this client: acknowledged sends a second over one loopback connection to a server in the
 * same process that only answers, as a promise each and through callbacks, beside bare RPC requests of the same
 * size. Run: node --conditions=orbitmq-source --import tsx packages/client/src/producer/producer.bench.ts
 */
import { nodeHost } from "@orbitmq/host/node";
import { RequestCode, RpcClient, sendMessageResponseHeader } from "@orbitmq/wire";
import { FakeBroker } from "../testing/fake-broker.ts";
import { FakeNameServer } from "../testing/fake-name-server.ts";
import { Producer } from "./producer.ts";
import type { SendCallback } from "./send-result.ts";

const COUNT = 200_000;
const IN_FLIGHT = 64;
const body = Buffer.alloc(128, "x");

async function measure(name: string, run: (done: () => void) => void): Promise<void> {
  for (const count of [COUNT / 10, COUNT]) {
    let left = count;
    let begun = 0;
    const startedMs = performance.now();
    await new Promise<void>((resolve) => {
      const next = () => {
        if (begun++ < count) run(done);
      };
      const done = () => {
        if (--left === 0) resolve();
        else next();
      };
      for (let i = 0; i < IN_FLIGHT; i++) next();
    });
    const perSecond = (count / (performance.now() - startedMs)) * 1000;
    if (count === COUNT) console.log(`${name}: ${Math.round(perSecond).toLocaleString("en")}/s`);
  }
}

const host = nodeHost();
const nameServer = new FakeNameServer(host);
await nameServer.listen("127.0.0.1", 0);
const broker = new FakeBroker(host, "127.0.0.1", "broker-a", 0);
await broker.listen();
nameServer.setRoute("orders", [broker]);
const header = { msgId: "0A010101000000009F00000000000001", queueId: 0, queueOffset: 1, durability: "disk" };
broker.script = (request) =>
  request.code === RequestCode.SEND_MESSAGE_V2
    ? { code: 0, header: (sink) => sendMessageResponseHeader.encode(header, sink) }
    : false;

const rpc = new RpcClient(host);
await measure("bare requests", (done) => {
  rpc.request(broker.address, { code: RequestCode.SEND_MESSAGE_V2, body: [body] }, 3_000, done);
});
const producer = new Producer(host, { namesrv: nameServer.address });
await producer.start();
await producer.send({ topic: "orders", body });
let onDone: () => void = () => {};
const callback: SendCallback = {
  onSuccess: () => onDone(),
  onException: (error) => {
    throw error;
  },
};
await measure("sendAsync", (done) => {
  onDone = done;
  producer.sendAsync({ topic: "orders", body, tag: "t", keys: "k" }, callback);
});
await measure("send", (done) => {
  producer.send({ topic: "orders", body, tag: "t", keys: "k" }).then(done, done);
});
await producer.shutdown();
await new Promise<void>((resolve) => rpc.stop(resolve));
await new Promise((resolve) => broker.server.stop(1_000, resolve));
await new Promise((resolve) => nameServer.server.stop(1_000, resolve));
