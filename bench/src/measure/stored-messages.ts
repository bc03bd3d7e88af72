/**
 * How many messages a broker shows its consumers: the ends of its queues, asked on the wire. Both servers bring a
 * message into its queue (and into the key index) after they have acknowledged it, so the count follows; a run is
 * valid only when it arrives at what was acknowledged and nothing of the log waits to be dispatched.
 */
import { nodeHost } from "@orbitmq/host/node";
import {
  getMaxOffsetRequestHeader,
  getMaxOffsetResponseHeader,
  type OutgoingRequest,
  parseKvTable,
  type RemotingCommand,
  RequestCode,
  ResponseCode,
  RpcClient,
  type WireError,
} from "@orbitmq/wire";

export interface Stored {
  readonly topics: readonly string[];
  /** Of each topic. */
  readonly queues: number;
  /** Messages acknowledged, in all of them. */
  readonly atLeast: number;
  /** Those, and what was on its way when the client was ended. Default `atLeast`: exactly so many. */
  readonly atMost?: number;
}

const ASK_TIMEOUT_MS = 5_000;
const ASK_AGAIN_MS = 50;
const CAUGHT_UP_TIMEOUT_MS = 60_000;

/** Resolves with the milliseconds it took; rejects when the run does not count. */
export async function awaitStored(brokerAddr: string, wanted: Stored): Promise<number> {
  const { topics, queues, atLeast, atMost = atLeast } = wanted;
  const client = new RpcClient(nodeHost());
  const begin = performance.now();
  try {
    for (;;) {
      const behindBytes = await dispatchBehind(client, brokerAddr);
      let stored = 0;
      for (const topic of topics) {
        for (let queueId = 0; queueId < queues; queueId++) {
          stored += await maxOffset(client, brokerAddr, topic, queueId);
        }
      }
      if (stored > atMost)
        throw new Error(`${atLeast} messages were acknowledged, the queues hold ${stored}`);
      const elapsedMs = performance.now() - begin;
      if (stored >= atLeast && behindBytes === 0) return elapsedMs;
      if (elapsedMs > CAUGHT_UP_TIMEOUT_MS) {
        throw new Error(
          `${atLeast} messages were acknowledged, ${stored} have come to the queues, ${behindBytes} B are not dispatched`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    }
  } finally {
    client.stop();
  }
}

async function dispatchBehind(client: RpcClient, address: string): Promise<number> {
  const response = await ask(client, address, { code: RequestCode.GET_BROKER_RUNTIME_INFO });
  const behind = parseKvTable(response.body).get("dispatchBehindBytes");
  if (behind === undefined) throw new Error("the broker does not say how far dispatch is behind");
  return Number(behind);
}

async function maxOffset(
  client: RpcClient,
  address: string,
  topic: string,
  queueId: number,
): Promise<number> {
  const response = await ask(client, address, {
    code: RequestCode.GET_MAX_OFFSET,
    header: (sink) => getMaxOffsetRequestHeader.encode({ topic, queueId }, sink),
  });
  return getMaxOffsetResponseHeader.decode(response.ext).offset;
}

function ask(client: RpcClient, address: string, request: OutgoingRequest): Promise<RemotingCommand> {
  return new Promise((resolve, reject) => {
    const done = (error: WireError | undefined, response: RemotingCommand | undefined): void => {
      if (response?.code === ResponseCode.SUCCESS) resolve(response);
      else reject(error ?? new Error(`request ${request.code} was answered with ${response?.code}`));
    };
    client.request(address, request, ASK_TIMEOUT_MS, done);
  });
}
