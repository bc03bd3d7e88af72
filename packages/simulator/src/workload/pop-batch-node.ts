/**
 * A member that pops acknowledges some of what it got together, and leaves the others to come again by themselves. The
 * broker may pass over those whose time is over; to all others its yes applies.
 */
import type { SimHost } from "@orbitmq/host/sim";
import { ResponseCode } from "@orbitmq/wire";
import type { NodeContext } from "../cluster/sim-node.ts";
import { type BrokerAt, MAYBE, type PopClient, type Popped } from "./pop-client.ts";
import type { PopPlan } from "./poppers.ts";
import { sleep } from "./producer-node.ts";

/** Answers to a batch of which the broker may have taken some. */
const MAYBE_SOME: ReadonlySet<number | undefined> = new Set([
  ...MAYBE,
  ResponseCode.SYSTEM_BUSY,
  ResponseCode.SERVICE_NOT_AVAILABLE,
]);

/** What one pop brought. */
export interface PoppedTogether {
  readonly broker: BrokerAt;
  readonly messages: readonly Popped[];
  /** Nobody else gets them before. */
  readonly untilMs: number;
}

export async function acknowledgeSome(
  { random, recorder, world }: NodeContext,
  { asked, done, group, isCalm }: PopPlan,
  host: SimHost,
  client: PopClient,
  { broker, messages, untilMs }: PoppedTogether,
): Promise<void> {
  const chosen = messages.filter(() => isCalm || random.chance(0.75));
  if (chosen.length === 0) return;
  if (!isCalm && random.chance(0.3)) await sleep(host, random.between(1, 1_500));
  const keys = chosen.map(({ id }) => `${id} ${broker.name}`);
  for (const key of keys) asked.set(key, (asked.get(key) ?? 0) + 1);
  const code = await client.acknowledgeAll(broker, chosen);
  for (const key of keys) {
    const left = (asked.get(key) ?? 1) - 1;
    if (left > 0) asked.set(key, left);
    else asked.delete(key);
    if (MAYBE_SOME.has(code)) done.add(key);
  }
  if (code !== ResponseCode.SUCCESS || world.nowMs >= untilMs) return;
  for (const { id } of chosen) recorder.add({ kind: "pop-acknowledged", group, broker: broker.name, id });
}
