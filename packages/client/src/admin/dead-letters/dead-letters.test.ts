/** Dead letters of real consumers at real brokers on simulated machines, redriven and deleted, undisturbed and not. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SimHost } from "@orbitmq/host/sim";
import { PushConsumer } from "../../consumer/push-consumer.ts";
import { Reader } from "../../consumer/reader/reader.ts";
import { OrbitError } from "../../errors/errors.ts";
import type { Message } from "../../message/message.ts";
import type { ReceivedMessage } from "../../message/received-message.ts";
import { Producer } from "../../producer/producer.ts";
import { RealCluster } from "../../testing/real-cluster.ts";
import { Admin } from "../admin.ts";
import type { DeadLetter } from "./dead-letter.ts";
import type { ReadDeadLettersOptions } from "./dead-letter-options.ts";
import { DeadLetters } from "./dead-letters.ts";

class Stage {
  readonly c = new RealCluster();
  letters!: DeadLetters;
  producer!: Producer;

  static async with(brokers: readonly string[] = ["broker-a"]): Promise<Stage> {
    const stage = new Stage();
    const { c } = stage;
    await c.startNameServer();
    for (const name of brokers) await c.startBroker(name);
    stage.producer = new Producer(c.host, { namesrv: c.namesrv });
    await c.settle(stage.producer.start());
    stage.letters = await stage.lettersOn(c.host);
    return stage;
  }

  async lettersOn(host: SimHost): Promise<DeadLetters> {
    const letters = new DeadLetters(host, { namesrv: this.c.namesrv });
    await this.c.settle(letters.start());
    return letters;
  }

  /** Sends them, and lets a group fail each at once. */
  async kill(messages: readonly Omit<Message, "topic">[], group = "g", topic = "orders"): Promise<void> {
    const { c } = this;
    const failing = new PushConsumer(c.host, {
      namesrv: c.namesrv,
      group,
      from: "first",
      maxReconsumeTimes: 0,
    });
    let heard = 0;
    failing.listen(topic, (message) => {
      heard += 1;
      throw new Error(`cannot\nwith ${message.text()}`);
    });
    await c.settle(failing.start());
    for (const message of messages) await c.settle(this.producer.send({ topic, ...message }));
    await c.until(() => heard >= messages.length);
    await c.settle(failing.shutdown());
  }

  async read(options: ReadDeadLettersOptions = {}, letters = this.letters): Promise<DeadLetter[]> {
    const all: DeadLetter[] = [];
    const reading = async () => {
      for await (const letter of letters.read("g", options)) all.push(letter);
    };
    await this.c.settle(reading());
    return all;
  }

  /** What a topic holds that was redriven. */
  async redriven(topic = "orders"): Promise<ReceivedMessage[]> {
    const reader = new Reader(this.c.host, { namesrv: this.c.namesrv });
    await this.c.settle(reader.start());
    const all: ReceivedMessage[] = [];
    const reading = async () => {
      for await (const message of reader.read(topic, { follow: false }))
        if (message.properties["ORBITMQ_REDRIVEN_ID"] !== undefined) all.push(message);
    };
    await this.c.settle(reading());
    await this.c.settle(reader.shutdown());
    return all;
  }
}

const bodies = (count: number) => Array.from({ length: count }, (_, i) => ({ body: `m${i}`, keys: `k${i}` }));
const texts = (letters: readonly DeadLetter[]) => letters.map(({ message }) => message.text()).sort();

