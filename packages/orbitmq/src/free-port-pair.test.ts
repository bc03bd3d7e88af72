import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HostError, type Network } from "@orbitmq/host";
import { freePortPair } from "./free-port-pair.ts";

/** A machine on which `taken` ports are taken and port 0 draws those of `drawn` in turn. */
function network(taken: readonly number[], drawn: readonly number[]) {
  const open = new Set<number>();
  const draws = [...drawn];
  const listen: Network["listen"] = (local, _onConnection, done) => {
    const port = local.port === 0 ? draws.shift() : local.port;
    if (port === undefined || taken.includes(port) || open.has(port)) {
      done(new HostError("EADDRINUSE", `${port} is taken`), undefined);
      return;
    }
    open.add(port);
    const close = (closed?: () => void) => {
      open.delete(port);
      closed?.();
    };
    done(undefined, { local: { host: local.host, port }, close });
  };
  return { open, network: { listen } as unknown as Network };
}

describe("a free port for the broker", () => {
  it("is one whose VIP port is free, too, and nothing stays open", async () => {
    const { network: machine, open } = network([998, 1998], [1000, 2000, 3000]);
    assert.deepEqual(await freePortPair(machine, { host: "h", port: 0 }), { host: "h", port: 3000 });
    assert.equal(open.size, 0);
  });

  it("is the one asked for, looked at or not", async () => {
    const { network: machine } = network([8], []);
    assert.deepEqual(await freePortPair(machine, { host: "h", port: 10 }), { host: "h", port: 10 });
  });

  it("is left to the broker when nothing can be listened on", async () => {
    const { network: machine } = network([], []);
    assert.deepEqual(await freePortPair(machine, { host: "h", port: 0 }), { host: "h", port: 0 });
  });
});
