/**
 * A virtual machine's memory costs several times as much the first time a page of it is used (the host has to find
 * it), and a server that writes a log uses new pages all the time. So that this falls on nobody's account, the
 * page cache is filled once before measuring, from a sparse file that is then removed.
 */
import { closeSync, ftruncateSync, openSync, readSync, unlinkSync } from "node:fs";
import { freemem } from "node:os";
import { join } from "node:path";

const BLOCK_BYTES = 1024 * 1024;
/** Left alone: what other processes may want meanwhile. */
const SPARED_BYTES = 1024 * BLOCK_BYTES;

/** Uses most of the free memory once; takes a minute and more where it has never been used. Returns MiB. */
export function touchMemory(folder: string): number {
  const bytes = Math.max(0, freemem() - SPARED_BYTES);
  const path = join(folder, "touch-memory.tmp");
  const fd = openSync(path, "w+");
  try {
    ftruncateSync(fd, bytes);
    const block = Buffer.alloc(BLOCK_BYTES);
    for (let at = 0; at < bytes; at += BLOCK_BYTES) readSync(fd, block, 0, BLOCK_BYTES, at);
  } finally {
    closeSync(fd);
    unlinkSync(path);
  }
  return Math.round(bytes / BLOCK_BYTES);
}
