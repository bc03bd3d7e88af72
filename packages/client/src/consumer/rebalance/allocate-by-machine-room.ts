/**
 * Only queues of brokers in these machine rooms are consumed (RocketMQ: AllocateMessageQueueByMachineRoom,
 * MACHINE_ROOM). A broker's name says where it stands: `room@name`.
 */
import { OrbitError } from "../../errors/errors.ts";
import type { AllocateStrategy } from "./allocate-strategy.ts";

/** Throws INVALID_ARGUMENT without a room. */
export function allocateByMachineRoom(rooms: readonly string[]): AllocateStrategy {
  if (rooms.length === 0) throw new OrbitError("INVALID_ARGUMENT", "allocateByMachineRoom needs a room");
  const wanted = new Set(rooms);
  return {
    name: "MACHINE_ROOM",
    allocate({ queues, clientIds, clientId }) {
      const index = clientIds.indexOf(clientId);
      if (index < 0) return [];
      const inRooms = queues.filter(({ brokerName }) => {
        const parts = brokerName.split("@");
        // As Java splits: empty parts at the end do not count.
        while (parts.at(-1) === "") parts.pop();
        return parts.length === 2 && wanted.has(parts[0]!);
      });
      const share = Math.floor(inRooms.length / clientIds.length);
      const mine = inRooms.slice(share * index, share * (index + 1));
      // What is left over goes to the first members, one each.
      const extra = inRooms[share * clientIds.length + index];
      return extra === undefined ? mine : [...mine, extra];
    },
  };
}
