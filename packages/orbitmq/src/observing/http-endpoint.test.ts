import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, describe, it } from "node:test";
import { silentLogger } from "@orbitmq/host";
import { HttpEndpoint } from "./http-endpoint.ts";

const fine = { status: 200, body: { status: "ok", reasons: [] } } as const;
const open: HttpEndpoint[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((endpoint) => endpoint.close()));
});

async function serve(metrics?: () => Promise<string>): Promise<{ url: string; port: number }> {
  const endpoint = new HttpEndpoint({ live: () => fine, ready: () => fine, metrics }, silentLogger);
  open.push(endpoint);
  const { port } = await endpoint.listen({ host: "127.0.0.1", port: 0 });
  return { url: `http://127.0.0.1:${port}`, port };
}

/** All that comes back for `text` on a connection of its own. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => "seen as the end");
  await once(socket, "connect");
  socket.write(text);
  let answer = "";
  socket.on("data", (data) => {
    answer += data.toString("latin1");
  });
  await once(socket, "close");
  return answer;
}

describe("the HTTP endpoint", () => {
  it("serves three paths to GET and HEAD and nothing else", async () => {
    const { url } = await serve(async () => "a 1\n");
    for (const path of ["/metrics", "/health/live", "/health/ready", "/metrics?name=x"]) {
      const response = await fetch(url + path);
      assert.equal(response.status, 200, path);
      const head = await fetch(url + path, { method: "HEAD" });
      assert.equal(head.status, 200, path);
      assert.equal(head.headers.get("content-length"), String((await response.text()).length), path);
      assert.equal(await head.text(), "");
    }
    for (const path of ["/", "/metrics/", "/health", "/../metrics/x", "/__proto__", "/constructor"]) {
      assert.equal((await fetch(url + path)).status, 404, path);
    }
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      const response = await fetch(`${url}/metrics`, { method });
      assert.equal(response.status, 405, method);
      assert.equal(response.headers.get("allow"), "GET, HEAD");
    }
  });

  it("has no /metrics where they go elsewhere", async () => {
    const { url } = await serve();
    assert.equal((await fetch(`${url}/metrics`)).status, 404);
    assert.equal((await fetch(`${url}/health/ready`)).status, 200);
  });

  it("survives what is no HTTP, heads that are too long, and tunnels", async () => {
    const { url, port } = await serve(async () => "a 1\n");
    assert.match(await raw(port, "\u0000\u0000\u0001\u0000 not http\r\n\r\n"), /^HTTP\/1\.1 400/);
    assert.match(
      await raw(port, `GET /metrics HTTP/1.1\r\nX: ${"y".repeat(20_000)}\r\n\r\n`),
      /^HTTP\/1\.1 4/,
    );
    assert.equal(await raw(port, "CONNECT elsewhere:80 HTTP/1.1\r\nHost: x\r\n\r\n"), "");
    const upgrade = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    assert.equal(await raw(port, upgrade), "");
    const smuggled =
      "GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert.match(await raw(port, smuggled), /^HTTP\/1\.1 400/);
    assert.equal((await fetch(`${url}/metrics`)).status, 200);
  });

  it("does not use a connection again on which a body came", async () => {
    const { port } = await serve(async () => "a 1\n");
    const answer = await raw(port, "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
    assert.match(answer, /^HTTP\/1\.1 405[\s\S]*Connection: close/);
  });

  it("answers 503 when the metrics cannot be read, and goes on", async () => {
    let fails = true;
    const { url } = await serve(async () => {
      if (fails) throw new Error("no");
      return "a 1\n";
    });
    assert.equal((await fetch(`${url}/metrics`)).status, 503);
    fails = false;
    assert.equal((await fetch(`${url}/metrics`)).status, 200);
  });

  it("reads once for all who ask while it reads, and again for those who asked later", async () => {
    let readings = 0;
    const waiting: ((text: string) => void)[] = [];
    const { url } = await serve(() => {
      readings++;
      return new Promise((resolve) => waiting.push(resolve));
    });
    const first = fetch(`${url}/metrics`);
    while (waiting.length < 1) await new Promise((resolve) => setImmediate(resolve));
    const others = Array.from({ length: 20 }, () => fetch(`${url}/metrics`));
    // Whoever asks for health afterwards has come after them.
    assert.equal((await fetch(`${url}/health/live`)).status, 200);
    waiting[0]!("one 1\n");
    assert.equal(await (await first).text(), "one 1\n");
    while (waiting.length < 2) await new Promise((resolve) => setImmediate(resolve));
    waiting[1]!("two 2\n");
    let answered = 0;
    const texts = Promise.all(
      others.map(async (other) => {
        const text = await (await other).text();
        answered++;
        return text;
      }),
    );
    // Those whose request came late are given a third.
    while (answered < others.length) {
      for (const each of waiting.splice(2)) each("three 3\n");
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok((await texts).every((text) => text !== "one 1\n"));
    assert.ok(readings <= 4, String(readings));
  });

  it("takes so many connections and no more", async () => {
    const { port, url } = await serve();
    const sockets = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const socket = connect(port, "127.0.0.1");
        socket.on("error", () => "it was refused");
        await once(socket, "connect");
        return socket;
      }),
    );
    const refused = (): number => sockets.filter((socket) => socket.destroyed || socket.closed).length;
    for (const socket of sockets) socket.resume();
    while (refused() < 36) await new Promise((resolve) => setImmediate(resolve));
    for (const socket of sockets) socket.destroy();
    while (
      !(await fetch(`${url}/health/live`).then(
        (r) => r.ok,
        () => false,
      ))
    );
  });
});
