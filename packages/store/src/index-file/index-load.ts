/**
 * Finds the IndexFiles at start and decides how much of them can be believed; what cannot goes, and is built again
 * from the log from the place where the index is known to be complete.
 *
 *   our state counts   while nobody else has written the store, or at least not the newest file, which every writer
 *                      does: the files it names are taken as it says, the newest with slots that its items make anew
 *                      where a crash has left them behind
 *   our state is lost  but nobody else has written the store: those that are full, as their headers say
 *   a Java broker's    as it closed them, or, after it was killed, those that its checkpoint vouches for; the headers
 *                      tell how far they come. They have no checksums
 *
 * Files are believed in order, up to the first that is missing, cut off or not what it should be.
 */
import { readInt64 } from "@orbitmq/wire";
import type { SegmentSet } from "../commit-log/segment-set.ts";
import { readDispatchFields } from "../dispatch/dispatch-fields.ts";
import type { CheckpointFile } from "../recovery/checkpoint-file.ts";
import { scanLog } from "../recovery/log-scan.ts";
import type { RecoveryPlan } from "../recovery/recovery-plan.ts";
import { IndexFile } from "./index-file.ts";
import { IndexKeys, isIndexed } from "./index-keys.ts";
import {
  decodeHeader,
  HEADER_BYTES,
  type IndexHeader,
  ITEM_BYTES,
  indexFileBytes,
  indexName,
  itemPosition,
  parseIndexName,
} from "./index-layout.ts";
import type { IndexService } from "./index-service.ts";
import type { IndexState } from "./index-state-file.ts";

export interface IndexLoadParts {
  readonly plan: RecoveryPlan;
  readonly segments: SegmentSet;
  readonly checkpoint: CheckpointFile;
  /** As in the mark; the state counts only for the store it was written in. */
  readonly storeId: number;
}

/** Opens the index; returns the position from which records have to be noted. Throws HostError, StoreError VERSION. */
export function loadIndex(index: IndexService, parts: IndexLoadParts): number {
  const { plan, segments, storeId } = parts;
  index.storeId = storeId;
  const state = index.stateFile.load();
  if (!index.enabled) return Number.POSITIVE_INFINITY;
  const names = listNames(index);
  const isTrusted = plan.kind === "trusted";
  const isOurs =
    state !== undefined &&
    hasSizes(index, state) &&
    (isTrusted ? state.storeId === storeId : isUntouched(index, state));
  // Checksums go with what we have written.
  index.sums.keepOnly(new Set(isOurs || isTrusted ? names.map(indexName) : []));
  let files: IndexFile[] = [];
  let indexedTo = -1;
  if (plan.kind === "new") index.logger.debug({}, "a new index");
  else if (isOurs) ({ files, indexedTo } = ours(index, state, names));
  else files = withoutState(index, parts, names, !isTrusted).filter((file) => !isTrusted || file.isFull);
  for (let last = files.at(-1); last !== undefined && !endsAsSaid(index, last); last = files.at(-1)) {
    files.pop();
    indexedTo = -1;
  }
  const kept = new Set(files.map((file) => file.nameMs));
  const newestMs = Math.max(0, state?.newestMs ?? 0, ...names);
  for (const name of names) {
    if (kept.has(name)) continue;
    index.host.files.unlinkSync(`${index.folder}/${indexName(name)}`);
    index.sums.remove(indexName(name));
  }
  const newest = files.at(-1);
  // Where no state says more, the newest item does; its record may have more keys than made it into the files.
  let from = Math.max(indexedTo, newest?.header.endPhyOffset ?? -1);
  if (from < segments.minOffset) from = segments.minOffset;
  const unindexedTo = state?.unindexedTo ?? 0;
  index.unindexedTo = from === segments.minOffset || unindexedTo <= segments.minOffset ? 0 : unindexedTo;
  index.adopt(files, newestMs, from, countItemsAt(index, files, from));
  if (newest !== undefined && newest.open === undefined && !newest.isFull) {
    newest.reopen(index.host.files.openSync(newest.path));
  }
  index.stateFile.open();
  if (files.length < names.length || (indexedTo < 0 && plan.kind !== "new")) {
    index.logger.info(
      { files: files.length, found: names.length, from },
      "the index is completed from the log",
    );
  }
  return from;
}

