import assert from "node:assert/strict";
import { test } from "node:test";
import { text } from "../testing/one-process.ts";
import { twoEnds, watch } from "../testing/two-ends.ts";

const QUIET = { network: { tailChance: 0, splitChance: 0, partialTakeChance: 0 } };

test("bytes arrive complete and in order, split and merged differently from seed to seed", async () => {
  const shapes = new Set<string>();
  for (let seed = 1; seed <= 40; seed++) {
    const { world, near, far } = await twoEnds(seed, {
      network: { splitChance: 0.3, partialTakeChance: 0.3 },
    });
    let expected = "";
    for (let i = 0; i < 20; i++) {
      const part = `message ${i};`;
      expected += part;
      near.connection.write([text(part.slice(0, 4)), text(part.slice(4))]);
      if (i % 7 === 0) await world.run(1);
    }
    await world.run(500);
    assert.equal(far.chunks.join(""), expected);
    shapes.add(far.chunks.map((chunk) => chunk.length).join());
  }
  assert.ok(shapes.size > 30, `${shapes.size} shapes`);
});

test("a buffer changed before `written` is seen by the receiver, one changed after it is not", async () => {
  let early = 0;
  for (let seed = 1; seed <= 30; seed++) {
    const { world, near, far } = await twoEnds(seed);
    const recycledEarly = text("aaaaaaaa");
    const recycledLate = text("cccccccc");
    near.connection.write([recycledEarly]);
    near.connection.write([recycledLate], () => recycledLate.fill(0x64));
    recycledEarly.fill(0x62);
    await world.run(500);
    const arrived = far.chunks.join("");
    assert.ok(!arrived.includes("d"), arrived);
    if (arrived !== "aaaaaaaacccccccc") early++;
  }
  assert.equal(early, 30);
});

test("a chunk that is kept after onData returned turns into rubbish", async () => {
  const { world, near, server, client } = await twoEnds(1, QUIET);
  let kept: Uint8Array | undefined;
  server.network.listen(
    { host: "s1", port: 1 },
    (connection) => {
      connection.handle({
        onData: (chunk) => {
          kept = chunk;
        },
        onClosed: () => {},
      });
    },
    () =>
      client.network.connect({ host: "s1", port: 1 }, 1_000, (_error, connection) => {
        if (connection === undefined) return;
        connection.handle({ onData: () => {}, onClosed: () => {} });
        connection.write([text("hello")]);
      }),
  );
  await world.run(500);
  assert.deepEqual([...(kept as Uint8Array)], [0xdb, 0xdb, 0xdb, 0xdb, 0xdb]);
  assert.equal(near.closed, undefined);
});

test("a reader that pauses stops the writer once the window is full, and drains it when it resumes", async () => {
  const { world, near, far } = await twoEnds(1, { network: { windowBytes: 1_000 } });
  far.connection.pause();
  let written = 0;
  for (let i = 0; i < 10; i++) near.connection.write([new Uint8Array(500).fill(65)], () => written++);
  await world.run(1_000);
  assert.equal(written, 2);
  assert.equal(near.connection.unsentBytes, 4_000);
  assert.equal(far.chunks.length, 0);
  assert.equal(near.drained, 0);
  far.connection.resume();
  await world.run(1_000);
  assert.equal(written, 10);
  assert.equal(near.connection.unsentBytes, 0);
  assert.ok(near.drained > 0);
  assert.equal(far.chunks.join("").length, 5_000);
});

test("end sends what is queued and then closes both ends without an error", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { world, near, far } = await twoEnds(seed);
    near.connection.write([text("x".repeat(10_000))]);
    near.connection.end();
    let late = 0;
    near.connection.write([text("never")], () => late++);
    await world.run(1_000);
    assert.equal(far.chunks.join("").length, 10_000);
    assert.equal(near.closed, "ended");
    assert.equal(far.closed, "ended");
    assert.equal(late, 1);
  }
});

test("destroy closes at once: `written` is still called and the peer learns it, by an end or a reset", async () => {
  const told = new Set<string | undefined>();
  for (let seed = 1; seed <= 30; seed++) {
    const { world, near, far } = await twoEnds(seed);
    let written = 0;
    near.connection.write([text("x".repeat(10_000))], () => written++);
    near.connection.destroy();
    near.connection.destroy();
    await world.run(1_000);
    assert.equal(written, 1);
    assert.equal(near.closed, "ended");
    assert.equal(far.chunks.length, 0);
    told.add(far.closed);
  }
  assert.deepEqual([...told].sort(), ["ECONNRESET", "ended"]);
});

test("a broken connection delivers any part of what was under way and resets both ends", async () => {
  const lengths = new Set<number>();
  for (let seed = 1; seed <= 40; seed++) {
    const options = { network: { delayUs: { min: 5_000, max: 9_000 } } };
    const { world, client, near, far } = await twoEnds(seed, options);
    near.connection.write([text("x".repeat(1_000))]);
    await world.run(0.1);
    world.fabric.breakConnections((end) => end.host === client);
    await world.run(1_000);
    assert.equal(near.closed, "ECONNRESET");
    assert.equal(far.closed, "ECONNRESET");
    lengths.add(far.chunks.join("").length);
  }
  assert.ok(lengths.has(0) && lengths.has(1_000) && lengths.size > 5, [...lengths].join());
});

