/**
 * Draws a free port for the broker. Old clients compute the VIP port as the broker's − 2, so a port is good when
 * the one two below is free, too; the broker itself would find that out only after it listens.
 */
import type { Listener, Network, SocketAddress } from "@orbitmq/host";

/** How often a free port is drawn whose VIP port is free, too, before the VIP listener is given up. */
const PAIR_ATTEMPTS = 20;

/** For port 0: an address whose port p is such that p and p − 2, its VIP port, are both free. Any other port stays as it is. */
export async function freePortPair(network: Network, { host, port }: SocketAddress): Promise<SocketAddress> {
  if (port !== 0) return { host, port };
  const listen = (at: number): Promise<Listener | undefined> =>
    new Promise((resolve) =>
      network.listen(
        { host, port: at },
        (c) => c.destroy(),
        (_, listener) => resolve(listener),
      ),
    );
  const close = (listener: Listener | undefined): Promise<void> =>
    new Promise((resolve) => (listener === undefined ? resolve() : listener.close(resolve)));
  for (let attempt = 0; attempt < PAIR_ATTEMPTS; attempt++) {
    const main = await listen(0);
    // The broker itself says why nothing can be listened on here.
    if (main === undefined) return { host, port };
    const vip = await listen(main.local.port - 2);
    await Promise.all([close(main), close(vip)]);
    if (vip !== undefined) return { host, port: main.local.port };
  }
  return { host, port };
}
