/** GET_ALL_PRODUCER_INFO (328): every producer that is online, by group. */
import type { Clock } from "@orbitmq/host";
import {
  connectionLanguage,
  encodeProducerTable,
  type ProducerInfo,
  type RequestHandler,
  ResponseCode,
} from "@orbitmq/wire";
import type { ProducerGroups } from "../consumer-groups/producer-groups.ts";

export interface GetAllProducerInfoNeeds {
  readonly clock: Clock;
  readonly producers: ProducerGroups;
}

export function getAllProducerInfo({ clock, producers }: GetAllProducerInfoNeeds): RequestHandler {
  return (_request, exchange) => {
    // Heartbeats are measured in monotonic time, told in wall time.
    const shift = clock.wallMs() - clock.monotonicMs();
    const table = new Map<string, ProducerInfo[]>();
    for (const group of producers.names()) {
      const infos = producers.members(group).map(
        ({ peer, clientId, lastSeenMs }): ProducerInfo => ({
          clientId,
          remoteIP: `/${peer.address}`,
          language: connectionLanguage(peer.language),
          version: peer.version,
          lastUpdateTimestamp: Math.floor(lastSeenMs + shift),
        }),
      );
      table.set(group, infos);
    }
    exchange.reply({ code: ResponseCode.SUCCESS, body: [encodeProducerTable(table)] });
  };
}
