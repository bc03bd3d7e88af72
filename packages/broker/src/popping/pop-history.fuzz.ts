/**
 * Random histories of pops on the real store of a simulated machine, which is killed and loses its power: whatever
 * happens, no message is lost; none is visible before its time, and none comes again after its acknowledgement was
 * answered, unless the machine has failed amid a request since it was popped first (it may exist twice then, or come
 * when an answer that was lost said). ORBITMQ_FUZZ_RUNS / 1,000 is the number of histories.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseReceiptHandle, RequestCode } from "@orbitmq/wire";
import { newSubscriptionGroupConfig } from "../consumer-groups/subscription-group-config.ts";
import { GROUP, named, type Popped, poppedOf, TOPIC } from "../testing/pop-room.ts";
import { type SimAnswer, SimBroker } from "../testing/sim-broker.ts";

interface Known {
  /** When it was popped last, at the earliest. */
  poppedMs: number;
  /** For how long nobody may see it. */
  invisibleMs: number;
  isAcked: boolean;
  /** How often the machine had failed amid a request when it was popped first. */
  readonly crashes: number;
}

class History {
  readonly sim: SimBroker;
  readonly #known = new Map<string, Known>();
  readonly #sent = new Set<string>();
  #held: Popped[] = [];
  #crashes = 0;
  #isCalm = false;
  #state: number;

  constructor(sim: SimBroker, seed: number) {
    this.sim = sim;
    this.#state = seed;
  }

  int(bound: number): number {
    this.#state = (Math.imul(this.#state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * bound);
  }

  async step(): Promise<void> {
    const kind = this.int(20);
    if (kind < 4) await this.#send();
    else if (kind < 9) await this.#pop();
    else if (kind < 13) await this.#ack();
    else if (kind < 15) await this.#change();
    else if (kind < 18) await this.sim.run(this.int(6_000));
    else await this.#crash();
  }

  /** Nothing fails any more: everything must come. */
  async drain(): Promise<void> {
    this.#isCalm = true;
    for (let round = 0; round < 40 && this.#left().length > 0; round++) {
      await this.#pop(2_000);
      for (const popped of this.#held.splice(0)) await this.#acknowledge(popped);
      await this.sim.run(2_000);
    }
    assert.deepEqual(this.#left(), [], "messages that never came or could not be acknowledged");
  }

  #left(): string[] {
    return [...this.#sent].filter((body) => this.#known.get(body)?.isAcked !== true);
  }

  async #ask(code: number, ext: Record<string, string | number>): Promise<SimAnswer | undefined> {
    // Now and then the machine fails amid the request.
    const fails = !this.#isCalm && this.int(12) === 0;
    if (fails) this.sim.world.after(this.int(12), () => this.sim.world.crash(this.sim.machine));
    const answer = await this.sim.ask(code, ext).catch(() => undefined);
    if (fails) {
      await this.sim.run(20);
      this.#crashes++;
      await this.#restart();
    }
    return answer;
  }

  async #send(): Promise<void> {
    for (let count = 1 + this.int(4); count > 0; count--) {
      const body = `m${this.#sent.size}`;
      const answer = await this.sim.send(TOPIC, body, { d: 2, e: this.int(2) }).catch(() => undefined);
      if (answer?.code === 0) this.#sent.add(body);
    }
  }

  async #pop(invisibleTime = 1_000 + this.int(9_000)): Promise<void> {
    const beganMs = this.sim.world.nowMs;
    const crashes = this.#crashes;
    const answer = await this.#ask(RequestCode.POP_MESSAGE, {
      ...{ consumerGroup: GROUP, topic: TOPIC, queueId: -1, initMode: 0 },
      ...{ maxMsgNums: 1 + this.int(5), invisibleTime, pollTime: this.int(2) * 500, bornTime: 0 },
    });
    if (answer?.code !== 0) return;
    for (const popped of poppedOf({ ...answer, ext: new Map(answer.ext) })) {
      const { body } = popped;
      const before = this.#known.get(body);
      if (before !== undefined && before.crashes === this.#crashes) {
        assert.ok(!before.isAcked, `${body} comes again after its acknowledgement`);
        const waitedMs = this.sim.world.nowMs - before.poppedMs;
        assert.ok(waitedMs >= before.invisibleMs, `${body} after ${waitedMs} of ${before.invisibleMs} ms`);
      }
      const known = before ?? { isAcked: false, crashes };
      this.#known.set(body, { ...known, poppedMs: beganMs, invisibleMs: invisibleTime });
      this.#held.push(popped);
    }
  }

  #take(): Popped | undefined {
    return this.#held.splice(this.int(this.#held.length), 1)[0];
  }

  async #ack(): Promise<void> {
    const popped = this.#take();
    if (popped !== undefined) await this.#acknowledge(popped);
  }

  async #acknowledge(popped: Popped): Promise<void> {
    const answer = await this.#ask(RequestCode.ACK_MESSAGE, named(popped));
    if (answer?.code === 0) this.#known.get(popped.body)!.isAcked = true;
  }

  async #change(): Promise<void> {
    const popped = this.#take();
    if (popped === undefined) return;
    const invisibleTime = this.int(12_000);
    const beganMs = this.sim.world.nowMs;
    const answer = await this.#ask(RequestCode.CHANGE_MESSAGE_INVISIBLETIME, {
      ...named(popped),
      invisibleTime,
    });
    if (answer?.code === 0) {
      const known = this.#known.get(popped.body)!;
      Object.assign(known, { poppedMs: beganMs, invisibleMs: invisibleTime });
      const { topicType } = parseReceiptHandle(popped.handle);
      const { offset, queueId } = popped;
      const [popTime, time, queue] = ["popTime", "invisibleTime", "reviveQid"].map((name) =>
        answer.ext.get(name),
      );
      const handle = `${offset} ${popTime} ${time} ${queue} ${topicType} broker-a ${queueId} ${offset}`;
      this.#held.push({ ...popped, handle });
    }
  }

  async #crash(): Promise<void> {
    if (this.int(2) === 0) this.sim.kill();
    else this.sim.world.crash(this.sim.machine);
    await this.#restart();
  }

  async #restart(): Promise<void> {
    if (!this.sim.machine.up) this.sim.world.start(this.sim.machine);
    await this.sim.start();
  }
}

describe("random histories of pops", () => {
  // A history costs as much as thousands of inputs of other fuzz tests.
  const count = Math.ceil(Number(process.env["ORBITMQ_FUZZ_RUNS"] ?? 1) / 1_000);
  for (let seed = 1; seed <= count; seed++) {
    it(`lose nothing and show nothing too early (seed ${seed})`, async () => {
      const sim = await SimBroker.started({ flushConsumerOffsetInterval: 1_000 });
      const put = { ...newSubscriptionGroupConfig(GROUP), retryMaxTimes: 1_000 };
      await sim.ask(RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, {}, JSON.stringify(put));
      const history = new History(sim, seed);
      for (let step = 0; step < 80; step++) await history.step();
      await history.drain();
    });
  }
});
