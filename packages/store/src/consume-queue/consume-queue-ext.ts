/**
 * RocketMQ's ConsumeQueueExt, which we do not write: with `enableConsumeQueueExt` a Java broker puts an address into
 * the tags code of a unit and the tags code itself, beside a filter's bit map, into `consumequeue_ext/`. Taken for a
 * tags code such an address matches nothing and would withhold the message. Whatever is in those files is in the
 * log, too: a queue that has any is built again from there, and then they go.
 */
import type { Files } from "@orbitmq/host";
import type { ConsumeQueue } from "./consume-queue.ts";
import type { ConsumeQueueFiles } from "./consume-queue-files.ts";
import type { QueueTable } from "./queue-table.ts";

/** The queues that have files below `root`. Blocking. */
export function queuesWithExt(files: Files, root: string, table: QueueTable): ConsumeQueue[] {
  const queues: ConsumeQueue[] = [];
  if (files.statSync(root)?.isFolder !== true) return queues;
  for (const topic of files.listSync(root)) {
    if (files.statSync(`${root}/${topic}`)?.isFolder !== true) continue;
    for (const name of files.listSync(`${root}/${topic}`)) {
      const folder = `${root}/${topic}/${name}`;
      if (!/^\d{1,9}$/.test(name) || files.statSync(folder)?.isFolder !== true) continue;
      if (files.listSync(folder).length > 0) queues.push(table.findOrCreate(topic, Number(name)));
    }
  }
  return queues;
}

/** Removes the queue's files below `root`, once no unit on disk can name them any more. Blocking; throws HostError. */
export function removeExt(
  files: Files,
  root: string,
  queueFiles: ConsumeQueueFiles,
  { topic, queueId }: ConsumeQueue,
): void {
  const units = queueFiles.folder(topic, queueId);
  if (files.statSync(units) !== undefined) files.syncFolderSync(units);
  const folder = `${root}/${topic}/${queueId}`;
  for (const name of files.listSync(folder)) files.unlinkSync(`${folder}/${name}`);
}
