/**
 * A store on the hostile host through many lives: random messages and pulls; processes killed,
 * machines losing power, syncs and writes failing, disks filling up. After every start what was promised must be
 * there. ORBITMQ_FUZZ_RUNS raises the number of seeds (default 12); ORBITMQ_FUZZ_SEED runs one.
 */
import assert from "node:assert/strict";
import { it } from "node:test";
import { type HostError, silentLogger } from "@orbitmq/host";
import { SeededRandom, type SimHost, type SimMachine, SimWorld } from "@orbitmq/host/sim";
import { readRecords } from "@orbitmq/wire";
import { FileMessageStore } from "./file-message-store.ts";
import { StoreError } from "./store-error.ts";
import type { StoreOptions } from "./store-options.ts";
import { message } from "./testing/store-driver.ts";

const HOME = "/store";
const QUEUES = 3;
const LIVES = 6;

class Life {
  readonly store: FileMessageStore;
  readonly host: SimHost;
  readonly #fuzz: Fuzz;

  constructor(fuzz: Fuzz, host: SimHost) {
    this.#fuzz = fuzz;
    this.host = host;
    this.store = new FileMessageStore(host, fuzz.options, silentLogger);
  }

  /** Sends at random moments until the process ends. */
  sendOn(): void {
    if (!this.host.alive) return;
    const { random } = this.#fuzz;
    for (let count = random.int(6); count > 0; count -= 1) this.#send();
    if (random.chance(0.2)) this.#pull(random.int(QUEUES));
    this.host.timers.after(random.int(20), () => this.sendOn());
  }

  #send(): void {
    const { random, sent, acknowledged, options } = this.#fuzz;
    const queueId = random.int(QUEUES);
    const body = `${sent.size}`.padEnd(random.chance(0.1) ? 3000 : 40 + random.int(400), "-");
    const durability = options.flushDiskType === "SYNC_FLUSH" || random.chance(0.3) ? "flushed" : "written";
    let offset = -1;
    const waiter = {
      appendSettled: (outcome: string) => {
        if (outcome === "reached" && durability === "flushed") acknowledged.set(`${queueId}/${offset}`, body);
      },
    };
    const result = this.store.append(message(body, { queueId }), durability, waiter);
    sent.add(body);
    if (result.status === "appended") offset = result.queueOffset;
  }

  #pull(queueId: number): void {
    const { random, seen, options } = this.#fuzz;
    const end = this.store.readableEnd("T", queueId);
    if (end === 0) return;
    const request = { topic: "T", queueId, offset: random.int(end), messagesMax: 8, bytesMax: 65_536 };
    this.store.get(request, (result) => {
      if (this.store.status().state !== "stopped") assert.equal(result.status, "FOUND");
      for (const record of readRecords(Buffer.concat(result.slices), { checkCrc: true })) {
        const body = Buffer.from(record.body).toString();
        assert.ok(this.#fuzz.sent.has(body), "only what was sent is read");
        if (options.flushDiskType === "SYNC_FLUSH") seen.set(`${queueId}/${record.queueOffset}`, body);
      }
      result.release();
    });
  }
}

class Fuzz {
  readonly random: SeededRandom;
  readonly world: SimWorld;
  readonly machine: SimMachine;
  readonly options: StoreOptions;
  readonly sent = new Set<string>();
  readonly acknowledged = new Map<string, string>();
  readonly seen = new Map<string, string>();

  constructor(seed: number) {
    this.world = new SimWorld(seed, { disk: { capacityBytes: 4 * 1024 * 1024 } });
    this.random = new SeededRandom(seed, "store-fuzz");
    this.machine = this.world.addMachine("m");
    this.options = {
      home: HOME,
      flushDiskType: this.random.chance(0.75) ? "SYNC_FLUSH" : "ASYNC_FLUSH",
      mappedFileSizeCommitLog: this.random.pick([8, 16, 64]) * 1024,
      mappedFileSizeConsumeQueue: this.random.pick([200, 400, 4000]),
      maxMessageSize: 4096,
      zeroChunkBytes: 4096,
      zeroAheadBytes: 8192,
      slabBytes: 4096,
      hotTailBytes: this.random.pick([8, 64]) * 1024,
      coldBlockBytes: 4096,
      coldCacheBytes: 16_384,
      flushConsumeQueueLeastBytes: 8192,
      flushConsumeQueueThoroughInterval: this.random.pick([1_000, 10_000]),
    };
  }

