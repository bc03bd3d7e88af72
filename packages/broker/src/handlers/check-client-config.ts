/**
 * CHECK_CLIENT_CONFIG (46): a client asks before it starts whether its subscription can be served. Tags can; 1 for
 * what this broker cannot filter by.
 */
import { isTagType, parseCheckClientBody, Refusal, type RequestHandler, ResponseCode } from "@orbitmq/wire";

export function checkClientConfig(): RequestHandler {
  return (request, exchange) => {
    const { subscription } = parseCheckClientBody(request.body);
    if (subscription !== undefined && !isTagType(subscription.expressionType)) {
      throw new Refusal(
        ResponseCode.SYSTEM_ERROR,
        `The broker does not support consumer to filter message by ${subscription.expressionType.slice(0, 64)}`,
      );
    }
    exchange.reply({ code: ResponseCode.SUCCESS });
  };
}
