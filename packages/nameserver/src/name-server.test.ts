import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { silentLogger } from "@orbitmq/host";
import { nodeHost } from "@orbitmq/host/node";
import {
  type DataVersion,
  decodeCommand,
  type ExtSink,
  encodeDataVersion,
  formatAddress,
  type OutgoingRequest,
  parseDataVersion,
  parseTopicRouteData,
  RequestCode,
  RpcClient,
} from "@orbitmq/wire";
import { NameServer } from "./name-server.ts";

const host = nodeHost();

/** A frame recorded from a Java 5.5.0 broker or client, or from the Java NameServer's answer. */
function golden(path: string): Buffer {
  return readFileSync(new URL(`../../wire/testdata/frames/${path}.bin`, import.meta.url));
}

interface Frame {
  readonly code: number;
  readonly opaque: number;
  readonly remark: string | undefined;
  readonly ext: Record<string, string>;
  readonly body: string;
}

function frameOf(bytes: Buffer): Frame {
  const command = decodeCommand(bytes);
  const ext: Record<string, string> = {};
  command.ext.forEach((name, value) => {
    ext[name] = value;
  });
  const { code, opaque, remark } = command;
  return { code, opaque, remark, ext, body: Buffer.from(command.body).toString() };
}

/** A connection that sends recorded frames as they are and reads one answer each. */
class RawConnection {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #waiting: ((frame: Frame) => void) | undefined;

