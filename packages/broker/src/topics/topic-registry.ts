/**
 * The topics of a broker with their file: every change is applied, written to topics.json and told to the
 * NameServers. A message in a new topic is acknowledged only once the file names the topic, so a send asks
 * `isPersisted` and, when it is not, waits.
 *
 * A topic is `changed → saving → persisted`, one save at a time; when the file cannot be written, whoever waits
 * is told, the topic is `changed` again, and the next one who asks starts another attempt.
 */
import type { Clock, HostError, Logger, Timers } from "@orbitmq/host";
import type { MessageStore, StateFile } from "@orbitmq/store";
import { newTopicConfig, type TopicConfig } from "@orbitmq/wire";
import { parseTopics, type Topics } from "./topics.ts";

export type PersistedCallback = (error: HostError | undefined) => void;

type Waiting = Map<string, PersistedCallback[]>;

export interface TopicRegistryNeeds {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly topics: Topics;
  /** Absent: nothing is kept, and every topic counts as persisted. */
  readonly file: StateFile | undefined;
  readonly onChanged: (topic: string) => void;
}

export class TopicRegistry {
  readonly topics: Topics;
  readonly #needs: TopicRegistryNeeds;
  /** Topics no save holds yet, each with those who wait for one. */
  #changed: Waiting = new Map();
  /** The same for the save that is running. */
  #saving: Waiting = new Map();
  #isSaving = false;
  /** A save is due at the end of the turn, or after the running one. */
  #isDue = false;

  constructor(needs: TopicRegistryNeeds) {
    this.#needs = needs;
    this.topics = needs.topics;
  }

  /** Reads topics.json, then adds what only the store's queues remember. */
  load(store: Pick<MessageStore, "topics" | "queuesOf">): void {
    const loaded = this.#needs.file?.load(parseTopics);
    if (loaded !== undefined) this.topics.restore(loaded.value);
    if (this.#needs.file?.isLost === true) {
      this.#needs.logger.error(
        "topics.json is lost: topics that have messages are made again, with the defaults; others are gone",
      );
    }
    for (const topic of store.topics()) {
      const known = this.topics.get(topic);
      const queues = Math.max(...store.queuesOf(topic), 0) + 1;
      if (known !== undefined) {
        // A topic may have fewer queues than it once had; a backup may be from before it had more.
        if (loaded?.from === "backup" && known.readQueueNums < queues) this.#widen(known, queues);
        continue;
      }
      this.#needs.logger.warn(
        { topic, queues },
        "topics.json does not know a topic that has messages; recovered it",
      );
      this.put(newTopicConfig(topic, { readQueueNums: queues, writeQueueNums: queues }));
    }
  }

  /**
   * A message that was acknowledged for queue `queueId` of `topic` comes to it only now: when no file knew the topic
   * any more, it is made again; when the topic has fewer queues than it had, that queue can be read all the same.
   */
  recover(topic: string, queueId: number): void {
    const known = this.topics.get(topic);
    const queues = queueId + 1;
    if (known !== undefined) {
      if (queues > known.readQueueNums) {
        this.#needs.logger.warn(
          { topic, from: known.readQueueNums, to: queues },
          "a message comes to a queue that its topic no longer has; it can be read again",
        );
        this.put({ ...known, readQueueNums: queues });
      }
      return;
    }
    this.#needs.logger.warn(
      { topic, queues },
      "topics.json does not know the topic of a message that comes to it only now; recovered it",
    );
    this.put(newTopicConfig(topic, { readQueueNums: queues, writeQueueNums: queues }));
  }

  #widen(topic: TopicConfig, queues: number): void {
    this.#needs.logger.warn(
      { topic: topic.topicName, from: topic.readQueueNums, to: queues },
      "a topic has messages in queues that the backup of topics.json does not know; it has them again",
    );
    this.put({ ...topic, readQueueNums: queues, writeQueueNums: Math.max(topic.writeQueueNums, queues) });
  }

  get(topic: string): TopicConfig | undefined {
    return this.topics.get(topic);
  }

  /** Creates or replaces a topic. */
  put(topic: TopicConfig): void {
    this.topics.apply({ kind: "topic-put", topic, atMs: this.#needs.clock.wallMs() });
    this.#hasChanged(topic.topicName);
  }

  /** Forgets topics; those that are unknown are forgotten already. */
  delete(names: readonly string[]): void {
    for (const topic of names) {
      if (this.topics.get(topic) === undefined) continue;
      this.topics.apply({ kind: "topic-delete", topic, atMs: this.#needs.clock.wallMs() });
      this.#hasChanged(topic);
    }
  }

  #hasChanged(topic: string): void {
    if (this.#needs.file !== undefined) {
      if (!this.#changed.has(topic)) this.#changed.set(topic, []);
      this.#due();
    }
    this.#needs.onChanged(topic);
  }

  isPersisted(topic: string): boolean {
    if (this.#changed.size === 0 && this.#saving.size === 0) return true;
    return !this.#changed.has(topic) && !this.#saving.has(topic);
  }

  /** Calls `done` once the file holds the topic as it is now, or could not be written. Never synchronously. */
  whenPersisted(topic: string, done: PersistedCallback): void {
    const changed = this.#changed.get(topic);
    if (changed !== undefined) {
      changed.push(done);
      this.#due();
      return;
    }
    const saving = this.#saving.get(topic);
    if (saving !== undefined) saving.push(done);
    else this.#needs.timers.afterTurn(() => done(undefined));
  }

  /** Writes what is not written for certain. Throws HostError. */
  stop(): void {
    const { file } = this.#needs;
    try {
      if (this.#changed.size > 0 || this.#isSaving) file?.saveSync(this.topics.format());
    } finally {
      file?.close();
    }
  }

  /** Changes of one turn, and those during a save, make one save. */
  #due(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    if (!this.#isSaving) this.#needs.timers.afterTurn(() => this.#save());
  }

  #save(): void {
    this.#isDue = false;
    this.#isSaving = true;
    this.#saving = this.#changed;
    this.#changed = new Map();
    this.#needs.file?.save(this.topics.format(), (error) => this.#saved(error));
  }

  #saved(error: HostError | undefined): void {
    const saved = this.#saving;
    this.#saving = new Map();
    this.#isSaving = false;
    if (error !== undefined) {
      for (const topic of saved.keys()) if (!this.#changed.has(topic)) this.#changed.set(topic, []);
    }
    if (this.#isDue) this.#save();
    for (const waiting of saved.values()) for (const done of waiting) done(error);
  }
}
