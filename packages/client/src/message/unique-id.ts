/**
 * The source of the ids a producer gives its messages. Their time runs by the monotonic clock from where the
 * wall clock stood when the producer was made: a wall clock that steps back cannot repeat an id.
 */
import type { Host } from "@orbitmq/host";
import { parseV4, parseV6, UniqueIdGenerator } from "@orbitmq/wire";

export function newUniqueIds(host: Host): UniqueIdGenerator {
  const { clock, random } = host;
  const addresses = host.network.localAddresses();
  const originMs = Math.floor(clock.wallMs() - clock.monotonicMs());
  return new UniqueIdGenerator({
    address: first(addresses, parseV4) ?? first(addresses, parseV6) ?? Uint8Array.of(127, 0, 0, 1),
    pid: host.process.pid,
    instance: random.int(2 ** 32),
    counterStart: random.int(2 ** 16),
    nowMs: () => originMs + Math.floor(clock.monotonicMs()),
  });
}

function first<T>(addresses: readonly string[], parse: (address: string) => T | undefined): T | undefined {
  for (const address of addresses) {
    const parsed = parse(address);
    if (parsed !== undefined) return parsed;
  }
  return undefined;
}
