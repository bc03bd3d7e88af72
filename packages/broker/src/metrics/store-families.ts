/** The store and the disk it is on. */
import type { Clock, MetricFamily, MetricLabels } from "@orbitmq/host";
import type { MessageStore } from "@orbitmq/store";
import { family, single } from "./families.ts";
import type { StoreReading } from "./store-reading.ts";

export interface StoreFamiliesNeeds {
  readonly clock: Clock;
  readonly store: MessageStore;
}

const ON_DISK: MetricLabels = { storage_type: "local", storage_medium: "disk" };
const IN_MEMORY: MetricLabels = { storage_type: "local", storage_medium: "memory" };

export function* storeFamilies(
  { clock, store }: StoreFamiliesNeeds,
  reading: StoreReading,
): Generator<MetricFamily> {
  const status = store.status();
  const labels = storageLabels(reading);
  const stored = (name: string, help: string, value: number, unit = "bytes"): MetricFamily =>
    family(`rocketmq_storage_${name}`, "gauge", help, [{ labels, value }], unit);
  const { writtenOffset, flushedOffset, readableLimit, integrity, keyIndex } = status;
  const { space, diskUse, earliestMs } = reading;
  if (space !== undefined) {
    const used = space.totalBytes - space.freeBytes;
    yield stored("size", "What is used of the disk that the store is on", used);
    yield single("orbitmq_disk_size", "gauge", "The disk that the store is on", space.totalBytes, "bytes");
    yield single("orbitmq_disk_free", "gauge", "Free space of that disk", space.freeBytes, "bytes");
  }
  yield stored("flush_behind", "Written and not synced yet", Math.max(0, writtenOffset - flushedOffset));
  yield stored("dispatch_behind", "Written and not readable yet", Math.max(0, writtenOffset - readableLimit));
  if (earliestMs > 0) {
    const age = Math.max(0, clock.wallMs() - earliestMs);
    yield stored("message_reserve_time", "Age of the oldest message", age, "milliseconds");
  }
  if (diskUse !== undefined) {
    const points = Object.entries(diskUse).map(([part, use]) => ({
      labels: { part },
      value: use.allocatedBytes,
    }));
    yield family("orbitmq_store_files", "gauge", "What the store's files take of the disk", points, "bytes");
  }
  const writable = status.state === "running" && status.refusal === undefined;
  const help = "1 when the store takes messages; reason says why not";
  const reason = writable ? "" : (status.refusal?.reason ?? status.state);
  yield family("orbitmq_store_writable", "gauge", help, [{ labels: { reason }, value: writable ? 1 : 0 }]);
  yield single("orbitmq_store_messages", "gauge", "Messages in all queues", status.messageCount);
  yield family(
    "orbitmq_fsync_latency",
    "histogram",
    "How long a sync of the log takes",
    [{ labels: {}, value: store.syncLatencyMs }],
    "milliseconds",
  );
  const { corruptRecords, wrongUnits, wrongIndexBlocks, skippedRecords } = integrity;
  const damages = {
    corrupt_record: corruptRecords,
    wrong_unit: wrongUnits,
    wrong_index_block: wrongIndexBlocks,
  };
  yield family(
    "orbitmq_damages_total",
    "counter",
    "Places found damaged since the start",
    Object.entries({ ...damages, skipped_record: skippedRecords }).map(([kind, value]) => ({
      labels: { kind },
      value,
    })),
  );
  const behind = "Log that the index of keys has yet to catch up with";
  yield single("orbitmq_key_index_behind", "gauge", behind, keyIndex.behindBytes, "bytes");
  yield single("orbitmq_key_index_stalls_total", "counter", "Times it has fallen behind", keyIndex.stalls);
}

export function storageLabels({ space }: Pick<StoreReading, "space">): MetricLabels {
  return space === undefined ? IN_MEMORY : ON_DISK;
}
