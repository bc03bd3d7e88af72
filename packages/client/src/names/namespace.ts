/**
 * A namespace stands before the names of topics and groups, so that instances of an application share brokers without
 * meeting (RocketMQ: NamespaceUtil). Applications write and see names without it; servers know `space%name`, and
 * `%RETRY%space%group`. Pure.
 */
import { OrbitError } from "../errors/errors.ts";
import type { MessageQueue } from "../message/message.ts";
import { DLQ_PREFIX, isSystemName, RETRY_PREFIX } from "./names.ts";

const SEPARATOR = "%";
const SPACE = /^[a-zA-Z0-9_-]+$/;

export class Namespace {
  /** "": none. */
  readonly name: string;
  readonly #prefix: string;

  /** Throws INVALID_ARGUMENT for characters other than letters, digits, `_` and `-`. */
  constructor(name = "") {
    if (name !== "" && !SPACE.test(name)) {
      const shown = JSON.stringify(name);
      throw new OrbitError(
        "INVALID_ARGUMENT",
        `the namespace ${shown} has other characters than a-z 0-9 _ -`,
      );
    }
    this.name = name;
    this.#prefix = name + SEPARATOR;
  }

  get isNone(): boolean {
    return this.name === "";
  }

  /** A topic's or group's name as servers know it; names of the system's own stay. */
  wrap(resource: string): string {
    if (this.isNone || isSystemName(resource)) return resource;
    const [before, bare] = split(resource);
    return bare.startsWith(this.#prefix) ? resource : before + this.#prefix + bare;
  }

  /** As the application knows it; other namespaces' names stay. */
  unwrap(resource: string): string {
    if (this.isNone) return resource;
    const [before, bare] = split(resource);
    return bare.startsWith(this.#prefix) ? before + bare.slice(this.#prefix.length) : resource;
  }

  wrapQueue(queue: MessageQueue): MessageQueue {
    return this.isNone ? queue : { ...queue, topic: this.wrap(queue.topic) };
  }

  unwrapQueue(queue: MessageQueue): MessageQueue {
    return this.isNone ? queue : { ...queue, topic: this.unwrap(queue.topic) };
  }
}

/** For messages that are shown as they lie. */
export const NO_NAMESPACE = new Namespace();

function split(resource: string): [before: string, bare: string] {
  for (const prefix of [RETRY_PREFIX, DLQ_PREFIX]) {
    if (resource.startsWith(prefix)) return [prefix, resource.slice(prefix.length)];
  }
  return ["", resource];
}