  constructor(port: number) {
    this.#socket = connect(port, "127.0.0.1");
    this.#socket.on("data", (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#deliver();
    });
  }

  ask(request: Buffer): Promise<Frame> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.#socket.write(request);
      this.#deliver();
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #deliver(): void {
    if (this.#waiting === undefined || this.#received.length < 4) return;
    const end = 4 + this.#received.readInt32BE(0);
    if (this.#received.length < end) return;
    const frame = frameOf(this.#received.subarray(0, end));
    this.#received = this.#received.subarray(end);
    this.#waiting(frame);
    this.#waiting = undefined;
  }
}

function ask(
  client: RpcClient,
  address: string,
  request: OutgoingRequest,
): Promise<{ code: number; body: Buffer; ext: Record<string, string> }> {
  return new Promise((resolve, reject) =>
    client.request(address, request, 10_000, (error, response) => {
      if (response === undefined) reject(error);
      else {
        const ext: Record<string, string> = {};
        response.ext.forEach((name, value) => {
          ext[name] = value;
        });
        resolve({ code: response.code, body: Buffer.from(response.body), ext });
      }
    }),
  );
}

describe("NameServer", () => {
  const server = new NameServer(host);
  let port = 0;

  before(async () => {
    port = (await server.start({ host: "127.0.0.1", port: 0 })).port;
  });
  after(() => server.stop());

  for (const setUp of ["broker-5.5.0-json", "broker-5.5.0-rocketmq"]) {
    it(`answers a Java broker as the Java NameServer does (${setUp})`, async () => {
      const broker = new RawConnection(port);
      for (const name of [
        "103-register-broker",
        "103-register-broker-increment",
        "106-get-broker-cluster-info",
        "104-unregister-broker",
      ]) {
        const answer = await broker.ask(golden(`${setUp}/${name}.request`));
        assert.deepEqual(answer, frameOf(golden(`${setUp}/${name}.response`)), name);
      }
      broker.close();
    });
  }

  for (const setUp of ["client-5.5.0-json", "client-4.9.8-rocketmq", "client-4.9.8-as-4.9.3-json"]) {
    it(`answers a Java client's route request byte for byte (${setUp})`, async () => {
      const broker = new RawConnection(port);
      await broker.ask(golden("broker-5.5.0-json/103-register-broker.request"));
      await broker.ask(golden("broker-5.5.0-json/103-register-broker-increment.request"));
      const client = new RawConnection(port);
      const answer = await client.ask(golden(`${setUp}/105-get-routeinfo-by-topic.request`));
      const java = frameOf(golden(`${setUp}/105-get-routeinfo-by-topic.response`));
      // Ports and names were chosen by the recording; everything else must be the same.
      const neutral = (text: string) => text.replace(/127\.0\.0\.1:\d+/g, "ADDRESS");
      assert.equal(neutral(answer.body), neutral(java.body));
      assert.equal(answer.code, 0);
      client.close();
      broker.close();
    });
  }

  it("answers 17 for a topic nobody serves", async () => {
    const client = new RawConnection(port);
    const answer = await client.ask(
      golden("client-5.5.0-json/105-get-routeinfo-by-topic-refused-17.request"),
    );
    assert.equal(answer.code, 17);
    assert.match(answer.remark ?? "", /^No topic route info in name server for the topic: /);
    client.close();
  });

  it("answers 3 for a request it does not know", async () => {
    const client = new RpcClient(host);
    const answer = await ask(client, `127.0.0.1:${port}`, { code: RequestCode.SEND_MESSAGE });
    assert.equal(answer.code, 3);
    client.stop();
  });

  it("forgets a broker at once when its connection closes", async () => {
    let removed = (_message: string): void => {};
    const warn = (bindings: object | string, message?: string): void => removed(message ?? String(bindings));
    const own = new NameServer(host, {}, { ...silentLogger, warn });
    const address = formatAddress(await own.start({ host: "127.0.0.1", port: 0 }));
    const broker = new RawConnection(Number(address.split(":")[1]));
    await broker.ask(golden("broker-5.5.0-json/103-register-broker.request"));
    const client = new RpcClient(host);
    const route = () =>
      ask(client, address, {
        code: RequestCode.GET_ROUTEINFO_BY_TOPIC,
        header: (sink) => sink.put("topic", "TBW102"),
      });
    const found = await route();
    assert.equal(found.code, 0);
    assert.equal(parseTopicRouteData(found.body).brokerDatas[0]?.brokerName, "broker-a");
    const told = new Promise<string>((resolve) => {
      removed = resolve;
    });
    broker.close();
    assert.equal(await told, "broker removed: its connection closed");
    assert.equal((await route()).code, 17);
    client.stop();
    await own.stop();
  });

  it("tells a broker whether it knows its topics, and takes heartbeats for signs of life", async () => {
    const broker = new RawConnection(port);
    await broker.ask(golden("broker-5.5.0-json/103-register-broker.request"));
    const client = new RpcClient(host);
    const at = `127.0.0.1:${port}`;
    const who = {
      brokerName: "broker-a",
      brokerAddr: "127.0.0.1:30507",
      clusterName: "DefaultCluster",
      brokerId: "0",
    };
    const header = (fields: Record<string, string>) => (sink: ExtSink) => {
      for (const [name, value] of Object.entries(fields)) sink.put(name, value);
    };
    const changed = async (version: DataVersion, brokerAddr = who.brokerAddr) => {
      const asked = { code: 322, header: header({ ...who, brokerAddr }), body: [encodeDataVersion(version)] };
      const answer = await ask(client, at, asked);
      assert.equal(answer.code, 0);
      return {
        known: answer.body.length === 0 ? undefined : parseDataVersion(answer.body),
        changed: answer.ext["changed"],
      };
    };
    const other = { counter: 5, stateVersion: 0, timestamp: 1 };
    const { known, changed: differs } = await changed(other);
    assert.ok(known !== undefined);
    assert.equal(differs, "true");
    assert.equal((await changed(known)).changed, "false");
    assert.deepEqual(await changed(other, "10.9.9.9:1"), { known: undefined, changed: "true" });
    assert.equal((await ask(client, at, { code: 904, header: header(who) })).code, 0);
    assert.equal((await ask(client, at, { code: 904 })).code, 1);
    client.stop();
    broker.close();
  });

  it("refuses a registration whose body was damaged on the way", async () => {
    const client = new RawConnection(port);
    const request = golden("broker-5.5.0-json/103-register-broker.request");
    const at = request.lastIndexOf("BenchmarkTest");
    request.write("benchmarkTest", at);
    const answer = await client.ask(request);
    assert.deepEqual([answer.code, answer.remark], [1, "crc32 not match"]);
    client.close();
  });

  it("stops twice as once, and frees its port", async () => {
    const other = new NameServer(host);
    const local = await other.start({ host: "127.0.0.1", port: 0 });
    await Promise.all([other.stop(), other.stop()]);
    const next = new NameServer(host);
    await next.start(local);
    await next.stop();
  });
});
