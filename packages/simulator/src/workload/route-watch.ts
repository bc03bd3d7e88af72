/** Asks every NameServer for its brokers until each knows all of them: routes must come back, too. */
import type { SimHost } from "@orbitmq/host/sim";
import { parseClusterInfo, RequestCode, ResponseCode, RpcClient } from "@orbitmq/wire";
import type { BrokerNode } from "../cluster/broker-node.ts";
import type { NameServerNode } from "../cluster/name-server-node.ts";

const INTERVAL_MS = 500;
const TIMEOUT_MS = 2_000;

export class RouteWatch {
  readonly #nameServers: readonly NameServerNode[];
  readonly #brokers: readonly BrokerNode[];
  /** NameServer → the brokers it does not know. */
  readonly #missing = new Map<NameServerNode, readonly string[]>();

  constructor(nameServers: readonly NameServerNode[], brokers: readonly BrokerNode[]) {
    this.#nameServers = nameServers;
    this.#brokers = brokers;
    for (const nameServer of nameServers) this.#missing.set(nameServer, ["any broker"]);
  }

  /** What is missing; undefined when every NameServer knows every broker. */
  missing(): string | undefined {
    for (const [{ name }, brokers] of this.#missing) {
      if (brokers.length > 0) return `${name} does not know ${brokers.join(", ")}`;
    }
    return undefined;
  }

  /** Call within an event of `host`. */
  start(host: SimHost): void {
    const rpc = new RpcClient(host);
    for (const nameServer of this.#nameServers) this.#ask(host, rpc, nameServer);
  }

  #ask(host: SimHost, rpc: RpcClient, nameServer: NameServerNode): void {
    const request = { code: RequestCode.GET_BROKER_CLUSTER_INFO };
    rpc.request(nameServer.address, request, TIMEOUT_MS, (_error, response) => {
      if (response?.code === ResponseCode.SUCCESS) {
        const { brokerAddrTable } = parseClusterInfo(response.body);
        const absent = this.#brokers.filter((broker) => !brokerAddrTable.has(broker.name));
        this.#missing.set(
          nameServer,
          absent.map((broker) => broker.name),
        );
        if (absent.length === 0) return;
      }
      host.timers.after(INTERVAL_MS, () => this.#ask(host, rpc, nameServer));
    });
  }
}
