/**
 * A host that stores a log of zeros without the zeros: blocks of nothing else are not written, since a new segment
 * has its full length and reads as zeros there. So a log of 50 GiB, made by the store itself with every checksum, mark
 * and queue, takes a minute and some megabytes.
 */
import type { Files, Host, OpenFile } from "@orbitmq/host";

const BLOCK_BYTES = 4096;
const ZEROS = Buffer.alloc(BLOCK_BYTES);

/** `host`, whose CommitLog files skip zeros. They must not be written over anything else. */
export function sparseHost(host: Host): Host {
  const files = intercept<Files>(host.files, {
    openSync: (path, options) => {
      const file = host.files.openSync(path, options);
      return path.includes("/commitlog/") ? sparse(file) : file;
    },
  });
  return intercept<Host>(host, { files });
}

function sparse(file: OpenFile): OpenFile {
  const writeSync = (bytes: Uint8Array, position: number): void => {
    let from = 0;
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + BLOCK_BYTES - ((position + at) % BLOCK_BYTES));
      if (ZEROS.compare(bytes, at, end, 0, end - at) === 0) {
        if (at > from) file.writeSync(bytes.subarray(from, at), position + from);
        from = end;
      }
      at = end;
    }
    if (bytes.length > from) file.writeSync(bytes.subarray(from), position + from);
  };
  return intercept<OpenFile>(file, {
    writeSync,
    write: (lane, bytes, position, done) => {
      writeSync(bytes, position);
      // Asynchronous as the caller expects, and behind what was written.
      file.write(lane, bytes.subarray(0, 0), position, done);
    },
  });
}

/** `target` with some members replaced; its own are called with it as `this`, as private fields need. */
function intercept<T extends object>(target: T, replaced: Partial<T>): T {
  return new Proxy(target, {
    get(_, name) {
      if (Object.hasOwn(replaced, name)) return Reflect.get(replaced, name);
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
