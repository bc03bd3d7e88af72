/** `Network` of one simulated process: connecting, listening, names. */
import { assert } from "../../assert.ts";
import { HostError } from "../../host-error.ts";
import type { Connection, Listener, Network, SocketAddress } from "../../network.ts";
import type { SimEvent } from "../event-queue.ts";
import type { SimHost } from "../sim-host.ts";
import type { SimMachine } from "../sim-machine.ts";
import { LinkDirection } from "./link-direction.ts";
import { SimConnection } from "./sim-connection.ts";

/** When a connect's first packets are sent again, µs after the start. */
const SYN_RETRY_US = [0, 1_000_000, 3_000_000, 7_000_000];

export class SimListener implements Listener {
  readonly host: SimHost;
  readonly local: SocketAddress;
  readonly onConnection: (connection: Connection) => void;
  open = true;

  constructor(host: SimHost, local: SocketAddress, onConnection: (connection: Connection) => void) {
    this.host = host;
    this.local = local;
    this.onConnection = onConnection;
  }

  close(done?: () => void): void {
    this.open = false;
    this.host.world.fabric.removeListener(this);
    if (done !== undefined) this.host.callLater(done);
  }
}

type ConnectDone = (error: HostError | undefined, connection: Connection | undefined) => void;

/** One connect: whichever of its outcomes comes first counts. */
interface ConnectAttempt {
  readonly done: ConnectDone;
  readonly timer: SimEvent;
  settled: boolean;
}

export class SimNetwork implements Network {
  readonly #host: SimHost;

  constructor(host: SimHost) {
    this.#host = host;
  }

  listen(
    local: SocketAddress,
    onConnection: (connection: Connection) => void,
    done: (error: HostError | undefined, listener: Listener | undefined) => void,
  ): void {
    const host = this.#host;
    host.assertAlive();
    const { loop, fabric } = host.world;
    loop.schedule(1, host, "net-listen", local.port, () => {
      const address = fabric.addressOf(local.host) ?? local.host;
      const own = ["0.0.0.0", "::", "127.0.0.1", "::1", host.machine.address];
      if (!own.includes(address)) {
        done(new HostError("EADDRNOTAVAIL", `${local.host}: not an address of this machine`), undefined);
        return;
      }
      const port = local.port === 0 ? host.machine.nextPort() : local.port;
      const listener = new SimListener(host, { host: address, port }, onConnection);
      if (fabric.addListener(listener)) done(undefined, listener);
      else done(new HostError("EADDRINUSE", `${local.host}:${port}: the port is taken`), undefined);
    });
  }

  connect(remote: SocketAddress, timeoutMs: number, done: ConnectDone): void {
    const host = this.#host;
    host.assertAlive();
    const { loop, fabric } = host.world;
    const timer = loop.schedule(timeoutMs * 1000, host, "net-connect", 1, () =>
      settle(
        attempt,
        new HostError("ETIMEDOUT", `${remote.host}:${remote.port}: no answer in ${timeoutMs} ms`),
      ),
    );
    const attempt: ConnectAttempt = { done, timer, settled: false };
    const address = fabric.addressOf(remote.host);
    if (address === undefined) {
      host.callLater(() => settle(attempt, new HostError("ENOTFOUND", `${remote.host}: unknown name`)));
      return;
    }
    for (const retryUs of SYN_RETRY_US) {
      if (retryUs >= timeoutMs * 1000) break;
      if (retryUs === 0) this.#sendSyn(address, remote, attempt);
      else {
        loop.scheduleInternal(retryUs, host, "net-connect", 2, () => {
          if (!attempt.settled) this.#sendSyn(address, remote, attempt);
        });
      }
    }
  }

  resolve(name: string, done: (error: HostError | undefined, address: string | undefined) => void): void {
    const host = this.#host;
    const { loop, fabric, random } = host.world;
    loop.schedule(random.between(50, 3_000), host, "net-resolve", name.length, () => {
      const address = fabric.addressOf(name);
      if (address === undefined) done(new HostError("ENOTFOUND", `${name}: unknown name`), undefined);
      else done(undefined, address);
    });
  }

  localAddresses(): string[] {
    return [this.#host.machine.address, "127.0.0.1"];
  }

  #sendSyn(address: string, remote: SocketAddress, attempt: ConnectAttempt): void {
    const client = this.#host;
    const { loop, fabric } = client.world;
    const target = fabric.machineAt(address, client.machine);
    if (target === undefined || fabric.isCut(client.machine, target)) return;
    loop.scheduleInternal(fabric.delayUs(client.machine, target), undefined, "net-connect", 0, () => {
      if (!target.up || !client.alive || attempt.settled || fabric.isCut(target, client.machine)) return;
      const listener = fabric.listenerAt(target, address, remote.port);
      const backUs = fabric.delayUs(target, client.machine);
      loop.schedule(backUs, client, "net-connect", 3, () => {
        if (listener === undefined) {
          settle(attempt, new HostError("ECONNREFUSED", `${address}:${remote.port}: nobody listens`));
        } else if (!attempt.settled) this.#establish(listener, { host: address, port: remote.port }, attempt);
      });
    });
  }

  /** The client knows that it is connected; the server will, unless it is gone by then. */
  #establish(listener: SimListener, remote: SocketAddress, attempt: ConnectAttempt): void {
    const client = this.#host;
    const server = listener.host;
    const { loop, fabric } = client.world;
    const local = { host: sourceAddress(remote.host, client.machine), port: client.machine.nextPort() };
    const near = new SimConnection(client, local, remote);
    const far = new SimConnection(server, remote, local);
    const acceptUs = loop.nowUs + fabric.delayUs(client.machine, server.machine);
    near.out = new LinkDirection(near, far, acceptUs);
    far.out = new LinkDirection(far, near, acceptUs);
    near.incoming = far.out;
    far.incoming = near.out;
    fabric.opened(near);
    if (server.alive && listener.open) {
      fabric.opened(far);
      loop.schedule(acceptUs - loop.nowUs, server, "net-accept", remote.port, () => {
        if (far.closed) return;
        if (!listener.open) {
          far.destroy();
          return;
        }
        listener.onConnection(far);
        assertHandled(far);
      });
    } else if (server.machine.up) far.out.breakOff(acceptUs - loop.nowUs);
    attempt.settled = true;
    attempt.timer.cancelled = true;
    attempt.done(undefined, near);
    assertHandled(near);
  }
}

function settle(attempt: ConnectAttempt, error: HostError): void {
  if (attempt.settled) return;
  attempt.settled = true;
  attempt.timer.cancelled = true;
  attempt.done(error, undefined);
}

function assertHandled(end: SimConnection): void {
  assert(end.handled || end.closed, "a connection gets its handlers in the callback that hands it over");
}

function sourceAddress(remoteAddress: string, machine: SimMachine): string {
  return remoteAddress === "127.0.0.1" ? "127.0.0.1" : machine.address;
}
