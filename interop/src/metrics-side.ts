/**
 * One broker under the comparison of metrics: what Java clients do with it, the same numbers of everything at each, and
 * what its endpoint then tells. Consumers stay online, some of them behind, so that there is a lag to tell.
 */
import { type Exposition, parseExposition } from "orbitmq/testing/prometheus";
import { deliveriesIn } from "./delivery.ts";
import type { JavaClients, JavaRun, ProgramArgs } from "./java-client.ts";

/** Messages by what is done with them. */
export const work = {
  batches: 2,
  batchSize: 3,
  /** Consumed by both groups, these and the next. */
  first: 24,
  fifo: 2,
  /** To each of the two queues, after the group that is behind has stopped consuming. */
  later: 20,
  /** Which it takes in such pieces, until it has more than one. */
  piece: 4,
  retried: 2,
  dead: 3,
  delayed: 3,
  delivered: 2,
  timed: 2,
  committed: 2,
  rolledBack: 1,
  undecided: 1,
  popped: 6,
  poppedTwice: 1,
} as const;

export class MetricsSide {
  readonly #clients: JavaClients;
  readonly #namesrv: string;
  readonly #metricsUrl: string;
  readonly #online: JavaRun[] = [];

  constructor(clients: JavaClients, namesrv: string, metricsAddr: string) {
    this.#clients = clients;
    this.#namesrv = namesrv;
    this.#metricsUrl = `http://${metricsAddr}/metrics`;
  }

  async scrape(): Promise<Exposition> {
    const response = await fetch(this.#metricsUrl);
    if (!response.ok) throw new Error(`${this.#metricsUrl}: ${response.status}`);
    return parseExposition(await response.text());
  }

  /** Topics and groups. What mqadmin says can only be told from what clients say while there are none. */
  async prepare(): Promise<void> {
    for (const topic of [
      "counted",
      "batches",
      "retried",
      "dying",
      "later",
      "decided",
      "popped",
      "poppedTwice",
    ]) {
      await this.#admin(`updateTopic -c DefaultCluster -t ${topic} -r 2 -w 2`);
    }
    for (const group of ["poppers", "refusers"]) {
      await this.#admin(`updateSubGroup -c DefaultCluster -g ${group}`);
    }
    for (const [topic, group] of [
      ["popped", "poppers"],
      ["poppedTwice", "refusers"],
    ]) {
      await this.#admin(`setConsumeMode -c DefaultCluster -t ${topic} -g ${group} -m POP -q 0`);
    }
  }

  /** Resolves when everything was sent, and consumed by whom it was meant for. */
  async work(): Promise<void> {
    await Promise.all([
      this.#counted(),
      this.#retried(),
      this.#dead(),
      this.#later(),
      this.#decided(),
      this.#popped(),
    ]);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#online.map((run) => run.stop()));
  }

  /** Two groups, of which one consumes everything and the other what is sent first. */
  async #counted(): Promise<void> {
    const topic = "counted";
    const { first, batches, batchSize: size, fifo, later, piece } = work;
    await this.#produce({ topic: "batches", count: batches * size, mode: "batch", "batch-size": size });
    for (const queue of [0, 1]) await this.#produce({ topic, queue, count: first / 2 });
    await this.#produce({ topic, count: fifo, property: "__SHARDINGKEY=one" });
    const count = first + fifo;
    await this.#consume({ topic, group: "behind", count });
    for (const queue of [0, 1])
      await this.#produce({ topic, queue, count: later, keys: "later-", size: 5_000 });
    await this.#stays({ topic, group: "upToDate" }, count + 2 * later);
    const slow = { "pull-batch": piece, cache: piece, order: "orderly", refuse: 1_000_000 };
    await this.#stays({ topic, group: "behind", ...slow }, 0);
  }

  async #retried(): Promise<void> {
    await this.#produce({ topic: "retried", count: work.retried });
    await this.#stays(
      { topic: "retried", group: "retrying", refuse: 1, "refuse-delay-level": 1 },
      work.retried,
    );
  }

  async #dead(): Promise<void> {
    await this.#produce({ topic: "dying", count: work.dead });
    const consumer = await this.#stays(
      { topic: "dying", group: "failing", refuse: 1, "max-reconsume-times": 0 },
      0,
    );
    const refused = () => consumer.lines.filter((line) => line["accepted"] === false).length;
    await consumer.until(() => (refused() >= work.dead ? true : undefined));
  }

  async #later(): Promise<void> {
    const topic = "later";
    await this.#produce({ topic, count: work.delayed, "delay-level": 18 });
    await this.#produce({ topic, count: work.delivered, "delay-level": 1 });
    await this.#produce({ topic, count: work.timed, "delay-ms": 3_600_000 });
    await this.#produce({ topic, count: work.delivered, "delay-ms": 1_000 });
    await this.#consume({ topic, group: "later", count: 2 * work.delivered });
  }

  async #decided(): Promise<void> {
    const at = { namesrv: this.#namesrv, topic: "decided" };
    for (const [outcome, count] of [
      ["commit", work.committed],
      ["rollback", work.rolledBack],
      ["unknown", work.undecided],
    ] as const) {
      await this.#clients.run("transact", { ...at, outcome, count, checks: 0 });
    }
    await this.#stays({ topic: "decided", group: "deciders" }, work.committed);
  }

  async #popped(): Promise<void> {
    const pop = { "pop-invisible-ms": 60_000 };
    await this.#produce({ topic: "popped", count: work.popped });
    await this.#produce({ topic: "poppedTwice", count: work.poppedTwice });
    await Promise.all([
      this.#stays({ topic: "popped", group: "poppers", ...pop }, work.popped),
      this.#stays({ topic: "poppedTwice", group: "refusers", refuse: 1, ...pop }, work.poppedTwice),
    ]);
  }

  async #admin(command: string): Promise<void> {
    const [printed] = await this.#clients.run("admin", { line: `${command} -n ${this.#namesrv}` });
    const stderr = String(printed?.["stderr"]);
    if (/SubCommandException|^Caused by/m.test(stderr)) throw new Error(`${command}\n${stderr}`);
  }

  async #produce(args: ProgramArgs): Promise<void> {
    await this.#clients.run("produce", { namesrv: this.#namesrv, ...args });
  }

  async #consume(args: ProgramArgs): Promise<void> {
    await this.#clients.run("consume", { namesrv: this.#namesrv, ...args });
  }

  /** A consumer that stays online; resolves when it has accepted so many. */
  async #stays(args: ProgramArgs, count: number): Promise<JavaRun> {
    const run = this.#clients.start("consume", { namesrv: this.#namesrv, "idle-ms": 600_000, ...args });
    this.#online.push(run);
    await run.line((line) => line["ready"] === true);
    await run.until(() => (deliveriesIn(run.lines).length >= count ? true : undefined));
    return run;
  }
}
