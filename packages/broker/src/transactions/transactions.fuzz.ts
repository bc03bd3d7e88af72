/**
 * Random histories of transactions: halves, ends of all kinds, checks that are answered, not answered, or nobody is there
 * for, a disk that is slow; then a start from every prefix of the log they leave, with what any earlier moment had saved.
 * Unfinished is after each what the prefix says: no half is lost, none is alive twice, none that is over comes back. Op
 * bodies of random bytes are survived. ORBITMQ_FUZZ_RUNS is the number of histories.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { silentLogger } from "@orbitmq/host";
import { formatProperties, RequestCode } from "@orbitmq/wire";
import { HALF_OP_TOPIC, HALF_TOPIC } from "../names.ts";
import { requestHandlers } from "../request-handlers.ts";
import { type BrokerRoom, brokerRoom } from "../testing/broker-room.ts";
import { call } from "../testing/fake-exchange.ts";
import { FakePeer } from "../testing/fake-peer.ts";
import { MemoryStore, type StoredMessage } from "../testing/memory-store.ts";
import { COMMIT, PARKED_TOPIC, PRODUCERS, ROLLBACK, TOPIC } from "../testing/sim-producer.ts";
import { formatOpBody, parseOpBody } from "./op-body.ts";
import { loadTransactions } from "./transaction-load.ts";

const RUNS = Number(process.env["ORBITMQ_FUZZ_RUNS"] ?? 60);
const STEPS = 120;

class Chance {
  #state: number;
  constructor(seed: number) {
    this.#state = (seed * 0x9e3779b9) | 1;
  }
  int(bound: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % bound;
  }
}

/** What a moment may have saved, and how long the log was on disk then. */
interface Moment {
  readonly durable: number;
  readonly half: number | undefined;
  readonly op: number | undefined;
  readonly opsUpTo: number | undefined;
}

class History {
  readonly room: BrokerRoom;
  readonly moments: Moment[] = [{ durable: 0, half: undefined, op: undefined, opsUpTo: undefined }];
  readonly #chance: Chance;
  readonly #handlers;
  readonly #sent: { position: number; queueOffset: number; uniqKey: string }[] = [];
  #opsUpTo: number | undefined;
  #peer = new FakePeer();
  #heard = 0;
  #count = 0;

  constructor(seed: number) {
    this.#chance = new Chance(seed);
    const file = { load: () => undefined, save: (text: string) => this.#saved(text), close: () => undefined };
    this.room = brokerRoom({
      tuning: {
        transactionCheckMax: 1,
        transactionCheckInterval: 10_000,
        transactionOpMsgMaxSize: 16,
        defaultTopicQueueNums: 1,
      },
      transactionFile: file as never,
    });
    const { store, clock } = this.room;
    store.realRecords = true;
    store.autoFlush = false;
    store.nowMs = () => clock.wallMs();
    this.#handlers = requestHandlers(this.room);
  }

  step(): void {
    const { host, store } = this.room;
    switch (this.#chance.int(10)) {
      case 0:
      case 1:
        this.#send();
        break;
      case 2:
      case 3:
        this.#end();
        break;
      case 4:
        this.#answerChecks();
        break;
      case 5:
        this.#comeOrGo();
        break;
      case 6:
        host.advance(this.#chance.int(12_000));
        break;
      case 7:
        host.advance(this.#chance.int(500));
        break;
      default:
        store.flush();
        host.endTurn();
        this.#hear();
    }
    this.#note();
  }

  #send(): void {
    const uniqKey = `KEY-${this.#count++}`;
    const properties = { TRAN_MSG: "true", PGROUP: PRODUCERS, UNIQ_KEY: uniqKey };
    const i = formatProperties(Object.entries(properties));
    const ext = { a: PRODUCERS, b: TOPIC, c: "TBW102", d: 1, e: 0, f: 4, g: 1, h: 0, i };
    const { store } = this.room;
    const before = store.appended.length;
    const code = RequestCode.SEND_MESSAGE_V2;
    call(this.#handlers.get(code)!, { code, ext, body: Buffer.from(uniqKey), peer: this.#peer });
    const { physicalOffset: position, queueOffset } = store.appended[before]!;
    this.#sent.push({ position, queueOffset, uniqKey });
  }

  #end(): void {
    if (this.#sent.length === 0) return;
    const half = this.#sent[this.#sent.length - 1 - this.#chance.int(Math.min(6, this.#sent.length))]!;
    this.#endOf(half, this.#chance.int(3) === 0 ? ROLLBACK : COMMIT);
  }

  #endOf(half: { position: number; queueOffset: number; uniqKey: string }, state: number): void {
    const ext = {
      producerGroup: PRODUCERS,
      tranStateTableOffset: half.queueOffset,
      commitLogOffset: half.position,
      commitOrRollback: state,
      msgId: half.uniqKey,
    };
    const code = RequestCode.END_TRANSACTION;
    call(this.#handlers.get(code)!, { code, ext, peer: this.#peer, oneway: this.#chance.int(2) === 0 });
  }

  #hear(): void {
    for (const { ext } of this.#peer.oneways.slice(this.#heard)) {
      const half = {
        position: Number(ext.get("commitLogOffset")),
        queueOffset: Number(ext.get("tranStateTableOffset")),
        uniqKey: ext.get("msgId") ?? "",
      };
      this.#sent.push(half);
    }
    this.#heard = this.#peer.oneways.length;
  }

  #answerChecks(): void {
    this.#hear();
    this.#end();
  }

  #comeOrGo(): void {
    const { producers, clock } = this.room;
    if (this.#chance.int(3) > 0) producers.heartbeat(PRODUCERS, this.#peer, "client", clock.monotonicMs());
    else {
      this.#peer.close();
      producers.peerClosed(this.#peer);
      this.#peer = new FakePeer();
      this.#heard = 0;
    }
  }

  #saved(text: string): void {
    this.#opsUpTo = JSON.parse(text).opsUpTo;
  }

  #note(): void {
    const { offsets, store } = this.room;
    const { flushedOffset } = store.status();
    this.moments.push({
      durable: store.appended.filter(({ physicalOffset }) => physicalOffset < flushedOffset).length,
      half: offsets.get("CID_RMQ_SYS_TRANS", HALF_TOPIC, 0),
      op: offsets.get("CID_RMQ_SYS_TRANS", HALF_OP_TOPIC, 0),
      opsUpTo: this.#opsUpTo,
    });
  }
}

