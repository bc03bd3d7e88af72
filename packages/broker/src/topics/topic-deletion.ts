/**
 * Deletes topics with all that hangs on them: the store's messages, the topics' configuration, the offsets groups have
 * of them, and the retry topics of groups that pop them (RocketMQ: AdminBrokerProcessor.deleteTopic). One deletion at a
 * time, in the order they were asked for.
 *
 *   store says it is on disk → topics and offsets forgotten, in the same turn → topics.json → NameServers
 *
 * A crash before the first has deleted nothing. Behind it the topic has no messages, and may still be there until it is
 * deleted once more. What waits to come to the topic, delayed or as a half, makes it anew when it comes.
 */
import type { Logger } from "@orbitmq/host";
import { type MessageStore, StoreError } from "@orbitmq/store";
import { popRetryTopicV1, popRetryTopicV2, ResponseCode } from "@orbitmq/wire";
import type { GroupRegistry } from "../consumer-groups/group-registry.ts";
import type { OffsetRegistry } from "../consumer-groups/offset-registry.ts";
import { groupOfRetryTopic } from "../names.ts";
import type { PopService } from "../popping/pop-service.ts";
import type { TopicRegistry } from "./topic-registry.ts";

export interface TopicDeletionNeeds {
  readonly logger: Logger;
  readonly store: Pick<MessageStore, "deleteTopics" | "queuesOf" | "topics">;
  readonly topics: TopicRegistry;
  readonly groups: GroupRegistry;
  readonly offsets: OffsetRegistry;
  readonly popping: Pick<PopService, "orders">;
  /** Calls back once every NameServer has taken the topics, or could not be reached. */
  readonly whenRegistered: (done: () => void) => void;
}

export interface DeletionProblem {
  readonly code: number;
  readonly remark: string;
}

type Done = (problem: DeletionProblem | undefined) => void;

interface Job {
  readonly names: readonly string[];
  readonly by: string;
  readonly done: Done;
}

export class TopicDeletion {
  readonly #needs: TopicDeletionNeeds;
  readonly #waiting: Job[] = [];
  #isRunning = false;

  constructor(needs: TopicDeletionNeeds) {
    this.#needs = needs;
  }

  /** `done` is called once it is on disk and NameServers know, or with why not. Names nobody knows are deleted already. */
  delete(names: readonly string[], by: string, done: Done): void {
    this.#waiting.push({ names, by, done });
    if (!this.#isRunning) this.#next();
  }

  /** Topics the store has messages of and no configuration; see 316. */
  unused(): string[] {
    const { store, topics } = this.#needs;
    return store.topics().filter((topic) => topics.get(topic) === undefined);
  }

  #next(): void {
    const job = this.#waiting.shift();
    this.#isRunning = job !== undefined;
    if (job === undefined) return;
    const names = this.#withRetryTopics(job.names);
    this.#needs.store.deleteTopics(names, (error) => {
      if (error === undefined) this.#forget(names, job);
      else {
        this.#needs.logger.error({ err: error, topics: names }, "topics cannot be deleted");
        job.done(problemOf(error));
      }
      this.#next();
    });
  }

  /** In the turn in which the store has deleted: nothing was stored in between. */
  #forget(names: readonly string[], { by, done }: Job): void {
    const { topics, offsets, popping, store, logger, whenRegistered } = this.#needs;
    for (const name of names) {
      for (const group of offsets.offsets.groupsOf(name)) {
        for (const queueId of store.queuesOf(name)) popping.orders.clear(group, name, queueId);
      }
      offsets.forgetTopic(name);
    }
    topics.delete(names);
    logger.info({ topics: names, by }, "topics were deleted");
    let left = names.length;
    let problem: DeletionProblem | undefined;
    for (const name of names) {
      topics.whenPersisted(name, (error) => {
        if (error !== undefined) problem = problemOf(error);
        left -= 1;
        if (left > 0) return;
        if (problem === undefined) whenRegistered(() => done(undefined));
        else done(problem);
      });
    }
  }

  #withRetryTopics(names: readonly string[]): string[] {
    const { topics, groups, offsets } = this.#needs;
    const all = new Set(names);
    for (const name of names) {
      for (const group of offsets.offsets.groupsOf(name)) {
        const v2 = popRetryTopicV2(name, group);
        if (topics.get(v2) !== undefined) all.add(v2);
        const v1 = popRetryTopicV1(name, group);
        // `%RETRY%a_b` may be of group a and topic b, and of group a_b as well.
        if (topics.get(v1) !== undefined && groups.get(groupOfRetryTopic(v1)) === undefined) all.add(v1);
      }
    }
    return [...all];
  }
}

function problemOf(error: Error): DeletionProblem {
  const code =
    error instanceof StoreError && error.code === "STATE"
      ? ResponseCode.SYSTEM_BUSY
      : ResponseCode.SYSTEM_ERROR;
  return { code, remark: error.message };
}
