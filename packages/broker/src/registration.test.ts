import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { silentLogger } from "@orbitmq/host";
import {
  newTopicConfig,
  type OutgoingRequest,
  type Peer,
  parseRegisterBrokerBody,
  type RemotingCommand,
  type ResponseCallback,
  SERIALIZE_JSON,
  WireError,
} from "@orbitmq/wire";
import { BrokerIdentity } from "./broker-identity.ts";
import { brokerDefaults } from "./broker-options.ts";
import { Registration } from "./registration.ts";
import { encodedExt, FakePeer } from "./testing/fake-peer.ts";
import { ManualHost } from "./testing/manual-host.ts";
import { Topics } from "./topics/topics.ts";

interface Sent {
  readonly address: string;
  readonly code: number;
  readonly ext: Map<string, string>;
  readonly topics: string[];
  readonly done: ResponseCallback;
}

/** An RpcClient that answers when the test says so. */
class FakeClient {
  readonly sent: Sent[] = [];
  readonly disconnected: string[] = [];
  #listener: ((address: string, peer: Peer, open: boolean) => void) | undefined;

  request(address: string, request: OutgoingRequest, _timeoutMs: number, done: ResponseCallback): void {
    const body = request.body?.[0];
    const topics =
      body === undefined
        ? []
        : [...parseRegisterBrokerBody(body).topicConfigSerializeWrapper.topicConfigTable.keys()];
    this.sent.push({ address, code: request.code, ext: encodedExt(request.header), topics, done });
  }

  onConnection(listener: (address: string, peer: Peer, open: boolean) => void): void {
    this.#listener = listener;
  }

  disconnect(address: string): void {
    this.disconnected.push(address);
  }

  closed(address: string): void {
    this.#listener?.(address, new FakePeer(), false);
  }

  take(): Sent {
    const sent = this.sent.shift();
    assert.ok(sent !== undefined, "nothing was sent");
    return sent;
  }
}

const answered = (code: number): RemotingCommand => ({
  code,
  language: 0,
  version: 513,
  opaque: 0,
  flag: 1,
  remark: undefined,
  ext: { get: () => undefined, forEach: () => {} },
  body: new Uint8Array(),
  serializeType: SERIALIZE_JSON,
});
const succeed = (sent: Sent, code = 0) => sent.done(undefined, answered(code));
const fail = (sent: Sent) => sent.done(new WireError("CONNECT_FAILED", "nobody there"), undefined);

function room(namesrvAddrs = ["ns1:9876"]) {
  const host = new ManualHost();
  const client = new FakeClient();
  const topics = new Topics([newTopicConfig("TBW102")], 0);
  const identity = new BrokerIdentity();
  identity.set("broker.local", "10.0.0.1", 10911);
  const registration = new Registration({
    ...host,
    random: { int: () => 0, float: () => 0, bytes: (length) => new Uint8Array(length) },
    logger: silentLogger,
    client,
    namesrvAddrs,
    identity,
    topics,
    options: brokerDefaults,
  });
  const change = (name: string) => {
    topics.apply({ kind: "topic-put", topic: newTopicConfig(name), atMs: 1 });
    registration.topicsChanged();
  };
  return { host, client, registration, change };
}

