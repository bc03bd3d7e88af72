/**
 * Whether the server lives, and whether it is ready for clients, and if not, why not: pure judgement of what its parts
 * say. Live: the process answers and nothing but itself could help it; ready: messages are taken and given out.
 *
 *   reasons why it is not ready: STORE_OPENING, STARTING, WRITES_STOPPED, DISK_FULL, STORE_BUSY, NOT_REGISTERED,
 *   DISPATCH_BEHIND, INDEX_BEHIND, STOPPING, START_FAILED
 */
import type { StoreStatus } from "@orbitmq/store";

export interface ServerFacts {
  readonly phase: "starting" | "running" | "stopping" | "failed";
  /** Absent: there is no store in this process, or none yet. */
  readonly store: StoreStatus | undefined;
  /** Of the broker; absent: there is none, or none yet. */
  readonly registrations: { readonly wanted: number; readonly done: number } | undefined;
}

export interface HealthReport {
  /** The status of HTTP. */
  readonly status: 200 | 503;
  readonly body: {
    readonly status: "ok" | "unavailable";
    readonly reasons: readonly HealthReason[];
  };
}

export interface HealthReason {
  readonly code: string;
  /** For people. */
  readonly message: string;
  /** Of STORE_OPENING, when it is known. */
  readonly phase?: string;
  readonly percent?: number;
}

/** Written and not readable: consumers lag by as much, whatever they do. */
export const DISPATCH_BEHIND_BYTES = 64 * 1024 * 1024;
/** Stored and not found by key. */
export const INDEX_BEHIND_BYTES = 1024 * 1024 * 1024;

export function liveness({ phase }: ServerFacts): HealthReport {
  const failed = { code: "START_FAILED", message: "the start failed; the process is about to end" };
  return report(phase === "failed" ? [failed] : []);
}

export function readiness(facts: ServerFacts): HealthReport {
  const { phase, store, registrations } = facts;
  if (phase === "failed") return liveness(facts);
  const reasons: HealthReason[] = [];
  if (phase === "stopping") reasons.push({ code: "STOPPING", message: "the server is being stopped" });
  else if (store?.state === "starting") reasons.push(opening(store));
  else if (phase === "starting") reasons.push({ code: "STARTING", message: "the server is starting" });
  if (phase !== "stopping" && store !== undefined && store.state !== "starting")
    reasons.push(...ofStore(store));
  if (
    phase === "running" &&
    registrations !== undefined &&
    registrations.wanted > 0 &&
    registrations.done === 0
  ) {
    const message = `none of ${registrations.wanted} NameServers has taken the broker's registration`;
    reasons.push({ code: "NOT_REGISTERED", message });
  }
  return report(reasons);
}

function opening({ opening: at }: StoreStatus): HealthReason {
  const code = "STORE_OPENING";
  if (at === undefined) return { code, message: "the store is being opened" };
  return { code, message: `the store is being opened: ${at.phase}, ${at.percent} %`, ...at };
}

function ofStore({ state, refusal, writtenOffset, readableLimit, keyIndex }: StoreStatus): HealthReason[] {
  const reasons: HealthReason[] = [];
  if (state === "failed") {
    const message = refusal?.remark ?? "the store has stopped writing";
    reasons.push({ code: "WRITES_STOPPED", message: `${message}; restart to recover what is on disk` });
  } else if (refusal !== undefined) {
    const code = refusal.reason === "DISK_FULL" ? "DISK_FULL" : "STORE_BUSY";
    reasons.push({ code, message: refusal.remark });
  }
  const behind = writtenOffset - readableLimit;
  if (behind > DISPATCH_BEHIND_BYTES) {
    reasons.push({ code: "DISPATCH_BEHIND", message: `${behind} bytes of the log are not readable yet` });
  }
  if (keyIndex.behindBytes > INDEX_BEHIND_BYTES) {
    const message = `the index of keys is ${keyIndex.behindBytes} bytes behind: queries by key miss messages`;
    reasons.push({ code: "INDEX_BEHIND", message });
  }
  return reasons;
}

function report(reasons: readonly HealthReason[]): HealthReport {
  const ok = reasons.length === 0;
  return { status: ok ? 200 : 503, body: { status: ok ? "ok" : "unavailable", reasons } };
}
