/**
 * Committed offsets with their file. A commit is bounded by the queue's readable end, so that nothing is kept
 * or shown that a crash could take back; the file is written some seconds after the first change, and at stop.
 */
import type { Clock, Logger, TimerHandle, Timers } from "@orbitmq/host";
import type { MessageStore, StateFile } from "@orbitmq/store";
import { type Offsets, parseOffsets } from "./offsets.ts";
import { PendingResets } from "./pending-resets.ts";

export interface OffsetRegistryNeeds {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly offsets: Offsets;
  readonly store: Pick<MessageStore, "readableEnd">;
  /** Absent: nothing is kept. */
  readonly file: StateFile | undefined;
  readonly flushConsumerOffsetInterval: number;
}

export class OffsetRegistry {
  readonly offsets: Offsets;
  readonly #needs: OffsetRegistryNeeds;
  #timer: TimerHandle | undefined;
  #timerAtMs = 0;
  /** Changes made, and how many of them the file holds for certain. */
  #changes = 0;
  #saved = 0;
  #stopped = false;
  readonly #resets = new PendingResets();
  #popMark: number | undefined;
  /** What somebody has set is not to be undone by pops before it. */
  #popMarkMin = 0;
  #popMarkOf: ((atReset: boolean) => number) | undefined;

  constructor(needs: OffsetRegistryNeeds) {
    this.offsets = needs.offsets;
    this.#needs = needs;
  }

