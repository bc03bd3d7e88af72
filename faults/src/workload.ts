/**
 * What the fault tests send and how they look for it afterwards: messages with unique bodies from several
 * producers, a ledger of what each send was told, and a reader that finds every stored message.
 */
import assert from "node:assert/strict";
import { OrbitError, Producer, PushConsumer, Reader, type SendResult } from "@orbitmq/client";

export interface Ledger {
  sent: number;
  readonly acknowledged: Map<string, SendResult>;
  readonly refused: Set<string>;
  /** Errors after which the message may or may not exist. */
  readonly unknown: Map<string, OrbitError>;
}

export function newLedger(): Ledger {
  return { sent: 0, acknowledged: new Map(), refused: new Set(), unknown: new Map() };
}

export interface Load {
  /** Resolves when so many sends were acknowledged, counted from the start of the load; rejects when one failed. */
  acknowledgedReaches(count: number): Promise<void>;
  /** Resolves when the first send failed. */
  readonly firstFailure: Promise<OrbitError>;
  /** Stops sending; resolves when every send has an outcome. */
  stop(): Promise<void>;
}

/**
 * `producers` producers, each with `inFlight` sends outstanding, recording every outcome in `ledger`. Bodies are at
 * least `bodyBytes` long.
 */
export async function startLoad(
  namesrv: string,
  topic: string,
  name: string,
  producers: number,
  inFlight: number,
  ledger: Ledger,
  bodyBytes = 0,
): Promise<Load> {
  let running = true;
  let acknowledged = 0;
  let failed: (error: OrbitError) => void = () => {};
  const firstFailure = new Promise<OrbitError>((resolve) => {
    failed = resolve;
  });
  const waiters: { count: number; resolve: () => void }[] = [];
  const clients = Array.from(
    { length: producers },
    (_, index) => new Producer({ namesrv, group: `faults-${index}`, retryTimes: 0 }),
  );
  await Promise.all(clients.map((client) => client.start()));

  const lane = async (client: Producer, id: string) => {
    for (let sequence = 0; running; sequence++) {
      const body = `${name}/${id}/${sequence}/`.padEnd(bodyBytes, "-");
      ledger.sent++;
      try {
        ledger.acknowledged.set(body, await client.send({ topic, body }));
        acknowledged++;
        for (const waiter of waiters) if (acknowledged >= waiter.count) waiter.resolve();
      } catch (error) {
        if (!(error instanceof OrbitError)) throw error;
        if (error.outcome === "unknown") ledger.unknown.set(body, error);
        else ledger.refused.add(body);
        failed(error);
        running = false;
      }
    }
  };
  const lanes = Promise.all(
    clients.flatMap((client, producer) =>
      Array.from({ length: inFlight }, (_, slot) => lane(client, `${producer}-${slot}`)),
    ),
  );
  return {
    acknowledgedReaches: (count) =>
      new Promise((resolve, reject) => {
        if (acknowledged >= count) resolve();
        else waiters.push({ count, resolve });
        void firstFailure.then(reject);
      }),
    firstFailure,
    stop: async () => {
      running = false;
      await lanes;
      await Promise.all(clients.map((client) => client.shutdown()));
    },
  };
}

export interface Found {
  /** body → `queueId@queueOffset` of every stored copy. */
  readonly copies: Map<string, Set<string>>;
}

/** Consumes `topic` with a fresh group from the first message until `wanted` were all seen. */
export async function findAll(
  namesrv: string,
  topic: string,
  group: string,
  wanted: ReadonlySet<string>,
): Promise<Found> {
  const copies = new Map<string, Set<string>>();
  const missing = new Set(wanted);
  let complete: () => void = () => {};
  const done = new Promise<void>((resolve) => {
    complete = resolve;
  });
  if (missing.size === 0) return { copies };
  const consumer = new PushConsumer({ namesrv, group, from: "first" });
  consumer.listen(topic, (message) => {
    const body = message.text();
    const places = copies.get(body) ?? new Set<string>();
    copies.set(body, places.add(`${message.queue.queueId}@${message.queueOffset}`));
    missing.delete(body);
    if (missing.size === 0) complete();
  });
  await consumer.start();
  try {
    await done;
  } finally {
    await consumer.shutdown();
  }
  return { copies };
}

/** Reads every stored message of `topic`, once, from first to last. */
export async function readAll(namesrv: string, topic: string): Promise<Found> {
  const copies = new Map<string, Set<string>>();
  const reader = new Reader({ namesrv });
  await reader.start();
  try {
    for await (const message of reader.read(topic, { follow: false })) {
      const body = message.text();
      const places = copies.get(body) ?? new Set<string>();
      copies.set(body, places.add(`${message.queue.queueId}@${message.queueOffset}`));
    }
  } finally {
    await reader.shutdown();
  }
  return { copies };
}

/** Every acknowledged message is where it was acknowledged, and nothing is there that was not sent or was refused. */
export function checkFound(ledger: Ledger, { copies }: Found): void {
  for (const [body, result] of ledger.acknowledged) {
    const place = `${result.queue.queueId}@${result.queueOffset}`;
    assert.ok(
      copies.get(body)?.has(place),
      `${body.slice(0, 60)} was acknowledged at ${place} and is not there`,
    );
  }
  for (const body of copies.keys()) {
    const maySit = ledger.acknowledged.has(body) || ledger.unknown.has(body);
    assert.ok(maySit, `${body.slice(0, 60)} was never sent, or was refused`);
  }
}
