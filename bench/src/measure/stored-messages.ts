/**
 * How many messages of a topic a broker shows its consumers: the ends of its queues, asked on the wire. Both servers
 * bring a message into its queue after they have acknowledged it, so the count follows; a run is valid only when it
 * arrives at what was acknowledged.
 */
import { nodeHost } from "@orbitmq/host/node";
import {
  getMaxOffsetRequestHeader,
  getMaxOffsetResponseHeader,
  type RemotingCommand,
  RequestCode,
  ResponseCode,
  RpcClient,
  type WireError,
} from "@orbitmq/wire";

const ASK_TIMEOUT_MS = 5_000;
const ASK_AGAIN_MS = 100;

/** Waits until the queues hold `expected` messages; throws when they still do not after `timeoutMs`. */
export async function awaitStored(
  brokerAddr: string,
  topic: string,
  queues: number,
  expected: number,
  timeoutMs: number,
): Promise<void> {
  const client = new RpcClient(nodeHost());
  try {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      let stored = 0;
      for (let queueId = 0; queueId < queues; queueId++) {
        stored += await maxOffset(client, brokerAddr, topic, queueId);
      }
      if (stored >= expected) {
        if (stored === expected) return;
        throw new Error(`${expected} messages were acknowledged, the queues of ${topic} hold ${stored}`);
      }
      if (performance.now() > deadline) {
        throw new Error(`${expected} messages were acknowledged, only ${stored} have come to the queues`);
      }
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    }
  } finally {
    client.stop();
  }
}

function maxOffset(client: RpcClient, address: string, topic: string, queueId: number): Promise<number> {
  const request = {
    code: RequestCode.GET_MAX_OFFSET,
    header: (sink: Parameters<typeof getMaxOffsetRequestHeader.encode>[1]) =>
      getMaxOffsetRequestHeader.encode({ topic, queueId }, sink),
  };
  return new Promise((resolve, reject) => {
    const done = (error: WireError | undefined, response: RemotingCommand | undefined): void => {
      if (response?.code === ResponseCode.SUCCESS) {
        resolve(getMaxOffsetResponseHeader.decode(response.ext).offset);
      } else reject(error ?? new Error(`GET_MAX_OFFSET was answered with ${response?.code}`));
    };
    client.request(address, request, ASK_TIMEOUT_MS, done);
  });
}
