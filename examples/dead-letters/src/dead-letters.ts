/** What could not be consumed: looked at without consuming it, and sent once more when the reason is gone. */
import { type ClientOptions, type Producer, Reader, type ReceivedMessage } from "@orbitmq/client";

/** The topic they were sent to, as the broker notes it. */
const topicOf = ({ properties }: ReceivedMessage): string => properties["RETRY_TOPIC"] ?? "";

export interface DeadLetter {
  readonly msgId: string;
  readonly topic: string;
  readonly keys: readonly string[];
  readonly text: string;
  /** Attempts that failed. */
  readonly attempts: number;
  readonly diedAt: Date;
}

async function* lettersOf(options: ClientOptions, group: string): AsyncGenerator<ReceivedMessage> {
  const reader = new Reader(options);
  await reader.start();
  try {
    yield* reader.read(`%DLQ%${group}`, { from: "first", follow: false });
  } finally {
    await reader.shutdown();
  }
}

/** The group's dead letters, oldest first. */
export async function deadLetters(options: ClientOptions, group: string): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for await (const message of lettersOf(options, group))
    letters.push({
      msgId: message.msgId,
      topic: topicOf(message),
      keys: message.keys,
      text: message.text(),
      attempts: message.reconsumeTimes,
      diedAt: new Date(message.storeTimestamp),
    });
  return letters;
}

/** Sends those once more that are chosen; gives their count. They stay dead letters, too, until retention. */
export async function sendAgain(
  options: ClientOptions,
  producer: Producer,
  group: string,
  choose: (letter: ReceivedMessage) => boolean = () => true,
): Promise<number> {
  let sent = 0;
  for await (const message of lettersOf(options, group)) {
    if (!choose(message)) continue;
    const { tag, keys, body } = message;
    await producer.send({
      topic: topicOf(message),
      body: body,
      ...(tag === undefined ? {} : { tag }),
      ...(keys.length === 0 ? {} : { keys }),
    });
    sent++;
  }
  return sent;
}