function listNames({ host, folder }: IndexService): number[] {
  const names: number[] = [];
  for (const name of host.files.listSync(folder)) {
    const nameMs = parseIndexName(name);
    if (nameMs !== undefined) names.push(nameMs);
  }
  return names.sort((a, b) => a - b);
}

function hasSizes({ sizes }: IndexService, state: IndexState): boolean {
  return state.sizes.slots === sizes.slots && state.sizes.items === sizes.items;
}

/** Whether the newest file's header is as it was left: whoever adds an item changes it. */
function isUntouched(index: IndexService, { files, newestMs, header, slotsItems }: IndexState): boolean {
  if (files === 0 || !hasLength(index, newestMs)) return false;
  const bytes = Buffer.alloc(HEADER_BYTES);
  index.cache.get(`${index.folder}/${indexName(newestMs)}`).readSync(bytes, 0);
  const found = decodeHeader(bytes, index.sizes);
  if (found === undefined) return false;
  if (found.count === header.count) return found.endPhyOffset === header.endPhyOffset;
  return found.count === slotsItems;
}

/** What our state names. An index with another number of files than it should have has lost some nobody knows which. */
function ours(
  index: IndexService,
  state: IndexState,
  names: readonly number[],
): { files: IndexFile[]; indexedTo: number } {
  const named = names.filter((name) => name >= state.firstMs && name <= state.newestMs);
  const hasNewest = state.files === 0 || named.at(-1) === state.newestMs;
  const older = hasNewest ? named.slice(0, -1) : named;
  const nothing = { files: [], indexedTo: -1 };
  if (state.files === 0) return { files: [], indexedTo: state.indexedTo };
  if (older.length !== state.files - 1 || (older.length > 0 && older[0] !== state.firstMs)) return nothing;
  const files: IndexFile[] = [];
  for (const nameMs of older) {
    const header = readHeader(index, nameMs);
    if (header === undefined || header.count !== index.sizes.items || !follows(files, header)) break;
    files.push(IndexFile.known(index, nameMs, header, isForeign(state, nameMs)));
  }
  if (!hasNewest || files.length < older.length || !hasLength(index, state.newestMs))
    return { files, indexedTo: -1 };
  const newest = IndexFile.known(index, state.newestMs, state.header, isForeign(state, state.newestMs));
  if (!follows(files, newest.header)) return { files, indexedTo: -1 };
  newest.slotsSynced = state.slotsItems;
  if (!newest.isFull || newest.slotsSynced < newest.header.count) {
    const file = index.host.files.openSync(newest.path);
    if (newest.reopen(file, state.tail) === undefined || !newest.redoSlots(newest.slotsSynced)) {
      file.closeSync();
      return { files, indexedTo: -1 };
    }
  }
  files.push(newest);
  return { files, indexedTo: state.indexedTo };
}

function isForeign({ foreign }: IndexState, nameMs: number): boolean {
  return foreign !== undefined && nameMs >= foreign.fromMs && nameMs <= foreign.toMs;
}

