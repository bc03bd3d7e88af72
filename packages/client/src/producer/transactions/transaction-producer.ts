/**
 * A producer whose messages are delivered only if the application's own work succeeds (RocketMQ: TransactionMQProducer).
 *
 *   half sent ──stored for certain──▶ local transaction runs ──▶ end told to the broker, oneway
 *       ╰──failed──▶ rejected; if the broker has it all the same and asks, it is rolled back
 *
 * An end that does not arrive is no harm: the broker asks (CHECK_TRANSACTION_STATE), any producer of the group.
 */
import { assert, type Host } from "@orbitmq/host";
import {
  checkTransactionStateRequestHeader,
  type EndTransactionRequestHeader,
  type Exchange,
  endTransactionRequestHeader,
  getProperty,
  KEY_SEPARATOR,
  MessageConst,
  MessageSysFlag,
  type OutgoingRequest,
  type RemotingCommand,
  RequestCode,
  readRecord,
} from "@orbitmq/wire";
import { decodeMessage, Undecodable } from "../../consumer/listening/decode-message.ts";
import { fromUnknown } from "../../errors/error-from.ts";
import { OrbitError } from "../../errors/errors.ts";
import type { AnyMessage, MessageAttributes } from "../../message/message.ts";
import type { ReceivedMessage } from "../../message/received-message.ts";
import {
  SHUTDOWN_DEADLINE_MS,
  type ShutdownOptions,
  type ShutdownResult,
} from "../../options/client-options.ts";
import { checkInteger } from "../../options/option-checks.ts";
import { Producer } from "../producer.ts";
import type { SendResult } from "../send-result.ts";
import {
  LocalTransactionState,
  type SendInTransactionOptions,
  type TransactionProducerOptions,
  type TransactionSendResult,
  transactionDefaults,
} from "./local-transaction.ts";

/** Ids of halves whose send failed, remembered at most: what the broker has of them is rolled back when it asks. */
const FAILED_MAX = 10_000;
/** An offset message id ends with the position, in hex. */
const POSITION_DIGITS = 16;

const flags: Readonly<Record<LocalTransactionState, number>> = {
  COMMIT_MESSAGE: MessageSysFlag.TRANSACTION_COMMIT_TYPE,
  ROLLBACK_MESSAGE: MessageSysFlag.TRANSACTION_ROLLBACK_TYPE,
  UNKNOW: MessageSysFlag.TRANSACTION_NOT_TYPE,
};

export class TransactionProducer<A = unknown> extends Producer {
  readonly #options: TransactionProducerOptions<A>;
  readonly #checksMax: number;
  readonly #failed = new Set<string>();
  readonly #running = new Set<Promise<unknown>>();
  #checks = 0;

  /** Throws INVALID_ARGUMENT for an option out of range. */
  constructor(host: Host, options: TransactionProducerOptions<A>) {
    // A second attempt would leave two halves when the first was stored after all.
    super(host, { ...options, retryTimes: options.retryTimes ?? transactionDefaults.retryTimes });
    for (const name of ["executeLocalTransaction", "checkLocalTransaction"] as const) {
      if (typeof options[name] !== "function") {
        throw new OrbitError("INVALID_ARGUMENT", `a transaction producer needs ${name}`);
      }
    }
    if (options.group === undefined || options.group === "") {
      throw new OrbitError("INVALID_ARGUMENT", "a transaction producer needs a group of its own");
    }
    this.#options = options;
    this.#checksMax = checkInteger(options, "checksMax", transactionDefaults.checksMax, 1);
    this.context.rpc.handle(RequestCode.CHECK_TRANSACTION_STATE, (request, exchange) =>
      this.#check(request, exchange),
    );
  }

  /**
   * Sends one message, runs `executeLocalTransaction` once the broker has it for certain, and tells the broker how that
   * ended. Rejects as `send`; the local transaction has not run then. A message with a delay is refused.
   */
  sendInTransaction<T>(
    message: AnyMessage<T>,
    options: SendInTransactionOptions<A> = {},
  ): Promise<TransactionSendResult> {
    const work = this.#send(message, options);
    // Its failure is the caller's to see.
    const over = (): void => void this.#running.delete(settled);
    const settled = work.then(over, over);
    this.#running.add(settled);
    return work;
  }

