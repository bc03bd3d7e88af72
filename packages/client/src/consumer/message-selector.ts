/**
 * What a consumer wants of a topic: messages with certain tags, or those a SQL92 expression over their properties is
 * true for (RocketMQ: MessageSelector). Brokers filter by either; tags are compared once more here, exactly.
 */
import {
  EXPRESSION_SQL92,
  EXPRESSION_TAG,
  encodeCheckClientBody,
  isTagType,
  MASTER_ID,
  newSubscriptionData,
  RequestCode,
  type SubscriptionData,
} from "@orbitmq/wire";
import type { ClientInstance } from "../connection/client-instance.ts";
import { fromUnknown } from "../errors/error-from.ts";
import { OrbitError } from "../errors/errors.ts";

/** Made by {@link sql}. */
export class SqlExpression {
  readonly sql: string;

  constructor(expression: string) {
    this.sql = expression;
  }
}

/**
 * A SQL92 expression for `subscribe`, such as ``sql("price > 5.0 AND region IN ('eu', 'us')")`` (RocketMQ:
 * MessageSelector.bySql). A property compared with a whole number is read as one: compare prices with `5.0`.
 */
export function sql(expression: string): SqlExpression {
  return new SqlExpression(expression);
}

export interface SelectorOptions {
  /** `*` (default), or tags joined by `||`. */
  readonly tags?: string | undefined;
  /** A SQL92 expression over the messages' properties, instead of tags. */
  readonly sql?: string | undefined;
}

/** Throws INVALID_ARGUMENT for a tag expression without tags, an empty SQL92 expression, or both at once. */
export function subscriptionTo(
  topic: string,
  { tags, sql: expression }: SelectorOptions,
  madeMs: number,
): SubscriptionData {
  if (expression !== undefined && tags !== undefined) {
    throw new OrbitError("INVALID_ARGUMENT", "a subscription is by tags or by sql, not by both");
  }
  if (expression?.trim() === "") throw new OrbitError("INVALID_ARGUMENT", "the SQL92 expression is empty");
  const type = expression === undefined ? EXPRESSION_TAG : EXPRESSION_SQL92;
  try {
    return newSubscriptionData(topic, expression ?? tags, madeMs, type);
  } catch (cause) {
    throw new OrbitError("INVALID_ARGUMENT", fromUnknown(cause).message, { cause });
  }
}

/**
 * Asks a broker of the topic whether it can filter by the subscription; there is nothing to ask about tags. Rejects
 * with its refusal, SUBSCRIPTION_PARSE_FAILED for an illegal expression; a broker that does not answer refuses nothing.
 */
export async function checkWithBroker(
  instance: ClientInstance,
  group: string,
  subscription: SubscriptionData,
): Promise<void> {
  if (isTagType(subscription.expressionType)) return;
  try {
    const route = await instance.route(subscription.topic);
    const address = route?.brokerDatas.map(({ brokerAddrs }) => brokerAddrs.get(MASTER_ID)).find(Boolean);
    if (address === undefined) return;
    const body = encodeCheckClientBody({ clientId: instance.clientId, group, subscription });
    const request = { code: RequestCode.CHECK_CLIENT_CONFIG, body: [body] };
    await instance.ask(address, request, () => undefined);
  } catch (error) {
    const failure = fromUnknown(error);
    if (failure.responseCode !== undefined && failure.code !== "TOPIC_NOT_EXIST") throw failure;
    instance.logger.warn({ code: failure.code }, `the subscription was not checked: ${failure.message}`);
  }
}
