/** A server in a network of its own, and clients of both kinds beside it and outside. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import { type ServerProcess, startServerProcess } from "orbitmq/testing";
import { assertDelivered, type Delivery, deliveriesIn } from "./delivery.ts";
import { type JavaClients, startJavaClients } from "./java-client.ts";
import { Networks, whyNoNamespaces } from "./network-namespaces.ts";
import { type JsonLine, ProgramLines } from "./program-lines.ts";
import { Workshop } from "./workshop.ts";

const timeout = 60_000;
const skip = whyNoNamespaces() ?? false;

/** Our client as a process in one of the networks. */
class NetworkClient extends ProgramLines {
  readonly child: ChildProcess;

  constructor(wrapper: readonly string[], args: readonly string[]) {
    super();
    const program = join(import.meta.dirname, "network-client.ts");
    const node = [process.execPath, "--conditions=orbitmq-source", "--import", "tsx", program, ...args];
    const [command = "", ...rest] = [...wrapper, ...node];
    this.child = spawn(command, rest, { stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface({ input: this.child.stdout! });
    lines.on("line", (line) => this.add(JSON.parse(line) as JsonLine));
    lines.once("close", () => this.end(() => "the client's process ended"));
  }

  get deliveries(): Delivery[] {
    return this.lines.filter((line) => "bodySha256" in line) as unknown as Delivery[];
  }

  async send(keys: string, count: number): Promise<void> {
    this.child.stdin?.write(`${keys} ${count}\n`);
    const { sent } = await this.line((line) => "sent" in line && line["keys"] === keys);
    assert.equal(sent, count);
  }

  received(count: number): Promise<true> {
    return this.until(() => (this.deliveries.length >= count ? true : undefined));
  }
}

describe("across networks", { skip }, () => {
  const workshop = new Workshop("networks");
  const home = workshop.place("data");
  let networks: Networks;
  let server: ServerProcess;
  const java = new Map<"server" | "outside", JavaClients>();

  async function serve(...options: string[]): Promise<ServerProcess> {
    const ports = ["--namesrv-port", "9876", "--broker-port", "10911"];
    server = await startServerProcess({
      home,
      wrapper: networks.in("server"),
      options: ["--host", "0.0.0.0", ...ports, ...options],
    });
    return workshop.ends(server, (it) => it.kill());
  }

  function ours(network: "server" | "outside", ...args: string[]): NetworkClient {
    const client = new NetworkClient(networks.in(network), args);
    return workshop.ends(client, ({ child }) => child.kill("SIGKILL"));
  }

  before(async () => {
    networks = new Networks();
    for (const network of ["server", "outside"] as const) {
      const clients = await startJavaClients({
        home: workshop.place("java"),
        wrapper: networks.in(network),
        // The JVM remembers an address for thirty seconds otherwise.
        systemProperties: { "sun.net.inetaddr.ttl": "0" },
      });
      java.set(
        network,
        workshop.ends(clients, (it) => it.stop()),
      );
    }
  });
  after(() => networks.remove());

  const networkNames = ["server", "outside"] as const;

  test("without --advertise it registers its first address, says so, and is reached from both", {
    timeout,
  }, async () => {
    await serve();
    assert.equal(server.brokerAddr, "10.99.0.1:10911");
    assert.match(await server.logged(/are told/), /10\.99\.0\.1:10911 \(the first non-loopback address\)/);
    const topic = "by-address";
    for (const network of networkNames) {
      const namesrv = server.namesrvAddr;
      await java.get(network)!.run("produce", { namesrv, topic, count: 20, keys: `${network}-` });
    }
    for (const network of networkNames) {
      const options = { namesrv: server.namesrvAddr, topic, group: `java-${network}`, count: 40 };
      const got = deliveriesIn(await java.get(network)!.run("consume", options));
      assertDelivered(got, { keys: "server-", count: 20 }, { keys: "outside-", count: 20 });
      const client = ours(network, server.namesrvAddr, topic, `ours-${network}`);
      await client.received(40);
      client.child.stdin?.end();
    }
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  });

  describe("with --advertise and a name", () => {
    const topic = "by-name";
    const namesrv = "mq.test:9876";
    const running = new Map<string, NetworkClient>();
    const consumers = new Map<string, ReturnType<JavaClients["start"]>>();
    const everyone = () => [
      ...[...running.values()].map(({ deliveries }) => deliveries),
      ...[...consumers.values()].map(({ lines }) => deliveriesIn(lines)),
    ];

    async function sendFromEverywhere(round: string): Promise<void> {
      for (const network of networkNames) {
        const clients = java.get(network)!;
        await clients.run("produce", { namesrv, topic, count: 10, keys: `${round}-java-${network}-` });
        await running.get(network)!.send(`${round}-ours-${network}-`, 10);
      }
    }

    const sentIn = (round: string) =>
      ["java", "ours"].flatMap((kind) =>
        networkNames.map((network) => ({ keys: `${round}-${kind}-${network}-`, count: 10 })),
      );

    test("clients of both kinds are told the name, and storeHost is its address", { timeout }, async () => {
      await serve("--advertise", "mq.test");
      assert.equal(server.brokerAddr, "mq.test:10911");
      assert.equal(server.namesrvAddr, namesrv);
      for (const network of networkNames) {
        running.set(network, ours(network, namesrv, topic, `ours-${network}`));
        await running.get(network)!.line((line) => line["ready"] === true);
      }
      await sendFromEverywhere("first");
      // A Java consumer cannot pull from a restarted broker before its next heartbeat; at a new connection it only beats at
      // once when the broker is registered by address.
      const options = { namesrv, topic, "idle-ms": 60_000, "heartbeat-ms": 1_000 };
      for (const network of networkNames)
        consumers.set(network, java.get(network)!.start("consume", { ...options, group: `java-${network}` }));
      for (const client of running.values()) await client.received(40);
      for (const consumer of consumers.values())
        await consumer.until(() => (deliveriesIn(consumer.lines).length >= 40 ? true : undefined));
      for (const deliveries of everyone()) {
        assertDelivered(deliveries, ...sentIn("first"));
        assert.deepEqual(new Set(deliveries.map(({ storeHost }) => storeHost)), new Set(["10.99.0.1:10911"]));
      }
    });

    test("running clients follow the name to another address, and old messages stay readable", {
      timeout,
    }, async () => {
      await server.kill();
      networks.moveServer("10.99.0.7");
      await serve("--advertise", "mq.test");
      await sendFromEverywhere("second");
      const seen = (deliveries: readonly Delivery[]) =>
        new Set(deliveries.map(({ key }) => key).filter((key) => key.startsWith("second-"))).size;
      for (const client of running.values())
        await client.until(() => (seen(client.deliveries) >= 40 ? true : undefined));
      for (const consumer of consumers.values())
        await consumer.until(() => (seen(deliveriesIn(consumer.lines)) >= 40 ? true : undefined));
      for (const consumer of consumers.values()) await consumer.stop();
      for (const client of running.values()) client.child.stdin?.end();

      const again = deliveriesIn(
        await java.get("outside")!.run("consume", { namesrv, topic, group: "again", count: 80 }),
      );
      const mine = ours("outside", namesrv, topic, "ours-again");
      await mine.received(80);
      mine.child.stdin?.end();
      for (const deliveries of [again, mine.deliveries]) {
        const at = (address: string) => deliveries.filter(({ storeHost }) => storeHost === address);
        assertDelivered(at("10.99.0.1:10911"), ...sentIn("first"));
        assertDelivered(at("10.99.0.7:10911"), ...sentIn("second"));
      }
    });

    test("our client reaches it by mapAddress where the name means nothing", { timeout }, async () => {
      await server.stop();
      await serve("--advertise", "inside.test");
      const client = ours("outside", "10.99.0.7:9876", "mapped", "g", "inside.test", "10.99.0.7");
      await client.send("mapped-", 10);
      await client.received(10);
      assertDelivered(client.deliveries, { keys: "mapped-", count: 10 });
      client.child.stdin?.end();
    });
  });
});
