/**
 * The folder of our checksums says its format in a file of its own, so that a newer one is refused at the start.
 *
 *   "<version> <CRC-32 of the version's digits>\n"
 */
import type { Files } from "@orbitmq/host";
import { plainCrc32 } from "@orbitmq/wire";
import { StoreError } from "../store-error.ts";
import { CHECKSUMS_VERSION } from "./block-checksums.ts";

/** Makes the folder if it is missing. Throws StoreError VERSION when a newer version has written it, HostError. */
export function openChecksums(files: Files, folder: string): void {
  const path = `${folder}/format`;
  const bytes = files.readWholeSync(path);
  const text = bytes === undefined ? "" : Buffer.from(bytes).toString("latin1");
  const version = Number(/^\d{1,9}(?= )/.exec(text)?.[0] ?? 0);
  const isWhole = text === formatText(version);
  if (isWhole && version > CHECKSUMS_VERSION) {
    throw new StoreError(
      "VERSION",
      `${path} has format ${version}, this version knows ${CHECKSUMS_VERSION}: start a newer OrbitMQ`,
    );
  }
  if (isWhole && version === CHECKSUMS_VERSION) return;
  files.makeFolderSync(folder);
  const file = files.openSync(path, { create: true });
  try {
    file.truncateSync(0);
    file.writeSync(Buffer.from(formatText(CHECKSUMS_VERSION)), 0);
  } finally {
    file.closeSync();
  }
}

export function formatText(version: number): string {
  return `${version} ${plainCrc32(Buffer.from(String(version)))}\n`;
}
