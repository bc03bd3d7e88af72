/**
 * Two networks joined by one cable, as two machines (or a container and its host) see each other: `server` and `outside`,
 * Linux network namespaces with a veth pair. Each has its own /etc/hosts, which stands for the DNS. Names carry the pid of
 * this process; what a killed run left behind is taken away by the next.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";

const PREFIX = "omq-interop-";

function ip(...words: string[]): string {
  const { status, stdout, stderr } = spawnSync("ip", words, { encoding: "utf8" });
  if (status !== 0) throw new Error(`ip ${words.join(" ")}: ${stderr}`);
  return stdout;
}

/** Why namespaces cannot be made here; `undefined` when they can. */
export function whyNoNamespaces(): string | undefined {
  if (process.platform !== "linux") return "network namespaces need Linux";
  if (process.getuid?.() !== 0) return "network namespaces need root";
  const name = `${PREFIX}${process.pid}-try`;
  try {
    ip("netns", "add", name);
    ip("netns", "delete", name);
    return undefined;
  } catch (error) {
    return `network namespaces are not to be had: ${String(error)}`;
  }
}

export class Networks {
  readonly outsideAddress = "10.99.0.2";
  readonly #names = {
    server: `${PREFIX}${process.pid}-s`,
    outside: `${PREFIX}${process.pid}-o`,
  };
  #serverAddress = "";
  readonly #removeAtExit = () => this.remove();

  /** The server's network has 10.99.0.1, which both know as mq.test and it alone as inside.test. */
  constructor() {
    removeLeftovers();
    process.on("exit", this.#removeAtExit);
    const { server, outside } = this.#names;
    for (const name of [server, outside]) {
      ip("netns", "add", name);
      ip("-n", name, "link", "set", "lo", "up");
      mkdirSync(`/etc/netns/${name}`, { recursive: true });
    }
    ip("-n", server, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", outside);
    for (const name of [server, outside]) ip("-n", name, "link", "set", "eth0", "up");
    ip("-n", outside, "addr", "add", `${this.outsideAddress}/24`, "dev", "eth0");
    this.moveServer("10.99.0.1");
  }

  get serverAddress(): string {
    return this.#serverAddress;
  }

  /** Gives the server's network another address and its name's entry, seen by running processes, too. */
  moveServer(address: string): void {
    ip("-n", this.#names.server, "addr", "flush", "dev", "eth0");
    ip("-n", this.#names.server, "addr", "add", `${address}/24`, "dev", "eth0");
    this.#serverAddress = address;
    // Written in place: running processes have this very file mounted.
    const known = `127.0.0.1 localhost\n${address} mq.test\n`;
    writeFileSync(`/etc/netns/${this.#names.outside}/hosts`, known);
    writeFileSync(`/etc/netns/${this.#names.server}/hosts`, `${known}${address} inside.test\n`);
  }

  /** What a program is started under to be in that network; keeps its pid. */
  in(network: "server" | "outside"): readonly string[] {
    return ["ip", "netns", "exec", this.#names[network]];
  }

  remove(): void {
    process.off("exit", this.#removeAtExit);
    for (const name of Object.values(this.#names)) removeNamespace(name);
  }
}

function removeNamespace(name: string): void {
  spawnSync("ip", ["netns", "delete", name]);
  rmSync(`/etc/netns/${name}`, { recursive: true, force: true });
}

function removeLeftovers(): void {
  for (const [name, pid] of ip("netns", "list").matchAll(/^omq-interop-(\d+)-\w+/gm))
    if (!existsSync(`/proc/${pid}`)) removeNamespace(name);
}
