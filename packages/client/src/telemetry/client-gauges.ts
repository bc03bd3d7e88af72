/** What is looked at when metrics are collected, for as long as a client runs; and its reconnects. */
import type { MessageQueue, RpcClient } from "@orbitmq/wire";
import type { Namespace } from "../names/namespace.ts";
import { queueAttributes } from "./attributes.ts";
import type { Telemetry } from "./load-telemetry.ts";
import type { TelemetryAttributes, TelemetryObservation } from "./telemetry-api.ts";

export interface GaugeDescription {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
}

export const gauges = {
  inFlight: {
    name: "orbitmq.client.sends.in_flight",
    description: "Sends that are not over.",
    unit: "{send}",
  },
  lag: {
    name: "orbitmq.client.consumer.lag",
    description: "Messages of a held queue that are not consumed, as of its last pull.",
    unit: "{message}",
  },
  running: {
    name: "orbitmq.client.listeners.running",
    description: "Listeners that have not ended.",
    unit: "{call}",
  },
} as const satisfies Record<string, GaugeDescription>;

interface HeldQueue {
  readonly queue: MessageQueue;
  readonly maxOffset: number;
  readonly committableOffset: number;
}

export class ClientGauges {
  readonly #telemetry: Telemetry;
  readonly #removals: (() => void)[] = [];

  constructor(telemetry: Telemetry) {
    this.#telemetry = telemetry;
  }

  add(
    { name, description, unit }: GaugeDescription,
    observe: (observation: TelemetryObservation) => void,
  ): void {
    const gauge = this.#telemetry.meter.createObservableGauge(name, { description, unit });
    gauge.addCallback(observe);
    this.#removals.push(() => gauge.removeCallback(observe));
  }

  /** Of each queue that is held when somebody looks. */
  addLag(said: TelemetryAttributes, namespace: Namespace, queues: () => readonly HeldQueue[]): void {
    this.add(gauges.lag, (gauge) => {
      for (const { queue, maxOffset, committableOffset } of queues()) {
        const topic = namespace.unwrap(queue.topic);
        const attributes = { ...said, "messaging.destination.name": topic, ...queueAttributes(queue) };
        gauge.observe(Math.max(maxOffset - committableOffset, 0), attributes);
      }
    });
  }

  /** Counts connections that are made again after they were lost. */
  countReconnects(rpc: RpcClient, attributes: TelemetryAttributes): void {
    const counter = this.#telemetry.meter.createCounter("orbitmq.client.reconnects", {
      description: "Connections made again after they were lost.",
      unit: "{connection}",
    });
    const lost = new Set<string>();
    rpc.onConnection((address, _peer, open) => {
      if (!open) lost.add(address);
      else if (lost.delete(address)) counter.add(1, { ...attributes, "server.address": address });
    });
  }

  close(): void {
    for (const remove of this.#removals.splice(0)) {
      try {
        remove();
      } catch (error) {
        this.#telemetry.failed(error);
      }
    }
  }
}
