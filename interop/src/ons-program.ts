/**
 * Node's ali-ons as a program, as the Java and Go ones are: `produce` or `consume`, options as `--name value`, JSON
 * lines. A process of its own, because this client goes on connecting for ever, whatever becomes of its test.
 */
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import { bodyOf } from "./delivery.ts";

/** The part of ali-ons that is used here; it has no types of its own. */
interface OnsMessage {
  readonly msgId: string;
  readonly topic: string;
  readonly body: Buffer;
  keys: string | readonly string[];
  readonly tags: string;
  readonly queueId: number;
  readonly queueOffset: number;
  readonly reconsumeTimes: number;
  readonly properties: Readonly<Record<string, string>>;
}
interface OnsClient {
  ready(): Promise<void>;
  on(event: "error", listener: (error: Error) => void): void;
}
type OnsProducer = OnsClient & { send(message: OnsMessage): Promise<{ sendStatus: string; msgId: string }> };
type OnsConsumer = OnsClient & {
  subscribe(topic: string, tags: string, listener: (message: OnsMessage) => Promise<void>): void;
  close(): Promise<void>;
};
interface Ons {
  readonly Producer: new (options: object) => OnsProducer;
  readonly Consumer: new (options: object) => OnsConsumer;
  readonly Message: new (topic: string, tag: string, body: Buffer) => OnsMessage;
}
const ons = createRequire(import.meta.url)("ali-ons") as Ons;

const option = { type: "string", default: "" } as const;
const {
  positionals: [what],
  values: { namesrv, topic, keys, count, tag, group },
} = parseArgs({
  allowPositionals: true,
  options: { namesrv: option, topic: option, keys: option, count: option, tag: option, group: option },
});
const say = (line: object) => console.log(JSON.stringify(line));
const fail = (error: unknown): never => {
  console.error(error);
  process.exit(1);
};
const options = {
  nameSrv: namesrv,
  logger: { info() {}, debug() {}, warn() {}, error: console.error },
  // It asks for its NameServers by HTTP unless it is told them.
  httpclient: { request: () => fail("no HTTP is needed") },
};

async function produce(): Promise<void> {
  const producer = new ons.Producer({ ...options, producerGroup: "ons-producer" });
  producer.on("error", fail);
  await producer.ready();
  for (let i = 0; i < Number(count); i++) {
    const message = new ons.Message(topic, tag, Buffer.from(bodyOf(`${keys}${i}`, 64)));
    message.keys = [`${keys}${i}`];
    const { sendStatus, msgId } = await producer.send(message);
    if (sendStatus !== "SEND_OK") fail(sendStatus);
    say({ msgId });
  }
}

async function consume(): Promise<void> {
  const place = { consumerGroup: group, consumeFromWhere: "CONSUME_FROM_FIRST_OFFSET" };
  const consumer = new ons.Consumer({ ...options, ...place });
  // It tells of the missing route of its retry topic until its first heartbeat has made that.
  consumer.on("error", (error) => console.error(error.message));
  let got = 0;
  await new Promise<void>((resolve) =>
    consumer.subscribe(topic, tag, async (message) => {
      const { msgId, body, queueId, queueOffset, reconsumeTimes, properties } = message;
      const told = Array.isArray(message.keys) ? message.keys.join(" ") : message.keys;
      say({
        ...{
          accepted: true,
          topic: message.topic,
          keys: told,
          tags: message.tags,
          queueId,
          queueOffset,
          msgId,
        },
        ...{
          bodyBytes: body.length,
          bodySha256: createHash("sha256").update(body).digest("hex"),
          properties,
        },
        ...{ flag: 0, bornHost: "", storeHost: "", reconsumeTimes },
      });
      // Not before this listener's promise was followed: only then does the message count as consumed.
      if (++got === Number(count)) setImmediate(resolve);
    }),
  );
  // Commits what it consumed.
  await consumer.close();
}

(what === "produce" ? produce() : consume()).then(() => process.exit(0), fail);