  /**
   * Reads consumerOffset.json. An offset past its queue's end was committed for messages that a crash took
   * back; it is set to the end before anything is appended, lest new messages are skipped.
   */
  load(): void {
    const { file, store, clock, logger } = this.#needs;
    const loaded = file?.load(parseOffsets);
    if (loaded === undefined) {
      if (file?.isLost === true) {
        logger.error(
          "all committed offsets are lost: every group begins where a new one would, unless somebody sets them",
        );
      }
      return;
    }
    if (loaded.from === "backup") {
      logger.warn(
        "offsets committed after the backup was made are lost: groups get what came since once more",
      );
    }
    this.offsets.restore(loaded.value);
    this.#popMark = loaded.value.popMark;
    for (const { group, topic, queueId, offset } of this.offsets.beyond((t, q) => store.readableEnd(t, q))) {
      const end = store.readableEnd(topic, queueId);
      this.offsets.apply({ kind: "offset-commit", group, topic, queueId, offset: end, atMs: clock.wallMs() });
      logger.warn(
        { group, topic, queueId, from: offset, to: end, count: offset - end },
        "a committed offset lay beyond the end of its queue; set back to the end",
      );
      this.#changed();
    }
    if (this.#changes > 0) this.#saveSetBack();
  }

  get(group: string, topic: string, queueId: number): number | undefined {
    return this.offsets.get(group, topic, queueId);
  }

  /**
   * `from` names the client in the log. Negative offsets mean "none" in RocketMQ and change nothing; nothing does
   * while a reset waits to be told.
   */
  commit(group: string, topic: string, queueId: number, offset: number, from: string): void {
    if (!this.#resets.has(group, topic, queueId)) this.#commit(group, topic, queueId, offset, from);
  }

  #commit(group: string, topic: string, queueId: number, offset: number, from: string): void {
    if (offset < 0) return;
    const { store, clock, logger } = this.#needs;
    const end = store.readableEnd(topic, queueId);
    const bounded = Math.min(offset, end);
    const known = this.offsets.get(group, topic, queueId);
    if (known === bounded) return;
    if (bounded < offset) {
      logger.warn(
        { group, topic, queueId, offset, end, from },
        "an offset beyond the queue's end was committed as the end",
      );
    } else if (known !== undefined && bounded < known) {
      logger.warn({ group, topic, queueId, offset, known, from }, "a committed offset went back");
    }
    this.offsets.apply({
      kind: "offset-commit",
      group,
      topic,
      queueId,
      offset: bounded,
      atMs: clock.wallMs(),
    });
    this.#changed();
  }

  /** Up to where in the log the offsets that were loaded know of pops; `undefined`: nobody can tell. */
  get loadedPopMark(): number | undefined {
    return this.#popMark;
  }

  /** Writes from now on with the offsets which pops they know of; the first time at once. */
  markPops(popMarkOf: (atReset: boolean) => number): void {
    this.#popMarkOf = popMarkOf;
    this.#changed(0);
  }

  /** Forgets all offsets of a group. */
  forget(group: string): void {
    if (this.offsets.topicsOf(group).length === 0) return;
    this.#resets.forgetGroup(group);
    this.offsets.apply({ kind: "group-forget", group, atMs: this.#needs.clock.wallMs() });
    this.#willed();
  }

  /** Forgets all offsets of a topic. */
  forgetTopic(topic: string): void {
    if (this.offsets.groupsOf(topic).length === 0) return;
    this.#resets.forgetTopic(topic);
    this.offsets.apply({ kind: "topic-forget", topic, atMs: this.#needs.clock.wallMs() });
    this.#willed();
  }

  /** `to` takes over what `from` has of a topic. */
  clone(from: string, to: string, topic: string, by: string): void {
    for (const [queueId, offset] of this.offsets.queuesOf(from, topic)) {
      this.commit(to, topic, queueId, offset, by);
    }
  }

  /**
   * Sets a group's offset on behalf of an administrator: the next pull of the queue is told to go there, and until
   * then nothing a member commits counts (RocketMQ: assignResetOffset). A restart forgets whom to tell, not the
   * offset.
   */
  reset(group: string, topic: string, queueId: number, offset: number, by: string): void {
    this.#commit(group, topic, queueId, offset, by);
    this.#willed();
    this.#resets.put(group, topic, queueId, Math.min(offset, this.#needs.store.readableEnd(topic, queueId)));
  }

  /** The offset a pull of this queue must be sent to, once (RocketMQ: queryThenEraseResetOffset). */
  takeReset(group: string, topic: string, queueId: number): number | undefined {
    return this.#resets.take(group, topic, queueId);
  }

  /** Stops the timer and writes what is not written for certain; a save in flight is not. Throws HostError. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    const { file } = this.#needs;
    try {
      if (this.#saved !== this.#changes) file?.saveSync(this.#format());
      this.#saved = this.#changes;
    } finally {
      file?.close();
    }
  }

  /**
   * Before anything is appended, and in the backup, too: an offset that lies beyond the end only until the queue
   * has grown past it would be believed by the next start.
   */
  #saveSetBack(): void {
    const { file, logger } = this.#needs;
    try {
      for (let copies = 0; copies < 2; copies += 1) file?.saveSync(this.#format());
      this.#saved = this.#changes;
      this.#timer?.cancel();
      this.#timer = undefined;
    } catch (error) {
      logger.error({ err: error }, "offsets that were set back cannot be saved yet; trying again");
    }
  }

  /** Somebody's will is written at once, and no pop before it counts against it. */
  #willed(): void {
    this.#popMarkMin = Math.max(this.#popMarkMin, this.#popMarkOf?.(true) ?? 0);
    this.#changed(0);
  }

  #format(): string {
    const mark = this.#popMarkOf?.(false);
    this.#popMark = mark === undefined ? this.#popMark : Math.max(mark, this.#popMarkMin);
    return this.offsets.format(this.#popMark);
  }

  #changed(withinMs = this.#needs.flushConsumerOffsetInterval): void {
    this.#changes++;
    const { file, timers, clock } = this.#needs;
    if (file === undefined || this.#stopped) return;
    const atMs = clock.monotonicMs() + withinMs;
    if (this.#timer !== undefined && this.#timerAtMs <= atMs) return;
    this.#timer?.cancel();
    this.#timerAtMs = atMs;
    this.#timer = timers.after(withinMs, () => {
      this.#timer = undefined;
      const changes = this.#changes;
      file.save(this.#format(), (error) => {
        // After a failure the file tries again by itself; what matters here is that stop writes, too.
        if (error === undefined) this.#saved = Math.max(this.#saved, changes);
      });
    });
  }
}
