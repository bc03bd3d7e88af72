/** One server's turn at a workload while its event loop is profiled; the profiles are kept for a closer look. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Chosen } from "../catalogue.ts";
import { removeAtExit } from "../left-behind.ts";
import type { Contestant } from "../servers/bench-server.ts";
import { TurnStage } from "../turn-stage.ts";
import { type BundledModules, bundledModules } from "./bundled-modules.ts";
import type { ProfiledStretch } from "./cpu-profile.ts";
import type { ProfiledLoad } from "./profile-table.ts";
import { type SourceOf, timeByPart } from "./time-by-part.ts";

export interface ProfiledTurnOptions {
  readonly seconds: number;
  readonly scale: number;
  /** Where stores are made. */
  readonly folder: string;
  /** Where profiles are kept, for Chrome's DevTools. */
  readonly kept: string;
}

const ANSWER_TIMEOUT_MS = 20_000;
const LOOK_MS = 50;

/** A load for each stretch that the workload measures. Throws when the run does not count. */
export async function profiledTurn(
  contestant: Contestant,
  { workload, flush, name }: Chosen,
  { seconds, scale, folder, kept }: ProfiledTurnOptions,
): Promise<ProfiledLoad[]> {
  const own = mkdtempSync(join(folder, "orbitmq-bench-"));
  const remove = removeAtExit(own);
  const [home, profileFolder] = [join(own, "store"), join(own, "profiles")];
  mkdirSync(home);
  mkdirSync(profileFolder);
  try {
    const stage = await TurnStage.open(contestant, {
      ...{ folder: own, home, flush, seconds, scale, workload, profileFolder },
    });
    try {
      const got = await workload.run(stage);
      const stretches = await takeStretches(profileFolder);
      if (stretches.length === 0) throw new Error(`${name} measures no stretch that could be profiled`);
      const measured = Array.isArray(got) ? got : [{ who: contestant.name, metrics: got }];
      const sourceOf = sourcesOfBundles();
      return stretches.slice(0, measured.length).map((stretch, index) => {
        const { who, metrics } = measured[index]!;
        const load = who === contestant.name ? name : `${name}, ${who.replace(` on ${contestant.name}`, "")}`;
        const file = `${load} ${contestant.name}.cpuprofile`.replace(/[^\w.-]+/g, "-");
        mkdirSync(kept, { recursive: true });
        writeFileSync(join(kept, file), JSON.stringify(stretch.profile));
        return {
          server: contestant.name,
          load,
          time: timeByPart(stretch, sourceOf),
          perSecond: metrics.perSecond,
        };
      });
    } finally {
      await stage.server.stop("kill");
    }
  } finally {
    remove();
  }
}

/** Those that were begun, once they have all come to an end. */
async function takeStretches(folder: string): Promise<ProfiledStretch[]> {
  const deadline = performance.now() + ANSWER_TIMEOUT_MS;
  for (;;) {
    const files = readdirSync(folder);
    const begun = files
      .filter((file) => file.endsWith(".begun"))
      .map((file) => file.replace(".begun", ".json"));
    if (begun.every((file) => files.includes(file))) {
      return begun.sort().map((file) => JSON.parse(readFileSync(join(folder, file), "utf8")));
    }
    if (performance.now() > deadline) throw new Error("a profile that was begun does not end");
    await delay(LOOK_MS);
  }
}

function sourcesOfBundles(): SourceOf {
  const bundles = new Map<string, BundledModules | undefined>();
  return (url, line) => {
    if (!bundles.has(url)) {
      bundles.set(
        url,
        url.startsWith("file:") ? bundledModules(readFileSync(fileURLToPath(url), "utf8")) : undefined,
      );
    }
    return bundles.get(url)?.at(line);
  };
}
