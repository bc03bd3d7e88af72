/** The real machine with a disk that can be told to fail its syncs of the log. */
import { type Files, type Host, HostError, type OpenFile } from "@orbitmq/host";
import { nodeHost } from "@orbitmq/host/node";

export interface FailingHost {
  readonly host: Host;
  /** From now on every fdatasync of a CommitLog file ends with EIO. */
  failSyncs(): void;
}

export function failingHost(): FailingHost {
  const real = nodeHost();
  let failing = false;
  const broken = (path: string) => new HostError("EIO", `fdatasync ${path}: made to fail`);
  const watched = (file: OpenFile): OpenFile =>
    new Proxy(file, {
      get(target, name) {
        if (failing && name === "fdatasync")
          return (_lane: unknown, done: (error: HostError) => void) =>
            real.timers.afterTurn(() => done(broken(file.path)));
        if (failing && name === "fdatasyncSync")
          return () => {
            throw broken(file.path);
          };
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  const files = new Proxy(real.files, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name === "openSync")
        return (...args: Parameters<Files["openSync"]>) => {
          const file = target.openSync(...args);
          return file.path.includes("/commitlog/") ? watched(file) : file;
        };
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return {
    host: { ...real, files },
    failSyncs: () => {
      failing = true;
    },
  };
}
