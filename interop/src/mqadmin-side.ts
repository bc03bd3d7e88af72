/** One cluster under the sweep, with its messages, its consumer and its producer, and the JVM that asks it. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DeadLetters, type Producer } from "@orbitmq/client";
import { deliveriesIn } from "./delivery.ts";
import { type JavaClients, type JavaRun, startJavaClients } from "./java-client.ts";
import { SWEEP_GROUP, SWEEP_TOPIC, type SweepStep } from "./mqadmin-commands.ts";
import { startProducer } from "./our-clients.ts";
import { until } from "./until.ts";

const MESSAGES = 20;
const DEAD_GROUP = "sweep-dead";

export interface Printed {
  readonly stdout: string;
  readonly stderr: string;
}

export class MqadminSide {
  readonly clients: JavaClients;
  readonly #consumer: JavaRun;
  readonly #producer: Producer;
  readonly #words: readonly (readonly [string, string])[];

  private constructor(
    clients: JavaClients,
    consumer: JavaRun,
    producer: Producer,
    words: readonly (readonly [string, string])[],
  ) {
    this.clients = clients;
    this.#consumer = consumer;
    this.#producer = producer;
    this.#words = words;
  }

  /** `folder`: for the JVM's logs and the files that commands read and write. */
  static async start(namesrv: string, broker: string, folder: string): Promise<MqadminSide> {
    mkdirSync(folder, { recursive: true });
    const clients = await startJavaClients({ home: folder });
    const at = { namesrv, topic: SWEEP_TOPIC };
    await clients.run("admin", {
      line: `updateTopic -n ${namesrv} -b ${broker} -t ${SWEEP_TOPIC} -r 2 -w 2`,
    });
    for (const queue of [0, 1]) {
      const keys = queue === 0 ? "key-" : "other-";
      await clients.run("produce", { ...at, count: MESSAGES / 2, queue, keys, tag: "tag" });
    }
    const consumer = clients.start("consume", {
      ...at,
      group: SWEEP_GROUP,
      instance: "swept",
      "idle-ms": 600_000,
    });
    const ready = await consumer.line((line) => line["ready"] === true);
    await consumer.until(() => (deliveriesIn(consumer.lines).length >= MESSAGES ? true : undefined));
    await makeDeadLetters(clients, namesrv);
    const first = deliveriesIn(consumer.lines).find(({ key }) => key === "key-0")!;
    const producer = await startProducer({ namesrv, group: "sweep-producer", clientId: "sweeper" });
    const { offsetMsgId } = await producer.send(
      { topic: SWEEP_TOPIC, body: "hello", keys: "last", tag: "tag" },
      { selector: ([queue]) => queue },
    );
    const files = join(folder, "files");
    mkdirSync(files);
    const topics = join(folder, "topics.json");
    writeFileSync(topics, JSON.stringify([listedTopic("listed-1"), listedTopic("listed-2")]));
    const groups = join(folder, "groups.json");
    writeFileSync(groups, JSON.stringify([{ groupName: "listed-1" }, { groupName: "listed-2" }]));
    return new MqadminSide(clients, consumer, producer, [
      ["BROKER", broker],
      ["NAMESRV", namesrv],
      ["UNIQUE", first.msgId],
      ["PLACE", offsetMsgId],
      ["CLIENT", String(ready["clientId"])],
      ["TOPICS", topics],
      ["GROUPS", groups],
      ["FILES", files],
      ["FOLDER", folder],
    ]);
  }

  /** What a step prints, once it prints what it should: consumers tell their offsets every 5 s only. */
  async print({ line, until: shown }: SweepStep): Promise<Printed> {
    let printed = await this.#run(line);
    if (shown !== undefined && !shown.test(printed.stdout)) {
      await until(`${line} prints ${shown}`, async () => {
        printed = await this.#run(line);
        return shown.test(printed.stdout);
      });
    }
    return printed;
  }

  /** Its own values, for masking: longest first. */
  get words(): readonly (readonly [string, string])[] {
    return this.#words;
  }

  async stop(): Promise<void> {
    await this.#producer.shutdown();
    await this.#consumer.stop();
    await this.clients.stop();
  }

  /** The calls of RocketMQ's Dashboard: what each got, by its name. */
  async dashboard(): Promise<Map<string, Printed>> {
    const value = (name: string): string => this.#words.find(([word]) => word === name)?.[1] ?? "";
    const printed = await this.clients.run("dashboard", {
      namesrv: value("NAMESRV"),
      broker: value("BROKER"),
      topic: SWEEP_TOPIC,
      group: SWEEP_GROUP,
      client: value("CLIENT"),
      unique: value("UNIQUE"),
      key: "key-3",
      dead: DEAD_GROUP,
    });
    return new Map(
      printed.map(({ step, result, refused }) => [
        String(step),
        { stdout: String(result ?? `refused: ${refused}`), stderr: "" },
      ]),
    );
  }

  async #run(line: string): Promise<Printed> {
    let text = line;
    for (const [word, value] of this.#words) text = text.replaceAll(new RegExp(`\\b${word}\\b`, "g"), value);
    const namesrv = this.#words.find(([word]) => word === "NAMESRV")?.[1];
    const [printed] = await this.clients.run("admin", { line: `${text} -n ${namesrv}` });
    return { stdout: String(printed?.["stdout"]), stderr: String(printed?.["stderr"]) };
  }
}

/** A message that its group could not consume at all. */
async function makeDeadLetters(clients: JavaClients, namesrv: string): Promise<void> {
  const topic = "dying";
  await clients.run("produce", { namesrv, topic, count: 1, keys: "dead-", "default-queues": 1 });
  const consumer = clients.start("consume", {
    namesrv,
    topic,
    group: DEAD_GROUP,
    "max-reconsume-times": 0,
    refuse: 1,
  });
  const letters = new DeadLetters({ namesrv });
  await letters.start();
  // What was sent back is a dead letter a moment later.
  while ((await letters.list())[0]?.dead !== 1);
  await letters.shutdown();
  await consumer.stop();
}

const listedTopic = (topicName: string) => ({
  topicName,
  readQueueNums: 2,
  writeQueueNums: 2,
  perm: 6,
  topicFilterType: "SINGLE_TAG",
  topicSysFlag: 0,
  order: false,
  attributes: {},
});
