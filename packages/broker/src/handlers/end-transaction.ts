/**
 * END_TRANSACTION (37): commits or rolls back the transaction of a half message. RocketMQ's clients send it oneway; who
 * waits for an answer gets it once the end is as durable as an acknowledged send. Each refusal is logged.
 *
 *    0  done; or `commitOrRollback` is 0: the transaction stays open, and is checked later
 *    1  it was ended before, parked, or never was here; another group's, or another message's; not durable yet;
 *       neither commit nor rollback
 *  604  it is older than its CHECK_IMMUNITY_TIME_IN_SECONDS, and the broker has not asked
 *   14, 2, 13  the store does not take the message now; the transaction stays open
 */
import type { Logger } from "@orbitmq/host";
import {
  endTransactionRequestHeader,
  MessageSysFlag,
  type RequestHandler,
  ResponseCode,
} from "@orbitmq/wire";
import { AppendReply } from "../sending/append-reply.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";
import type { TransactionService } from "../transactions/transaction-service.ts";

export interface EndTransactionNeeds {
  readonly logger: Logger;
  readonly topics: TopicRegistry;
  readonly transactions: TransactionService;
}

export function endTransaction({ logger, topics, transactions }: EndTransactionNeeds): RequestHandler {
  return (request, exchange) => {
    const header = endTransactionRequestHeader.decode(request.ext);
    if (header.commitOrRollback === MessageSysFlag.TRANSACTION_NOT_TYPE) {
      exchange.reply({
        code: ResponseCode.SUCCESS,
        remark: "the transaction stays open, and is checked later",
      });
      return;
    }
    transactions.end(
      header,
      (topic) => new AppendReply(exchange, topics, topic),
      ({ code, remark }) => {
        const { producerGroup, commitLogOffset, commitOrRollback, msgId } = header;
        logger.warn(
          {
            producerGroup,
            commitLogOffset,
            commitOrRollback,
            msgId,
            peer: exchange.peer.address,
            code,
            remark,
          },
          "the end of a transaction is refused",
        );
        exchange.reply({ code, remark });
      },
    );
  };
}
