/**
 * Each queue belongs to the member that follows it on a ring of hashes (RocketMQ: AllocateMessageQueueConsistentHash,
 * CONSISTENT_HASH): a member that comes or goes moves few queues, at the price of uneven shares.
 *
 *   ring     md5(clientId "-" i), i below virtualNodes: the first four bytes as an unsigned number
 *   queue    md5("MessageQueue [topic=T, brokerName=B, queueId=N]"), likewise; the first member at or after it has it
 */
import { createHash } from "node:crypto";
import { OrbitError } from "../../errors/errors.ts";
import type { AllocateStrategy } from "./allocate-strategy.ts";

/** `virtualNodes`: places of each member on the ring, 1 or more; default 10. Throws INVALID_ARGUMENT. */
export function allocateByConsistentHash(virtualNodes = 10): AllocateStrategy {
  if (!Number.isSafeInteger(virtualNodes) || virtualNodes < 1) {
    throw new OrbitError("INVALID_ARGUMENT", "virtualNodes must be an integer of 1 or more");
  }
  return {
    name: "CONSISTENT_HASH",
    allocate({ queues, clientIds, clientId }) {
      if (!clientIds.includes(clientId)) return [];
      const owners = new Map<number, string>();
      for (const id of clientIds) {
        for (let i = 0; i < virtualNodes; i++) owners.set(hash(`${id}-${i}`), id);
      }
      const ring = [...owners.keys()].sort((a, b) => a - b);
      return queues.filter(({ topic, brokerName, queueId }) => {
        const place = hash(`MessageQueue [topic=${topic}, brokerName=${brokerName}, queueId=${queueId}]`);
        return owners.get(ring.find((node) => node >= place) ?? ring[0]!) === clientId;
      });
    },
  };
}

function hash(text: string): number {
  return createHash("md5").update(text).digest().readUInt32BE(0);
}
