/**
 * What a client is called in its group and at its brokers (RocketMQ: ClientConfig.buildMQClientId):
 * `ip@pid#instance`, unique to each producer or consumer object.
 */
import type { Host } from "@orbitmq/host";

export function newClientId(host: Host): string {
  const ip = host.network.localAddresses()[0] ?? "127.0.0.1";
  const instance = Math.floor(host.clock.wallMs()) * 4096 + host.random.int(4096);
  return `${ip}@${host.process.pid}#${instance.toString()}`;
}

/** The same after every start, for clients that keep state under it (RocketMQ: instance name DEFAULT). */
export function stableClientId(host: Host): string {
  return `${host.network.localAddresses()[0] ?? "127.0.0.1"}@DEFAULT`;
}