  /** Waits for local transactions under way, too, until the deadline. */
  override async shutdown(options: ShutdownOptions = {}): Promise<ShutdownResult> {
    const deadlineMs = options.deadlineMs ?? SHUTDOWN_DEADLINE_MS;
    const { clock, timers } = this.context.host;
    const endMs = clock.monotonicMs() + deadlineMs;
    if (this.#running.size > 0) {
      let giveUp = (): void => {};
      const timer = timers.after(deadlineMs / 2, () => giveUp());
      await Promise.race([
        Promise.all(this.#running),
        new Promise<void>((resolve) => {
          giveUp = resolve;
        }),
      ]);
      timer.cancel();
    }
    return super.shutdown({ ...options, deadlineMs: Math.max(0, endMs - clock.monotonicMs()) });
  }

  async #send<T>(
    message: AnyMessage<T>,
    { argument, ...options }: SendInTransactionOptions<A>,
  ): Promise<TransactionSendResult> {
    const { msgId, sent } = this.sendHalf(message, options);
    let result: SendResult;
    try {
      result = await sent;
    } catch (error) {
      if (fromUnknown(error).outcome === "unknown") this.#remember(msgId);
      throw error;
    }
    const transaction = { message, argument: argument as A, transactionId: result.transactionId ?? msgId };
    const state = await this.#said("executeLocalTransaction", msgId, () =>
      this.#options.executeLocalTransaction(transaction),
    );
    await this.#end(message, result, state);
    return { ...result, localTransactionState: state };
  }

  /** A throw and a strange answer are UNKNOW. */
  async #said(
    what: string,
    msgId: string,
    ask: () => LocalTransactionState | Promise<LocalTransactionState>,
  ): Promise<LocalTransactionState> {
    const { logger } = this.context;
    try {
      const state = await ask();
      if (Object.hasOwn(flags, state)) return state;
      logger.error(
        { code: "INTERNAL", msgId, state: String(state) },
        `${what} said what is no state; it is UNKNOW`,
      );
    } catch (error) {
      const { message } = fromUnknown(error);
      logger.error({ code: "INTERNAL", msgId, err: error }, `${what} threw, which is UNKNOW: ${message}`);
    }
    return LocalTransactionState.UNKNOW;
  }

  #end({ tag, keys }: MessageAttributes, result: SendResult, state: LocalTransactionState): Promise<void> {
    const { group, routes, rpc, namespace, logger } = this.context;
    const { msgId, offsetMsgId, queue, queueOffset, transactionId } = result;
    const position = Number.parseInt(offsetMsgId.slice(-POSITION_DIGITS), 16);
    assert(Number.isSafeInteger(position), "an offset message id ends with a position");
    const request = endRequest(queue.brokerName, {
      topic: namespace.wrap(queue.topic),
      producerGroup: group,
      tranStateTableOffset: queueOffset,
      commitLogOffset: position,
      commitOrRollback: flags[state],
      fromTransactionCheck: false,
      msgId,
      transactionId,
    });
    const address = routes.masterOf(queue.brokerName);
    this.trace?.transactionEnded({
      topic: namespace.wrap(queue.topic),
      msgId,
      tag,
      keys: typeof keys === "object" ? keys.join(KEY_SEPARATOR) : keys,
      regionId: undefined,
      brokerAddress: address ?? "",
      transactionId,
      state,
      fromTransactionCheck: false,
    });
    return new Promise((resolve) => {
      const done = (why: string | undefined): void => {
        if (why !== undefined) {
          logger.warn(
            { msgId, state, broker: queue.brokerName },
            `the end of a transaction was not sent: ${why}`,
          );
        }
        resolve();
      };
      if (address === undefined) done("the broker's address is not known");
      else rpc.oneway(address, request, (error) => done(error?.message));
    });
  }

  #remember(msgId: string): void {
    if (this.#failed.size >= FAILED_MAX) {
      for (const oldest of this.#failed) {
        this.#failed.delete(oldest);
        break;
      }
    }
    this.#failed.add(msgId);
  }

  /** Handles CHECK_TRANSACTION_STATE. */
  #check(request: RemotingCommand, exchange: Exchange): void {
    const { group, logger } = this.context;
    const header = checkTransactionStateRequestHeader.decode(request.ext);
    const record = readRecord(Buffer.from(request.body), 0);
    const { msgId = "", transactionId, commitLogOffset, tranStateTableOffset } = header;
    const askedGroup = getProperty(record.properties, MessageConst.PRODUCER_GROUP);
    if (askedGroup !== group) {
      logger.warn({ msgId, group: askedGroup }, "asked about a transaction of another group; not answered");
      return;
    }
    if (this.#checks >= this.#checksMax) {
      logger.warn({ msgId, checksMax: this.#checksMax }, "too many checks at once; the broker asks again");
      return;
    }
    const brokerName = request.ext.get("bname") ?? "";
    const { topic, queueId } = record;
    this.#checks++;
    const answer = async (): Promise<void> => {
      const state = await this.#stateOf(msgId, async () => {
        const decoded = await decodeMessage(
          record,
          { topic, brokerName, queueId },
          0,
          undefined,
          this.context.namespace,
        );
        if (decoded instanceof Undecodable) throw decoded.error;
        return decoded as ReceivedMessage;
      });
      const { properties } = record;
      this.trace?.transactionEnded({
        topic,
        msgId,
        tag: getProperty(properties, MessageConst.TAGS),
        keys: getProperty(properties, MessageConst.KEYS),
        regionId: getProperty(properties, MessageConst.MSG_REGION),
        brokerAddress: exchange.peer.address,
        transactionId,
        state,
        fromTransactionCheck: true,
      });
      exchange.peer.oneway(
        endRequest(brokerName, {
          topic,
          producerGroup: group,
          tranStateTableOffset,
          commitLogOffset,
          commitOrRollback: flags[state],
          fromTransactionCheck: true,
          msgId,
          transactionId,
        }),
      );
    };
    const work = answer().finally(() => {
      this.#checks--;
      this.#running.delete(work);
    });
    this.#running.add(work);
  }

  #stateOf(msgId: string, read: () => Promise<ReceivedMessage>): Promise<LocalTransactionState> {
    if (this.#failed.has(msgId)) return Promise.resolve(LocalTransactionState.ROLLBACK_MESSAGE);
    return this.#said("checkLocalTransaction", msgId, async () =>
      this.#options.checkLocalTransaction(await read()),
    );
  }
}

function endRequest(brokerName: string, header: EndTransactionRequestHeader): OutgoingRequest {
  return {
    code: RequestCode.END_TRANSACTION,
    header: (sink) => {
      endTransactionRequestHeader.encode(header, sink);
      if (brokerName !== "") sink.put("bname", brokerName);
    },
  };
}
