/** GET_ALL_MESSAGE_REQUEST_MODE (402): which groups pull or pop which topics, as far as somebody has chosen. */
import { encodeMessageRequestModes, type RequestHandler, ResponseCode } from "@orbitmq/wire";
import type { SetMessageRequestModeNeeds } from "./set-message-request-mode.ts";

export function getAllMessageRequestMode({
  requestModes,
}: Pick<SetMessageRequestModeNeeds, "requestModes">): RequestHandler {
  return (_request, exchange) =>
    exchange.reply({ code: ResponseCode.SUCCESS, body: [encodeMessageRequestModes(requestModes.all())] });
}
