/**
 * The end of a push consumer, in order: stop pulling; let running listeners end, warned by their signals when the
 * deadline nears; let what is sent back arrive; persist offsets; unregister; close.
 */
import type { TimerHandle } from "@orbitmq/host";
import type { ClientInstance } from "../connection/client-instance.ts";
import { OrbitError } from "../errors/errors.ts";
import type { ShutdownResult } from "../options/client-options.ts";
import type { InnerSender } from "../producer/inner-sender.ts";
import type { ClientGauges } from "../telemetry/client-gauges.ts";
import type { ConsumeTrace } from "../trace/consume-trace.ts";
import { within } from "../within.ts";
import type { ListenedTopics } from "./listened-topics.ts";
import type { ListenerRunner } from "./listening/listener-runner.ts";
import type { OffsetStore } from "./offsets/offset-store.ts";
import type { PopRequests } from "./pop/pop-requests.ts";
import type { QueueLocks } from "./rebalance/queue-locks.ts";
import type { SendBack } from "./retry/send-back.ts";

/** Shares of a shutdown's deadline after which running listeners are warned, and no longer waited for. */
const WARN_SHARE = 0.7;
const WAIT_SHARE = 0.9;
/** Each of the two last waits may take so much of what is left. */
const LAST_SHARE = 0.6;

export interface PushConsumerParts {
  readonly instance: ClientInstance;
  readonly timers: readonly TimerHandle[];
  readonly topics: ListenedTopics;
  readonly runner: ListenerRunner;
  readonly locks: QueueLocks;
  readonly offsets: OffsetStore;
  readonly sender: InnerSender;
  readonly sendBack: SendBack;
  readonly popRequests: PopRequests;
  readonly trace: ConsumeTrace | undefined;
  readonly gauges: ClientGauges | undefined;
}

/** Never rejects. */
export async function endConsumption(parts: PushConsumerParts, deadlineMs: number): Promise<ShutdownResult> {
  const { instance, timers, topics, runner, locks, offsets, sender, sendBack, popRequests, trace, gauges } =
    parts;
  const { host, requestTimeoutMs } = instance;
  const endMs = host.clock.monotonicMs() + deadlineMs;
  const remainingMs = () => Math.max(endMs - host.clock.monotonicMs(), 1);
  instance.beginStop();
  for (const timer of timers) timer.cancel();
  locks.stop();
  const queues = topics.stop();
  runner.stop();
  const before = runner.messagesRunning;
  const warning = host.timers.after(deadlineMs * WARN_SHARE, () => {
    runner.abortAll(new OrbitError("SHUT_DOWN", "the consumer shuts down and its deadline nears"));
  });
  await runner.idleWithin(deadlineMs * WAIT_SHARE);
  warning.cancel();
  const left = runner.messagesRunning;
  runner.abortAll(new OrbitError("SHUT_DOWN", "the consumer was shut down"));
  runner.close();
  topics.close();
  await within(host.timers, remainingMs() * LAST_SHARE, [sendBack.idle().then(() => popRequests.idle())]);
  popRequests.stop();
  sender.close();
  const traced = trace?.close(remainingMs() * LAST_SHARE);
  const persisted = offsets.persistAll(queues);
  // Those whose listener still runs stay locked until the broker forgets them.
  const ended = left === 0 ? persisted.then(() => locks.unlockAll()) : persisted;
  await within(host.timers, remainingMs() * LAST_SHARE, [ended]);
  await traced;
  gauges?.close();
  await instance.close(Math.min(remainingMs(), requestTimeoutMs));
  return { settled: before - left, left };
}
