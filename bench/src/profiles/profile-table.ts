/** Profiles of several loads as a Markdown table for each server: a row for each part, a column for each load. */
import { type Part, partNames, parts } from "./parts.ts";
import type { TimeByPart } from "./time-by-part.ts";

export interface ProfiledLoad {
  /** Whose event loop it is. */
  readonly server: string;
  /** The load as `compare --only` calls it, and who made it where there are several. */
  readonly load: string;
  readonly time: TimeByPart;
  /** While the profile was made; undefined where it is not counted. */
  readonly perSecond: number | undefined;
}

/** Parts that nobody spends anything on are left out. */
export function profileTables(loads: readonly ProfiledLoad[]): string[] {
  const servers = [...new Set(loads.map(({ server }) => server))];
  return servers.flatMap((server, index) => [
    ...(index === 0 ? [] : [""]),
    ...table(
      server,
      loads.filter((each) => each.server === server),
    ),
  ]);
}

function table(server: string, loads: readonly ProfiledLoad[]): string[] {
  const present = partNames.filter((part) => loads.some((load) => share(load, load.time[part]) >= 0.0005));
  const row = (title: string, cell: (load: ProfiledLoad) => string) =>
    `| ${[title, ...loads.map(cell)].join(" | ")} |`;
  return [
    row(`${server}: share · µs a message`, ({ load }) => load),
    `|---|${"--:|".repeat(loads.length)}`,
    ...present.map((part) => row(parts[part], (load) => told(load, load.time[part]))),
    row("**all**", (load) => told(load, total(load))),
    row("messages/s", ({ perSecond }) =>
      perSecond === undefined ? "" : Math.round(perSecond).toLocaleString("en"),
    ),
  ];
}

function told(load: ProfiledLoad, us: number): string {
  const part = share(load, us);
  const percent = `${(part * 100).toFixed(1)} %`;
  return load.perSecond === undefined
    ? percent
    : `${percent} · ${((part * 1e6) / load.perSecond).toFixed(2)}`;
}

function share(load: ProfiledLoad, us: number): number {
  return us / total(load);
}

function total({ time }: ProfiledLoad): number {
  return partNames.reduce((sum: number, part: Part) => sum + time[part], 0);
}
