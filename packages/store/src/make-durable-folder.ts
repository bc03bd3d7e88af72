/** A folder whose path is on disk before anything is kept in it: a store's home, a log's, a backup's. */
import type { Files } from "@orbitmq/host";
import { folderOf } from "./store-paths.ts";

/**
 * The folder and every parent that is missing, each named on disk before the next is made within it: the log is
 * as durable as its path. What exists may be from a start that ended before it could sync the name.
 */
export function makeDurableFolder(files: Files, path: string): void {
  const missing: string[] = [];
  let folder = path;
  while (folder !== "/" && files.statSync(folder) === undefined) {
    missing.push(folder);
    // The working folder of a file system that has none yet.
    if (folder === ".") break;
    folder = folderOf(folder);
  }
  files.syncFolderSync(folderOf(folder));
  for (const each of missing.reverse()) {
    files.makeFolderSync(each);
    files.syncFolderSync(folderOf(each));
  }
}
