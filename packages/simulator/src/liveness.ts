/**
 * What a cluster that is live again would have done: sent every message, consumed every acknowledged one, and
 * made every broker known to every NameServer.
 */

import type { SimHost } from "@orbitmq/host/sim";
import { brokerOf, mayHoldSentBack, type QueueKey } from "./checker/history.ts";
import type { Cluster } from "./cluster/cluster.ts";

import { GROUP } from "./workload/consumer-node.ts";
import { RouteWatch } from "./workload/route-watch.ts";

export class Liveness {
  readonly #cluster: Cluster;
  readonly #routes: RouteWatch;
  /** Acknowledged and not known to be consumed: id → its place. */
  readonly #awaited = new Map<string, { readonly queue: QueueKey; readonly offset: number }>();
  /** Everything below may have been removed by retention. */
  readonly #removedTo = new Map<QueueKey, number>();
  /** Broker → when something was removed there the last time. */
  readonly #removedMs = new Map<string, number>();
  /** ASYNC_FLUSH: brokers whose machine lost what was in memory; their messages may be gone. */
  readonly #lost = new Set<string>();
  readonly #sentBack = new Set<string>();
  /** What may have been removed after it was sent back: awaited again when it comes, or is sent back, once more. */
  readonly #removed = new Map<string, { readonly queue: QueueKey; readonly offset: number }>();
  #read = 0;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#routes = new RouteWatch(cluster.nameServers, cluster.brokers);
  }

  /** Begins to look; `host` is a process for that. */
  start(host: SimHost): void {
    this.#routes.start(host);
  }

  /** What is still missing; undefined when nothing is. */
  missing(): string | undefined {
    const { sendPlan, producers, consumePlan } = this.#cluster;
    if (sendPlan.left > 0) return `${sendPlan.left} messages could not even be sent`;
    const inFlight = producers.reduce((sum, producer) => sum + producer.sendsInFlight, 0);
    if (inFlight > 0) return `${inFlight} sends are still in flight`;
    this.#readOn();
    for (const [id, { queue, offset }] of this.#awaited) {
      const isGone = this.#lost.has(brokerOf(queue)) || offset < (this.#removedTo.get(queue) ?? 0);
      if (isGone || consumePlan.consumed.has(id)) this.#awaited.delete(id);
    }
    if (this.#awaited.size === 0) return this.#othersMiss() ?? this.#routes.missing();
    const [first] = this.#awaited.keys();
    return `${this.#awaited.size} acknowledged messages are not consumed: ${first} and others`;
  }

  #othersMiss(): string | undefined {
    for (const workload of this.#cluster.workloads) {
      const missing = workload.missing(
        (broker, sinceMs, place) =>
          this.#lost.has(broker) ||
          (this.#removedMs.get(broker) ?? -1) >= sinceMs ||
          // Its place may be told after it was removed: an answer was on its way.
          (place !== undefined && place.offset < (this.#removedTo.get(place.queue) ?? 0)),
      );
      if (missing !== undefined) return missing;
    }
    return undefined;
  }

  #readOn(): void {
    const { recorder, scenario } = this.#cluster;
    for (; this.#read < recorder.events.length; this.#read++) {
      const event = recorder.events[this.#read];
      if (event?.kind === "acknowledged") this.#awaited.set(event.id, event);
      else if (event?.kind === "removed") {
        this.#removedTo.set(event.queue, event.to);
        this.#removedMs.set(brokerOf(event.queue), event.atMs);
        if (mayHoldSentBack(event.queue)) this.#sentBackRemoved();
      } else if (event?.kind === "listening") {
        if (event.id !== undefined && event.group === GROUP) this.#comesAgain(event.id);
      } else if (event?.kind === "sent-back") {
        if (event.id === undefined) continue;
        this.#sentBack.add(event.id);
        this.#comesAgain(event.id);
      } else if (event?.kind === "cache-lost" && scenario.flush === "ASYNC_FLUSH") {
        this.#lost.add(event.broker);
        // What was sent back may lie at any broker.
        for (const id of this.#sentBack) this.#awaited.delete(id);
      }
    }
  }

  /** At whatever broker. */
  #sentBackRemoved(): void {
    for (const id of this.#sentBack) {
      const place = this.#awaited.get(id);
      if (place !== undefined) this.#removed.set(id, place);
      this.#awaited.delete(id);
    }
  }

  /** It is consumed, or sent back, once more. */
  #comesAgain(id: string): void {
    const place = this.#removed.get(id);
    if (place !== undefined) this.#awaited.set(id, place);
    this.#removed.delete(id);
  }
}
