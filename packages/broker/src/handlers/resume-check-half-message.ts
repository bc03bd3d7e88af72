/**
 * RESUME_CHECK_HALF_MESSAGE (323): has a transaction that was parked in TRANS_CHECK_MAX_TIME_TOPIC checked again, from
 * the beginning. Answered once its half is durable. A parked message that is resumed twice is two transactions once the
 * first has ended.
 *
 *    1  `msgId` is no offset message id; no parked message lies there; its transaction is being checked already
 *   14, 2, 13  the store does not take the message now
 */
import type { Logger } from "@orbitmq/host";
import type { MessageStore } from "@orbitmq/store";
import {
  decodeOffsetMessageId,
  Refusal,
  type RequestHandler,
  ResponseCode,
  readRecord,
  resumeCheckHalfMessageRequestHeader,
  WireError,
} from "@orbitmq/wire";
import { CHECK_MAX_TOPIC, HALF_TOPIC } from "../names.ts";
import { AppendReply } from "../sending/append-reply.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";
import type { TransactionService } from "../transactions/transaction-service.ts";

export interface ResumeCheckHalfMessageNeeds {
  readonly logger: Logger;
  readonly store: MessageStore;
  readonly topics: TopicRegistry;
  readonly transactions: TransactionService;
}

export function resumeCheckHalfMessage(needs: ResumeCheckHalfMessageNeeds): RequestHandler {
  const { logger, store, topics, transactions } = needs;
  return (request, exchange) => {
    const { msgId = "" } = resumeCheckHalfMessageRequestHeader.decode(request.ext);
    store.recordAt(positionOf(msgId), (bytes) => {
      const record =
        bytes === undefined
          ? undefined
          : readRecord(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), 0);
      if (record?.topic !== CHECK_MAX_TOPIC) {
        const remark = `no message of ${CHECK_MAX_TOPIC} has the id ${msgId}`;
        exchange.reply({ code: ResponseCode.SYSTEM_ERROR, remark });
        return;
      }
      logger.info({ msgId, peer: exchange.peer.address }, "a parked transaction is to be checked again");
      const waiter = new AppendReply(exchange, topics, HALF_TOPIC);
      transactions.resume(record, waiter, (why) => exchange.reply(why));
    });
  };
}

function positionOf(msgId: string): number {
  try {
    return decodeOffsetMessageId(msgId).physicalOffset;
  } catch (error) {
    if (error instanceof WireError) throw new Refusal(ResponseCode.SYSTEM_ERROR, error.message);
    throw error;
  }
}
