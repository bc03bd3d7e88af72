/** Queue tables of any content against a plain list, and torn ones. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { silentLogger } from "@orbitmq/host";
import { seededRandom } from "../testing/crash-model.ts";
import { FakeHost } from "../testing/fake-host.ts";
import { QueueTable } from "./queue-table.ts";
import { QueueTableFile } from "./queue-table-file.ts";

const PATH = "/queues.json";
const SEEDS = 40;
const TOPICS = ["T", "%RETRY%g", 'a"b\\c', "топик", "t".repeat(200), "__proto__", "constructor"];

it(`a queue table is loaded as it was, or the one before when a bit of it has changed (${SEEDS} seeds)`, () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const random = seededRandom(seed);
    const below = (bound: number) => Math.floor(random() * bound);
    const host = new FakeHost();
    const file = new QueueTableFile(host, PATH, silentLogger);
    const expected: string[][] = [];
    for (let version = 0; version < 2; version += 1) {
      const table = new QueueTable();
      for (let count = below(30); count > 0; count -= 1) {
        const queue = table.findOrCreate(TOPICS[below(TOPICS.length)]!, below(40));
        const min = below(2) === 0 ? 0 : 2 ** 40 + below(1000);
        queue.load(min, min + below(100_000));
      }
      const head = { storeId: 1 + below(2 ** 31), logMin: 0, dispatched: below(2 ** 40) };
      file.saveSync(table, head);
      expected.push(
        [...table.all()]
          .map((queue) => JSON.stringify([queue.topic, queue.queueId, queue.minOffset, queue.end]))
          .sort(),
      );
      const known = file.load();
      assert.deepEqual(known.queues.map(line).sort(), expected.at(-1), `seed ${seed}`);
      const { storeId, logMin, dispatched } = known;
      assert.deepEqual({ storeId, logMin, dispatched }, head);
    }
    const inode = host.files.names.get(PATH)!;
    const damaged = Buffer.from(inode.bytes);
    const at = below(damaged.length);
    damaged[at] = damaged[at]! ^ (1 << below(7));
    inode.bytes = damaged;
    const known = file.load();
    assert.ok(known.fromBackup, `seed ${seed}, byte ${at}`);
    assert.deepEqual(known.queues.map(line).sort(), expected[0], `seed ${seed}, byte ${at}`);
  }
});

function line({
  topic,
  queueId,
  min,
  end,
}: {
  topic: string;
  queueId: number;
  min: number;
  end: number;
}): string {
  return JSON.stringify([topic, queueId, min, end]);
}
