import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { Producer } from "@orbitmq/client";
import { start } from "orbitmq";
import { announceChange, Catalogue } from "./catalogue.ts";

it("every instance loads a product anew after it changed, and only then", async () => {
  const mq = await start({ store: "memory", clock: "manual", namesrvPort: 0, brokerPort: 0 });
  const folder = mkdtempSync(join(tmpdir(), "orbitmq-example-"));
  const prices = new Map([
    ["tea", 100],
    ["cake", 300],
  ]);
  const loads: string[] = [];
  const catalogues = ["one", "two"].map(
    (clientId) =>
      new Catalogue({
        ...mq.clientOptions,
        clientId,
        localOffsetsFolder: folder,
        load: async (id) => {
          loads.push(`${clientId} ${id}`);
          return { id, cents: prices.get(id) ?? 0 };
        },
      }),
  );
  for (const catalogue of catalogues) await catalogue.start();
  const producer = new Producer({ ...mq.clientOptions });
  await producer.start();
  const shown = async (id: string) =>
    Promise.all(catalogues.map(async (catalogue) => (await catalogue.product(id)).cents));
  assert.deepEqual(
    [await shown("tea"), await shown("cake")],
    [
      [100, 100],
      [300, 300],
    ],
  );
  prices.set("tea", 120);
  await announceChange(producer, "tea");
  await mq.advance(0);
  loads.length = 0;
  assert.deepEqual(
    [await shown("tea"), await shown("cake")],
    [
      [120, 120],
      [300, 300],
    ],
  );
  assert.deepEqual(loads.sort(), ["one tea", "two tea"]);
  for (const client of [...catalogues, producer]) await client.shutdown();
  await mq.stop();
  rmSync(folder, { recursive: true });
});
