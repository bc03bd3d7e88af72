/**
 * Whether a group pulls or pops a topic, as an administrator has chosen, with its file messageRequestMode.json
 * (RocketMQ: MessageRequestModeManager). A choice is answered once the file has it.
 */
import type { HostError, Logger } from "@orbitmq/host";
import type { StateFile } from "@orbitmq/store";
import {
  type MessageRequestModeSetting,
  messageRequestModesToJson,
  parseMessageRequestModes,
} from "@orbitmq/wire";
import { formatPrettyFastjson } from "../pretty-fastjson.ts";

export interface RequestModesNeeds {
  readonly logger: Logger;
  /** Absent: nothing is kept. */
  readonly file: StateFile | undefined;
}

export class RequestModes {
  readonly #needs: RequestModesNeeds;
  /** topic → group. */
  readonly #topics = new Map<string, Map<string, MessageRequestModeSetting>>();

  constructor(needs: RequestModesNeeds) {
    this.#needs = needs;
  }

  load(): void {
    const { file, logger } = this.#needs;
    const loaded = file?.load(parseMessageRequestModes);
    for (const setting of loaded?.value ?? []) this.#put(setting);
    if (file?.isLost === true) {
      logger.error("messageRequestMode.json is lost: which groups pop must be chosen again");
    }
  }

  get(topic: string, group: string): MessageRequestModeSetting | undefined {
    return this.#topics.get(topic)?.get(group);
  }

  all(): MessageRequestModeSetting[] {
    return [...this.#topics.values()].flatMap((groups) => [...groups.values()]);
  }

  /** `done` is called once the file has it, or could not be written. */
  set(setting: MessageRequestModeSetting, done: (error: HostError | undefined) => void): void {
    this.#put(setting);
    const { file } = this.#needs;
    if (file === undefined) done(undefined);
    else file.save(this.#format(), done);
  }

  /** Ends what the file has under way. */
  stop(): void {
    this.#needs.file?.close();
  }

  #put(setting: MessageRequestModeSetting): void {
    const groups = this.#topics.get(setting.topic) ?? new Map<string, MessageRequestModeSetting>();
    this.#topics.set(setting.topic, groups.set(setting.consumerGroup, setting));
  }

  #format(): string {
    return formatPrettyFastjson(messageRequestModesToJson(this.all()));
  }
}
