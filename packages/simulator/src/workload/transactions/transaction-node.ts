/**
 * A producer of transactions, of several in one group, any of which can tell of each by the application's database.
 * Local transactions commit, roll back, say that they do not know, throw before or after they decided, are slow, or are
 * never decided; processes die in the middle of them. Some ends are sent again, late, contradicted, or claimed by others.
 */
import { type LocalTransactionState, OrbitError } from "@orbitmq/client";
import { TransactionProducer } from "@orbitmq/client/internal";
import type { SimHost, SimMachine } from "@orbitmq/host/sim";
import { decodeOffsetMessageId, MessageSysFlag, ResponseCode } from "@orbitmq/wire";
import { type NodeContext, SimNode } from "../../cluster/sim-node.ts";
import { sleep } from "../producer-node.ts";
import { EndSender, type SentHalf } from "./end-sender.ts";
import type { Decision } from "./local-database.ts";
import { TRANSACTION_PRODUCERS, type TransactionPlan } from "./transaction-plan.ts";

const SEND_TIMEOUT_MS = 3_000;
const AT_ONCE_MAX = 4;

const STATES: Readonly<Record<Decision, LocalTransactionState>> = {
  commit: "COMMIT_MESSAGE",
  rollback: "ROLLBACK_MESSAGE",
};

export class TransactionNode extends SimNode {
  readonly #plan: TransactionPlan;
  #producer: TransactionProducer<string> | undefined;
  #sequence = 0;
  #inFlight = 0;

  constructor(context: NodeContext, machine: SimMachine, name: string, plan: TransactionPlan) {
    super(context, machine, name);
    this.#plan = plan;
  }

  /** Transactions this process has begun and is not through with. */
  get inFlight(): number {
    return this.#inFlight;
  }

  protected async begin(host: SimHost): Promise<void> {
    const { random } = this.context;
    const plan = this.#plan;
    const ends = new EndSender(host, plan.brokers);
    const producer = new TransactionProducer<string>(host, {
      namesrv: plan.namesrv,
      waitForever: true,
      sendTimeoutMs: SEND_TIMEOUT_MS,
      group: TRANSACTION_PRODUCERS,
      logger: plan.logger,
      executeLocalTransaction: ({ argument }) => this.#work(host, argument),
      checkLocalTransaction: async ({ body }) => {
        if (random.chance(0.1)) await sleep(host, random.between(1, 1_000));
        const decision = plan.database.answer(plan.factory.idOf(body) ?? "");
        return decision === undefined ? "UNKNOW" : STATES[decision];
      },
      sendHooks: [
        {
          name: "history",
          after: ({ message, queue, result }) => {
            const id = message.properties?.["id"];
            if (id === undefined || result === undefined) return;
            const { physicalOffset } = decodeOffsetMessageId(result.offsetMsgId);
            const { msgId, queueOffset } = result;
            this.#acknowledged(id, { broker: queue.brokerName, physicalOffset, queueOffset, msgId }, ends);
          },
        },
      ],
    });
    this.#producer = producer;
    await producer.start();
    for (;;) {
      await sleep(host, random.int(1 + 2 * plan.pauseMs));
      const count = Math.min(plan.left, random.between(1, AT_ONCE_MAX));
      plan.left -= count;
      await Promise.all(Array.from({ length: count }, () => this.#send(host, producer, ends)));
    }
  }

  protected async finish(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    await producer?.shutdown({ deadlineMs: 6_000 });
  }

  protected forget(): void {
    this.#producer = undefined;
    this.#inFlight = 0;
  }

  async #send(host: SimHost, producer: TransactionProducer<string>, ends: EndSender): Promise<void> {
    const { random, recorder } = this.context;
    const id = `${this.name}-${String(this.#sequence++).padStart(4, "0")}`;
    const message = this.#plan.factory.create(id, random.pick(this.#plan.topics));
    recorder.add({ kind: "send", id, producer: this.name, waits: false, isHalf: true });
    recorder.promise(id);
    this.#inFlight++;
    try {
      const result = await producer.sendInTransaction(message, { argument: id });
      const decision = this.#plan.database.decisionOf(id);
      if (decision !== undefined && random.chance(0.3)) {
        const { physicalOffset } = decodeOffsetMessageId(result.offsetMsgId);
        const { msgId, queueOffset, queue } = result;
        const half = { broker: queue.brokerName, physicalOffset, queueOffset, msgId };
        this.#endAgain(host, ends, half, decision).catch((error: unknown) => this.failed(host, error));
      }
    } catch (error) {
      if (!(error instanceof OrbitError)) throw error;
      recorder.add({ kind: error.outcome, id, code: `${error.code} ${error.message}` });
    }
    this.#inFlight--;
  }

  #acknowledged(id: string, half: SentHalf, ends: EndSender): void {
    const { random, recorder, world, survives } = this.context;
    const { broker, physicalOffset } = half;
    const isSafe = survives(broker, physicalOffset);
    recorder.add({ kind: "half-acknowledged", id, broker, survives: isSafe });
    this.#plan.halves.set(id, { broker, atMs: world.nowMs });
    // Another group, or another message, has no say in it.
    if (random.chance(0.1)) {
      const claim = random.chance(0.5) ? { group: "others" } : { msgId: "F".repeat(half.msgId.length) };
      ends.send({ ...half, ...claim }, MessageSysFlag.TRANSACTION_COMMIT_TYPE, () => {});
    }
  }

