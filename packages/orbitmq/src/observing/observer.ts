/**
 * Serves and sends what the server counts, as the configuration says. Loaded once the server serves (or takes long to
 * start): the start must not wait for it. What fails here is a warning, never a failed start.
 *
 *   new ─start()→ serving ─stop()→ stopped
 */
import type { Logger, SocketAddress } from "@orbitmq/host";
import { collect, type MetricSource } from "./collect.ts";
import type { HealthReport } from "./health.ts";
import { HttpEndpoint } from "./http-endpoint.ts";
import type { ObservingSettings } from "./observing-settings.ts";
import { processSource } from "./process-families.ts";
import type { MetricsPush } from "./push.ts";

export interface Observed {
  readonly live: () => HealthReport;
  readonly ready: () => HealthReport;
  /** The parts that are there by now. */
  readonly sources: () => readonly MetricSource[];
  /** Of the process's own metrics. */
  readonly labels: MetricSource["labels"];
  readonly logger: Logger;
}

const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class Observer {
  readonly #settings: ObservingSettings;
  readonly #observed: Observed;
  readonly #own: MetricSource;
  #endpoint: HttpEndpoint | undefined;
  #push: MetricsPush | undefined;
  #local: SocketAddress | undefined;
  #stopped = false;

  constructor(settings: ObservingSettings, observed: Observed) {
    this.#settings = settings;
    this.#observed = observed;
    this.#own = processSource(observed.labels);
  }

  /** Where it listens; absent: nowhere. */
  get local(): SocketAddress | undefined {
    return this.#local;
  }

  /** Never rejects. */
  async start(): Promise<void> {
    await this.#listen();
    await this.#startPush();
    if (this.#stopped) await this.stop();
  }

  async #listen(): Promise<void> {
    const { listen, servesMetrics } = this.#settings;
    if (listen === undefined) return;
    const { live, ready, logger } = this.#observed;
    const endpoint = new HttpEndpoint(
      { live, ready, metrics: servesMetrics ? () => this.#text() : undefined },
      logger,
    );
    try {
      this.#local = await endpoint.listen(listen);
      this.#endpoint = endpoint;
      logger.info(
        { host: this.#local.host, port: this.#local.port },
        "metrics and health are served over HTTP",
      );
    } catch (error) {
      logger.warn(
        { err: error, ...listen },
        "metrics and health are not served: the port cannot be listened on (metricsPromExporterPort)",
      );
    }
  }

  async #startPush(): Promise<void> {
    const { push } = this.#settings;
    if (push === undefined) return;
    const { logger } = this.#observed;
    try {
      const { MetricsPush } = await import("./push.ts");
      const sources = (): readonly MetricSource[] => this.#sources();
      this.#push = new MetricsPush(push, { sources, logger, pause, wallMs: Date.now });
      await this.#push.start();
    } catch (error) {
      logger.warn({ err: error, type: push.type }, "metrics are not sent: the exporter cannot be started");
    }
  }

  #sources(): readonly MetricSource[] {
    return [...this.#observed.sources(), this.#own];
  }

  async #text(): Promise<string> {
    const { prometheusText } = await import("./prometheus-text.ts");
    return prometheusText(await collect(this.#sources(), this.#settings.pointsMax, pause), pause);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    const push = this.#push;
    this.#push = undefined;
    await push
      ?.stop()
      .catch((error: unknown) =>
        this.#observed.logger.warn({ err: error }, "the exporter of metrics could not be stopped in order"),
      );
    await this.#endpoint?.close();
    this.#endpoint = undefined;
  }
}
