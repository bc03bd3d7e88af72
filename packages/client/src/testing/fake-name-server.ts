/** A NameServer that knows the routes a test gives it; `script` may answer route questions otherwise. */
import type { Host } from "@orbitmq/host";
import {
  type Exchange,
  encodeClusterInfo,
  encodeTopicList,
  encodeTopicRouteData,
  getRouteInfoRequestHeader,
  type RemotingCommand,
  RequestCode,
  ResponseCode,
  RpcServer,
  type TopicRouteData,
} from "@orbitmq/wire";
import type { FakeBroker, Script } from "./fake-broker.ts";

export class FakeNameServer {
  readonly host: Host;
  readonly routes = new Map<string, TopicRouteData>();
  readonly asked: string[] = [];
  readonly server: RpcServer;
  address = "";
  script: Script | undefined;

  constructor(host: Host) {
    this.host = host;
    this.server = new RpcServer(host);
    this.server.handle(RequestCode.GET_ROUTEINFO_BY_TOPIC, (request, exchange) => {
      const { topic } = getRouteInfoRequestHeader.decode(request.ext);
      this.asked.push(topic);
      if (this.#scripted(request, exchange)) return;
      const route = this.routes.get(topic);
      if (route === undefined) exchange.reply({ code: ResponseCode.TOPIC_NOT_EXIST, remark: "no route" });
      else exchange.reply({ code: 0, body: [encodeTopicRouteData(route, true)] });
    });
    this.server.handle(RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER, (_request, exchange) =>
      exchange.reply({ code: 0, body: [encodeTopicList({ topicList: [...this.routes.keys()] })] }),
    );
    this.server.handle(RequestCode.GET_BROKER_CLUSTER_INFO, (_request, exchange) => {
      const brokers = new Map(
        [...this.routes.values()].flatMap((route) =>
          route.brokerDatas.map((broker) => [broker.brokerName, broker] as const),
        ),
      );
      const info = { brokerAddrTable: brokers, clusterAddrTable: new Map([["C", [...brokers.keys()]]]) };
      exchange.reply({ code: 0, body: [encodeClusterInfo(info)] });
    });
  }

  #scripted(request: RemotingCommand, exchange: Exchange): boolean {
    const answer = this.script?.(request, exchange) ?? false;
    if (typeof answer === "object") exchange.reply(answer);
    return answer !== false;
  }

  /** Port 0 takes a free one; `address` is then right once this resolves. */
  listen(machine: string, port: number): Promise<void> {
    this.address = `${machine}:${port}`;
    return new Promise((resolve, reject) => {
      this.server.listen({ host: "0.0.0.0", port }, (error, listener) => {
        if (listener === undefined) reject(error);
        else {
          this.address = `${machine}:${listener.local.port}`;
          resolve();
        }
      });
    });
  }

  /** Adds, or replaces, a topic's queues on brokers. */
  setRoute(topic: string, brokers: readonly FakeBroker[], queues = 4, perm = 6): void {
    this.routes.set(topic, {
      queueDatas: brokers.map(({ name }) => ({
        brokerName: name,
        readQueueNums: queues,
        writeQueueNums: queues,
        perm,
        topicSysFlag: 0,
      })),
      brokerDatas: brokers.map(({ name, address }) => ({
        cluster: "C",
        brokerName: name,
        brokerAddrs: new Map([[0, address]]),
        enableActingMaster: false,
      })),
      filterServerTable: new Map(),
    });
  }
}
