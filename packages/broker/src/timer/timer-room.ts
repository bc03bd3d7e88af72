/**
 * Whether a message for a time may wait for it, and as what it is stored meanwhile (RocketMQ:
 * HookUtils.handleScheduleMessage).
 */
import type { Clock, Random } from "@orbitmq/host";
import {
  encodeRecallHandle,
  getProperty,
  MessageConst,
  type RecordInput,
  Refusal,
  ResponseCode,
  type TimerTrigger,
} from "@orbitmq/wire";
import { deliverAt, deliverAtOf, timedMessage, timerOutOf } from "./timed-message.ts";
import type { TimerService } from "./timer-service.ts";

export interface TimerRoomNeeds {
  readonly options: { readonly brokerName: string; readonly timerMaxDelaySec: number };
  readonly clock: Clock;
  readonly random: Random;
  readonly timed: Pick<TimerService, "isEnabled" | "isCongested" | "isOver" | "stored">;
}

export interface PlacedTimer {
  readonly message: RecordInput;
  /** With it the message can be taken back. */
  readonly recallHandle: string;
}

export class TimerRoom {
  readonly #needs: TimerRoomNeeds;

  constructor(needs: TimerRoomNeeds) {
    this.#needs = needs;
  }

  /**
   * The slot of a message with one of TIMER_DELAY_SEC, TIMER_DELAY_MS and TIMER_DELIVER_MS; `undefined` when it is to
   * be delivered at once. Throws Refusal: 13 when the time is none or too far ahead, 1 when there are no timers or the
   * second has all it may.
   */
  slotOf(properties: string): number | undefined {
    const nowMs = this.#needs.clock.wallMs();
    const deliverAtMs = deliverAtOf(properties, nowMs);
    if (deliverAtMs === undefined) return undefined;
    const deletes = getProperty(properties, MessageConst.TIMER_DEL_UNIQKEY) !== undefined;
    return this.#slotAt(deliverAtMs, nowMs, deletes);
  }

  /** The same for a message that asks for a time in this way, and deletes none. */
  slotFor(trigger: TimerTrigger, value: number): number | undefined {
    const nowMs = this.#needs.clock.wallMs();
    return this.#slotAt(deliverAt(trigger, value, nowMs), nowMs, false);
  }

  #slotAt(deliverAtMs: number, nowMs: number, deletes: boolean): number | undefined {
    const { options, random, timed } = this.#needs;
    if (!timed.isEnabled) {
      throw new Refusal(
        ResponseCode.SYSTEM_ERROR,
        "this broker delivers no messages at a time: timerWheelEnable is false, or its store keeps none",
      );
    }
    if (Number.isNaN(deliverAtMs)) throw illegal("its time of delivery is no number");
    const outMs = timerOutOf(deliverAtMs);
    if (deletes && (deliverAtMs <= nowMs || timed.isOver(outMs))) {
      throw illegal("it is to delete a message whose time has come");
    }
    if (deliverAtMs <= nowMs) return undefined;
    const { timerMaxDelaySec } = options;
    if (deliverAtMs - nowMs > timerMaxDelaySec * 1_000) {
      throw illegal(`it is to be delivered in more than ${timerMaxDelaySec} s (timerMaxDelaySec)`);
    }
    if (timed.isCongested(outMs, (bound) => random.int(bound))) {
      throw new Refusal(
        ResponseCode.SYSTEM_ERROR,
        "flow control: as many timed messages as may be are due in that second (timerCongestNumEachSlot)",
      );
    }
    return outMs;
  }

  /** Whether messages of the slot may have left already. */
  isOver(outMs: number): boolean {
    return this.#needs.timed.isOver(outMs);
  }

  /** What `place` made is stored. */
  stored(queueOffset: number): void {
    this.#needs.timed.stored(queueOffset);
  }

  /** The message as it is stored to wait for its slot. */
  place(message: RecordInput, outMs: number): PlacedTimer {
    const uniqKey = getProperty(message.properties, MessageConst.UNIQ_CLIENT_MESSAGE_ID_KEYIDX) ?? "";
    return {
      message: timedMessage(message, outMs),
      recallHandle: this.recallHandle(message.topic, outMs, uniqKey),
    };
  }

  /** With it a message can be taken back. */
  recallHandle(topic: string, outMs: number, uniqKey: string): string {
    const { brokerName } = this.#needs.options;
    return encodeRecallHandle({ topic, brokerName, timestampMs: outMs + 1, uniqKey });
  }
}

function illegal(why: string): Refusal {
  return new Refusal(ResponseCode.MESSAGE_ILLEGAL, `the timed message is illegal: ${why}`);
}
