/**
 * Members consume the queues of their own machine room; queues of rooms without a member are divided among all
 * (RocketMQ: AllocateMachineRoomNearby, MACHINE_ROOM_NEARBY-…).
 */
import { OrbitError } from "../../errors/errors.ts";
import type { MessageQueue } from "../../message/message.ts";
import type { AllocateStrategy } from "./allocate-strategy.ts";

/** Where queues and members are. The same for every member of the group; never empty. */
export interface MachineRooms {
  ofQueue(queue: MessageQueue): string;
  ofClient(clientId: string): string;
}

/** `inner` divides the queues of one room. */
export function allocateNearby(inner: AllocateStrategy, rooms: MachineRooms): AllocateStrategy {
  return {
    name: `MACHINE_ROOM_NEARBY-${inner.name}`,
    allocate({ queues, clientIds, clientId }) {
      if (!clientIds.includes(clientId)) return [];
      const queuesOf = grouped(queues, (queue) => rooms.ofQueue(queue));
      const clientsOf = grouped(clientIds, (id) => rooms.ofClient(id));
      const room = rooms.ofClient(clientId);
      const near = queuesOf.get(room) ?? [];
      const mine = [...inner.allocate({ queues: near, clientIds: clientsOf.get(room) ?? [], clientId })];
      // In the order of the rooms' names, as Java.
      for (const [other, deserted] of [...queuesOf].sort(([a], [b]) => (a < b ? -1 : 1))) {
        if (other !== room && !clientsOf.has(other)) {
          mine.push(...inner.allocate({ queues: deserted, clientIds, clientId }));
        }
      }
      return mine;
    },
  };
}

function grouped<T>(items: readonly T[], roomOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const room = roomOf(item);
    if (typeof room !== "string" || room === "") {
      throw new OrbitError("INVALID_ARGUMENT", `no machine room is known of ${JSON.stringify(item)}`);
    }
    const group = groups.get(room);
    if (group === undefined) groups.set(room, [item]);
    else group.push(item);
  }
  return groups;
}
