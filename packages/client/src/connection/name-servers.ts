/**
 * Questions to the NameServers. They know nothing of each other and each is enough, so one is asked, beginning
 * with the one that answered last (a random one at first), then the next. A server that was restarted may not
 * know a topic yet: "no such topic" counts only when every server that answers says so.
 */
import type { Host } from "@orbitmq/host";
import {
  getRouteInfoRequestHeader,
  type OutgoingRequest,
  parseTopicRouteData,
  type RemotingCommand,
  RequestCode,
  ResponseCode,
  type RpcClient,
  type TopicRouteData,
} from "@orbitmq/wire";
import { fromResponse, fromUnknown } from "../errors/error-from.ts";
import { OrbitError } from "../errors/errors.ts";
import { callServer } from "./call-server.ts";

/** The least time one server gets of a question's total. */
const ATTEMPT_MIN_MS = 500;

/** Splits `a:9876;b:9876`. Throws INVALID_ARGUMENT when nothing is left or an address has no port. */
export function parseNameServers(namesrv: string | readonly string[]): string[] {
  const addresses = (typeof namesrv === "string" ? [namesrv] : namesrv)
    .flatMap((entry) => entry.split(/[;,]/))
    .map((address) => address.trim())
    .filter((address) => address !== "");
  if (addresses.length === 0) throw new OrbitError("INVALID_ARGUMENT", "namesrv names no address");
  for (const address of addresses) {
    if (!/.:\d{1,5}$/.test(address)) {
      throw new OrbitError("INVALID_ARGUMENT", `namesrv: ${JSON.stringify(address)} is not host:port`);
    }
  }
  return [...new Set(addresses)];
}

export class NameServers {
  readonly addresses: readonly string[];
  readonly #host: Host;
  readonly #rpc: RpcClient;
  readonly #requestTimeoutMs: number;
  #current: number;
  #reachable = false;

  constructor(host: Host, rpc: RpcClient, addresses: readonly string[], requestTimeoutMs: number) {
    this.#host = host;
    this.#rpc = rpc;
    this.addresses = addresses;
    this.#requestTimeoutMs = requestTimeoutMs;
    this.#current = host.random.int(addresses.length);
  }

  /** Whether the last question was answered by anyone. */
  get reachable(): boolean {
    return this.#reachable;
  }

  /** The topic's route; `undefined` when no server knows it. Rejects with NAME_SERVER_UNREACHABLE. */
  route(topic: string): Promise<TopicRouteData | undefined> {
    return this.ask(
      {
        code: RequestCode.GET_ROUTEINFO_BY_TOPIC,
        header: (sink) => getRouteInfoRequestHeader.encode({ topic, acceptStandardJsonOnly: true }, sink),
      },
      (response) => parseTopicRouteData(response.body),
    );
  }

  /**
   * The first server's answer; `undefined` when all that answer say TOPIC_NOT_EXIST. Rejects with the last
   * refusal, or with NAME_SERVER_UNREACHABLE naming every address when none answered.
   */
  async ask<T>(request: OutgoingRequest, parse: (response: RemotingCommand) => T): Promise<T | undefined> {
    const deadlineMs = this.#host.clock.monotonicMs() + this.#requestTimeoutMs;
    const share = Math.max(this.#requestTimeoutMs / this.addresses.length, ATTEMPT_MIN_MS);
    const failures: string[] = [];
    let unknownTo: number | undefined;
    let refusal: OrbitError | undefined;
    let cause: OrbitError | undefined;
    for (let tries = 0, at = this.#current; tries < this.addresses.length; tries++) {
      const address = this.addresses[at]!;
      const remainingMs = deadlineMs - this.#host.clock.monotonicMs();
      try {
        const timeoutMs = Math.max(Math.min(share, remainingMs), 1);
        const answer = await callServer(this.#rpc, address, request, timeoutMs, (response) =>
          response.code === ResponseCode.SUCCESS
            ? { value: parse(response) }
            : { responseCode: response.code, remark: response.remark },
        );
        this.#reachable = true;
        if ("value" in answer) {
          this.#current = at;
          return answer.value;
        }
        if (answer.responseCode === ResponseCode.TOPIC_NOT_EXIST) unknownTo ??= at;
        else refusal = fromResponse(answer.responseCode, answer.remark, address);
      } catch (error) {
        cause = fromUnknown(error, address);
        if (cause.code === "SHUT_DOWN") throw cause;
        // Should the link be dead, the next question begins with a new connection.
        if (cause.code === "TIMEOUT") this.#rpc.disconnect(address);
        failures.push(cause.message);
      }
      at = (at + 1) % this.addresses.length;
    }
    if (unknownTo !== undefined) {
      this.#current = unknownTo;
      return undefined;
    }
    if (refusal !== undefined) throw refusal;
    this.#reachable = false;
    throw new OrbitError(
      "NAME_SERVER_UNREACHABLE",
      `no NameServer answered (tried ${this.addresses.join(", ")}): ${failures.join("; ")}`,
      { cause },
    );
  }
}
