/** How a client is told that the store does not take a message now. */
import type { AppendRefusal } from "@orbitmq/store";
import { ResponseCode } from "@orbitmq/wire";

export const refusalCodes: Readonly<Record<AppendRefusal, number>> = {
  MESSAGE_ILLEGAL: ResponseCode.MESSAGE_ILLEGAL,
  PROPERTIES_SIZE_EXCEEDED: ResponseCode.MESSAGE_ILLEGAL,
  DISK_FULL: ResponseCode.SERVICE_NOT_AVAILABLE,
  STORE_FAILED: ResponseCode.SERVICE_NOT_AVAILABLE,
  STORE_STOPPED: ResponseCode.SERVICE_NOT_AVAILABLE,
  BUSY: ResponseCode.SYSTEM_BUSY,
};