  async #work(host: SimHost, id: string): Promise<LocalTransactionState> {
    const { random } = this.context;
    const { database, isCalm } = this.#plan;
    if (!database.begin(id, host)) {
      const decided = database.decisionOf(id);
      return decided === undefined ? "UNKNOW" : STATES[decided];
    }
    const pace = random.float();
    if (pace < 0.4) await sleep(host, random.between(1, 50));
    else if (pace < 0.6) await sleep(host, random.between(200, isCalm ? 500 : 5_000));
    const fate = random.float();
    if (fate < 0.1) {
      database.leaveOpen(id);
      return "UNKNOW";
    }
    const decision = random.chance(0.7) ? "commit" : "rollback";
    if (fate < 0.2) {
      // It is done by somebody else, later.
      host.timers.after(random.between(50, 4_000), () => database.decide(id, decision));
      return "UNKNOW";
    }
    if (fate < 0.25) {
      database.decide(id, "rollback");
      throw new Error("the local transaction failed on purpose");
    }
    const decided = database.decide(id, decision);
    if (fate < 0.3) throw new Error("the local transaction failed on purpose, once it was done");
    return fate < 0.4 ? "UNKNOW" : STATES[decided];
  }

  /** Late, and once more; what has ended is then claimed to have ended the other way. */
  async #endAgain(host: SimHost, ends: EndSender, half: SentHalf, decision: Decision): Promise<void> {
    const { random, recorder } = this.context;
    await sleep(host, random.chance(0.5) ? random.int(20) : random.between(100, 6_000));
    const { TRANSACTION_COMMIT_TYPE, TRANSACTION_ROLLBACK_TYPE } = MessageSysFlag;
    const isCommit = decision === "commit";
    const own = isCommit ? TRANSACTION_COMMIT_TYPE : TRANSACTION_ROLLBACK_TYPE;
    const other = isCommit ? TRANSACTION_ROLLBACK_TYPE : TRANSACTION_COMMIT_TYPE;
    const code = await ends.ask(half, own);
    if (code !== ResponseCode.SUCCESS) return;
    const contrary = await ends.ask(half, other);
    if (contrary !== ResponseCode.SUCCESS) return;
    recorder.add({ kind: "ended-twice", broker: half.broker, position: half.physicalOffset });
  }
}
