/**
 * Who a broker says it is: the address clients dial, and the same address as records and message ids carry it.
 * It is known only once the broker listens (port 0) and its name is resolved, hence an object that is filled in.
 */
import { assert, type Host, type SocketAddress } from "@orbitmq/host";
import { encodeHostBytes, encodeOffsetMessageId, encodeOffsetMessageIds, formatAddress } from "@orbitmq/wire";
import { BrokerError } from "./broker-error.ts";

const NO_HOST: Uint8Array = new Uint8Array();
const ANY_ADDRESSES: ReadonlySet<string> = new Set(["0.0.0.0", "::", ""]);

export class BrokerIdentity {
  #address: string | undefined;
  #haServerAddress = "";
  #storeHost: Uint8Array = NO_HOST;
  #storeHostHex = "";

  /** What clients are told, `host:port`. */
  get address(): string {
    assert(this.#address !== undefined, "a broker has an address once it is started");
    return this.#address;
  }

  /** Where RocketMQ's slaves would connect (main port + 1); registered, because older NameServers ask for it. */
  get haServerAddress(): string {
    return this.#haServerAddress;
  }

  /** 8 or 20 bytes. */
  get storeHost(): Uint8Array {
    return this.#storeHost;
  }

  /** The same as message ids begin with it. */
  get storeHostHex(): string {
    return this.#storeHostHex;
  }

  /** `host` is registered as it is; `ip` is what it resolves to. */
  set(host: string, ip: string, port: number): void {
    this.#address = formatAddress({ host, port });
    this.#haServerAddress = formatAddress({ host, port: port + 1 });
    this.#storeHost = encodeHostBytes({ host: ip, port });
    this.#storeHostHex = encodeOffsetMessageId(this.#storeHost, 0).slice(0, -16);
  }

  /** The offset message id of one record, or those of all, joined by commas. */
  messageIds(physicalOffset: number, all: readonly number[] | undefined): string {
    return encodeOffsetMessageIds(this.#storeHostHex, all ?? [physicalOffset]);
  }
}

/**
 * The host clients are told: what is configured, else what is listened on, else this machine's first address.
 * Resolves with it and its IP address; rejects with BrokerError ADDRESS_UNRESOLVED.
 */
export function resolveAdvertised(
  host: Host,
  configured: string | undefined,
  listen: SocketAddress,
): Promise<{ readonly host: string; readonly ip: string }> {
  const local = ANY_ADDRESSES.has(listen.host)
    ? (host.network.localAddresses()[0] ?? "127.0.0.1")
    : listen.host;
  const name = configured ?? local;
  return new Promise((resolve, reject) => {
    host.network.resolve(name, (error, ip) => {
      if (ip !== undefined) resolve({ host: name, ip });
      else {
        const message = `the broker's own address ${name} cannot be resolved`;
        reject(new BrokerError("ADDRESS_UNRESOLVED", message, { cause: error }));
      }
    });
  });
}
