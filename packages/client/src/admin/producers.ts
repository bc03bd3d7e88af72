/** Who produces: what brokers know of producers that are online. */
import {
  getProducerConnectionListRequestHeader,
  mqVersionName,
  parseProducerConnection,
  parseProducerTable,
  RequestCode,
} from "@orbitmq/wire";
import type { ClientInstance } from "../connection/client-instance.ts";
import type { ServerFailure } from "../errors/errors.ts";
import { checkGroup } from "../names/names.ts";
import type { BrokerTarget } from "./admin-types.ts";
import { lookAtEach } from "./ask-each.ts";
import type { ClientConnection } from "./consumers.ts";
import { allMasters } from "./servers.ts";

export interface ProducerConnections {
  readonly group: string;
  /** By client id. */
  readonly connections: readonly ClientConnection[];
  readonly failures: readonly ServerFailure[];
}

export interface OnlineProducer extends ClientConnection {
  readonly group: string;
  /** Its last heartbeat to any broker, ms since the epoch. */
  readonly lastUpdateTimestamp: number;
}

export interface ProducerList {
  /** By group, then client id. */
  readonly producers: readonly OnlineProducer[];
  readonly failures: readonly ServerFailure[];
}

/** Who of a producer group is online at any master (204). A broker that knows nobody of it has nothing to say. */
export async function producerConnections(
  instance: ClientInstance,
  group: string,
  target: BrokerTarget,
): Promise<ProducerConnections> {
  checkGroup(group);
  const { answers, failures } = await lookAtEach(await allMasters(instance, target), (address) =>
    instance.call(
      address,
      {
        code: RequestCode.GET_PRODUCER_CONNECTION_LIST,
        header: (sink) => getProducerConnectionListRequestHeader.encode({ producerGroup: group }, sink),
      },
      // 1: the group is not online there.
      ({ code, body }) => (code === 0 ? parseProducerConnection(body) : []),
    ),
  );
  const found = new Map<string, ClientConnection>();
  for (const { server, value } of answers)
    for (const { clientId, clientAddr, language, version } of value) {
      const brokers = [...(found.get(clientId)?.brokers ?? []), server];
      const rest = { address: clientAddr, language, version: mqVersionName(version), brokers };
      found.set(clientId, { clientId, ...rest });
    }
  const connections = [...found.values()].sort((a, b) => (a.clientId < b.clientId ? -1 : 1));
  return { group, connections, failures };
}

/** Every producer that is online at any master named (328). */
export async function producerList(instance: ClientInstance, target: BrokerTarget): Promise<ProducerList> {
  const { answers, failures } = await lookAtEach(await allMasters(instance, target), (address) =>
    instance.ask(address, { code: RequestCode.GET_ALL_PRODUCER_INFO }, ({ body }) =>
      parseProducerTable(body),
    ),
  );
  const found = new Map<string, OnlineProducer>();
  for (const { server, value } of answers)
    for (const [group, producers] of value)
      for (const { clientId, remoteIP, language, version, lastUpdateTimestamp } of producers) {
        const key = `${group} ${clientId}`;
        const known = found.get(key);
        found.set(key, {
          group,
          clientId,
          // Java prints an address with a slash before it.
          address: remoteIP.replace(/^\//, ""),
          language,
          version: mqVersionName(version),
          brokers: [...(known?.brokers ?? []), server],
          lastUpdateTimestamp: Math.max(known?.lastUpdateTimestamp ?? 0, lastUpdateTimestamp),
        });
      }
  return { producers: [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each), failures };
}
