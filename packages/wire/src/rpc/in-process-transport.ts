/** Skeleton of the in-process network; the behaviour behind this signature follows. */
import type { Network, Timers } from "@orbitmq/host";

/**
 * A Network in which `listen` and `connect` meet within this process, without sockets: the same RpcServer and
 * RpcClient run on it (`{ ...host, network: inProcessNetwork(host.timers) }`). Several may share one value.
 * With `outer`, listeners are opened there, too, and addresses nobody listens on in this process are dialled
 * there.
 */
export function inProcessNetwork(_timers: Timers, _outer?: Network): Network {
  throw new Error("not there yet");
}
