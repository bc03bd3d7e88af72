/**
 * Listens on the simulated wires: counts requests by who answered them and their code, and tells what offsets
 * consumers commit at the moment the bytes leave their process.
 */
import type { SimConnection } from "@orbitmq/host/sim";
import {
  ackMessageRequestHeader,
  decodeCommand,
  FLAG_RESPONSE,
  isResponse,
  PullSysFlag,
  pullMessageRequestHeader,
  type RemotingCommand,
  RequestCode,
  ResponseCode,
  SERIALIZE_ROCKETMQ,
  updateConsumerOffsetRequestHeader,
} from "@orbitmq/wire";
import { HeaderStream } from "./header-stream.ts";

/** A group told the broker at `address` that everything below `offset` is consumed. */
export interface SeenCommit {
  readonly group: string;
  readonly topic: string;
  readonly queueId: number;
  readonly offset: number;
  /** The broker's machine. */
  readonly brokerHost: string;
  /** The broker's process was there to receive it, and takes it whatever else it thinks of the request. */
  readonly reaches: boolean;
}

/** A group acknowledged a message that it had popped. */
export type SeenAcknowledgement = Omit<SeenCommit, "reaches">;

/** A pull that carried a commit was answered in a way that says that the commit was taken. */
export interface TakenCommit extends Omit<SeenCommit, "reaches"> {
  /** When the pull was sent. */
  readonly sentMs: number;
}

export class FrameTap {
  /** Request code → how often it was sent. */
  readonly requests = new Map<number, number>();
  /** Response code → how often it was answered. */
  readonly responses = new Map<number, number>();
  frames = 0;
  readonly #events: CommitEvents;
  /** Pulls with a commit that have no answer yet, by the connection they were sent on and their opaque. */
  readonly #pulls = new Map<SimConnection, Map<number, TakenCommit>>();
  readonly #streams = new Map<SimConnection, HeaderStream>();

  constructor(events: CommitEvents) {
    this.#events = events;
  }

  chunk(from: SimConnection, chunk: Buffer): void {
    let stream = this.#streams.get(from);
    if (stream === undefined) {
      stream = new HeaderStream((buffer, start, end) => this.#header(from, buffer, start, end));
      this.#streams.set(from, stream);
    }
    stream.feed(chunk);
  }

  #header(from: SimConnection, buffer: Buffer, start: number, end: number): void {
    this.frames++;
    // Headers in the ROCKETMQ encoding have code and flag in fixed places; few others are decoded.
    if (buffer[start + SERIALIZE_TYPE_AT] === SERIALIZE_ROCKETMQ) {
      const code = buffer.readInt16BE(start + CODE_AT);
      const isAnswer = (buffer.readInt32BE(start + FLAG_AT) & FLAG_RESPONSE) !== 0;
      if (isAnswer || !COMMITTING.has(code)) {
        add(isAnswer ? this.responses : this.requests, code);
        if (isAnswer) this.#answered(from, buffer.readInt32BE(start + OPAQUE_AT), code);
        return;
      }
    }
    // A frame without its body, for as long as it is looked at.
    const alone = buffer.subarray(start, end);
    const totalBytes = alone.readInt32BE(0);
    alone.writeInt32BE(alone.length - 4, 0);
    this.#count(from, decodeCommand(alone));
    alone.writeInt32BE(totalBytes, 0);
  }

  #count(from: SimConnection, command: RemotingCommand): void {
    const { code, ext } = command;
    add(isResponse(command) ? this.responses : this.requests, code);
    if (isResponse(command)) {
      this.#answered(from, command.opaque, code);
      return;
    }
    if (code === RequestCode.PULL_MESSAGE) {
      const header = pullMessageRequestHeader.decode(ext);
      // A pull that is refused, as before the broker knows the group again, commits nothing.
      if ((header.sysFlag & PullSysFlag.COMMIT_OFFSET) === 0) return;
      this.#tell(from, header, false);
      this.#pulled(from, command.opaque, header);
    } else if (code === RequestCode.UPDATE_CONSUMER_OFFSET) {
      this.#tell(from, updateConsumerOffsetRequestHeader.decode(ext), from.out.reaches);
    } else if (code === RequestCode.ACK_MESSAGE) {
      const { consumerGroup: group, topic, queueId, offset } = ackMessageRequestHeader.decode(ext);
      this.#events.acknowledging({ group, topic, queueId, offset, brokerHost: from.remote.host });
    }
  }

  #tell(from: SimConnection, header: CommitHeader, reaches: boolean): void {
    const { consumerGroup: group, topic, queueId, commitOffset: offset } = header;
    const brokerHost = from.remote.host;
    this.#events.committed({ group, topic, queueId, offset, brokerHost, reaches });
  }

  #pulled(from: SimConnection, opaque: number, header: CommitHeader): void {
    const { consumerGroup: group, topic, queueId, commitOffset: offset } = header;
    let pulls = this.#pulls.get(from);
    if (pulls === undefined) {
      pulls = new Map();
      this.#pulls.set(from, pulls);
    }
    const sentMs = from.host.world.nowMs;
    pulls.set(opaque, { group, topic, queueId, offset, brokerHost: from.remote.host, sentMs });
  }

  #answered(from: SimConnection, opaque: number, code: number): void {
    const asker = from.incoming.sender;
    const pulls = this.#pulls.get(asker);
    const pull = pulls?.get(opaque);
    if (pull === undefined) return;
    pulls?.delete(opaque);
    if (PULLED.has(code)) this.#events.taken(pull);
  }
}

export interface CommitEvents {
  committed(commit: SeenCommit): void;
  taken(commit: TakenCommit): void;
  acknowledging(acknowledgement: SeenAcknowledgement): void;
}

interface CommitHeader {
  readonly consumerGroup: string;
  readonly topic: string;
  readonly queueId: number;
  readonly commitOffset: number;
}

/** Where a frame has what; see wire's frame and binary header. */
const SERIALIZE_TYPE_AT = 4;
const CODE_AT = 8;
const OPAQUE_AT = 13;
const FLAG_AT = 17;
const COMMITTING: ReadonlySet<number> = new Set([
  RequestCode.PULL_MESSAGE,
  RequestCode.UPDATE_CONSUMER_OFFSET,
  RequestCode.ACK_MESSAGE,
]);

/** Answers to a pull that was run. */
const PULLED: ReadonlySet<number> = new Set([
  ResponseCode.SUCCESS,
  ResponseCode.PULL_NOT_FOUND,
  ResponseCode.PULL_RETRY_IMMEDIATELY,
  ResponseCode.PULL_OFFSET_MOVED,
]);

function add(counts: Map<number, number>, code: number): void {
  counts.set(code, (counts.get(code) ?? 0) + 1);
}
