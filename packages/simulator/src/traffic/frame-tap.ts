/**
 * Listens on the simulated wires: counts requests by who answered them and their code, and tells what offsets
 * consumers commit at the moment the bytes leave their process.
 */
import type { SimConnection } from "@orbitmq/host/sim";
import {
  decodeCommand,
  FrameDecoder,
  isResponse,
  PullSysFlag,
  pullMessageRequestHeader,
  RequestCode,
  updateConsumerOffsetRequestHeader,
} from "@orbitmq/wire";

/** A group told the broker at `address` that everything below `offset` is consumed. */
export interface SeenCommit {
  readonly group: string;
  readonly topic: string;
  readonly queueId: number;
  readonly offset: number;
  /** The broker's machine. */
  readonly brokerHost: string;
  /** The broker's process was there to receive it. */
  readonly reaches: boolean;
}

export class FrameTap {
  /** Request code → how often it was sent. */
  readonly requests = new Map<number, number>();
  /** Response code → how often it was answered. */
  readonly responses = new Map<number, number>();
  frames = 0;
  readonly #onCommit: (commit: SeenCommit) => void;
  readonly #decoders = new Map<SimConnection, FrameDecoder>();

  constructor(onCommit: (commit: SeenCommit) => void) {
    this.#onCommit = onCommit;
  }

  chunk(from: SimConnection, chunk: Uint8Array): void {
    let decoder = this.#decoders.get(from);
    if (decoder === undefined) {
      decoder = new FrameDecoder((buffer, start, end) => this.#frame(from, buffer, start, end));
      this.#decoders.set(from, decoder);
    }
    decoder.feed(chunk);
  }

  #frame(from: SimConnection, buffer: Buffer, start: number, end: number): void {
    const command = decodeCommand(buffer, start, end);
    this.frames++;
    if (isResponse(command)) {
      this.responses.set(command.code, (this.responses.get(command.code) ?? 0) + 1);
      return;
    }
    const { code } = command;
    this.requests.set(code, (this.requests.get(code) ?? 0) + 1);
    const brokerHost = from.remote.host;
    if (code === RequestCode.UPDATE_CONSUMER_OFFSET) {
      const header = updateConsumerOffsetRequestHeader.decode(command.ext);
      const { consumerGroup: group, topic, queueId, commitOffset: offset } = header;
      this.#onCommit({ group, topic, queueId, offset, brokerHost, reaches: from.out.reaches });
    } else if (code === RequestCode.PULL_MESSAGE) {
      const header = pullMessageRequestHeader.decode(command.ext);
      if ((header.sysFlag & PullSysFlag.COMMIT_OFFSET) === 0) return;
      const { consumerGroup: group, topic, queueId, commitOffset: offset } = header;
      this.#onCommit({ group, topic, queueId, offset, brokerHost, reaches: from.out.reaches });
    }
  }
}
