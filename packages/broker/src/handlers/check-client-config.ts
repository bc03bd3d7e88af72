/**
 * CHECK_CLIENT_CONFIG (46): a client asks before it starts whether its subscription can be served: 23 for an
 * expression that is illegal, with the place; 1 when only tags are filtered by.
 */
import { isTagType, parseCheckClientBody, Refusal, type RequestHandler, ResponseCode } from "@orbitmq/wire";
import { BrokerError } from "../broker-error.ts";
import type { ResolvedBrokerOptions } from "../broker-options.ts";
import type { FilterRegistry } from "../filters/filter-registry.ts";

export interface CheckClientConfigNeeds {
  readonly options: ResolvedBrokerOptions;
  readonly filters: FilterRegistry;
}

export function checkClientConfig({ options, filters }: CheckClientConfigNeeds): RequestHandler {
  return (request, exchange) => {
    const { subscription } = parseCheckClientBody(request.body);
    if (subscription !== undefined && !isTagType(subscription.expressionType)) {
      const { expressionType, subString } = subscription;
      if (!options.enablePropertyFilter) throw noFilter(expressionType);
      const filter = filters.compile(expressionType, subString);
      if (filter instanceof BrokerError) {
        throw new Refusal(ResponseCode.SUBSCRIPTION_PARSE_FAILED, filter.message);
      }
    }
    exchange.reply({ code: ResponseCode.SUCCESS });
  };
}

/** `enablePropertyFilter` is off. */
export function noFilter(expressionType: string): Refusal {
  return new Refusal(
    ResponseCode.SYSTEM_ERROR,
    `The broker does not support consumer to filter message by ${expressionType.slice(0, 64)}`,
  );
}