  async run(): Promise<void> {
    for (let life = 0; life < LIVES; life += 1) {
      const { random, world, machine } = this;
      if (!machine.up) world.start(machine);
      const host = world.spawn(machine, `store-${life}`);
      const current = new Life(this, host);
      try {
        const [started] = await Promise.allSettled([current.store.start(), world.run(100)]);
        if (started.status === "rejected") throw started.reason;
      } catch (error) {
        // A start may meet the disk's faults; the next one must not.
        if (!(error instanceof StoreError) || (error.code !== "IO" && error.code !== "NO_SPACE")) throw error;
        if (host.alive) world.kill(host);
        machine.disk.faults.disarm();
        machine.disk.ballastBytes = 0;
        continue;
      }
      await this.#check(current);
      if (random.chance(0.3))
        machine.disk.faults.failNext(
          random.pick(["sync", "write"]),
          (path) => path.includes("commitlog") || random.chance(0.3),
        );
      if (random.chance(0.2))
        machine.disk.ballastBytes = machine.disk.freeBytes + machine.disk.ballastBytes - random.int(40_000);
      if (random.chance(0.2)) machine.stepWallClock(random.int(7_200_000) - 3_600_000);
      current.sendOn();
      await world.run(random.pick([20, 300, 2_000, 12_000]));
      machine.disk.ballastBytes = 0;
      await this.#end(current);
      if (random.chance(0.2)) machine.disk.evictClean();
    }
  }

  async #end({ store, host }: Life): Promise<void> {
    const { random, world, machine } = this;
    const how = random.int(4);
    if (how === 0) {
      const stopped = store.stop();
      await Promise.all([stopped, world.run(1_000)]);
      if (host.alive) world.kill(host);
    } else if (how === 1) world.kill(host);
    else world.crash(machine);
  }

  async #check({ store, host }: Life): Promise<void> {
    const found = new Map<string, string>();
    for (const queueId of store.queuesOf("T")) {
      const end = store.readableEnd("T", queueId);
      for (let offset: number = store.minOffset("T", queueId); offset < end; ) {
        const before = offset;
        store.get({ topic: "T", queueId, offset, messagesMax: 32, bytesMax: 262_144 }, (result) => {
          assert.equal(result.status, "FOUND", `queue ${queueId} at ${before} of ${end}`);
          for (const record of readRecords(Buffer.concat(result.slices), { checkCrc: true })) {
            found.set(`${queueId}/${record.queueOffset}`, Buffer.from(record.body).toString());
          }
          offset = result.nextBeginOffset;
          result.release();
        });
        while (offset === before && host.alive) await this.world.run(5);
      }
    }
    for (const [place, body] of found) assert.ok(this.sent.has(body), `${place} was sent`);
    assert.equal(new Set(found.values()).size, found.size, "no message is there twice");
    for (const list of [this.acknowledged, this.seen]) {
      for (const [place, body] of list) assert.equal(found.get(place), body, `${place} is still there`);
    }
  }
}

const one = process.env["ORBITMQ_FUZZ_SEED"];
const seeds = one === undefined ? Number(process.env["ORBITMQ_FUZZ_RUNS"] ?? 12) : 1;

it(`a store keeps its promises through the lives of ${seeds} seeds`, async () => {
  const first = Number(process.env["ORBITMQ_FUZZ_FIRST"] ?? 1);
  for (let index = first; index < first + seeds; index += 1) {
    const seed = one === undefined ? index : Number(one);
    try {
      await new Fuzz(seed).run();
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as HostError).message}`, { cause: error });
    }
  }
});