describe("dead letters", () => {
  it("are listed with why and when they died, and chosen by what they are", async () => {
    const stage = await Stage.with();
    const { c, letters } = stage;
    assert.deepEqual(await c.settle(letters.list()), []);
    await stage.kill([{ body: "one", keys: ["a", "b"], tag: "t" }]);
    await c.world.run(10_000);
    await stage.kill([{ body: "two", keys: "c", tag: "u" }]);
    const [one, two] = await stage.read();
    assert.deepEqual(
      [one?.originTopic, one?.reason, one?.keys, one?.tag, one?.attempts, one?.redrives, one?.state],
      ["orders", "cannot with one", ["a", "b"], "t", 1, 0, "dead"],
    );
    const chosen = async (options: ReadDeadLettersOptions) => texts(await stage.read(options));
    assert.deepEqual(await chosen({ keys: ["b", "x"] }), ["one"]);
    assert.deepEqual(await chosen({ tags: ["u"] }), ["two"]);
    assert.deepEqual(await chosen({ reason: "WITH TWO" }), ["two"]);
    for (const id of [one!.msgId, one!.offsetMsgId, one!.originMsgId!])
      assert.deepEqual(await chosen({ ids: [id] }), ["one"]);
    assert.deepEqual(await chosen({ fromMs: one!.diedTimestamp + 1 }), ["two"]);
    assert.deepEqual(await chosen({ toMs: two!.diedTimestamp }), ["one"]);
    assert.deepEqual(await chosen({ originTopics: ["others"] }), []);
    assert.deepEqual(await chosen({ max: 1 }), ["one"]);
    assert.deepEqual(await c.settle(letters.list()), [
      {
        group: "g",
        topic: "%DLQ%g",
        dead: 2,
        redriven: 0,
        deleted: 0,
        oldestTimestamp: one!.diedTimestamp,
        newestTimestamp: two!.diedTimestamp,
        isReadable: true,
      },
    ]);
    await assert.rejects(
      c.settle(letters.read("nobody").next()),
      (error) => error instanceof OrbitError && error.code === "TOPIC_ROUTE_NOT_FOUND",
    );
  });

  it("go back to their topic once, as the same message, and are listed no longer", async () => {
    const stage = await Stage.with(["broker-a", "broker-b"]);
    const { c, letters } = stage;
    await stage.kill(bodies(70));
    const before = await stage.read();
    const dry = await c.settle(letters.redrive("g", { dryRun: true }));
    assert.deepEqual([dry.selected, dry.done, (await stage.redriven()).length], [70, 0, 0]);
    const some = await c.settle(letters.redrive("g", { keys: ["k3", "k4"] }));
    assert.deepEqual([some.selected, some.done, some.complete, some.failed], [2, 2, true, 0]);
    const looks: number[] = [];
    const onProgress = ({ looked, total }: { looked: number; total: number }) => {
      assert.equal(total, 70);
      looks.push(looked);
    };
    const rest = await c.settle(letters.redrive("g", { onProgress }));
    assert.deepEqual([rest.selected, rest.done, looks.at(-1)], [68, 68, 70]);
    assert.deepEqual((await c.settle(letters.redrive("g"))).selected, 0);
    const sent = await stage.redriven();
    assert.deepEqual(sent.map((message) => message.text()).sort(), texts(before));
    const letterOf = new Map(before.map((letter) => [letter.offsetMsgId, letter]));
    for (const message of sent) {
      const letter = letterOf.get(message.properties["ORBITMQ_REDRIVEN_ID"]!)!;
      assert.deepEqual(
        [message.msgId, message.text(), message.keys, message.reconsumeTimes],
        [letter.msgId, letter.message.text(), letter.keys, 0],
      );
    }
    assert.deepEqual(await stage.read(), []);
    assert.equal(
      (await stage.read({ all: true })).every(({ state }) => state === "redriven"),
      true,
    );
    const [listed] = await c.settle(letters.list());
    assert.deepEqual([listed?.dead, listed?.redriven, listed?.oldestTimestamp], [0, 70, undefined]);
  });

  it("that die again are new ones that count their redrives", async () => {
    const stage = await Stage.with();
    const { c, letters } = stage;
    await stage.kill([{ body: "x" }]);
    await c.settle(letters.redrive("g"));
    await stage.kill([]);
    await c.until(() => true);
    const failing = new PushConsumer(c.host, { namesrv: c.namesrv, group: "g", maxReconsumeTimes: 0 });
    failing.listen("orders", () => "RECONSUME_LATER");
    await c.settle(failing.start());
    await c.world.run(5_000);
    await c.settle(failing.shutdown());
    const [again] = await stage.read();
    assert.deepEqual([again?.redrives, again?.message.text()], [1, "x"]);
    await c.settle(letters.redrive("g", { to: "orders" }));
    assert.deepEqual(
      (await stage.redriven()).map(({ properties }) => properties["ORBITMQ_REDRIVES"]).sort(),
      ["1", "2"],
    );
  });

  it("that are deleted are listed no longer, and stay where they are", async () => {
    const stage = await Stage.with();
    const { c, letters } = stage;
    await stage.kill(bodies(5));
    const result = await c.settle(letters.delete("g", { keys: ["k0", "k4"] }));
    assert.deepEqual([result.selected, result.done], [2, 2]);
    assert.deepEqual(texts(await stage.read()), ["m1", "m2", "m3"]);
    const [listed] = await c.settle(letters.list());
    assert.deepEqual([listed?.dead, listed?.deleted, listed?.redriven], [3, 2, 0]);
    assert.equal((await stage.read({ all: true })).length, 5);
    assert.deepEqual((await c.settle(letters.redrive("g"))).done, 3);
  });

  it("whose topic is gone stay, and can be sent elsewhere", async () => {
    const stage = await Stage.with();
    const { c, letters } = stage;
    await stage.kill(bodies(2));
    await c.settle(stage.producer.send({ topic: "%DLQ%g", body: "by hand" }));
    const refused = await c.settle(letters.redrive("g", { to: "nowhere" }));
    assert.deepEqual([refused.done, refused.failed, refused.complete], [0, 3, true]);
    assert.equal(refused.failures[0]?.code, "TOPIC_ROUTE_NOT_FOUND");
    const mixed = await c.settle(letters.redrive("g"));
    assert.deepEqual([mixed.done, mixed.failures.map(({ code }) => code)], [2, ["INVALID_ARGUMENT"]]);
    const admin = new Admin(c.host, { namesrv: c.namesrv });
    await c.settle(admin.start());
    await c.settle(admin.createTopic("elsewhere", { queues: 1 }));
    assert.equal((await c.settle(letters.redrive("g", { to: "elsewhere" }))).done, 1);
    assert.deepEqual(
      (await stage.redriven("elsewhere")).map((message) => message.text()),
      ["by hand"],
    );
  });

  it("of a topic that is write-only are counted, and reading says what to do", async () => {
    const stage = await Stage.with();
    const { c, letters } = stage;
    await stage.kill(bodies(2));
    const admin = new Admin(c.host, { namesrv: c.namesrv });
    await c.settle(admin.start());
    await c.settle(admin.createTopic("%DLQ%g", { queues: 1, perm: 2 }));
    const [listed] = await c.settle(letters.list());
    assert.deepEqual([listed?.dead, listed?.isReadable], [2, false]);
    await assert.rejects(stage.read(), /write-only/);
  });

  it("go no faster than asked, and stop when told", async () => {
    const stage = await Stage.with();
    const { c, letters } = stage;
    await stage.kill(bodies(50));
    const stop = new AbortController();
    const redriving = letters.redrive("g", { rate: 2, signal: stop.signal });
    await c.world.run(10_400);
    stop.abort();
    const { done, complete } = await c.settle(redriving);
    // The first at once, then every half second.
    assert.ok(done >= 20 && done <= 22, String(done));
    assert.equal(complete, false);
    assert.equal((await stage.redriven()).length, done);
    assert.equal((await c.settle(letters.redrive("g"))).done, 50 - done);
    assert.equal((await stage.redriven()).length, 50);
  });

  it("wait for whoever redrives them already", async () => {
    const stage = await Stage.with();
    const { c, letters } = stage;
    await stage.kill(bodies(20));
    const other = await stage.lettersOn(c.host);
    const waited: string[] = [];
    const onWaiting = (broker: string) => void waited.push(broker);
    const [one, two] = await c.settle(
      Promise.all([
        letters.redrive("g", { rate: 10, onWaiting }),
        other.redrive("g", { rate: 10, onWaiting }),
      ]),
    );
    assert.deepEqual([one.done + two.done, one.done * two.done, waited], [20, 0, ["broker-a"]]);
    assert.equal((await stage.redriven()).length, 20);
  });

  it("are redriven once each, whenever a redrive or a broker is killed on the way", async () => {
    for (const [round, moment] of [4, 10, 18, 18.5, 19, 20, 22].entries()) {
      const stage = await Stage.with();
      const { c } = stage;
      await stage.kill(bodies(40));
      const machine = c.world.addMachine("tools");
      const host = c.world.spawn(machine, "tool");
      const doomed = await stage.lettersOn(host);
      doomed.redrive("g").catch(() => "it is killed, or its broker is");
      await c.world.run(moment);
      if (round % 2 === 1) {
        c.killBroker("broker-a");
        await c.startBroker("broker-a");
      }
      c.world.kill(host);
      const again = await stage.lettersOn(c.host);
      const result = await c.settle(again.redrive("g"), 300_000);
      assert.equal(result.complete, true);
      const sent = (await stage.redriven()).map((message) => message.text()).sort();
      assert.deepEqual(
        sent,
        bodies(40)
          .map(({ body }) => body)
          .sort(),
        `killed after ${moment} ms`,
      );
      assert.deepEqual(await stage.read({}, again), []);
    }
  });
});