/** What a Java broker has left, or what the files say when our state does not count. */
function withoutState(
  index: IndexService,
  { plan, checkpoint, segments }: IndexLoadParts,
  names: readonly number[],
  areForeign: boolean,
): IndexFile[] {
  const isClosed = plan.kind !== "java-dirty";
  const vouchedMs = isClosed ? Number.POSITIVE_INFINITY : checkpoint.indexMsgTimestamp;
  const found: IndexFile[] = [];
  for (const nameMs of names) {
    const header = readHeader(index, nameMs);
    if (header === undefined) continue;
    if (header.count === 1 || header.endTimestamp > vouchedMs) continue;
    found.push(IndexFile.known(index, nameMs, header, areForeign));
  }
  // Java names files by its local time: across changes of it, only the headers tell their order.
  found.sort((a, b) => a.header.beginPhyOffset - b.header.beginPhyOffset || a.nameMs - b.nameMs);
  const files: IndexFile[] = [];
  for (const file of found) {
    const before = files.at(-1);
    if (before !== undefined && (!before.isFull || !follows(files, file.header))) break;
    if (isGap(segments, before?.header.endPhyOffset, file.header.beginPhyOffset)) break;
    files.push(file);
  }
  return files;
}

/** Whether a message lies between two files that would have been indexed: a file between them is missing. */
function isGap(segments: SegmentSet, before: number | undefined, next: number): boolean {
  const from = Math.max(before ?? 0, segments.minOffset);
  if (from >= next) return false;
  const keys = new IndexKeys();
  let missing = false;
  const options = { limit: next, strictFrom: Number.POSITIVE_INFINITY };
  const scanned = scanLog(segments, from, options, (bytes, at, _size, position) => {
    if (position === before || missing) return;
    const { topic, properties, sysFlag } = readDispatchFields(bytes, at, []);
    missing = isIndexed(sysFlag) && keys.collect(topic, properties) > 0;
  });
  return missing || scanned.end !== next;
}

function follows(files: readonly IndexFile[], { beginPhyOffset }: IndexHeader): boolean {
  const before = files.at(-1);
  return before === undefined || before.header.endPhyOffset <= beginPhyOffset;
}

function hasLength({ host, folder, sizes }: IndexService, nameMs: number): boolean {
  return host.files.statSync(`${folder}/${indexName(nameMs)}`)?.sizeBytes === indexFileBytes(sizes);
}

function readHeader(index: IndexService, nameMs: number): IndexHeader | undefined {
  if (!hasLength(index, nameMs)) return undefined;
  const { sizes } = index;
  const file = index.cache.get(`${index.folder}/${indexName(nameMs)}`);
  const bytes = Buffer.alloc(HEADER_BYTES);
  file.readSync(bytes, 0);
  const header = decodeHeader(bytes, sizes);
  if (header === undefined || header.count === 1) return header;
  // The header says again what the first and the newest item say.
  const items = Buffer.alloc(2 * ITEM_BYTES);
  file.readSync(items.subarray(0, ITEM_BYTES), itemPosition(sizes, 1));
  file.readSync(items.subarray(ITEM_BYTES), itemPosition(sizes, header.count - 1));
  const isSame =
    readInt64(items, 4) === header.beginPhyOffset && readInt64(items, ITEM_BYTES + 4) === header.endPhyOffset;
  const seconds = items.readInt32BE(ITEM_BYTES + 12);
  const ms = header.endTimestamp - header.beginTimestamp - seconds * 1000;
  return isSame && (header.count === 2 || (ms >= 0 && ms < 1000)) ? header : undefined;
}

/** Whether the newest item is of the record that the header names; with a damaged header it is not. */
function endsAsSaid(index: IndexService, file: IndexFile): boolean {
  if (file.header.count <= 1) return true;
  return file.itemsAt(file.header.endPhyOffset, file.open?.file ?? index.cache.get(file.path)) > 0;
}

/** How many keys of the record at `position` are in the files. */
function countItemsAt(index: IndexService, files: readonly IndexFile[], position: number): number {
  let count = 0;
  for (let at = files.length - 1; at >= 0; at -= 1) {
    const file = files[at]!;
    if (file.header.endPhyOffset !== position) break;
    const opened = file.open?.file ?? index.cache.get(file.path);
    const here = file.itemsAt(position, opened);
    count += here;
    if (here < file.header.count - 1) break;
  }
  return count;
}
