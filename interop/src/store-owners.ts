/**
 * Opens a store folder with the original broker or with ours. Each broker is named after its folder, so that one which a
 * failed test left running is not taken for another's.
 */
import { basename, dirname } from "node:path";
import { type ServerProcess, startServerProcess } from "orbitmq/testing";
import { type JavaPart, startJavaBroker } from "./java-server.ts";
import type { Workshop } from "./workshop.ts";

export const brokerNameFor = (directory: string): string => basename(directory);

export interface Opening {
  readonly workshop: Workshop;
  readonly namesrv: string;
}

interface OursOptions {
  readonly flags?: readonly string[];
  readonly wrapper?: readonly string[];
}

/** On a slow or busy machine the original refuses sends that waited for 200 ms. */
const patience = { brokerFastFailureEnable: "false", osPageCacheBusyTimeOutMills: "10000" };

/** The store is `directory`/store. */
export async function storeWithJava(
  { workshop, namesrv }: Opening,
  directory: string,
  properties: Readonly<Record<string, string>>,
): Promise<JavaPart> {
  const broker = await startJavaBroker({
    directory,
    namesrv,
    properties: { brokerName: brokerNameFor(directory), ...patience, ...properties },
  });
  return workshop.ends(broker, (it) => it.kill());
}

/** `home` is the store itself; `flags` are further arguments of the command, `wrapper` a program it runs under. */
export async function storeWithOurs(
  { workshop, namesrv }: Opening,
  home: string,
  options: Readonly<Record<string, string>>,
  { flags = ["--existing"], wrapper = [] }: OursOptions = {},
): Promise<ServerProcess> {
  const given = Object.entries(options).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
  const broker = await startServerProcess({
    role: "broker",
    home,
    wrapper,
    options: ["--namesrv", namesrv, "--broker-name", brokerNameFor(dirname(home)), ...flags, ...given],
  });
  return workshop.ends(broker, (it) => it.kill());
}