describe("Registration", () => {
  it("tells every NameServer at once who and where the broker is, and what topics it has", () => {
    const { client, registration } = room(["ns1:9876", "ns2:9876", "ns1:9876"]);
    registration.start();
    assert.deepEqual(
      client.sent.map(({ address }) => address),
      ["ns1:9876", "ns2:9876"],
    );
    const { code, ext, topics } = client.take();
    assert.equal(code, 103);
    assert.deepEqual(topics, ["TBW102"]);
    assert.deepEqual(Object.fromEntries([...ext].filter(([name]) => name !== "bodyCrc32")), {
      brokerName: "broker-a",
      brokerAddr: "broker.local:10911",
      clusterName: "DefaultCluster",
      haServerAddr: "broker.local:10912",
      brokerId: "0",
      compressed: "false",
    });
    assert.match(ext.get("bodyCrc32") ?? "", /^\d+$/);
  });

  it("registers again every thirty seconds", () => {
    const { host, client, registration } = room();
    registration.start();
    succeed(client.take());
    host.advance(29_999);
    assert.equal(client.sent.length, 0);
    host.advance(1);
    succeed(client.take());
    host.advance(30_000);
    assert.equal(client.sent.length, 1);
  });

  it("tries again quickly, then more slowly, until a NameServer answers", () => {
    const { host, client, registration } = room();
    registration.start();
    for (const pauseMs of [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]) {
      fail(client.take());
      host.advance(pauseMs - 1);
      assert.equal(client.sent.length, 0, `before ${pauseMs}`);
      host.advance(1);
      assert.equal(client.sent.length, 1, `after ${pauseMs}`);
    }
    succeed(client.take());
    host.advance(30_000);
    fail(client.take());
    host.advance(100);
    assert.equal(client.sent.length, 1);
  });

  it("gives up a connection that brings no answer, and no other", () => {
    const { host, client, registration } = room();
    registration.start();
    client.take().done(new WireError("REQUEST_TIMEOUT", "no response"), undefined);
    assert.deepEqual(client.disconnected, ["ns1:9876"]);
    host.advance(100);
    fail(client.take());
    assert.deepEqual(client.disconnected, ["ns1:9876"]);
  });

  it("counts an answer other than success as a failure", () => {
    const { host, client, registration } = room();
    registration.start();
    succeed(client.take(), 1);
    host.advance(100);
    assert.equal(client.sent.length, 1);
  });

  it("keeps one NameServer up to date while another is away", () => {
    const { host, client, registration } = room(["up:1", "down:1"]);
    registration.start();
    succeed(client.take());
    const hanging = client.take();
    host.advance(30_000);
    assert.deepEqual(
      client.sent.map(({ address }) => address),
      ["up:1"],
    );
    fail(hanging);
  });

  it("registers at once when topics change, once for a turn, and again for a change meanwhile", () => {
    const { host, client, registration, change } = room();
    registration.start();
    succeed(client.take());
    change("a");
    change("b");
    host.endTurn();
    assert.equal(client.sent.length, 1);
    const first = client.take();
    assert.deepEqual(first.topics, ["TBW102", "a", "b"]);
    change("c");
    change("d");
    host.endTurn();
    assert.equal(client.sent.length, 0);
    succeed(first);
    assert.deepEqual(client.take().topics, ["TBW102", "a", "b", "c", "d"]);
    assert.equal(client.sent.length, 0);
  });

  it("registers again soon after its connection closed", () => {
    const { host, client, registration } = room();
    registration.start();
    succeed(client.take());
    client.closed("ns1:9876");
    client.closed("elsewhere:1");
    host.advance(100);
    assert.equal(client.sent.length, 1);
  });

  it("tells when the first NameServer knows the broker", () => {
    const { client, registration } = room(["ns1:9876", "ns2:9876"]);
    let told = 0;
    registration.whenFirstDone(() => told++);
    registration.start();
    fail(client.take());
    assert.equal(told, 0);
    succeed(client.take());
    assert.equal(told, 1);
    registration.whenFirstDone(() => told++);
    assert.equal(told, 2);
    const none = room([]).registration;
    none.whenFirstDone(() => told++);
    assert.equal(told, 3);
  });

  it("tells when every NameServer has taken the topics as they are, or could not", () => {
    const { host, client, registration, change } = room(["ns1:9876", "ns2:9876"]);
    registration.start();
    const [one, two] = [client.take(), client.take()];
    let told = 0;
    change("a");
    registration.whenSettled(() => told++);
    host.endTurn();
    succeed(one);
    succeed(two);
    assert.equal(told, 0, "those did not hold the change");
    succeed(client.take());
    fail(client.take());
    assert.equal(told, 1);
    const alone = room([]);
    alone.registration.whenSettled(() => told++);
    assert.equal(told, 1);
    alone.host.endTurn();
    assert.equal(told, 2);
  });

  it("does not let a silent NameServer hold up who waits for more than two seconds", () => {
    const { host, registration } = room();
    registration.start();
    let told = 0;
    registration.whenSettled(() => told++);
    host.advance(1_999);
    assert.equal(told, 0);
    host.advance(1);
    assert.equal(told, 1);
  });

  it("unregisters from every NameServer when it stops, and is silent afterwards", () => {
    const { host, client, registration, change } = room(["ns1:9876", "ns2:9876"]);
    registration.start();
    const [one, two] = [client.take(), client.take()];
    succeed(one);
    let stopped = 0;
    registration.stop(1_000, () => stopped++);
    assert.deepEqual(
      client.sent.map(({ code, ext }) => [code, ext.get("brokerAddr")]),
      [
        [104, "broker.local:10911"],
        [104, "broker.local:10911"],
      ],
    );
    succeed(two);
    succeed(client.take());
    assert.equal(stopped, 0);
    fail(client.take());
    assert.equal(stopped, 1);
    change("late");
    client.closed("ns1:9876");
    host.advance(120_000);
    assert.equal(client.sent.length, 0);
    registration.stop(1_000, () => stopped++);
    assert.equal(stopped, 2);
  });

  it("has nothing to unregister when it never started", () => {
    const { client, registration } = room();
    let stopped = 0;
    registration.stop(1_000, () => stopped++);
    assert.deepEqual([client.sent.length, stopped], [0, 1]);
  });
});
