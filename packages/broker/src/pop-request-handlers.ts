/** The handlers of POP consumption and of server-side assignment, which it needs. */
import { RequestCode, type RequestHandler } from "@orbitmq/wire";
import { type AckMessageNeeds, ackMessage } from "./handlers/ack-message.ts";
import { batchAckMessage } from "./handlers/batch-ack-message.ts";
import { changeMessageInvisibleTime } from "./handlers/change-message-invisibletime.ts";
import { getAllMessageRequestMode } from "./handlers/get-all-message-request-mode.ts";
import { notification } from "./handlers/notification.ts";
import { type PeekMessageNeeds, peekMessage } from "./handlers/peek-message.ts";
import { pollingInfo } from "./handlers/polling-info.ts";
import { popMessage } from "./handlers/pop-message.ts";
import { type QueryAssignmentNeeds, queryAssignment } from "./handlers/query-assignment.ts";
import {
  type SetMessageRequestModeNeeds,
  setMessageRequestMode,
} from "./handlers/set-message-request-mode.ts";

export type PopParts = AckMessageNeeds & PeekMessageNeeds & QueryAssignmentNeeds & SetMessageRequestModeNeeds;

export function popRequestHandlers(parts: PopParts): readonly (readonly [number, RequestHandler])[] {
  return [
    [RequestCode.POP_MESSAGE, popMessage(parts)],
    [RequestCode.ACK_MESSAGE, ackMessage(parts)],
    [RequestCode.BATCH_ACK_MESSAGE, batchAckMessage(parts)],
    [RequestCode.CHANGE_MESSAGE_INVISIBLETIME, changeMessageInvisibleTime(parts)],
    [RequestCode.NOTIFICATION, notification(parts)],
    [RequestCode.POLLING_INFO, pollingInfo(parts)],
    [RequestCode.PEEK_MESSAGE, peekMessage(parts)],
    [RequestCode.QUERY_ASSIGNMENT, queryAssignment(parts)],
    [RequestCode.SET_MESSAGE_REQUEST_MODE, setMessageRequestMode(parts)],
    [RequestCode.GET_ALL_MESSAGE_REQUEST_MODE, getAllMessageRequestMode(parts)],
  ];
}
