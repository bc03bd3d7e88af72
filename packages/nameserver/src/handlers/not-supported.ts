/** Requests that RocketMQ sends to a controller, which may live in its NameServers: refused (3) with the reason. */
import { RequestCode, type RequestHandler, ResponseCode } from "@orbitmq/wire";

const CONTROLLER =
  "not supported: there is no controller here; each broker is a master of its own, and nothing is elected";

const CODES: readonly number[] = [
  RequestCode.CONTROLLER_ALTER_SYNC_STATE_SET,
  RequestCode.CONTROLLER_ELECT_MASTER,
  RequestCode.CONTROLLER_REGISTER_BROKER,
  RequestCode.CONTROLLER_GET_REPLICA_INFO,
  RequestCode.CONTROLLER_GET_METADATA_INFO,
  RequestCode.CONTROLLER_GET_SYNC_STATE_DATA,
  RequestCode.UPDATE_CONTROLLER_CONFIG,
  RequestCode.GET_CONTROLLER_CONFIG,
  RequestCode.CLEAN_BROKER_DATA,
  RequestCode.CONTROLLER_GET_NEXT_BROKER_ID,
  RequestCode.CONTROLLER_APPLY_BROKER_ID,
];

export function notSupported(): readonly (readonly [number, RequestHandler])[] {
  const refuse: RequestHandler = (_request, exchange) =>
    exchange.reply({ code: ResponseCode.REQUEST_CODE_NOT_SUPPORTED, remark: CONTROLLER });
  return CODES.map((code) => [code, refuse]);
}
