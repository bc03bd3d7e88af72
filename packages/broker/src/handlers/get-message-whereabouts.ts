/**
 * GET_MESSAGE_WHEREABOUTS (700001, ours): what only the broker knows about messages at some places of its log: whether
 * they are whole and on disk, what they wait for, who has popped them. The client puts it together with what RocketMQ's
 * requests tell (see `Admin.where`).
 *
 *   29   the positions are none, or too many
 *
 * Places are read one after the other, and tables in parts: nobody else waits for it.
 */
import type { Clock } from "@orbitmq/host";
import type { LogPlace } from "@orbitmq/store";
import {
  encodeWhereabouts,
  getMessageWhereaboutsRequestHeader,
  type MessageRecord,
  type MessageWhereabouts,
  Refusal,
  type RequestHandler,
  ResponseCode,
  readRecord,
  WHEREABOUTS_POSITIONS_MAX,
  type WhereaboutsBody,
} from "@orbitmq/wire";
import type { ResolvedBrokerOptions } from "../broker-options.ts";
import { inTurn } from "../consumer-groups/consume-progress.ts";
import type { PopService } from "../popping/pop-service.ts";
import { PopScan } from "../whereabouts/pop-scan.ts";
import {
  filtersOf,
  heldInOrder,
  type RecordWhereaboutsNeeds,
  waitingOf,
} from "../whereabouts/record-whereabouts.ts";

export interface GetMessageWhereaboutsNeeds extends RecordWhereaboutsNeeds {
  readonly clock: Clock;
  readonly options: ResolvedBrokerOptions;
  readonly popping: PopService;
}

const MESSAGES_PER_TURN = 4;
const POSITION = /^\d{1,16}$/;

interface Looked {
  readonly position: number;
  readonly place: LogPlace;
  readonly record: MessageRecord | undefined;
}

export function getMessageWhereabouts(needs: GetMessageWhereaboutsNeeds): RequestHandler {
  const { clock, popping } = needs;
  const { timers } = popping.needs;
  const scan = new PopScan(clock, timers, popping.log.table);
  return (request, exchange) => {
    const positions = positionsOf(getMessageWhereaboutsRequestHeader.decode(request.ext).positions);
    const looked: Looked[] = [];
    inTurn(
      positions,
      (position, next) =>
        needs.store.placeAt(position, (place) => {
          const record = place.state === "whole" ? readRecord(place.record) : undefined;
          looked.push({ position, place, record });
          next();
        }),
      () => {
        const records = looked.flatMap(({ record }) => (record === undefined ? [] : [record]));
        scan.find(records, (pops) => {
          const popsOf = new Map(records.map((record, index) => [record, pops[index] ?? []]));
          const messages: MessageWhereabouts[] = [];
          inTurn(
            looked,
            ({ position, place, record }, next) => {
              if (place.state === "whole" && record !== undefined) {
                messages.push(whole(needs, record, place, popsOf.get(record) ?? []));
              } else {
                const reason = place.state === "whole" ? undefined : place.reason;
                messages.push({ position, state: place.state, reason, filters: [], pops: [] });
              }
              // Tables of thousands of groups are looked through for each message.
              if (messages.length % MESSAGES_PER_TURN === 0) timers.afterTurn(next);
              else next();
            },
            () =>
              exchange.reply({
                code: ResponseCode.SUCCESS,
                body: [encodeWhereabouts(bodyOf(needs, messages))],
              }),
          );
        });
      },
    );
  };
}

function whole(
  needs: GetMessageWhereaboutsNeeds,
  record: MessageRecord,
  { record: bytes, file, fileOffset }: Extract<LogPlace, { state: "whole" }>,
  pops: MessageWhereabouts["pops"],
): MessageWhereabouts {
  const { store } = needs;
  const { physicalOffset: position, totalSize: size, topic, queueId } = record;
  return {
    position,
    state: "whole",
    file,
    fileOffset,
    size,
    flushed: position + size <= store.status().flushedOffset,
    queueMinOffset: store.minOffset(topic, queueId),
    queueMaxOffset: store.readableEnd(topic, queueId),
    ...waitingOf(needs, record),
    filters: filtersOf(needs, record, bytes),
    pops: [...pops, ...heldInOrder(needs, record)],
  };
}

function bodyOf(
  { store, clock, options }: GetMessageWhereaboutsNeeds,
  messages: readonly MessageWhereabouts[],
): WhereaboutsBody {
  const { minOffset, writtenOffset, flushedOffset, state } = store.status();
  const { flushDiskType } = options;
  return {
    nowMs: clock.wallMs(),
    log: { minOffset, writtenOffset, flushedOffset, flushDiskType, state },
    keyIndex: store.keyIndexSpan(),
    messages,
  };
}

/** None is allowed: then only log and index are told of. */
function positionsOf(text: string): number[] {
  const words = text === "" ? [] : text.split(",");
  const positions = words.map((word) => (POSITION.test(word) ? Number(word) : Number.NaN));
  if (words.length > WHEREABOUTS_POSITIONS_MAX || !positions.every(Number.isSafeInteger)) {
    throw new Refusal(
      ResponseCode.INVALID_PARAMETER,
      `positions are ${WHEREABOUTS_POSITIONS_MAX} offsets of the log at most, joined by commas`,
    );
  }
  return positions;
}
