/** Requests a well-behaved client would not send, over one connection that must survive them. */
import { nodeHost } from "@orbitmq/host/node";
import {
  formatProperties,
  type OutgoingRequest,
  RequestCode,
  RpcClient,
  type SendMessageRequestHeader,
  sendMessageV2RequestHeader,
} from "@orbitmq/wire";

export interface Answer {
  readonly code: number;
  readonly remark: string;
}

export class RawRequests {
  readonly #rpc = new RpcClient(nodeHost());
  readonly #address: string;
  #connections = 0;

  constructor(address: string) {
    this.#address = address;
    this.#rpc.onConnection((_address, _peer, open) => {
      if (open) this.#connections++;
    });
  }

  /** How many connections were needed so far: 1 as long as none was closed on us. */
  get connections(): number {
    return this.#connections;
  }

  request(request: OutgoingRequest): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#rpc.request(this.#address, request, 10_000, (error, response) => {
        if (response === undefined) reject(error);
        else resolve({ code: response.code, remark: response.remark ?? "" });
      });
    });
  }

  send(fields: Partial<SendMessageRequestHeader>, body: Uint8Array): Promise<Answer> {
    const header: SendMessageRequestHeader = {
      producerGroup: "raw",
      topic: "RawTopic",
      defaultTopic: "TBW102",
      defaultTopicQueueNums: 4,
      queueId: 0,
      sysFlag: 0,
      bornTimestamp: 1_700_000_000_000,
      flag: 0,
      properties: formatProperties([["WAIT", "true"]]),
      ...fields,
    };
    return this.request({
      code: RequestCode.SEND_MESSAGE_V2,
      header: (sink) => sendMessageV2RequestHeader.encode(header, sink),
      body: [body],
    });
  }

  stop(): void {
    this.#rpc.stop();
  }
}
