/** Sends with SEND_MESSAGE (10), as clients of the first 4.x versions do; ours use 310 and 320. */
import type { SimHost } from "@orbitmq/host/sim";
import {
  decodeOffsetMessageId,
  formatProperties,
  MessageConst,
  RequestCode,
  ResponseCode,
  RpcClient,
  sendMessageRequestHeader,
  sendMessageResponseHeader,
} from "@orbitmq/wire";
import { queueKey } from "../checker/history.ts";
import type { NodeContext } from "../cluster/sim-node.ts";
import type { MessageFactory } from "./message-factory.ts";
import type { Place } from "./queue-reader.ts";

const TIMEOUT_MS = 3_000;

export class OldProducer {
  readonly #context: NodeContext;
  readonly #host: SimHost;
  readonly #rpc: RpcClient;
  readonly #factory: MessageFactory;

  constructor(context: NodeContext, host: SimHost, factory: MessageFactory) {
    this.#context = context;
    this.#host = host;
    this.#factory = factory;
    this.#rpc = new RpcClient(host, { encoding: "JSON" });
  }

  /** Sends one message to `place` and records how that ended. */
  send(id: string, place: Place): Promise<void> {
    const { topic, queueId, brokerName, address } = place;
    const { body, tag, keys, properties } = this.#factory.create(id, topic);
    const { recorder, survives } = this.#context;
    recorder.add({ kind: "send", id, producer: "old-producer", waits: false });
    const header = {
      producerGroup: "old-producers",
      topic,
      defaultTopic: "TBW102",
      defaultTopicQueueNums: 4,
      queueId,
      sysFlag: 0,
      bornTimestamp: this.#host.clock.wallMs(),
      flag: 0,
      properties: formatProperties([
        [MessageConst.TAGS, tag],
        [MessageConst.KEYS, keys as string],
        ...Object.entries(properties ?? {}),
      ]),
    };
    const request = {
      code: RequestCode.SEND_MESSAGE,
      header: (sink: Parameters<typeof sendMessageRequestHeader.encode>[1]) =>
        sendMessageRequestHeader.encode(header, sink),
      body: [Buffer.from(body as string)],
    };
    return new Promise((resolve, reject) => {
      this.#rpc.request(address, request, TIMEOUT_MS, (error, response) => {
        try {
          if (response === undefined) recorder.add({ kind: "unknown", id, code: error?.code ?? "?" });
          else if (response.code === ResponseCode.SUCCESS) {
            const answer = sendMessageResponseHeader.decode(response.ext);
            const { physicalOffset } = decodeOffsetMessageId(answer.msgId);
            recorder.add({
              kind: "acknowledged",
              id,
              queue: queueKey(topic, brokerName, answer.queueId),
              offset: answer.queueOffset,
              survives: survives(brokerName, physicalOffset),
            });
          } else {
            // The broker says when a message may exist all the same; so does the code of a slow sync.
            const unsure =
              response.ext.get("outcome") === "unknown" || response.code === ResponseCode.FLUSH_DISK_TIMEOUT;
            recorder.add({ kind: unsure ? "unknown" : "refused", id, code: String(response.code) });
          }
          resolve();
        } catch (failure) {
          reject(failure);
        }
      });
    });
  }
}