/** A store that holds the first records of a history. */
function prefixOf(appended: readonly StoredMessage[]): MemoryStore {
  const store = new MemoryStore((fn) => fn());
  store.realRecords = true;
  store.autoFlush = false;
  for (const { message, storeTimestamp } of appended) {
    store.nowMs = () => storeTimestamp;
    store.append(message, "flushed", { appendSettled: () => undefined });
  }
  store.flush();
  return store;
}

/** Queue offsets of the halves that are unfinished, by what the log says. */
function unfinishedIn(appended: readonly StoredMessage[]): number[] {
  const last = new Map<string, number>();
  const done = new Set<number>();
  const over = new Set<string>();
  for (const { message, body, queueOffset } of appended) {
    if (message.topic === HALF_TOPIC) last.set(body, queueOffset);
    else if (message.topic === HALF_OP_TOPIC)
      for (const each of parseOpBody(message.body).offsets) done.add(each);
    else if (message.topic === TOPIC || message.topic === PARKED_TOPIC) over.add(body);
  }
  const open = [...last].filter(([body, offset]) => !over.has(body) && !done.has(offset));
  return open.map(([, offset]) => offset).sort((a, b) => a - b);
}

describe("any history of transactions", () => {
  it("is understood after a crash at any moment", async () => {
    let opened = 0;
    let lacking = 0;
    let parked = 0;
    let copies = 0;
    for (let seed = 1; seed <= RUNS; seed++) {
      const history = new History(seed);
      for (let step = 0; step < STEPS; step++) history.step();
      const { appended } = history.room.store;
      const chance = new Chance(seed + 1_000_000);
      for (let length = 0; length <= appended.length; length++) {
        const prefix = appended.slice(0, length);
        const store = prefixOf(prefix);
        const possible = history.moments.filter(({ durable }) => durable <= length);
        for (const moment of [possible.at(-1)!, possible[chance.int(possible.length)]!]) {
          const offsets = {
            get: (_: string, topic: string) => (topic === HALF_TOPIC ? moment.half : moment.op),
          };
          const loaded = await loadTransactions({ store, logger: silentLogger, offsets }, moment.opsUpTo);
          const found = loaded.open.map(({ half }) => half.queueOffset);
          assert.deepEqual(
            found,
            unfinishedIn(prefix),
            `seed ${seed}, ${length} records, ${JSON.stringify(moment)}`,
          );
          opened += found.length;
          lacking += loaded.lackingOps.length;
        }
      }
      parked += appended.filter(({ message }) => message.topic === PARKED_TOPIC).length;
      copies += appended.filter(({ message }) => /TRANSACTION_CHECK_TIMES/.test(message.properties)).length;
      const committed = appended.filter(({ message }) => message.topic === TOPIC).map(({ body }) => body);
      assert.equal(new Set(committed).size, committed.length, `seed ${seed}: committed twice`);
    }
    for (const [what, count] of Object.entries({ opened, lacking, parked, copies })) {
      assert.ok(count > RUNS / 10, `${what}: ${count}`);
    }
  });
});

describe("op bodies", () => {
  it("of random bytes are survived, and those that were written come back", () => {
    const chance = new Chance(7);
    for (let run = 0; run < RUNS * 20; run++) {
      const bytes = Uint8Array.from({ length: chance.int(40) }, () =>
        chance.int(3) === 0 ? chance.int(256) : [44, 48, 49, 57, 32][chance.int(5)]!,
      );
      for (const offset of parseOpBody(bytes).offsets) assert.ok(Number.isSafeInteger(offset) && offset >= 0);
      const offsets = Array.from({ length: chance.int(9) }, () => chance.int(2 ** 31));
      assert.deepEqual(parseOpBody(formatOpBody(offsets)), { offsets, strange: 0 });
    }
  });

  it("of 4.9, with one offset, are read", () => {
    assert.deepEqual(parseOpBody(Buffer.from("123")), { offsets: [123], strange: 0 });
    assert.deepEqual(parseOpBody(Buffer.from("1,x,-3,4")), { offsets: [1, 4], strange: 2 });
  });
});
