/**
 * A NameServer and two brokers that answer sends as a script says, whoever sends: what clients make of refusals, lost
 * connections and silence can be compared.
 */
import { nodeHost } from "@orbitmq/host/node";
import {
  decodeSendMessageRequestHeader,
  type Exchange,
  encodeTopicRouteData,
  type RemotingCommand,
  RequestCode,
  ResponseCode,
  RpcServer,
  sendMessageResponseHeader,
} from "@orbitmq/wire";

/** What becomes of one send: this response code, a connection that is closed, or no answer. */
export type Answer = number | "drop" | "silence";

const SENDS = [
  RequestCode.SEND_MESSAGE,
  RequestCode.SEND_MESSAGE_V2,
  RequestCode.SEND_BATCH_MESSAGE,
] as readonly number[];
const QUEUES = 2;
const NAMES = ["broker-a", "broker-b"];

export class ScriptedBrokers {
  namesrv = "";
  /** The name of the broker each attempt went to. */
  readonly attempts: string[] = [];
  readonly #topic: string;
  readonly #answers: readonly Answer[];
  readonly #servers: RpcServer[] = [];

  /** The n-th attempt gets the n-th answer, those behind the last the last. */
  constructor(topic: string, answers: readonly Answer[]) {
    this.#topic = topic;
    this.#answers = answers;
  }

  async start(): Promise<void> {
    const ports = new Map<string, number>();
    for (const name of NAMES) ports.set(name, await this.#listen((server) => this.#broker(server, name)));
    const port = await this.#listen((server) => this.#nameServer(server, ports));
    this.namesrv = `127.0.0.1:${port}`;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.stop(100, resolve))));
  }

  #listen(prepare: (server: RpcServer) => void): Promise<number> {
    const server = new RpcServer(nodeHost());
    this.#servers.push(server);
    prepare(server);
    return new Promise((resolve, reject) => {
      server.listen({ host: "127.0.0.1", port: 0 }, (error, listener) => {
        if (listener === undefined) reject(error);
        else resolve(listener.local.port);
      });
    });
  }

  #nameServer(server: RpcServer, ports: ReadonlyMap<string, number>): void {
    server.handle(RequestCode.GET_ROUTEINFO_BY_TOPIC, (request, exchange) => {
      if (request.ext.get("topic") !== this.#topic) {
        exchange.reply({ code: ResponseCode.TOPIC_NOT_EXIST, remark: "no route" });
        return;
      }
      const route = {
        queueDatas: NAMES.map((brokerName) => ({
          brokerName,
          readQueueNums: QUEUES,
          writeQueueNums: QUEUES,
          perm: 6,
          topicSysFlag: 0,
        })),
        brokerDatas: NAMES.map((brokerName) => ({
          cluster: "C",
          brokerName,
          brokerAddrs: new Map([[0, `127.0.0.1:${ports.get(brokerName)}`]]),
          enableActingMaster: false,
        })),
        filterServerTable: new Map(),
      };
      exchange.reply({ code: 0, body: [encodeTopicRouteData(route, true)] });
    });
  }

  #broker(server: RpcServer, name: string): void {
    for (const code of [RequestCode.HEART_BEAT, RequestCode.UNREGISTER_CLIENT]) {
      server.handle(code, (_request, exchange) => exchange.reply({ code: 0 }));
    }
    for (const code of SENDS) {
      server.handle(code, (request, exchange) => this.#answer(name, request, exchange));
    }
  }

  #answer(name: string, request: RemotingCommand, exchange: Exchange): void {
    const answer = this.#answers[Math.min(this.attempts.length, this.#answers.length - 1)]!;
    this.attempts.push(name);
    if (answer === "silence") return;
    if (answer === "drop") {
      exchange.peer.close();
      return;
    }
    const { queueId } = decodeSendMessageRequestHeader(request.code, request.ext);
    const msgId = "7F00000100002A9F0000000000000000";
    exchange.reply({
      code: answer,
      remark: answer === 0 ? undefined : "scripted",
      header: (sink) => sendMessageResponseHeader.encode({ msgId, queueId, queueOffset: 0 }, sink),
    });
  }
}
