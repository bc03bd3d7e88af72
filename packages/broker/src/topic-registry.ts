/**
 * The topics of a broker with their file: every change is applied, written to topics.json and told to the
 * NameServers. A message in a new topic is acknowledged only once the file names the topic, so a send asks
 * `isPersisted` and, when it is not, waits.
 *
 * A topic is `changed → persisted`; when the file cannot be written, whoever waits is told, the topic stays
 * `changed`, and the next one who asks starts another attempt.
 */
import type { Clock, HostError, Logger, Timers } from "@orbitmq/host";
import type { MessageStore, StateFile } from "@orbitmq/store";
import { newTopicConfig, type TopicConfig } from "@orbitmq/wire";
import { parseTopics, type Topics } from "./topics.ts";

export type PersistedCallback = (error: HostError | undefined) => void;

export interface TopicRegistryNeeds {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly topics: Topics;
  /** Absent: nothing is kept, and every topic counts as persisted. */
  readonly file: StateFile | undefined;
  readonly onChanged: () => void;
}

export class TopicRegistry {
  readonly topics: Topics;
  readonly #needs: TopicRegistryNeeds;
  /** Topics changed since the last successful write, with those who wait for the next one. */
  readonly #changed = new Map<string, PersistedCallback[]>();
  #saveScheduled = false;

  constructor(needs: TopicRegistryNeeds) {
    this.#needs = needs;
    this.topics = needs.topics;
  }

  /** Reads topics.json, then adds what only the store's queues remember. */
  load(store: Pick<MessageStore, "topics" | "queuesOf">): void {
    const loaded = this.#needs.file?.load(parseTopics);
    if (loaded !== undefined) this.topics.restore(loaded.value);
    for (const topic of store.topics()) {
      if (this.topics.get(topic) !== undefined) continue;
      const queues = Math.max(...store.queuesOf(topic), 0) + 1;
      this.#needs.logger.warn(
        { topic, queues },
        "topics.json does not know a topic that has messages; recovered it",
      );
      this.put(newTopicConfig(topic, { readQueueNums: queues, writeQueueNums: queues }));
    }
  }

  get(topic: string): TopicConfig | undefined {
    return this.topics.get(topic);
  }

  /** Creates or replaces a topic. */
  put(topic: TopicConfig): void {
    this.topics.apply({ kind: "topic-put", topic, atMs: this.#needs.clock.wallMs() });
    if (this.#needs.file !== undefined) {
      if (!this.#changed.has(topic.topicName)) this.#changed.set(topic.topicName, []);
      this.#scheduleSave();
    }
    this.#needs.onChanged();
  }

  isPersisted(topic: string): boolean {
    return this.#changed.size === 0 || !this.#changed.has(topic);
  }

  /** Calls `done` once the file holds the topic as it is now, or could not be written. Never synchronously. */
  whenPersisted(topic: string, done: PersistedCallback): void {
    const waiting = this.#changed.get(topic);
    if (waiting === undefined) {
      this.#needs.timers.afterTurn(() => done(undefined));
      return;
    }
    waiting.push(done);
    this.#scheduleSave();
  }

  /** Writes what is not written yet; for stop. Throws HostError. */
  saveSync(): void {
    if (this.#changed.size > 0) this.#needs.file?.saveSync(this.topics.format());
  }

  /** Changes of one turn make one write. */
  #scheduleSave(): void {
    if (this.#saveScheduled) return;
    this.#saveScheduled = true;
    this.#needs.timers.afterTurn(() => {
      this.#saveScheduled = false;
      this.#save();
    });
  }

  #save(): void {
    const saved = new Map(this.#changed);
    // Who asks from now on waits for a later write; this one holds what they ask for only if nothing changes.
    for (const topic of saved.keys()) this.#changed.set(topic, []);
    const versions = new Map([...saved.keys()].map((topic) => [topic, this.topics.get(topic)]));
    this.#needs.file?.save(this.topics.format(), (error) => {
      for (const [topic, waiting] of saved) {
        if (error === undefined && this.topics.get(topic) === versions.get(topic)) {
          waiting.push(...(this.#changed.get(topic) ?? []));
          this.#changed.delete(topic);
        }
        for (const done of waiting) done(error);
      }
    });
  }
}