test("a link cut one way holds back that direction only, and delivers it when it heals", async () => {
  const { world, clientMachine, serverMachine, near, far } = await twoEnds(1);
  world.fabric.cut(clientMachine, serverMachine);
  near.connection.write([text("request")]);
  far.connection.write([text("push")]);
  await world.run(10_000);
  assert.equal(far.chunks.join(""), "");
  assert.equal(near.chunks.join(""), "push");
  world.fabric.heal(clientMachine, serverMachine);
  await world.run(1_000);
  assert.equal(far.chunks.join(""), "request");
});

test("a connect through a cut link times out in either direction, and succeeds when it heals in time", async () => {
  for (const way of ["there", "back"]) {
    const { world, client, clientMachine, serverMachine } = await twoEnds(1);
    if (way === "there") world.fabric.cut(clientMachine, serverMachine);
    else world.fabric.cut(serverMachine, clientMachine);
    const results: string[] = [];
    const connect = (timeoutMs: number) =>
      client.network.connect({ host: "s1", port: 9876 }, timeoutMs, (error, connection) => {
        results.push(error?.code ?? "connected");
        if (connection !== undefined) watch(connection);
      });
    connect(500);
    await world.run(600);
    connect(3_000);
    world.after(500, () => world.fabric.healAll());
    await world.run(3_000);
    assert.deepEqual(results, ["ETIMEDOUT", "connected"]);
  }
});

test("connecting to nobody is refused, to an unknown name fails, to a machine that is down times out", async () => {
  const { world, client, serverMachine } = await twoEnds(1);
  const results: string[] = [];
  const connect = (host: string, port: number) =>
    client.network.connect({ host, port }, 1_000, (error) => results.push(error?.code ?? "connected"));
  connect("s1", 1);
  connect("nowhere", 1);
  await world.run(2_000);
  world.crash(serverMachine);
  connect("s1", 9876);
  await world.run(2_000);
  assert.deepEqual(results.sort(), ["ECONNREFUSED", "ENOTFOUND", "ETIMEDOUT"]);
});

test("when a process is killed its peers are told, and only what its kernel had taken still arrives", async () => {
  const told = new Set<string | undefined>();
  for (let seed = 1; seed <= 30; seed++) {
    const { world, client, near, far } = await twoEnds(seed);
    near.connection.write([text("taken")]);
    await world.run(0.1);
    near.connection.write([text("not taken")]);
    world.kill(client);
    await world.run(1_000);
    assert.ok("taken".startsWith(far.chunks.join("")), far.chunks.join(""));
    assert.equal(near.closed, undefined);
    told.add(far.closed);
  }
  assert.deepEqual([...told].sort(), ["ECONNRESET", "ended"]);
});

test("a crashed machine is silent; once it is back, who sent something to it is reset", async () => {
  const { world, serverMachine, near } = await twoEnds(1);
  world.crash(serverMachine);
  near.connection.write([text("anybody there?")]);
  await world.run(60_000);
  assert.equal(near.closed, undefined);
  world.start(serverMachine);
  await world.run(1_000);
  assert.equal(near.closed, "ECONNRESET");
});

test("who sends nothing to a crashed machine learns when it sends to the restarted one", async () => {
  const { world, serverMachine, near } = await twoEnds(1);
  world.crash(serverMachine);
  world.start(serverMachine);
  await world.run(60_000);
  assert.equal(near.closed, undefined);
  near.connection.write([text("still there?")]);
  await world.run(1_000);
  assert.equal(near.closed, "ECONNRESET");
});

test("a port has one listener, port 0 finds a free one, a closed listener refuses", async () => {
  const { world, server, client, far } = await twoEnds(1);
  const results: string[] = [];
  server.network.listen(
    { host: "s1", port: 9876 },
    () => {},
    (error) => results.push(error?.code ?? "listens"),
  );
  server.network.listen(
    { host: "0.0.0.0", port: 0 },
    () => assert.fail("the listener is closed"),
    (_error, listener) => {
      if (listener === undefined || listener.local.port === 0) throw new Error("no port");
      listener.close(() =>
        client.network.connect({ host: "s1", port: listener.local.port }, 1_000, (error) =>
          results.push(error?.code ?? "connected"),
        ),
      );
    },
  );
  await world.run(2_000);
  assert.deepEqual(results, ["EADDRINUSE", "ECONNREFUSED"]);
  assert.equal(far.closed, undefined);
});

test("names resolve to what the world says, addresses to themselves, and unknown names fail", async () => {
  const { world, client } = await twoEnds(1);
  world.fabric.setName("broker.example", "10.9.9.9");
  const results: (string | undefined)[] = [];
  for (const name of ["broker.example", "s1", "192.168.0.1", "missing"]) {
    client.network.resolve(name, (error, address) => results.push(error?.code ?? address));
  }
  await world.run(1_000);
  assert.deepEqual(results.sort(), ["10.0.0.2", "10.9.9.9", "192.168.0.1", "ENOTFOUND"]);
  assert.deepEqual(client.network.localAddresses(), ["10.0.0.1", "127.0.0.1"]);
});

test("a connection over loopback stays on its machine", async () => {
  const { world, server, client } = await twoEnds(1);
  const results: string[] = [];
  for (const host of [server, client]) {
    host.network.connect({ host: "127.0.0.1", port: 9876 }, 1_000, (error, connection) => {
      results.push(error?.code ?? `connected from ${connection?.local.host}`);
      if (connection !== undefined) watch(connection);
    });
  }
  await world.run(2_000);
  assert.deepEqual(results.sort(), ["ECONNREFUSED", "connected from 127.0.0.1"]);
});
