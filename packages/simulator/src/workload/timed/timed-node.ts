/**
 * A producer of messages for a time, by a delay or by its wall clock, which may be another than the brokers'. Some it
 * takes back again, early or when they are nearly due.
 */
import { type Message, OrbitError } from "@orbitmq/client";
import { Producer } from "@orbitmq/client/internal";
import type { SimHost, SimMachine } from "@orbitmq/host/sim";
import { decodeOffsetMessageId } from "@orbitmq/wire";
import { queueKey } from "../../checker/history.ts";
import { type NodeContext, SimNode } from "../../cluster/sim-node.ts";
import { sleep } from "../producer-node.ts";
import type { TimedPlan } from "./timed-plan.ts";

const SEND_TIMEOUT_MS = 3_000;
const AT_ONCE_MAX = 4;
const RECALLED_SHARE = 0.35;

export class TimedNode extends SimNode {
  readonly #plan: TimedPlan;
  #producer: Producer | undefined;
  #sequence = 0;
  #inFlight = 0;

  constructor(context: NodeContext, machine: SimMachine, name: string, plan: TimedPlan) {
    super(context, machine, name);
    this.#plan = plan;
  }

  /** Sends and recalls without an outcome. */
  get inFlight(): number {
    return this.#inFlight;
  }

  protected async begin(host: SimHost): Promise<void> {
    const { random } = this.context;
    const plan = this.#plan;
    const producer = new Producer(host, {
      namesrv: plan.namesrv,
      waitForever: true,
      sendTimeoutMs: SEND_TIMEOUT_MS,
      // A further attempt may leave two messages.
      retryTimes: 0,
      group: "timed-producers",
      logger: plan.logger,
    });
    this.#producer = producer;
    await producer.start();
    for (;;) {
      await sleep(host, 1 + random.int(1 + 2 * plan.pauseMs));
      const count = Math.min(plan.left, random.between(1, AT_ONCE_MAX));
      plan.left -= count;
      await Promise.all(Array.from({ length: count }, () => this.#send(host, producer)));
    }
  }

  protected async finish(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    await producer?.shutdown({ deadlineMs: 4_000 });
  }

  protected forget(): void {
    this.#producer = undefined;
    this.#inFlight = 0;
  }

  async #send(host: SimHost, producer: Producer): Promise<void> {
    const { random, recorder, world, survives } = this.context;
    const { factory, topics, waiting, isCalm, brokers } = this.#plan;
    const id = `${this.name}-${String(this.#sequence++).padStart(4, "0")}`;
    const created = factory.create(id, random.pick(topics));
    const delayMs = isCalm ? random.between(1, 4_000) : this.#drawDelayMs();
    const deliverAtMs = !isCalm && random.chance(0.3) ? host.clock.wallMs() + delayMs : undefined;
    const message: Message = { ...created, ...(deliverAtMs === undefined ? { delayMs } : { deliverAtMs }) };
    recorder.add({ kind: "send", id, producer: this.name, waits: false, time: { delayMs, deliverAtMs } });
    recorder.promise(id);
    // The broker takes its time from its clock while the send is under way, whatever happens to the clock.
    const latestMs = Math.max(...brokers.map(({ machine }) => machine.wallMs()));
    const dueWallMs = deliverAtMs ?? latestMs + delayMs + SEND_TIMEOUT_MS;
    const timed = {
      broker: undefined as string | undefined,
      acknowledgedMs: 0,
      dueWallMs,
      isRecalled: false,
    };
    waiting.set(id, timed);
    this.#inFlight++;
    try {
      const { queue, queueOffset, offsetMsgId, recallHandle } = await producer.send(message);
      const broker = queue.brokerName;
      const isSafe = survives(broker, decodeOffsetMessageId(offsetMsgId).physicalOffset);
      timed.broker = broker;
      timed.acknowledgedMs = world.nowMs;
      if (recallHandle === undefined) {
        const key = queueKey(queue.topic, broker, queue.queueId);
        recorder.add({ kind: "acknowledged", id, queue: key, offset: queueOffset, survives: isSafe });
      } else {
        recorder.add({ kind: "timer-acknowledged", id, broker, survives: isSafe });
        if (random.chance(RECALLED_SHARE)) {
          this.#recallLater(host, producer, id, message.topic, recallHandle, delayMs);
        }
      }
    } catch (error) {
      if (!(error instanceof OrbitError)) throw error;
      recorder.add({ kind: error.outcome, id, code: `${error.code} ${error.message}` });
      if (error.outcome === "refused") waiting.delete(id);
    }
    this.#inFlight--;
  }

  /** Seconds mostly; some are due at once, some only when the faults are over. */
  #drawDelayMs(): number {
    const { random } = this.context;
    const choice = random.float();
    if (choice < 0.1) return random.between(1, 1_000);
    return choice < 0.7 ? random.between(1_000, 8_000) : random.between(8_000, 40_000);
  }

  #recallLater(
    host: SimHost,
    producer: Producer,
    id: string,
    topic: string,
    handle: string,
    delayMs: number,
  ): void {
    const { random } = this.context;
    // Many when it is nearly too late.
    const share = random.chance(0.5) ? 0.7 + 0.4 * random.float() : random.float();
    this.#inFlight++;
    host.timers.after(Math.round(delayMs * share), () => {
      this.#recall(producer, id, topic, handle).then(
        () => {
          this.#inFlight--;
        },
        (error: unknown) => this.failed(host, error),
      );
    });
  }

  async #recall(producer: Producer, id: string, topic: string, handle: string): Promise<void> {
    const { recorder } = this.context;
    const timed = this.#plan.waiting.get(id);
    if (timed !== undefined) timed.isRecalled = true;
    recorder.add({ kind: "recall", id, step: "asked" });
    try {
      await producer.recall(topic, handle);
      recorder.add({ kind: "recall", id, step: "taken" });
    } catch (error) {
      if (!(error instanceof OrbitError)) throw error;
      recorder.add({ kind: "recall", id, step: error.outcome });
      if (timed !== undefined && error.outcome === "refused") timed.isRecalled = false;
    }
  }
}
