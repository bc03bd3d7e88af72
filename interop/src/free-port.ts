/**
 * Ports nobody listens on, for servers that cannot be told to choose one themselves. Taken below the range from which
 * Linux hands out ports to outgoing connections, so that none of those can slip in between the probe and the server.
 */
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

const PORT_MIN = 20_000;
const PORT_MAX = 32_000;
const TRIES_MAX = 200;

/** A port that is free together with the ports at the given distances from it, e.g. [-2, 1] for a Java broker. */
export async function freePort(neighbours: readonly number[] = []): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const port = randomInt(PORT_MIN, PORT_MAX);
    const ports = [port, ...neighbours.map((distance) => port + distance)];
    const free = await Promise.all(ports.map(isFree));
    if (free.every((one) => one)) return port;
  }
  throw new Error(`no free port found in ${TRIES_MAX} tries`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ port, host: "0.0.0.0", exclusive: true });
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
